"""How much of a product is sold, as its reviews let one guess: an interval, never one number.

Only some buyers rate what they bought, and which share of them differs by category; nobody has
published it. A constant multiplier (clients multiply reviews by eight) hides both. Here the share
is an interval that sellers calibrate on what they know they sold, and chance widens it further.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor, sqrt
from typing import NewType

import attrs

#: A share in ten thousandths: 2500 is a quarter.
BasisPoints = NewType("BasisPoints", int)

ALL_BUYERS = BasisPoints(10_000)
#: Pairs of known sales and ratings without which a share is not calibrated.
FEWEST_PAIRS = 5
#: Standard deviations on either side that hold four of five outcomes.
_DEVIATIONS = 1.2816


class NotCalibrated(ValueError):
    """Sales and ratings from which no share of raters can be learned."""


@attrs.frozen(kw_only=True)
class ReviewRate:
    """Which share of the buyers rates the product, at least and at most, and who says so.

    Raises ValueError unless 0 < low <= high <= 10,000.
    """

    low: BasisPoints
    high: BasisPoints
    source: str

    def __attrs_post_init__(self) -> None:
        if not 0 < self.low <= self.high <= ALL_BUYERS:
            raise ValueError(
                f"{self.low} to {self.high} basis points is no share of buyers: "
                "expected 1 to 10000, the lower one first"
            )


#: Used until somebody calibrates. It is an assumption on purpose as wide as this: from one buyer
#: in fifty, as where goods are cheap and soon forgotten, to two in five, as where the marketplace
#: asks everybody. "Eight sales a text" is one point inside of it (a text for every second rating).
ASSUMED = ReviewRate(low=BasisPoints(200), high=BasisPoints(4_000), source="assumed")


@attrs.frozen(kw_only=True)
class Observed:
    """What is known of a product's reviews: `texts` were written within the period.

    `ratings` and `texts_in_all` are the product's totals (groups ALL and COMMENT): their relation
    tells how many ratings came without a text. Both are None when they were not read.
    """

    texts: int
    texts_in_all: int | None = None
    ratings: int | None = None

    @property
    def ratings_a_text(self) -> Fraction:
        """How many ratings there are for each text; at least one."""
        if not self.texts_in_all or not self.ratings:
            return Fraction(1)
        return max(Fraction(1), Fraction(self.ratings, self.texts_in_all))


@attrs.frozen(kw_only=True)
class SalesInterval:
    """Pieces sold in a period, by all sellers in the whole country, between these two."""

    low: int
    high: int


def estimate(observed: Observed, rate: ReviewRate) -> SalesInterval:
    """How many pieces were sold in the period in which these texts were written.

    The fewest are as many as if all the lucky texts came from eager raters, the most as if few
    came from lazy ones. Never fewer than there were ratings.
    """
    fewest, most = chance(observed.texts)
    ratings = observed.ratings_a_text
    low = floor(fewest * ratings * ALL_BUYERS / rate.high)
    high = ceil(most * ratings * ALL_BUYERS / rate.low)
    return SalesInterval(low=max(low, observed.texts), high=max(high, observed.texts))


def chance(count: int) -> tuple[Fraction, Fraction]:
    """Between which means four of five such counts of independent events arise.

    The bounds of a Poisson mean after Wilson and Hilferty: exact to a hundredth from one on.
    """
    if count < 0:
        raise ValueError(f"{count} is no number of events")
    above = count + 1
    upper = above * (1 - 1 / (9 * above) + _DEVIATIONS / (3 * sqrt(above))) ** 3
    if count == 0:
        return Fraction(0), _rounded(upper)
    lower = count * (1 - 1 / (9 * count) - _DEVIATIONS / (3 * sqrt(count))) ** 3
    return max(Fraction(0), _rounded(lower)), _rounded(upper)


def calibrate(pairs: Sequence[tuple[int, Observed]], source: str) -> ReviewRate:
    """The narrowest share of raters whose estimates hold the sales of four of five pairs.

    Each pair is a product's pieces sold by all sellers in a period, and its reviews of it. A pair
    of few reviews asks for little, because chance explains much of it.
    Raises NotCalibrated with a sentence for fewer than FEWEST_PAIRS pairs with sales and reviews.
    """
    told = [(sales, observed) for sales, observed in pairs if sales > 0]
    if len(told) < FEWEST_PAIRS or not any(observed.texts for _, observed in told):
        raise NotCalibrated(
            f"{len(told)} products with known sales are too few, or nobody reviewed them: at least "
            f"{FEWEST_PAIRS} are needed"
        )
    outside = len(told) // 10  # one in ten on either side is let go
    needed = [_needed(sales, observed) for sales, observed in told]
    lowest = sorted(most for _, most in needed)[outside]
    highest = sorted(fewest for fewest, _ in needed)[-1 - outside]
    ratings = sum((observed.texts * observed.ratings_a_text for _, observed in told), Fraction(0))
    pooled = ratings / sum(sales for sales, _ in told)
    return ReviewRate(
        low=_basis_points(floor(min(lowest, pooled) * ALL_BUYERS)),
        high=_basis_points(ceil(max(highest, pooled) * ALL_BUYERS)),
        source=source,
    )


def _needed(sales: int, observed: Observed) -> tuple[Fraction, Fraction]:
    """The least upper and the greatest lower share with which the estimate holds the sales."""
    fewest, most = chance(observed.texts)
    ratings = observed.ratings_a_text
    return fewest * ratings / sales, most * ratings / sales


def _basis_points(share: int) -> BasisPoints:
    return BasisPoints(min(ALL_BUYERS, max(1, share)))


def _rounded(value: object) -> Fraction:
    """A bound in thousandths, so that the rest is counted exactly."""
    return Fraction(round(Fraction(str(value)) * 1000), 1000)
