"""The public rules do what was measured of them, so that meeting them means something."""

import pytest

from tests.repricer.public_rules import PUBLIC_RULES, flip_flop

#: own, the others, floor, ceiling.
BOARDS = {
    "a rival cheaper, above the floor": (10_000, [9_500], 9_000, 12_000),
    "a rival below the floor": (10_000, [5_000], 9_000, 12_000),
    "the second rival is feasible": (10_000, [5_000, 9_800], 9_000, 12_000),
    "a tie": (9_500, [9_500], 9_000, 12_000),
    "first by far": (9_500, [11_000], 9_000, 12_000),
    "alone": (10_000, [], 9_000, 10_500),
    "a slip of the pen": (10_000, [1, 9_900], 9_000, 12_000),
    "a ceiling below the floor": (10_000, [9_500], 9_000, 8_000),
    "a leap": (10_000, [6_500], 6_000, 12_000),
}
#: What each of them answers to these boards, in order.
MEASURED = {
    "down only": (9_499, 10_000, 10_000, 9_500, 9_500, 10_000, 10_000, 9_499, 6_499),
    "floorless": (9_499, 4_999, 4_999, 9_500, 9_500, 10_000, 1, 9_499, 6_499),
    "step up": (9_499, 9_000, 9_000, 9_499, 10_999, 10_500, 9_000, 8_000, 6_499),
    "step or skip": (9_499, 9_000, 9_000, 9_499, 10_999, 10_000, 9_000, 8_000, 10_000),
    "next above floor": (9_499, 10_000, 9_799, 9_500, 9_500, 10_500, 9_899, 9_499, 6_499),
    "flip-flop": (9_499, 10_000, 10_000, 9_500, 10_999, 10_000, 10_000, 9_499, 10_000),
}


@pytest.mark.parametrize("name", MEASURED)
def test_a_public_rule_answers_as_it_was_measured(name: str) -> None:
    rule = PUBLIC_RULES[name]
    assert tuple(rule(*board) for board in BOARDS.values()) == MEASURED[name]


def test_the_flip_flop_never_rests() -> None:
    price, seen = 10_450, []
    for _ in range(6):
        price = flip_flop(price, [9_600, 11_500], 9_000, 10_450)
        seen.append(price)
    assert seen == [9_599, 10_450] * 3
