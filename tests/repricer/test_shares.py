"""Curves of buyers by place, the recent median, and outcomes of several boards together."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.pricing import ASSUMED_SHARES_BP, WHOLE
from repricer.recent import RecentPrices
from repricer.shares import flatter, share, steeper
from repricer.tally import together
from tests.building import START
from tests.repricer.past import moment, outcomes
from tests.repricer.thinking import rival, rule

curves = st.lists(st.integers(0, WHOLE), min_size=1, max_size=9).map(
    lambda shares: tuple(sorted(shares, reverse=True))
)


def test_the_assumed_curve_lies_between_the_other_two() -> None:
    assert steeper(ASSUMED_SHARES_BP) == (6_635, 1_936, 780, 347, 150, 97, 53)
    assert flatter(ASSUMED_SHARES_BP) == (3_072, 2_037, 1_504, 1_149, 868, 752, 614)


@given(curve=curves)
def test_another_curve_has_the_same_buyers_and_the_same_order(curve: tuple[int, ...]) -> None:
    for other in (steeper(curve), flatter(curve)):
        assert sum(curve) - len(curve) <= sum(other) <= sum(curve)
        assert list(other) == sorted(other, reverse=True)
    assert steeper(curve)[0] >= curve[0] - 1
    assert flatter(curve)[0] <= curve[0]


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        pytest.param(1, 5_000, id="the first"),
        pytest.param(7, 200, id="the last that is known"),
        pytest.param(40, 200, id="far behind: as the last"),
    ],
)
def test_a_place_has_a_share(place: int, wanted: int) -> None:
    assert share(ASSUMED_SHARES_BP, place) == wanted


@pytest.mark.parametrize(
    ("days", "wanted"),
    [
        pytest.param(0, 300, id="a full board"),
        pytest.param(1, 400, id="who left yesterday still counts, at his last price"),
        pytest.param(9, None, id="who left long ago does not"),
    ],
)
def test_the_recent_median_is_of_who_stands_and_of_who_just_left(
    days: int, wanted: int | None
) -> None:
    recent = RecentPrices()
    full = [rival(name, price) for name, price in zip("ABCDE", range(100, 600, 100), strict=True)]
    assert recent.see(START, full) == 300
    recent.see(START + timedelta(minutes=1), full[2:])
    later = [rival("A", 700), *full[2:]] if days == 1 else full[2:] if days else full
    assert recent.see(START + timedelta(days=days, minutes=2), later) == wanted


def test_too_few_have_no_median() -> None:
    assert RecentPrices().see(START, [rival(name, 100) for name in "ABCD"]) is None


def test_boards_together_count_alike_and_their_means_are_weighed_by_time() -> None:
    cheap = [moment(0, us=9_000, A=12_000), moment(60, us=9_000, A=12_000)]
    dear = [moment(0, us=11_000, A=10_000), moment(180, us=11_000, A=10_000)]
    by = rule(cost=8_000)
    (one, _), (other, _) = outcomes(cheap, by), outcomes(dear, by)
    both = together([one, other])
    assert (both.listings, both.seconds) == (2, 4 * 3_600)
    assert (both.price, both.place, both.first_bp) == (10_500, 175, 2_500)
    assert one.profits
    assert other.profits
    both_profits = zip(one.profits, other.profits, strict=True)
    assert both.profits == tuple(sum(each) // 2 for each in both_profits)


def test_one_unknown_cost_makes_the_average_unknown() -> None:
    past = [moment(0, us=9_000, A=12_000), moment(60, us=9_000, A=12_000)]
    (known, _), (unknown, _) = outcomes(past, rule(cost=8_000)), outcomes(past, rule())
    assert together([known, unknown]).profit is None


def test_nothing_is_no_outcome() -> None:
    with pytest.raises(ValueError, match="nothing was replayed"):
        together([])
