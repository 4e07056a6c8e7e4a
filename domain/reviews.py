"""What buyers think of a product, in numbers and words; who they are is not kept."""

from datetime import date, datetime
from decimal import Decimal

import attrs

from domain.identity import MerchantId, ProductId


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


@attrs.frozen(kw_only=True)
class ReviewText:
    """One review with a text. Its author and order are not read.

    `id` is the marketplace's, and stays the same when the buyer edits the review. `photos` counts
    pictures. `merchant_id` is None when the review does not say who sold the product.
    """

    id: str
    written_on: date
    rating: int
    plus: str
    minus: str
    text: str
    photos: int
    merchant_id: MerchantId | None


@attrs.frozen(kw_only=True)
class ReviewTexts:
    """One page of a product's reviews with a text, newest first, as far as they are news.

    The last page of a reading is `final`: everything since the reading before is then held, and
    `newest` holds the ids from which the next reading knows that it may stop.
    """

    kaspi_id: ProductId
    page: int
    reviews: tuple[ReviewText, ...]
    newest: tuple[str, ...]
    final: bool
    checked_at: datetime
