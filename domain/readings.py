"""What a spider hands over: the readings that walk through the stages."""

from datetime import datetime
from enum import StrEnum

import attrs

from domain.cabinet import ShopPage, ShopRead
from domain.categories import CategoryTree, SitemapCategories
from domain.identity import CityId, ProductId
from domain.listing import FoundVariants, ListingPage
from domain.offers import OfferBoard
from domain.product import ProductCard
from domain.reviews import ReviewSummary, ReviewTexts


@attrs.frozen(kw_only=True)
class ProductRefresh:
    """One product read whole: its card, a board for each city, its reviews.

    A part that could not be read is absent, and an UnreadAnswer tells of it.
    """

    card: ProductCard
    home_city: CityId
    boards: tuple[OfferBoard, ...]
    reviews: ReviewSummary | None

    @property
    def kaspi_id(self) -> ProductId:
        """The product's number, as on its card."""
        return self.card.kaspi_id

    @property
    def parts(self) -> tuple[OfferBoard | ReviewSummary, ...]:
        """What was read besides the card."""
        return (*self.boards, self.reviews) if self.reviews else self.boards


@attrs.frozen(kw_only=True)
class ProductMissing:
    """The storefront says that there is no such product."""

    kaspi_id: ProductId
    checked_at: datetime


class Source(StrEnum):
    """Which answer it is: of the storefront, or of the cabinet."""

    PAGE = "page"
    OFFERS = "offers"
    REVIEWS = "reviews"
    TEXTS = "review_texts"
    LINK = "short_link"
    LISTING = "listing"
    VARIANTS = "variants"
    CATEGORIES = "categories"
    SITEMAP = "sitemap"
    SHOP = "shop"
    STORES = "stores"


@attrs.frozen
class Topic:
    """What a question is about when it is not about one product: a listing's page, for example."""

    name: str

    def __str__(self) -> str:
        return self.name


@attrs.frozen(kw_only=True)
class UnreadAnswer:
    """An answer that we could not read after all tries, kept whole for us to look at.

    `kaspi_id` is the product that it is about, or the name of its Topic.
    """

    spider: str
    kaspi_id: ProductId
    city_id: CityId | None
    address: str
    status: int | None
    reason: str
    remedy: str
    body: bytes
    checked_at: datetime
    source: Source | None = None


@attrs.frozen(kw_only=True)
class DriftedAnswer:
    """An answer that was read although its format is not what we know, kept for us to look at.

    `drifts` says what is new in it: "unknown offers[].priceWithCard".
    """

    spider: str
    source: Source
    kaspi_id: ProductId
    city_id: CityId | None
    address: str
    status: int
    drifts: tuple[str, ...]
    body: bytes
    checked_at: datetime


#: What leads to products, and is kept beside what is known of them.
Discovery = ListingPage | FoundVariants | CategoryTree | SitemapCategories | ReviewTexts
#: What is read of a product itself.
ProductReading = ProductRefresh | OfferBoard | ReviewSummary | ProductMissing
#: What the cabinet says of our own goods.
ShopReading = ShopPage | ShopRead
#: What a crawl learned, and the memory keeps.
Finding = ProductReading | Discovery | ShopReading
Reading = Finding | UnreadAnswer | DriftedAnswer
