"""Each strategy and each of a rule's choices, on boards that a person can check."""

from typing import Any

import attrs
import pytest

from domain.identity import MerchantId
from domain.money import Tenge
from domain.pricing import (
    MarketOffer,
    Reason,
    Rule,
    Strategy,
    WhenAlone,
    WhenTied,
    WhenUnbeatable,
)
from tests.repricer.thinking import decided, rival, rule, said

BOARD = [rival("A", 9_500), rival("B", 9_900), rival("C", 11_000)]
LOW = [rival("A", 5_000), rival("B", 6_000)]
#: Fees as in town, goods for 4,000.
TOWN: dict[str, Any] = {"uses_tariffs": True, "zone": "city", "cost": Tenge(4_000)}


@attrs.frozen
class Case:
    own: int | None
    offers: list[MarketOffer]
    by: Rule
    answer: str
    why: Reason


def by(strategy: Strategy, **more: Any) -> Rule:
    return rule(strategy=strategy, **more)


def follow(offset: int, merchant: str = "B", **more: Any) -> Rule:
    return by(Strategy.FOLLOW, follow=MerchantId(merchant), offset=offset, **more)


UNDERCUT, MATCH, POSITION = Strategy.UNDERCUT, Strategy.MATCH, Strategy.POSITION
PREMIUM, PROFIT = Strategy.PREMIUM, Strategy.PROFIT
CASES = {
    "undercut by a step of 50": Case(
        10_000, BOARD, by(UNDERCUT, step=50), "9450", Reason.UNDERCUT
    ),
    "undercut by a percent, rounded to the buyer's good": Case(
        10_000, [rival("A", 9_550)], by(UNDERCUT, step_bp=100), "9454", Reason.UNDERCUT
    ),
    "a first price, where there was none": Case(
        None, BOARD, by(UNDERCUT), "9499", Reason.UNDERCUT
    ),
    "a tie may be left as it is": Case(
        9_500, BOARD, by(UNDERCUT, when_tied=WhenTied.MATCH), "hold", Reason.AT_TARGET
    ),
    "the same price as the first": Case(10_000, BOARD, by(MATCH), "9500", Reason.MATCH),
    "up to the same price as the first": Case(9_200, BOARD, by(MATCH), "9500", Reason.MATCH),
    "the first is out of reach, so as the second": Case(
        10_000, [rival("A", 8_000), rival("B", 9_700)], by(MATCH), "9700", Reason.NEXT_FEASIBLE
    ),
    "the second place is just under the second rival": Case(
        10_000, BOARD, by(POSITION, position=2), "9899", Reason.POSITION
    ),
    "from the first place up to the third": Case(
        9_400, BOARD, by(POSITION, position=3), "10999", Reason.POSITION
    ),
    "the fifth place of four is the ceiling": Case(
        10_000, BOARD, by(POSITION, position=5), "12000", Reason.BEHIND_ALL
    ),
    "the fifth place of four without a ceiling is where we are": Case(
        10_000, BOARD, by(POSITION, position=5, ceiling=None), "hold", Reason.AT_TARGET
    ),
    "at a distance below one merchant": Case(10_000, BOARD, follow(-100), "9800", Reason.FOLLOW),
    "at a distance above one merchant": Case(9_700, BOARD, follow(100), "10000", Reason.FOLLOW),
    "the merchant to follow is away": Case(
        10_000, BOARD, follow(0, "Z"), "hold", Reason.NOBODY_TO_FOLLOW
    ),
    "following ends at the floor": Case(
        10_000, LOW, follow(0, "A"), "hold", Reason.UNBEATABLE
    ),
    "following ends at the ceiling": Case(
        10_000, [rival("A", 12_500)], follow(100, "A"), "12000", Reason.FOLLOW
    ),
    "above the first by a premium": Case(
        9_400, BOARD, by(PREMIUM, premium=300), "9800", Reason.PREMIUM
    ),
    "down to a premium when that passes somebody": Case(
        10_000, BOARD, by(PREMIUM, premium=300), "9800", Reason.PREMIUM
    ),
    "down to a premium for nothing is not done": Case(
        10_000, BOARD, by(PREMIUM, premium=450), "hold", Reason.NO_GAIN
    ),
    "unless the owner wants it": Case(
        10_000, BOARD, by(PREMIUM, premium=450, idle_cuts=True), "9950", Reason.PREMIUM
    ),
    "hold holds, whoever comes": Case(
        10_000, BOARD, by(Strategy.HOLD), "hold", Reason.TOLD_TO_HOLD
    ),
    "the best place by profit is not always the first": Case(
        10_000,
        [rival("A", 6_000), rival("B", 11_900)],
        by(PROFIT, cost=Tenge(5_800), floor=None),
        "11899",
        Reason.PROFIT,
    ),
    "the best place by profit is the first where it pays": Case(
        10_000,
        [rival("A", 9_500), rival("B", 11_900)],
        by(PROFIT, cost=Tenge(2_000), floor=None, absurd_low_bp=0),
        "9499",
        Reason.PROFIT,
    ),
    "another share of buyers, another place": Case(
        10_000,
        [rival("A", 9_500), rival("B", 11_900)],
        by(PROFIT, cost=Tenge(2_000), floor=None, shares_bp=(4_000, 4_000)),
        "12000",
        Reason.PROFIT,
    ),
    "profit without a cost undercuts": Case(10_000, BOARD, by(PROFIT), "9499", Reason.UNDERCUT),
    "alone we may hold": Case(
        10_000, [], by(UNDERCUT, when_alone=WhenAlone.HOLD), "hold", Reason.ALONE
    ),
    "alone without a ceiling there is nowhere to go": Case(
        10_000, [], by(UNDERCUT, ceiling=None), "hold", Reason.ALONE
    ),
    "unbeatable, to the ceiling": Case(
        10_000,
        LOW,
        by(UNDERCUT, when_unbeatable=WhenUnbeatable.CEILING),
        "12000",
        Reason.UNBEATABLE_CEILING,
    ),
    "unbeatable, up to the lowest allowed": Case(
        8_000,
        LOW,
        by(UNDERCUT, when_unbeatable=WhenUnbeatable.LOWEST),
        "9000",
        Reason.UNBEATABLE_LOWEST,
    ),
    "unbeatable, and down to the lowest gains nothing": Case(
        10_000, LOW, by(UNDERCUT, when_unbeatable=WhenUnbeatable.LOWEST), "hold", Reason.NO_GAIN
    ),
    "unbeatable, down to the lowest when the owner wants it": Case(
        10_000,
        LOW,
        by(UNDERCUT, when_unbeatable=WhenUnbeatable.LOWEST, idle_cuts=True),
        "9000",
        Reason.UNBEATABLE_LOWEST,
    ),
    "from below the floor up to it": Case(
        8_500, LOW, by(UNDERCUT), "9000", Reason.INTO_ALLOWED
    ),
    "from above the ceiling down to it": Case(
        12_500, LOW, by(UNDERCUT), "12000", Reason.INTO_ALLOWED
    ),
    "out of a dead zone down to where more is earned": Case(
        5_300, [], by(UNDERCUT, **{**TOWN, "cost": Tenge(1_000)}, floor=None, ceiling=None),
        "4999", Reason.INTO_ALLOWED,
    ),
    "not into a dead zone, but under it": Case(
        10_300, [rival("A", 10_500)], by(UNDERCUT, **TOWN), "9999", Reason.UNDERCUT
    ),
    "the ceiling in a dead zone is the price under it": Case(
        9_500, [], by(UNDERCUT, **{**TOWN, "ceiling": Tenge(10_500)}), "9999",
        Reason.ALONE_CEILING,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_strategy(case: Case) -> None:
    decision = decided(case.own, *case.offers, by=case.by)
    assert (said(decision), decision.reason) == (case.answer, case.why)


def test_the_numbers_behind_an_answer() -> None:
    decision = decided(10_300, rival("A", 10_500), rival("B", 1), by=rule(**TOWN))
    assert (decision.profit_before, decision.profit) == (3_227, 3_443)
    assert (decision.place_before, decision.place) == (1, 1)
    assert decision.pairs == ((9_000, 9_999), (10_562, 12_000))
    assert [one.merchant for one in decision.rivals] == ["A"]
    assert [(offer.merchant, str(why)) for offer, why in decision.dropped] == [("B", "absurd")]
    assert [str(bound) for bound in decision.constraints] == ["dead_zone"]
