"""The public rules do what was measured of them, so that meeting them means something."""

from typing import Any

import pytest

from sandbox.market.public import (
    PUBLIC,
    RESET,
    average_of_three,
    be_second,
    cube_top_three,
    marketpilot,
    match_lowest,
    night_reset,
    price_monitor,
    stay_above_leader,
    step_up_night_reset,
)
from sandbox.market.sight import Offer, Sight

#: An hour at which the price monitor does not go up.
NOON = 12 * 60 + 30


def sight(*rivals: int, own: int = 10_000, sister: int | None = None, **more: Any) -> Sight:
    """A board, its floor 9,000 and its ceiling 12,000 unless told otherwise."""
    given: dict[str, Any] = {"remembered": own, "floor": 9_000, "ceiling": 12_000, "minute": NOON}
    return Sight(
        own=own,
        offers=tuple(Offer(f"rival {place}", price, 2) for place, price in enumerate(rivals)),
        sisters=() if sister is None else (Offer("sister", sister, 2),),
        **{**given, **more},
    )


#: The fourteen situations of the truth table; here nobody looks at delivery.
BOARDS = {
    "a rival cheaper, above the floor": sight(9_500),
    "a rival below the floor": sight(5_000),
    "the second rival is feasible": sight(5_000, 9_800),
    "a tie": sight(9_500, own=9_500),
    "first by far": sight(11_000, own=9_500),
    "first, with two rivals": sight(9_600, 11_500, own=9_500),
    "alone": sight(ceiling=10_500),
    "no floor": sight(1, floor=None),
    "a sister is the cheapest": sight(9_900, sister=9_500),
    "the database is behind": sight(9_700, own=9_400, remembered=10_000),
    "a rival delivers in a week": sight(9_500, 9_990),
    "a slip of the pen": sight(1, 9_900),
    "a ceiling below the floor": sight(9_500, ceiling=8_000),
    "a leap": sight(6_500, floor=6_000),
}
#: What each rule answers to them, in order; None: it stays.
MEASURED: dict[str, tuple[int | None, ...]] = {
    "demper main": (
        9_499, None, None, None, None, None, None, 0, 9_499, 9_399, 9_499, None, 9_499, 6_499,
    ),
    "demper unified": (
        9_499, 4_999, 4_999, None, None, None, None, 0, 9_499, 9_399, 9_499, 0, 9_499, 6_499,
    ),
    "cube-demper": (
        9_499, 9_000, 9_000, 9_499, 10_999, 9_599, 10_500, 10, 9_899, 9_699, 9_499, 9_000, 8_000,
        6_499,
    ),
    "price monitor": (
        9_499, None, 9_799, None, None, None, 10_500, 0, 9_499, 9_699, 9_499, 9_899, 9_499, 6_499,
    ),
    "AutoPrice": (
        9_499, 9_000, 9_000, 9_499, 10_999, 9_599, None, None, 9_899, 9_699, 9_499, 9_000, 8_000,
        None,
    ),
    "marketpilot": (
        9_499, None, None, None, 10_999, 9_599, None, None, 9_499, None, 9_499, None, 9_499, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("rule", MEASURED)
def test_a_public_rule_answers_as_it_was_measured(rule: str, board: str) -> None:
    expected = MEASURED[rule][list(BOARDS).index(board)]
    seen = BOARDS[board]
    assert PUBLIC[rule](seen) == (seen.own if expected is None else expected)


def test_the_flip_flop_never_rests() -> None:
    price, seen = 10_450, []
    for _ in range(6):
        price = marketpilot(sight(9_600, 11_500, own=price, ceiling=10_450))
        seen.append(price)
    assert seen == [9_599, 10_450] * 3


@pytest.mark.parametrize(
    ("rule", "board", "expected"),
    [
        pytest.param(match_lowest, sight(9_500, 9_800), 9_500, id="the lowest is matched"),
        pytest.param(match_lowest, sight(5_000), 9_000, id="but not below the floor"),
        pytest.param(match_lowest, sight(6_500, floor=6_000), 10_000, id="nor in a leap"),
        pytest.param(average_of_three, sight(9_500, 9_700, 9_900, 11_000), 9_700, id="the average"),
        pytest.param(stay_above_leader, sight(9_500), 9_501, id="one above the leader"),
        pytest.param(be_second, sight(9_500, 9_800), 9_799, id="second"),
        pytest.param(cube_top_three, sight(9_500, 9_700, 9_900), 9_899, id="third"),
        pytest.param(
            cube_top_three,
            sight(9_600, 9_900, sister=9_500),
            9_899,
            id="third, a sister counted as a rival",
        ),
        pytest.param(price_monitor, sight(11_000, minute=300), 10_999, id="up, each fifth hour"),
        pytest.param(price_monitor, sight(11_000, minute=320), 10_000, id="not long after it"),
        pytest.param(night_reset, sight(9_500, minute=RESET[0]), 12_000, id="up at night"),
        pytest.param(night_reset, sight(9_500, minute=RESET[1]), 9_499, id="down in the morning"),
        pytest.param(step_up_night_reset, sight(11_000), 10_999, id="up and down by day"),
    ],
)
def test_the_other_rules(rule: Any, board: Sight, expected: int) -> None:
    assert rule(board) == expected
