"""What leads to products, with sensible defaults and invented names."""

from datetime import date
from decimal import Decimal
from typing import Any

from domain.categories import (
    CategorySource,
    CategoryTree,
    ListedCategory,
    SitemapCategories,
    SitemapCategory,
)
from domain.identity import CityId, MerchantId, ProductId
from domain.listing import FoundVariants, ListedCard, ListingKind, ListingPage, ListingQuery
from domain.money import Tenge
from domain.reviews import ReviewText, ReviewTexts
from tests.building import ALMATY, ASTANA, KETTLE, at

KETTLES = ListingQuery(ListingKind.CATEGORY, "Kettles")
GROUP = ProductId("11450020b")


def listed(card_id: ProductId = KETTLE, place: int = 1, **more: Any) -> ListedCard:
    """A card of a listing that stands for itself."""
    defaults: dict[str, Any] = {
        "card_id": card_id,
        "kaspi_id": card_id,
        "has_variants": False,
        "title": "Чайник Tulpar T-200 белый",
        "brand": "Tulpar",
        "category_id": "01777",
        "category_codes": ("Kettles", "Kitchen", "Categories"),
        "unit_price": Tenge(9_990),
        "sale_price": Tenge(9_490),
        "price_before_discount": None,
        "discount_percent": None,
        "rating": Decimal("4.88"),
        "review_amount": 85,
        "delivery_duration": "TOMORROW",
        "link": f"/p/chainik-{card_id}/",
        "place": place,
    }
    return ListedCard(**{**defaults, **more})


def group(kaspi_id: ProductId | None, place: int = 1, **more: Any) -> ListedCard:
    """A card that stands for variants, and names one of them or none."""
    return listed(GROUP, place, kaspi_id=kaspi_id, has_variants=True, **more)


def listing(*cards: ListedCard, minutes: float = 0, **more: Any) -> ListingPage:
    """A page of kettles in Almaty, whose products go on the work list."""
    defaults: dict[str, Any] = {
        "query": KETTLES,
        "city_id": ALMATY,
        "page": 0,
        "cards": cards,
        "total": None,
        "watched": True,
        "checked_at": at(minutes),
    }
    return ListingPage(**{**defaults, **more})


def variants(*products: ProductId, minutes: float = 0, **more: Any) -> FoundVariants:
    """The products of a group, to be watched in two cities."""
    defaults: dict[str, Any] = {
        "card_id": GROUP,
        "variants": products,
        "cities": (ALMATY, ASTANA),
        "watched": True,
        "checked_at": at(minutes),
    }
    return FoundVariants(**{**defaults, **more})


def category(code: str = "Kettles", parent: str | None = "Kitchen", **more: Any) -> ListedCategory:
    """A category that nobody has counted."""
    defaults: dict[str, Any] = {
        "code": code,
        "parent": parent,
        "title": "Чайники",
        "link": f"/c/{code.lower()}/",
        "popularity": None,
        "count": None,
    }
    return ListedCategory(**{**defaults, **more})


def tree(
    *categories: ListedCategory,
    source: CategorySource = CategorySource.MENU,
    city: CityId = ALMATY,
    minutes: float = 0,
) -> CategoryTree:
    """What the menu, or somebody else, says of categories."""
    return CategoryTree(source=source, city_id=city, categories=categories, checked_at=at(minutes))


def sitemap(*slugs: str, minutes: float = 0) -> SitemapCategories:
    """The sitemap of Almaty."""
    found = (SitemapCategory(slug=slug, link=f"https://kaspi.kz/shop/c/{slug}/") for slug in slugs)
    return SitemapCategories(city_id=ALMATY, categories=tuple(found), checked_at=at(minutes))


def review(number: int = 1, **more: Any) -> ReviewText:
    """A content buyer's words."""
    defaults: dict[str, Any] = {
        "id": f"{number:032x}",
        "written_on": date(2026, 9, 18),
        "rating": 5,
        "plus": "",
        "minus": "",
        "text": "Кипятит.",
        "photos": 0,
        "merchant_id": MerchantId("101"),
    }
    return ReviewText(**{**defaults, **more})


def texts(
    *reviews: ReviewText, minutes: float = 0, product: ProductId = KETTLE, **more: Any
) -> ReviewTexts:
    """The only page of a product's reviews."""
    defaults: dict[str, Any] = {
        "kaspi_id": product,
        "page": 0,
        "reviews": reviews,
        "newest": tuple(one.id for one in reviews),
        "final": True,
        "checked_at": at(minutes),
    }
    return ReviewTexts(**{**defaults, **more})
