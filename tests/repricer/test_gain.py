"""What a change is worth: a better place, a dearer sale, more buyers, for as long as it stands."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Tenge
from domain.pricing import Rule, Strategy, WhenUnbeatable
from repricer.decision import decide
from repricer.gain import WITH_FEED, WITHOUT_FEED, Worth, brings, changes_a_day, worth
from tests.repricer.thinking import plan, rival, rule, situation

#: From 9,000 to 12,000, bought for 8,000, without fees.
BOUGHT = rule(cost=Tenge(8_000))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: Changes of a board a day, in ten-thousandths.
ONCE, EVERY_TEN_MINUTES, EVERY_WEEK = 10_000, 1_440_000, 1_429


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


# --- until it is overtaken ---------------------------------------------------------------------


def brought(gain: int, changes: int, horizon: timedelta = WITHOUT_FEED) -> int:
    return brings(Worth(forbidden=False, gain=gain), changes, horizon)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        pytest.param(
            brought(100, EVERY_WEEK), brought(5_000, EVERY_TEN_MINUTES),
            id="a small gain that stands for days, over a great one that is void in ten minutes",
        ),
        pytest.param(
            brought(5_000, EVERY_TEN_MINUTES, WITH_FEED), brought(100, EVERY_WEEK, WITH_FEED),
            id="but not where the feed brings the small one within the hour",
        ),
        pytest.param(brought(200, ONCE), brought(100, ONCE), id="twice the gain"),
        pytest.param(brought(100, ONCE), brought(100, 2 * ONCE), id="twice as long"),
        pytest.param(brought(1, EVERY_TEN_MINUTES), brought(0, 0), id="a little over nothing"),
    ],
)  # fmt: skip
def test_what_brings_more(better: int, worse: int) -> None:
    assert better > worse


@pytest.mark.parametrize(
    ("found", "tenge"),
    [
        pytest.param(brought(2_400, 0, DAY), 2_400, id="a day of a board that never changes"),
        pytest.param(brought(2_400, 0, HOUR), 100, id="an hour of it, where the feed follows"),
        pytest.param(brought(2_400, ONCE, DAY), 1_200, id="half a day where it changes daily"),
        pytest.param(brought(-2_400, ONCE, DAY), -1_200, id="a loss, too"),
    ],
)
def test_what_a_change_brings(found: int, tenge: int) -> None:
    assert found == tenge * 10_000


@pytest.mark.parametrize(
    ("changes", "watched", "wanted"),
    [
        pytest.param(0, timedelta(0), 1.0, id="nothing is known: once a day"),
        pytest.param(0, timedelta(days=9), 0.1, id="nine quiet days: hardly ever"),
        pytest.param(13, timedelta(days=6), 2.0, id="thirteen changes in six days"),
        pytest.param(143, timedelta(days=0, hours=12), 96.0, id="a war of half a day"),
    ],
)
def test_how_often_a_board_changes(changes: int, watched: timedelta, wanted: float) -> None:
    assert changes_a_day(changes * 10_000, watched) == wanted * 10_000


gains = st.integers(0, 10**9)
rates = st.integers(0, 10**8)
horizons = st.integers(60, 10**6).map(lambda number: timedelta(seconds=number))


@given(gains, gains, rates, rates, horizons)
def test_no_less_for_a_greater_gain_or_a_quieter_board(
    gain: int, more: int, rate: int, busier: int, horizon: timedelta
) -> None:
    assert brought(gain, rate, horizon) <= brought(gain + more, rate, horizon)
    assert brought(gain, rate + busier, horizon) <= brought(gain, rate, horizon)
    assert 0 <= brought(gain, rate, horizon) <= gain * 10_000 * (horizon / DAY) + 1


@given(st.integers(0, 10_000), st.integers(0, 10**7).map(lambda one: timedelta(seconds=one)))
def test_more_changes_make_a_busier_board_and_more_watching_a_quieter_one(
    changes: int, watched: timedelta
) -> None:
    assert changes_a_day(changes, watched) <= changes_a_day(changes + 1, watched)
    assert changes_a_day(changes, watched + HOUR) <= changes_a_day(changes, watched)
