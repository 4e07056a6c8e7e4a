"""What a change is worth: a better place, a dearer sale, more buyers. Forbidden prices apart."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Tenge
from domain.pricing import Rule, Strategy, WhenUnbeatable
from repricer.decision import decide
from repricer.gain import Worth, worth
from tests.repricer.thinking import plan, rival, rule, situation

#: From 9,000 to 12,000, bought for 8,000, without fees.
BOUGHT = rule(cost=Tenge(8_000))


def worth_of(own: int | None, *rivals: int, by: Rule = BOUGHT, demand: int | None = None) -> Worth:
    """What a decision among rivals at these prices is worth."""
    offers = [rival(f"rival {number}", price) for number, price in enumerate(rivals)]
    planned = plan(by)
    return worth(decide(situation(own, *offers), planned), planned, demand)


@pytest.mark.parametrize(
    ("found", "gain"),
    [
        pytest.param(
            worth_of(10_500, 10_000),
            449,
            id="first instead of second: 50 % of 1,999, 22 % of 2,500",
        ),
        pytest.param(
            worth_of(10_000, 10_000), 279, id="first instead of one of two: 36 % of the buyers"
        ),
        pytest.param(worth_of(9_500, 11_000), 749, id="up to the next: half of 1,499 more"),
        pytest.param(worth_of(10_000), 1_000, id="alone, up to the ceiling: half of 2,000 more"),
        pytest.param(worth_of(None, 10_000), 999, id="no live price: all that is earned"),
        pytest.param(
            worth_of(10_500, 10_000, demand=25_000), 1_123, id="two and a half sales a day"
        ),
        pytest.param(worth_of(10_500, 10_000, demand=0), 0, id="what nobody buys brings nothing"),
        pytest.param(worth_of(9_999, 10_000), 0, id="a price that is held brings nothing"),
        pytest.param(
            worth_of(10_500, 10_000, by=rule()),
            673,
            id="no known cost: what is left above four fifths of 9,000",
        ),
        pytest.param(
            worth_of(10_500, 10_000, by=msgspec.structs.replace(BOUGHT, shares_bp=(2_000, 2_000))),
            -101,
            id="a place that brings no buyers is not worth its price",
        ),
        pytest.param(
            worth_of(11_000, 10_000, by=msgspec.structs.replace(BOUGHT, strategy=Strategy.MATCH)),
            60,
            id="beside a rival: half of two places, 36 % of 2,000 instead of 22 % of 3,000",
        ),
    ],
)
def test_a_gain(found: Worth, gain: int) -> None:
    assert found == Worth(forbidden=False, gain=gain)


@pytest.mark.parametrize(
    ("own", "forbidden"),
    [
        pytest.param(8_900, True, id="below the floor"),
        pytest.param(12_100, True, id="above the ceiling"),
        pytest.param(9_000, False, id="at the floor"),
        pytest.param(12_000, False, id="at the ceiling"),
        pytest.param(None, False, id="no price at all"),
    ],
)
def test_a_live_price_is_forbidden(own: int | None, forbidden: bool) -> None:
    assert worth_of(own, 10_000).forbidden is forbidden


def test_a_live_price_in_a_dead_zone_is_forbidden() -> None:
    by = Rule(floor=Tenge(4_000), cost=Tenge(2_000), zone="city")
    assert worth_of(5_300, 3_500, by=by).forbidden


prices = st.integers(8_500, 13_000)
boards = st.lists(prices, max_size=6)
demands = st.integers(0, 1_000_000)


@given(prices, boards, demands, demands)
def test_more_buyers_make_more_of_it(own: int, rivals: list[int], one: int, other: int) -> None:
    low, high = (worth_of(own, *rivals, demand=demand).gain for demand in sorted((one, other)))
    assert low <= high if high >= 0 else high <= low


@given(prices, boards, st.randoms())
def test_the_order_of_offers_does_not_matter(own: int, rivals: list[int], random: Any) -> None:
    assert worth_of(own, *rivals) == worth_of(own, *random.sample(rivals, len(rivals)))


@given(st.integers(9_000, 11_999))
def test_a_raise_to_the_ceiling_without_rivals_is_a_gain(own: int) -> None:
    by = msgspec.structs.replace(BOUGHT, max_change_bp=10_000)
    assert worth_of(own, by=by, demand=20_000) == Worth(forbidden=False, gain=12_000 - own)


@given(st.integers(9_001, 11_999), st.integers(1, 1_000_000))
def test_a_cut_that_wins_no_place_is_a_loss(own: int, demand: int) -> None:
    by = msgspec.structs.replace(
        BOUGHT, when_unbeatable=WhenUnbeatable.LOWEST, idle_cuts=True, shadow_bp=0
    )
    assert worth_of(own, 8_000, by=by, demand=demand).gain < 0
