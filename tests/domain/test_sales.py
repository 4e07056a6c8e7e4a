"""Sales are an interval: wider for less knowledge, never one number times eight."""

from fractions import Fraction
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sales import (
    ASSUMED,
    FEWEST_PAIRS,
    BasisPoints,
    NotCalibrated,
    Observed,
    ReviewRate,
    calibrate,
    chance,
    estimate,
)


def rate(low: int, high: int) -> ReviewRate:
    return ReviewRate(low=BasisPoints(low), high=BasisPoints(high), source="a test")


texts = st.integers(0, 5_000)
rates = st.tuples(st.integers(1, 10_000), st.integers(1, 10_000)).map(
    lambda pair: rate(min(pair), max(pair))
)


@st.composite
def observations(draw: st.DrawFn) -> Observed:
    count = draw(texts)
    in_all = draw(st.integers(count, count + 10_000))
    return Observed(texts=count, texts_in_all=in_all, ratings=draw(st.integers(0, 3 * in_all + 1)))


# --- tables ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("observed", "share", "low", "high"),
    [
        pytest.param(Observed(texts=0), rate(1_000, 1_000), 0, 24, id="no review is not no sale"),
        pytest.param(
            Observed(texts=100), rate(1_000, 1_000), 873, 1_142, id="a tenth rates: chance is left"
        ),
        pytest.param(
            Observed(texts=100), rate(500, 2_000), 436, 2_284, id="the share is uncertain, too"
        ),
        pytest.param(
            Observed(texts=100, texts_in_all=500, ratings=1_000),
            rate(1_000, 1_000),
            1_746,
            2_284,
            id="every second rating has no text",
        ),
        pytest.param(
            Observed(texts=100, texts_in_all=500, ratings=400),
            rate(1_000, 1_000),
            873,
            1_142,
            id="fewer ratings than texts cannot be",
        ),
        pytest.param(Observed(texts=100), rate(10_000, 10_000), 100, 115, id="everybody rates"),
    ],
)
def test_an_estimate(observed: Observed, share: ReviewRate, low: int, high: int) -> None:
    sold = estimate(observed, share)
    assert sold.low == pytest.approx(low, abs=2)
    assert sold.high == pytest.approx(high, abs=2)


def test_until_somebody_calibrates_it_is_no_constant() -> None:
    sold = estimate(Observed(texts=100), ASSUMED)
    assert sold.high > 10 * sold.low
    assert sold.low < 800 < sold.high


@pytest.mark.parametrize("wrong", [(0, 100), (200, 100), (1, 10_001)])
def test_a_share_that_is_none_is_refused(wrong: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no share of buyers"):
        rate(*wrong)


# --- properties ------------------------------------------------------------------------------


@given(observations(), rates)
def test_an_interval_is_in_order_and_holds_what_was_seen(
    observed: Observed, share: ReviewRate
) -> None:
    sold = estimate(observed, share)
    assert observed.texts <= sold.low <= sold.high


@given(texts, rates)
def test_more_reviews_mean_more_sales(count: int, share: ReviewRate) -> None:
    fewer, more = (estimate(Observed(texts=count + one), share) for one in (0, 1))
    assert fewer.low <= more.low
    assert fewer.high <= more.high


@given(observations(), rates, st.integers(0, 500))
def test_a_wider_share_makes_no_narrower_interval(
    observed: Observed, share: ReviewRate, wider: int
) -> None:
    narrow = estimate(observed, share)
    wide = estimate(observed, rate(max(1, share.low - wider), min(10_000, share.high + wider)))
    assert wide.low <= narrow.low
    assert wide.high >= narrow.high


def poisson(mean: Fraction, most: int) -> Fraction:
    """How probable at most so many events are."""
    term = Fraction(str(exp(-mean)))
    total = term
    for number in range(1, most + 1):
        term *= mean / number
        total += term
    return total


@given(st.integers(1, 60))
def test_chance_leaves_out_one_outcome_of_ten_on_either_side(count: int) -> None:
    fewest, most = chance(count)
    assert abs(1 - poisson(fewest, count - 1) - Fraction(1, 10)) < Fraction(1, 100)
    assert abs(poisson(most, count) - Fraction(1, 10)) < Fraction(1, 100)


# --- calibration -----------------------------------------------------------------------------

pairs = st.lists(
    st.tuples(st.integers(1, 100_000), st.integers(0, 2_000).map(lambda n: Observed(texts=n))),
    min_size=FEWEST_PAIRS,
    max_size=40,
).filter(lambda found: any(observed.texts for _, observed in found))


@given(pairs)
def test_a_calibrated_share_holds_four_of_five(known: list[tuple[int, Observed]]) -> None:
    """Of what can be held: no share explains more reviews than sales, or one review of so many
    sales that the share is below a basis point, the smallest there is.
    """
    share = calibrate(known, "a test")
    possible = [
        (sales, one)
        for sales, one in known
        if one.texts
        <= sales
        <= estimate(one, ReviewRate(low=BasisPoints(1), high=share.high, source="")).high
    ]
    missed = sum(
        not estimate(one, share).low <= sales <= estimate(one, share).high
        for sales, one in possible
    )
    assert missed <= 2 * (len(known) // 10)


def test_a_known_share_is_found_and_is_narrow() -> None:
    known = [(sales, Observed(texts=sales // 5)) for sales in range(500, 1_500, 50)]
    share = calibrate(known, "march")
    assert share.low <= 2_000 <= share.high
    assert share.high < 1.1 * share.low
    assert share.source == "march"


@pytest.mark.parametrize(
    "known",
    [
        pytest.param([(100, Observed(texts=10))] * (FEWEST_PAIRS - 1), id="too few products"),
        pytest.param([(100, Observed(texts=0))] * FEWEST_PAIRS, id="nobody reviewed them"),
        pytest.param([(0, Observed(texts=3))] * FEWEST_PAIRS, id="nothing was sold"),
    ],
)
def test_what_teaches_nothing_is_refused(known: list[tuple[int, Observed]]) -> None:
    with pytest.raises(NotCalibrated, match=f"at least {FEWEST_PAIRS}"):
        calibrate(known, "a test")
