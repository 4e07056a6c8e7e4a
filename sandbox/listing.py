"""Listings as they answered in 2025 and 2026: twelve cards a page, pages that overlap, and a wall.

The cards' keys are those recorded 2025-01; `configSku` and `bestMerchant` were seen in 2026. The
envelope of the first page was read from clients, because nobody recorded one whole.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence

import attrs
import msgspec

from domain.identity import CityId, ProductId
from sandbox.catalogue import Card, Shade, slug
from sandbox.offers import BadRequest
from sandbox.packing import Body
from sandbox.reviews import ReviewsDesk
from sandbox.world import World

#: Cards of one answer, whatever `limit` or `size` is asked for.
A_PAGE = 12
#: Pages begin this many cards apart: each repeats the last card of the page before it.
STRIDE = 11
#: From this page on a text search is answered 400.
WALL = 2
#: The category that holds all others.
ROOT = "Categories"

_PAIR = re.compile(r":(category|allMerchants|availableInZones|manufacturerName):([^:]*)")
_IMAGES = "https://resources.cdn-kaspi.kz/img/m/p"
_SIZES = ("small", "medium", "large")


@attrs.frozen
class Asked:
    """A listing request: what `q` filters by, the text searched for, the city, the page from 0."""

    filters: tuple[tuple[str, str], ...]
    text: str
    city: CityId
    page: int


@attrs.frozen
class Shelf:
    """One place of a listing: a card alone, or a colour with all its siblings in stock."""

    card: Card
    siblings: tuple[Card, ...]
    shade: Shade | None
    price: int

    @property
    def id(self) -> str:
        """The id that is listed: a group of variants has one that ends in b."""
        return self.shade.base_code if self.shade else self.card.id

    @property
    def rank(self) -> bytes:
        """Where `relevance` puts it: anywhere, but always there."""
        return hashlib.sha1(self.id.encode(), usedforsecurity=False).digest()


def read_query(said: Mapping[str, str], city_header: str | None) -> Asked:
    """Understand a request. Raises BadRequest for a page that is none, or behind the wall."""
    page = said.get("page", "0")
    if not (page.isascii() and page.isdecimal()):
        raise BadRequest(f"page {page!r}")
    asked = Asked(
        filters=tuple(_PAIR.findall(said.get("q", ""))),
        text=said.get("text", "").strip(),
        city=CityId(said.get("c") or city_header or "750000000"),
        page=int(page),
    )
    if asked.text and asked.page >= WALL:
        raise BadRequest(f"page {page} of a text search")
    return asked


@attrs.define
class ListingDesk:
    """Answers both listing paths; shelves are filled anew when the world has moved on."""

    world: World
    reviews: ReviewsDesk
    _edition: int = -1
    _shelves: dict[CityId, list[Shelf]] = attrs.Factory(dict)

    def first(self, asked: Asked) -> Body:
        """The answer of /filters: cards wrapped with total, tree and query id."""
        shelves = self._chosen(asked)
        told = {
            "data": {
                "cards": self._page(shelves, asked),
                "total": len(shelves),
                "limit": A_PAGE,
                "title": _title(asked),
                "categoryId": dict(asked.filters).get("category"),
                "treeCategory": _facets(shelves, asked),
                "externalSearchQueryInfo": {"queryID": _query_id(asked)},
                "promotedCards": None,
                "promotedItems": None,
                "promotedByPcm": False,
            }
        }
        return Body([msgspec.json.encode(told)])

    def following(self, asked: Asked) -> Body:
        """The answer of /results: the cards alone; beyond the end there are none."""
        cards = self._page(self._chosen(asked), asked)
        told = {"data": cards, "promotedCards": None, "promotedItems": None}
        return Body([msgspec.json.encode(told)])

    def _page(self, shelves: Sequence[Shelf], asked: Asked) -> list[dict[str, object]]:
        first = asked.page * STRIDE
        if asked.page and first + 1 >= len(shelves):
            return []  # what would be there alone was on the page before
        return [self._card(shelf, asked.city) for shelf in shelves[first : first + A_PAGE]]

    def _chosen(self, asked: Asked) -> list[Shelf]:
        return [shelf for shelf in self._in_stock(asked.city) if self._fits(shelf, asked)]

    def _fits(self, shelf: Shelf, asked: Asked) -> bool:
        title = shelf.card.title.casefold()
        if not all(word in title for word in asked.text.casefold().split()):
            return False
        return all(self._passes(shelf, key, value, asked.city) for key, value in asked.filters)

    def _passes(self, shelf: Shelf, key: str, value: str, city: CityId) -> bool:
        match key:
            case "category":
                return value == ROOT or value in (code for code, _ in shelf.card.kind.path)
            case "allMerchants":
                boards = (self.world.board(card.id, city) for card in shelf.siblings)
                return any(
                    seat.merchant.id == value for board in boards for seat, _ in board.standing
                )
            case "manufacturerName":
                return value == shelf.card.brand
            case _:
                return True  # a zone that nobody knows is served like any other

    def _in_stock(self, city: CityId) -> list[Shelf]:
        """What the city can buy, in the order of relevance."""
        if self._edition != self.world.edition:
            self._edition = self.world.edition
            self._shelves.clear()
        if city not in self._shelves:
            self._shelves[city] = sorted(self._stock(city), key=lambda shelf: shelf.rank)
        return self._shelves[city]

    def _stock(self, city: CityId) -> Iterator[Shelf]:
        grouped: dict[str, list[Card]] = {}
        for card in self.world.cards.values():
            grouped.setdefault(_shade_code(card) or card.id, []).append(card)
        for group in grouped.values():
            prices = {card: self._lowest(card.id, city) for card in group}
            sold = tuple(card for card, price in prices.items() if price)
            if sold:
                lowest = min(price for price in prices.values() if price)
                yield Shelf(sold[0], sold, _shade_of(sold[0]), lowest)

    def _lowest(self, product: ProductId, city: CityId) -> int | None:
        leader = self.world.board(product, city).leader
        return int(leader[1].price) if leader else None

    def _card(self, shelf: Shelf, city: CityId) -> dict[str, object]:
        card = shelf.card
        path = f"/p/{card.slug}-{shelf.id}/?c={city}"
        mean, texts = self.reviews.opinion(card)
        monthly = -(-shelf.price // 12)
        return {
            "id": shelf.id,
            **({"configSku": card.id} if shelf.shade else {}),
            "title": card.title,
            "brand": card.brand,
            "categoryId": card.kind.category_id,
            "hasVariants": shelf.shade is not None,
            "loanAvailable": True,
            "shopLink": path,
            "unitPrice": shelf.price,
            "unitSalePrice": shelf.price,
            **self._discount(shelf, city),
            "priceFormatted": f"{shelf.price:,} ₸".replace(",", " "),
            "createdTime": card.created_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "stickers": [],
            "previewImages": [_images(image) for image in card.images],
            "creditMonthlyPrice": float(monthly),
            "monthlyInstallment": {
                "id": 12,
                "installment": True,
                "formattedPerMonth": f"{monthly:,} ₸".replace(",", " "),
            },
            "reviewsLink": f"{path}&tab=reviews",
            "weight": 0.0,
            "unit": None,
            "rating": mean / 100,
            **({"reviewsQuantity": texts} if texts else {}),
            "stock": 1,
            "currency": "KZT",
            "mods": "",
            "deliveryDuration": "TOMORROW",
            "certificateType": "",
            "category": [title for _, title in card.kind.path[1:]],
            "categoryRu": [title for _, title in card.kind.path[1:]],
            "categoryCodes": [*(code for code, _ in reversed(card.kind.path)), ROOT],
            "promo": [],
            "majorMerchants": [],
            "teasers": [],
            "deliveryZones": [city],
        }

    def _discount(self, shelf: Shelf, city: CityId) -> dict[str, object]:
        leader = self.world.board(shelf.card.id, city).leader
        regular = leader[0].regular if leader else None
        if leader is None or regular is None or regular <= shelf.price:
            return {}
        return {
            "unitPriceBeforeDiscount": regular,
            "discount": 100 - 100 * shelf.price // regular,
        }


def _shade_of(card: Card) -> Shade | None:
    shades = card.family.shades if card.family else ()
    return next(
        (shade for shade in shades if any(one.id == card.id for one in shade.siblings)), None
    )


def _shade_code(card: Card) -> str | None:
    shade = _shade_of(card)
    return shade.base_code if shade else None


def _images(location: str) -> dict[str, str]:
    return {size: f"{_IMAGES}/{location}?format=preview-{size}" for size in _SIZES}


def _query_id(asked: Asked) -> str:
    said = f"{asked.filters}{asked.text}{asked.city}"
    return hashlib.sha1(said.encode(), usedforsecurity=False).hexdigest()


def _title(asked: Asked) -> str:
    return asked.text or next((value for key, value in asked.filters if key == "category"), "")


@attrs.define
class _Node:
    title: str
    count: int = 0
    below: dict[str, "_Node"] = attrs.Factory(dict)


def _facets(shelves: Sequence[Shelf], asked: Asked) -> dict[str, object]:
    """The tree beside a listing: each category with the number of its cards."""
    root = _Node("Kaspi Магазин")
    for shelf in shelves:
        node = root
        node.count += 1
        for code, title in shelf.card.kind.path:
            node = node.below.setdefault(code, _Node(title))
            node.count += 1
    wanted = dict(asked.filters).get("category")
    items = [_facet(code, node, wanted) for code, node in root.below.items()]
    return {"top": _facet(ROOT, _Node(root.title, root.count), wanted), "items": items}


def _facet(code: str, node: _Node, wanted: str | None) -> dict[str, object]:
    return {
        "id": f":category:{code}",
        "title": node.title,
        "titleRu": node.title,
        "link": f"/shop/c/{slug(code)}/",
        "count": node.count,
        "popularity": node.count,
        "active": code == wanted,
        "expanded": bool(node.below),
        "items": [_facet(below, one, wanted) for below, one in node.below.items()],
    }
