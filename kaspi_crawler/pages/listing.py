"""One page of a listing: its cards, and on the first page its total and its categories.

Cards as recorded 2025-01 and 2025-06; `configSku` was seen in 2026. The first page wraps its
cards, the following ones do not. Everything but a card's id and title is optional.
"""

import html
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import attrs
import msgspec

from domain.categories import ListedCategory
from domain.identity import CityId, ProductId
from domain.listing import ListedCard, ListingQuery
from domain.money import DEAREST, Tenge
from kaspi_crawler.pages import forgiving
from kaspi_crawler.pages.answers import json_text, refusal
from kaspi_crawler.pages.forgiving import Misfit
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.shapes import Count
from partners.call import Answer


class RawCard(msgspec.Struct, gc=False, rename="camel"):
    """One card as the API sends it."""

    id: str
    title: str
    brand: str | None = None
    category_id: str | None = None
    category_codes: list[str] | None = None
    has_variants: bool | None = None
    config_sku: str | None = None
    shop_link: str | None = None
    unit_price: int | None = None
    unit_sale_price: int | None = None
    unit_price_before_discount: int | None = None
    discount: Count | None = None
    rating: Decimal | None = None
    reviews_quantity: Count | None = None
    delivery_duration: str | None = None


class RawFacet(msgspec.Struct, rename="camel"):
    """One category of the tree beside the listing; `id` is a filter: `:category:Smartphones`."""

    id: str
    title: str | None = None
    title_ru: str | None = None
    link: str | None = None
    count: Count | None = None
    popularity: Count | None = None
    items: "list[RawFacet] | None" = None


class RawTree(msgspec.Struct):
    """The tree: its top is the listing's own category or the root."""

    top: RawFacet | None = None
    items: list[RawFacet] | None = None


class RawSearch(msgspec.Struct, rename={"query_id": "queryID"}):
    """What the following pages are to name."""

    query_id: str | None = None


class RawFirst(msgspec.Struct, rename="camel"):
    """What the first page wraps: the cards are read one by one."""

    cards: list[object]
    total: Count | None = None
    tree_category: RawTree | None = None
    external_search_query_info: RawSearch | None = None


class RawAnswer(msgspec.Struct):
    """Both answers: `data` is an object on the first page, and a list on the others."""

    data: object


@attrs.frozen(kw_only=True)
class ListingPart:
    """One answer. `total`, `asked_as` and `categories` come with the first page alone.

    `unreadable` has a sentence for each card without a usable id or title. The cards' places
    count from 1 within the answer.
    """

    cards: tuple[ListedCard, ...]
    total: int | None
    asked_as: str | None
    categories: tuple[ListedCategory, ...]
    unreadable: tuple[str, ...] = ()


@attrs.frozen
class ListingWall:
    """The listing goes on, but is not shown any further: text searches end so on page 2."""


@attrs.frozen
class ListingAnswer:
    """The answer to Listings.first or Listings.following."""

    answer: Answer
    query: ListingQuery
    city: CityId
    page: int
    checked_at: datetime

    def to_item(self) -> ListingPart | ListingWall | TryAgain | Unreadable:
        """Read the cards, each for itself: a spoilt one does not spoil the others."""
        if self.answer.status == 400 and self.page:
            return ListingWall()
        first = self._first() if self.answer.status == 200 else None
        if first is None:
            return refusal(self.answer, self._where)
        cards: list[ListedCard] = []
        unreadable: list[str] = []
        for place, value in enumerate(first.cards, start=1):
            try:
                cards.append(_card(forgiving.read(value, RawCard), place))
            except Misfit as misfit:
                unreadable.append(f"{misfit.named(_WORDS)} ({self._where}, place {place})")
        searched = first.external_search_query_info
        return ListingPart(
            cards=tuple(cards),
            total=first.total,
            asked_as=searched.query_id if searched else None,
            categories=tuple(_categories(first.tree_category)),
            unreadable=tuple(unreadable),
        )

    def _first(self) -> RawFirst | None:
        try:
            told = forgiving.read(forgiving.parse(json_text(self.answer)), RawAnswer).data
            listed: object = {"cards": told} if isinstance(told, list) else told
            return forgiving.read(listed, RawFirst)
        except (forgiving.NotJson, Misfit):
            return None

    @property
    def _where(self) -> str:
        return f"listing of {self.query}, city {self.city}, page {self.page}"


