"""What buyers think of a product, in numbers; who they are is not kept."""

from datetime import datetime
from decimal import Decimal

import attrs

from domain.identity import ProductId


@attrs.frozen(kw_only=True)
class ReviewSummary:
    """Rating and counts of one product, shared by all sizes of one colour.

    `rating_amount` counts all ratings (group ALL), `review_amount` those with a text (group
    COMMENT), as the page shows next to the stars. An answer leaves empty groups out: their count
    is 0. Where it has no groups at all, counts are None. `stars` holds (rate, count) pairs.
    """

    kaspi_id: ProductId
    rate: Decimal | None
    rating_amount: int | None
    review_amount: int | None
    picture_amount: int | None
    positive_amount: int | None
    negative_amount: int | None
    stars: tuple[tuple[int, int], ...]
    checked_at: datetime
