"""Shares of places, learned from own orders."""

from datetime import datetime, timedelta
from random import Random

import pytest

from domain.past import Moment
from domain.pricing import ASSUMED_SHARES_BP, WHOLE
from kaspi_crawler.replays.calibrated import Shares, Stood, calibrated, hours_of, stood
from tests.building import START, at
from tests.repricer.past import moment
from tests.repricer.thinking import US

EVEN = (1.0,) * 24
TRUE = (6_500, 1_500, 900, 500, 300, 200, 100)


def bought(orders: int, *, seed: int = 3) -> list[Stood]:
    """Orders by the true shares on boards that sell very differently, in some places each."""
    random = Random(seed)  # noqa: S311
    boards = []
    for _ in range(100):
        time = [random.expovariate(1) if random.random() < 0.5 else 0.0 for _ in TRUE]
        weights = [hours * share for hours, share in zip(time, TRUE, strict=True)]
        came = [0] * len(TRUE)
        if any(weights):
            for place in random.choices(range(len(TRUE)), weights, k=random.randint(0, orders)):
                came[place] += 1
        boards.append(Stood(tuple(time), tuple(came)))
    return boards


def wrong(shares: Shares) -> int:
    return sum(abs(mine - true) for mine, true in zip(shares.shares_bp, TRUE, strict=True))


def test_many_orders_find_the_true_shares() -> None:
    few, many = (calibrated(bought(orders), ASSUMED_SHARES_BP) for orders in (2, 200))
    assert wrong(many) < 500
    assert wrong(many) < wrong(few) < wrong(calibrated([], ASSUMED_SHARES_BP))


def test_without_orders_they_are_as_assumed() -> None:
    assert calibrated([], ASSUMED_SHARES_BP).shares_bp == ASSUMED_SHARES_BP


def test_a_board_in_one_place_says_nothing() -> None:
    lone = Stood((10.0, *(0.0,) * 6), (500, *(0,) * 6))
    assert calibrated([lone], ASSUMED_SHARES_BP) == calibrated([], ASSUMED_SHARES_BP)


def test_what_a_product_sells_does_not_matter() -> None:
    """Nine of ten orders came in the first place, in equal time, on a board like another."""
    small = Stood((1.0, 1.0, *(0.0,) * 5), (900, 100, *(0,) * 5))
    large = Stood((0.0, 100.0, 100.0, *(0.0,) * 4), (0, 9_000, 9_000, *(0,) * 4))
    first, second, third = calibrated([small, large], ASSUMED_SHARES_BP).shares_bp[:3]
    assert first / second == pytest.approx(9, rel=0.05)
    assert second / third == pytest.approx(1, rel=0.05)


def test_the_interval_holds_the_share_and_all_of_them_are_everything() -> None:
    for seed in range(5):
        assert sum(calibrated(bought(4, seed=seed), ASSUMED_SHARES_BP).shares_bp) == WHOLE
    found = calibrated(bought(20), ASSUMED_SHARES_BP)
    for low, share, high in zip(found.low_bp, found.shares_bp, found.high_bp, strict=True):
        assert low <= share <= high


def days(*moments: Moment) -> tuple[Stood, int]:
    orders = [at(30), at(59), at(60), at(500)]
    return stood(moments, US, orders, EVEN, 3)


def test_time_and_orders_are_those_of_the_place_at_the_moment() -> None:
    found, unknown = days(
        moment(0, us=100, a=90, b=95),
        moment(60, us=89, a=90, b=95),
        moment(180, us=89, a=90, b=95),
    )
    assert found == Stood((2.0, 0.0, 1.0), (1, 0, 2))
    assert unknown == 1


def test_who_asks_the_same_stands_before_us_and_the_last_place_is_all_beyond() -> None:
    found, _ = days(
        moment(0, us=90, a=90), moment(60, us=99, a=1, b=2, c=3), moment(120, us=99, a=1)
    )
    assert found.time == (0.0, 1.0, 1.0)


def test_time_in_which_we_are_away_is_nobodys() -> None:
    found, unknown = days(moment(0, a=90), moment(60, us=80, a=90), moment(120, us=80, a=90))
    assert (found, unknown) == (Stood((1.0, 0.0, 0.0), (1, 0, 0)), 3)


def test_a_night_in_which_nobody_buys_weighs_little() -> None:
    midnight = datetime.fromisoformat("2026-09-18T00:00+05:00")
    noons = [midnight + timedelta(days=day, hours=12) for day in range(476)]
    hours = hours_of(noons)
    assert (round(hours[12], 2), round(hours[3], 3)) == (22.90, 0.048)
    begins = (midnight - START) // timedelta(minutes=1)
    moments = (moment(begins, us=80, a=90), moment(begins + 3 * 24 * 60 + 60, us=80, a=90))
    found, _ = stood(moments, US, [], hours, 3)
    assert found.time[0] == pytest.approx(3 * 24 + hours[0])
