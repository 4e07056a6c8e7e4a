"""Readings as rows of the temporary tables, in the CSV that COPY takes."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import Any

import attrs
import msgspec

from domain.cabinet import ShopPage, ShopRead
from domain.categories import CategoryTree, SitemapCategories
from domain.identity import CityId, ProductId
from domain.listing import FoundVariants, ListingPage
from domain.offers import OfferBoard
from domain.product import ProductCard
from domain.readings import Discovery, Finding, ProductMissing, ProductRefresh, ShopReading
from domain.reviews import ReviewSummary, ReviewTexts

Row = Sequence[object]
#: What a reading speaks of: ("card", product), ("reviews", product) or a board.
Key = tuple[str, str]
#: Product and city.
BoardKey = tuple[str, str]

_encoder = msgspec.json.Encoder(decimal_format="number")
_encode = _encoder.encode

#: An escape of JSON, of two characters or six.
_ESCAPE = re.compile(rb"\\(?:u00(..)|(.))")
#: Control characters that JSON writes as a letter.
_CONTROLS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
#: What may stand in a PostgreSQL array without quotes.
_PLAIN = re.compile(r"\w[\w-]*")

#: Attributes of an offer in the order of statements.REMEMBERED_OFFER_COLUMNS and
#: PASSING_OFFER_COLUMNS: what an offer is, without the moments that move with the clock.
_lasting = attrgetter(
    "merchant_id", "seller", "price", "price_minus_bonus", "price_before_discount",
    "discount_percent", "preorder_days", "delivery_type", "delivery_duration", "kaspi_delivery",
    "merchant_rating", "merchant_sku", "merchant_reviews", "purchase_count", "title",
    "delivery_days", "located_in_point",
)  # fmt: skip
_moments = attrgetter("delivery_at", "pickup_at", "postomat_at", "handed_over_at", "available_at")


def card_row(card: ProductCard, home_city: CityId) -> Row:
    """The row of incoming_cards, in the order of statements.CARD_COLUMNS.

    On a lower rung of the page an empty list says nothing, and is sent as such.
    """

    def listed(items: Sequence[object], write: Callable[[Any], str]) -> str | None:
        return write(items) if items or card.rung.is_whole else None

    return (
        card.kaspi_id, card.name, card.brand, card.description, card.category, card.category_id,
        listed(card.categories, _json), listed(card.image_urls, _array),
        listed(card.specifications, _json), listed(card.variants, _json),
        listed(card.base_product_codes, _array), card.link,
        card.price_before_discount, card.discount_percent, home_city, card.rung.value,
        card.created_at, card.checked_at,
    )  # fmt: skip


def review_row(reviews: ReviewSummary) -> Row:
    """The row of incoming_reviews, in the order of statements.REVIEW_COLUMNS."""
    return (
        reviews.kaspi_id, reviews.rate, reviews.review_amount, reviews.rating_amount,
        _json(reviews.stars), reviews.checked_at,
    )  # fmt: skip


def board_row(board: OfferBoard) -> Row:
    """The row of incoming_boards. An incomplete board has no fingerprint and no figures."""
    figures: Row = (None, None, None, None)
    if board.complete:
        digest = "\\x" + fingerprint(board).hex()
        figures = (board.min_price, board.max_price, len(board.offers), digest)
    return (board.kaspi_id, board.city_id, board.total, board.complete, *figures, board.checked_at)


def offer_rows(board: OfferBoard, product_number: int) -> Iterable[Row]:
    """The rows of incoming_offers, in the order of statements.OFFER_COLUMNS."""
    key = (product_number, board.city_id, board.checked_at)
    for offer in board.offers:
        yield (
            *key, *_lasting(offer), *_moments(offer),
            _array(offer.delivery_points), _array(offer.pickup_points),
            _json(offer.delivery_options) if offer.delivery_options else None,
        )  # fmt: skip


def fingerprint(board: OfferBoard) -> bytes:
    """Sixteen bytes that are equal when the lasting facts of all offers are equal."""
    return blake2b(_encode(sorted(map(_lasting, board.offers))), digest_size=16).digest()


def csv_lines(rows: Iterable[Row]) -> bytes:
    r"""The rows as CSV whose NULL is null and whose ESCAPE is the backslash.

    But for the brackets and the escapes of control characters this is JSON, which is made twenty
    times as fast as by the csv module.
    """
    lines = _encoder.encode_lines(rows).replace(b"]\n[", b"\n")[1:-2]
    return _ESCAPE.sub(_unescaped, lines) if b"\\" in lines else lines


def _unescaped(escape: re.Match[bytes]) -> bytes:
    """A control character as itself; quotes and backslashes stay escaped, as CSV wants them."""
    if escape[1]:
        return bytes.fromhex(escape[1].decode())
    return _CONTROLS.get(escape[2], escape[0])


def _json(value: object) -> str:
    return _encode(value).decode()


@lru_cache(maxsize=4_096)
def _array(texts: tuple[str, ...]) -> str:
    """A PostgreSQL array literal."""
    return "{" + ",".join(map(_element, texts)) + "}"


def _element(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.upper() != "NULL":
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


@attrs.frozen
class Batch:
    """Rows of one transaction, with at most one reading of each thing."""

    cards: dict[ProductId, Row] = attrs.field(factory=dict)
    reviews: dict[ProductId, ReviewSummary] = attrs.field(factory=dict)
    missing: dict[ProductId, Row] = attrs.field(factory=dict)
    boards: dict[BoardKey, OfferBoard] = attrs.field(factory=dict)
    discoveries: list[Discovery] = attrs.field(factory=list)
    shop: list[ShopReading] = attrs.field(factory=list)

    @classmethod
    def of(cls, readings: Iterable[Finding]) -> "Batch":
        """Sort the parts of the readings by table."""
        batch = cls()
        for reading in readings:
            batch._add(reading)
        return batch

    def _add(self, reading: Finding) -> None:
        match reading:
            case ProductRefresh():
                self.cards[reading.kaspi_id] = card_row(reading.card, reading.home_city)
                for part in reading.parts:
                    self._add(part)
            case OfferBoard():
                self.boards[reading.kaspi_id, reading.city_id] = reading
            case ReviewSummary():
                self.reviews[reading.kaspi_id] = reading
            case ProductMissing():
                self.missing[reading.kaspi_id] = (reading.kaspi_id, reading.checked_at)
            case ShopPage() | ShopRead():
                self.shop.append(reading)
            case _:
                self.discoveries.append(reading)


def keys_of(reading: Finding) -> set[Key]:
    """What the reading speaks of. Two readings of one thing do not go in one batch."""
    match reading:
        case ProductRefresh():
            boards = ((reading.kaspi_id, board.city_id) for board in reading.boards)
            return {("card", reading.kaspi_id), ("reviews", reading.kaspi_id), *boards}
        case OfferBoard():
            return {(reading.kaspi_id, reading.city_id)}
        case ReviewSummary():
            return {("reviews", reading.kaspi_id)}
        case ProductMissing():
            return {("card", reading.kaspi_id)}
        case ShopPage() | ShopRead():
            return {("shop", reading.store)}
        case _:
            return {_key_of_discovery(reading)}


def _key_of_discovery(reading: Discovery) -> Key:
    match reading:
        case ReviewTexts():
            return ("texts", reading.kaspi_id)
        case ListingPage():
            return ("listing", f"{reading.query} {reading.city_id} {reading.page}")
        case FoundVariants():
            return ("variants", reading.card_id)
        case CategoryTree() | SitemapCategories():
            return ("categories", reading.city_id)


def weight(reading: Finding) -> int:
    """How many rows the reading may write, in offers; a card weighs as much as ten."""
    match reading:
        case OfferBoard() | ShopPage():
            return 1 + len(reading.offers)
        case ProductRefresh():
            return 10 + sum(map(weight, reading.boards))
        case ListingPage():
            return 1 + len(reading.cards)
        case ReviewTexts():
            return 1 + len(reading.reviews)
        case CategoryTree() | SitemapCategories():
            return 1 + len(reading.categories)
        case _:
            return 1
