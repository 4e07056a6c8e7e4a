"""The golden situations: what a seller expects, line by line."""

from typing import Any

import attrs
import pytest

from domain.identity import MerchantId
from domain.money import Tenge
from domain.pricing import CompareDelivery, MarketOffer, Reason, Rule
from tests.repricer.thinking import decided, rival, rule, said


@attrs.frozen
class Golden:
    """Our price, the board and the rule; the answer, and the reason for it."""

    own: int
    offers: list[MarketOffer]
    answer: str
    why: Reason
    by: Rule
    more: dict[str, Any]


def case(
    own: int,
    offers: list[MarketOffer],
    answer: str,
    why: Reason,
    by: Rule | None = None,
    **more: Any,
) -> Golden:
    return Golden(own, offers, answer, why, rule() if by is None else by, more)


SISTER: dict[str, Any] = {"sisters": frozenset({MerchantId("sister")})}
SAME_OR_FASTER = rule(compare_delivery=CompareDelivery.SAME_OR_FASTER)
GOLDEN = {
    "a cheaper rival above our floor is undercut by a step": case(
        10_000, [rival("A", 9_500)], "9499", Reason.UNDERCUT
    ),
    "a rival below our floor does not drag us down": case(
        10_000, [rival("A", 5_000)], "hold", Reason.UNBEATABLE
    ),
    "behind a rival below our floor the next one is beaten": case(
        10_000, [rival("A", 5_000), rival("B", 9_800)], "9799", Reason.NEXT_FEASIBLE
    ),
    "a tie is broken by a step": case(9_500, [rival("A", 9_500)], "9499", Reason.UNDERCUT),
    "being first by far we go up to just under the next": case(
        9_500, [rival("A", 11_000)], "10999", Reason.RAISE_TO_NEXT
    ),
    "of two rivals above us the nearer one is our measure": case(
        9_500, [rival("A", 9_600), rival("B", 11_500)], "9599", Reason.RAISE_TO_NEXT
    ),
    "alone we go to the ceiling": case(
        10_000, [], "10500", Reason.ALONE_CEILING, rule(ceiling=Tenge(10_500))
    ),
    "without a floor and a cost nothing is done": case(
        10_000, [rival("A", 1)], "hold", Reason.NO_FLOOR_NO_COST, rule(floor=None)
    ),
    "a sister is not fought": case(
        10_000, [rival("sister", 9_500), rival("B", 9_900)], "9899", Reason.UNDERCUT, **SISTER
    ),
    "the live price counts, not the remembered one": case(
        9_400, [rival("A", 9_700)], "9699", Reason.RAISE_TO_NEXT, remembered=Tenge(10_000)
    ),
    "our own offer on the board is newer than what we were told": case(
        10_000, [rival("us", 9_400), rival("A", 9_700)], "9699", Reason.RAISE_TO_NEXT
    ),
    "a slow offer does not compete with a fast one": case(
        10_000,
        [
            rival("us", 10_000, delivery_days=0),
            rival("A", 9_500, delivery_days=7),
            rival("B", 9_990, delivery_days=0),
        ],
        "9989",
        Reason.UNDERCUT,
        SAME_OR_FASTER,
    ),
    "where our delivery is not known it is taken to be as good as the best": case(
        10_000,
        [rival("A", 9_500, delivery_days=7), rival("B", 9_990, delivery_days=0)],
        "9989",
        Reason.UNDERCUT,
        SAME_OR_FASTER,
    ),
    "a slip of the pen at one tenge is nobody's rival": case(
        10_000, [rival("A", 1), rival("B", 9_900)], "9899", Reason.UNDERCUT
    ),
    "a ceiling below the floor allows nothing": case(
        10_000, [rival("A", 9_500)], "hold", Reason.CEILING_BELOW_FLOOR, rule(ceiling=Tenge(8_000))
    ),
    "a leap is shown to a person, whole": case(
        10_000, [rival("A", 6_500)], "review 6499", Reason.MAX_CHANGE, rule(floor=Tenge(6_000))
    ),
}


@pytest.mark.parametrize("golden", GOLDEN.values(), ids=GOLDEN)
def test_a_golden_situation(golden: Golden) -> None:
    decision = decided(golden.own, *golden.offers, by=golden.by, **golden.more)
    assert said(decision) == golden.answer
    assert decision.reason is golden.why
