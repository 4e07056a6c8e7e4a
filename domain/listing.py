"""What the storefront's listings show: cards in their places, with hints of their prices."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import attrs

from domain.identity import CityId, ProductId
from domain.money import Tenge


class ListingKind(StrEnum):
    """What a listing is chosen by."""

    CATEGORY = "category"
    SEARCH = "search"
    MERCHANT = "merchant"


@attrs.frozen
class ListingQuery:
    """One listing: a category's code, a text that is searched for, or a merchant's id."""

    kind: ListingKind
    value: str

    def __str__(self) -> str:
        return f"{self.kind} {self.value!r}"


@attrs.frozen(kw_only=True)
class ListedCard:
    """One card of a listing. None means that the listing does not say it.

    `card_id` is the id that is listed: a product's, or that of a base product, a group of
    variants, which ends in b and has no offers of its own. `kaspi_id` is the product that can be
    read: the card itself, or the variant that a base product names (`configSku`, seen 2026).

    Prices are hints: it is not established whether a merchant's listing shows his own prices or
    the lowest ones of the cards. `rating` runs from 0 to 5 in hundredths. `category_codes` run
    from leaf to root. `place` counts from 1 through the whole listing.
    """

    card_id: ProductId
    kaspi_id: ProductId | None
    has_variants: bool
    title: str
    brand: str | None
    category_id: str | None
    category_codes: tuple[str, ...]
    unit_price: Tenge | None
    sale_price: Tenge | None
    price_before_discount: Tenge | None
    discount_percent: int | None
    rating: Decimal | None
    review_amount: int | None
    delivery_duration: str | None
    link: str | None
    place: int


@attrs.frozen(kw_only=True)
class ListingPage:
    """One page of a listing in one city: the cards that no page before it had shown.

    `total` is how many cards the marketplace says the listing has; only the first page tells.
    Of a page that is to be `watched` the products go on the work list.
    """

    query: ListingQuery
    city_id: CityId
    page: int
    cards: tuple[ListedCard, ...]
    total: int | None
    watched: bool
    checked_at: datetime


@attrs.frozen(kw_only=True)
class FoundVariants:
    """The products behind one card of a listing, as the card's page names them.

    Where they are to be `watched` they go on the work list in these cities.
    """

    card_id: ProductId
    variants: tuple[ProductId, ...]
    cities: tuple[CityId, ...]
    watched: bool
    checked_at: datetime