#: How we call what a card cannot do without.
_WORDS = {"RawCard": "card", "id": "id of a card", "title": "title of a card"}
_ID = re.compile(r"[0-9]{3,15}b?")
_PRODUCT = re.compile(r"[0-9]{3,15}")
_CATEGORY = re.compile(r":category:([^:]+)$")
_TAGS = re.compile(r"<[^>]*>")


def _card(raw: RawCard, place: int) -> ListedCard:
    """Raises Misfit when there is no id as products have them, or no title."""
    card_id, title = raw.id.strip(), html.unescape(raw.title).strip()
    if not _ID.fullmatch(card_id):
        raise Misfit("id", raw.id)
    if not title:
        raise Misfit("title", raw.title)
    return ListedCard(
        card_id=ProductId(card_id),
        kaspi_id=_product(card_id, (raw.config_sku or "").strip()),
        has_variants=bool(raw.has_variants) or card_id.endswith("b"),
        title=title,
        brand=(raw.brand or "").strip() or None,
        category_id=raw.category_id,
        category_codes=tuple(raw.category_codes or ()),
        unit_price=_price(raw.unit_price),
        sale_price=_price(raw.unit_sale_price),
        price_before_discount=_price(raw.unit_price_before_discount),
        discount_percent=raw.discount,
        rating=_rating(raw.rating),
        review_amount=raw.reviews_quantity,
        delivery_duration=raw.delivery_duration,
        link=raw.shop_link,
        place=place,
    )


def _product(card_id: str, config_sku: str) -> ProductId | None:
    """The product to read: the card itself, unless it stands for a group of variants."""
    if _PRODUCT.fullmatch(card_id):
        return ProductId(card_id)
    return ProductId(config_sku) if _PRODUCT.fullmatch(config_sku) else None


def _price(value: int | None) -> Tenge | None:
    """A hint that need not be there: 0 means that there is none."""
    return Tenge(value) if value is not None and 0 < value <= DEAREST else None


def _rating(value: Decimal | None) -> Decimal | None:
    """The rating in hundredths; 0.0 stands for a card that nobody has rated (recorded 2025-01)."""
    if value is None or not value.is_finite() or not 0 < value <= 5:
        return None
    return round(value, 2)


def _categories(tree: RawTree | None) -> Iterator[ListedCategory]:
    """The facets as categories, parents first; the top stands above all others."""
    if tree is None:
        return
    top = _code(tree.top) if tree.top else None
    if tree.top and top:
        yield _category(tree.top, top, None)
    yield from _below(tree.items, top)


def _below(items: list[RawFacet] | None, parent: str | None) -> Iterator[ListedCategory]:
    for item in items or ():
        code = _code(item)
        if code and code != parent:
            yield _category(item, code, parent)
        yield from _below(item.items, code or parent)


def _code(facet: RawFacet) -> str | None:
    found = _CATEGORY.search(facet.id)
    return found.group(1).strip() if found else None


def _category(facet: RawFacet, code: str, parent: str | None) -> ListedCategory:
    return ListedCategory(
        code=code,
        parent=parent,
        title=readable_title(facet.title_ru or facet.title or code),
        link=facet.link,
        popularity=facet.popularity,
        count=facet.count,
    )


def readable_title(text: str) -> str:
    """A category's title without its line breaks, entities and double spaces."""
    return " ".join(html.unescape(_TAGS.sub(" ", text)).split())
