"""Readings as lines of an export: stable names, and the version of the schema they follow."""

from typing import Any

import attrs

from domain.cabinet import CabinetOffer, ShopPage, ShopRead
from domain.categories import CategoryTree, SitemapCategories
from domain.listing import FoundVariants, ListingPage
from domain.offers import OfferBoard
from domain.readings import Discovery, Finding, ProductMissing, ProductRefresh, ShopReading
from domain.reviews import ReviewSummary, ReviewTexts

#: Rises when a name or a meaning changes; new names alone do not raise it.
SCHEMA_VERSION = 1


def line_of(reading: Finding) -> dict[str, Any]:
    """The reading as an object for JSON: `kind` says which; names are those of the tables."""
    match reading:
        case ProductRefresh():
            return _line("product", _product(reading))
        case OfferBoard():
            return _line("board", _board(reading))
        case ReviewSummary():
            return _line("reviews", _reviews(reading))
        case ProductMissing():
            return _line("missing", _fields(reading))
        case ShopPage() | ShopRead():
            return _line_of_shop(reading)
        case _:
            return _line_of_discovery(reading)


def _line_of_shop(reading: ShopReading) -> dict[str, Any]:
    if isinstance(reading, ShopPage):
        return _line("shop", _shop(reading))
    return _line("shop_read", _fields(reading))


def _line_of_discovery(reading: Discovery) -> dict[str, Any]:
    match reading:
        case ReviewTexts():
            return _line("review_texts", _texts(reading))
        case ListingPage():
            return _line("listing", _listing(reading))
        case FoundVariants():
            return _line("variants", _fields(reading))
        case CategoryTree():
            return _line("categories", _categories(reading))
        case SitemapCategories():
            return _line("sitemap", _categories(reading))


def _line(kind: str, told: dict[str, Any]) -> dict[str, Any]:
    return {"schema_version": SCHEMA_VERSION, "kind": kind, **told}


def _product(refresh: ProductRefresh) -> dict[str, Any]:
    card = _fields(refresh.card)
    home = next((board for board in refresh.boards if board.city_id == refresh.home_city), None)
    reviews = refresh.reviews
    return {
        "kaspi_id": card.pop("kaspi_id"),
        "name": card.pop("name"),
        "category": refresh.card.category,
        "image_url": card.pop("image_urls"),
        "home_city_id": refresh.home_city,
        **_figures(home),
        "rate": reviews and reviews.rate,
        "review_amount": reviews and reviews.review_amount,
        "rating_amount": reviews and reviews.rating_amount,
        **card,
        "boards": [_board(board) for board in refresh.boards],
    }


def _board(board: OfferBoard) -> dict[str, Any]:
    return {
        "kaspi_id": board.kaspi_id,
        "city_id": board.city_id,
        **_figures(board),
        "total": board.total,
        "complete": board.complete,
        "checked_at": board.checked_at,
        "offers": board.offers,
    }


def _figures(board: OfferBoard | None) -> dict[str, int | None]:
    """As in the tables, only a board that was held whole has figures."""
    names = ("min_price", "max_price", "seller_amount")
    if board is None or not board.complete:
        return dict.fromkeys(names)
    return dict(zip(names, (board.min_price, board.max_price, len(board.offers)), strict=True))


def _reviews(reviews: ReviewSummary) -> dict[str, Any]:
    told = _fields(reviews)
    told["rating_stars"] = told.pop("stars")
    return told


def _texts(page: ReviewTexts) -> dict[str, Any]:
    return {
        "kaspi_id": page.kaspi_id,
        "page": page.page,
        "final": page.final,
        "checked_at": page.checked_at,
        "reviews": [_fields(review) for review in page.reviews],
    }


def _listing(page: ListingPage) -> dict[str, Any]:
    told = _fields(page)
    query = told.pop("query")
    told["cards"] = [_fields(card) for card in page.cards]
    return {"listing": query.kind, "query": query.value, **told}


def _shop(page: ShopPage) -> dict[str, Any]:
    """A page of our goods; of the prices in 250 cities those that were set for one."""
    told = _fields(page)
    told["offers"] = [_own_offer(offer) for offer in page.offers]
    return told


def _own_offer(offer: CabinetOffer) -> dict[str, Any]:
    told = _fields(offer)
    del told["store"], told["prices"]
    told["points"] = [_fields(point) for point in offer.points]
    return told


def _categories(found: CategoryTree | SitemapCategories) -> dict[str, Any]:
    told = _fields(found)
    return {**told, "categories": [_fields(category) for category in found.categories]}


def _fields(value: attrs.AttrsInstance) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}
