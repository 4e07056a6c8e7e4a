"""Who leaves first when few may: forbidden prices, then what brings most until it is void."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repricer.gain import Worth
from repricer.queue import WITH_FEED, WITHOUT_FEED, Waiting, brings, changes_a_day, in_order

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: Changes of a board a day, in ten-thousandths.
ONCE, EVERY_TEN_MINUTES, EVERY_WEEK = 10_000, 1_440_000, 1_429


def waiting(id: int, brings: int = 0, *, forbidden: bool = False, age: int = 0) -> Waiting:  # noqa: A002
    since = NOW - timedelta(minutes=age)
    return Waiting(id=id, forbidden=forbidden, brings=brings, since=since)


def brought(gain: int, changes: int, horizon: timedelta = WITHOUT_FEED) -> int:
    return brings(Worth(forbidden=False, gain=gain), changes, horizon)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        pytest.param([waiting(1, 5), waiting(2, 9)], [2, 1], id="what brings more"),
        pytest.param(
            [waiting(1, 900), waiting(2, -4, forbidden=True)], [2, 1], id="a forbidden price first"
        ),
        pytest.param(
            [waiting(1, 3, forbidden=True), waiting(2, 7, forbidden=True)],
            [2, 1],
            id="of forbidden ones what brings more",
        ),
        pytest.param(
            [waiting(1, 5, age=1), waiting(2, 5, age=9)], [2, 1], id="the older of equals"
        ),
        pytest.param([waiting(2, 5), waiting(1, 5)], [1, 2], id="the first of twins"),
        pytest.param(
            [waiting(1, -5), waiting(2, 0)], [2, 1], id="what costs something last, but not never"
        ),
        pytest.param([], [], id="nothing waits"),
    ],
)
def test_an_order(given: list[Waiting], wanted: list[int]) -> None:
    assert [one.id for one in in_order(given)] == wanted


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
    assert changes_a_day(changes, watched) == wanted * 10_000


many = st.lists(
    st.builds(
        Waiting,
        id=st.integers(0, 99),
        forbidden=st.booleans(),
        brings=st.integers(-5, 5),
        since=st.integers(0, 9).map(lambda minutes: NOW - timedelta(minutes=minutes)),
    ),
    max_size=20,
    unique_by=lambda one: one.id,
)


@given(many, st.randoms())
def test_all_wait_in_one_order_however_they_are_given(given: list[Waiting], random: Any) -> None:
    shuffled = random.sample(given, len(given))
    assert in_order(given) == in_order(shuffled)
    assert sorted(one.id for one in in_order(given)) == sorted(one.id for one in given)


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
