"""What the memory knows of sales: reviews by product, and the calibrated shares of raters."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import attrs
import psycopg
from psycopg.rows import class_row

from domain.identity import MerchantId, ProductId
from domain.sales import BasisPoints, Observed, ReviewRate
from storage.schema import libpq_address

#: The row of review_rates for all categories that have none of their own.
EVERYWHERE = "*"

#: Only products whose reviews were read to their end; the days are those before that reading.
_REVIEWED = """
SELECT readings.kaspi_id, products.name, products.category, products.review_amount,
       products.rating_amount, readings.completed_at, (
           SELECT count(*)
           FROM reviewed_products AS shown
           JOIN review_texts AS review ON review.id = shown.review_id
           WHERE shown.kaspi_id = readings.kaspi_id
               AND review.written_on > readings.completed_at::date - %(days)s::integer
               AND (%(merchant)s::text IS NULL OR review.merchant_id = %(merchant)s)
       )::integer AS texts
FROM review_readings AS readings
LEFT JOIN products USING (kaspi_id)
WHERE %(products)s::text[] IS NULL OR readings.kaspi_id = ANY(%(products)s)
ORDER BY texts DESC, readings.kaspi_id
"""

_RATES = "SELECT category, low_points, high_points, source FROM review_rates"

_KEEP_RATE = """
INSERT INTO review_rates AS held (
    category, low_points, high_points, pairs, source, calibrated_at)
VALUES (%(category)s, %(low)s, %(high)s, %(pairs)s, %(source)s, now())
ON CONFLICT (category) DO UPDATE
SET low_points = excluded.low_points, high_points = excluded.high_points,
    pairs = excluded.pairs, source = excluded.source, calibrated_at = excluded.calibrated_at
"""


@attrs.frozen(kw_only=True)
class Reviewed:
    """A product's reviews in the days before they were last read whole.

    `name` and `category` are None until the card was read.
    """

    kaspi_id: ProductId
    name: str | None
    category: str | None
    review_amount: int | None
    rating_amount: int | None
    completed_at: datetime
    texts: int

    @property
    def observed(self) -> Observed:
        """The figures from which sales are estimated."""
        return Observed(
            texts=self.texts, texts_in_all=self.review_amount, ratings=self.rating_amount
        )


def reviewed(
    address: str,
    days: int,
    products: Sequence[ProductId] | None = None,
    merchant: MerchantId | None = None,
) -> Iterator[Reviewed]:
    """The products whose reviews were read whole, the most reviewed first.

    With a merchant only the reviews of what he sold are counted.
    """
    asked = {
        "days": days,
        "products": None if products is None else list(products),
        "merchant": merchant,
    }
    with (
        psycopg.connect(libpq_address(address)) as connection,
        connection.cursor(row_factory=class_row(Reviewed)) as cursor,
    ):
        yield from cursor.execute(_REVIEWED, asked)


def review_rates(address: str) -> Mapping[str, ReviewRate]:
    """The calibrated shares by category; EVERYWHERE stands for all others."""
    with psycopg.connect(libpq_address(address)) as connection:
        return {
            str(category): ReviewRate(
                low=BasisPoints(low), high=BasisPoints(high), source=str(source)
            )
            for category, low, high, source in connection.execute(_RATES)
        }


def keep_rate(address: str, category: str, rate: ReviewRate, pairs: int) -> None:
    """Remember a calibrated share in the place of the one before."""
    told = {
        "category": category,
        "low": rate.low,
        "high": rate.high,
        "pairs": pairs,
        "source": rate.source,
    }
    with psycopg.connect(libpq_address(address)) as connection:
        connection.execute(_KEEP_RATE, told)
