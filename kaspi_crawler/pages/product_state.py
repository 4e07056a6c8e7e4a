"""The product page's inline state, typed: what we read of it, and nothing more.

As in 29 pages recorded 2025-08; clients of 2025-10 … 2026-08 read the same keys. Everything but
the product's id and title is optional.
"""

from collections.abc import Iterable
from typing import TypeVar

import attrs
import msgspec

from kaspi_crawler.pages import forgiving, state
from kaspi_crawler.pages.shapes import Count, Moment

S = TypeVar("S", bound=msgspec.Struct)


class PromoConditions(msgspec.Struct, gc=False, rename="camel"):
    """The brand stands here alone; goods without one are literally "Без бренда"."""

    brand: str | None = None
    base_product_codes: list[str] | None = None


class Card(msgspec.Struct, gc=False, rename="camel"):
    """`price` is absent when nobody offers the product in the city."""

    id: str
    title: str
    created_time: Moment | None = None
    shop_link: str | None = None
    category_id: str | None = None
    reviews_link: str | None = None
    price: int | None = None
    discount: Count | None = None
    unit_price_before_discount: int | None = None
    promo_conditions: PromoConditions | None = None


class GalleryImage(msgspec.Struct, gc=False):
    """One image; the smaller sizes differ in the query alone."""

    large: str | None = None


class Breadcrumb(msgspec.Struct, gc=False):
    """One step from the root ("Categories") to the leaf category."""

    title: str
    id: str


class FeatureUnit(msgspec.Struct, gc=False):
    """A feature's unit; in all recordings it is null, because values carry their own."""

    name: str | None = None
    symbol: str | None = None
    code: str | None = None


class FeatureValue(msgspec.Struct, gc=False):
    """One value as shown: a text in all recordings, even for booleans ("true") and numbers."""

    value: object = None


class RawFeature(msgspec.Struct, gc=False, rename="camel"):
    """One specification."""

    code: str | None = None
    name: str | None = None
    type: str | None = None
    feature_values: list[FeatureValue] | None = None
    feature_unit: str | FeatureUnit | None = None


class RawSpecification(msgspec.Struct, gc=False):
    """Specifications under one heading."""

    code: str | None = None
    name: str | None = None
    features: list[RawFeature] | None = None


class RawDescription(msgspec.Struct, gc=False):
    """A part of the description on pages that hold it in parts (a client of 2026)."""

    text: str | None = None


class Item(msgspec.Struct, gc=False, rename="camel"):
    """`BACKEND.components.item`."""

    card: Card
    gallery_images: list[GalleryImage] | None = None
    breadcrumbs: list[Breadcrumb] | None = None
    description: str | None = None
    descriptions: list[RawDescription] | None = None
    specifications: list[RawSpecification] | None = None


class CharacteristicValue(msgspec.Struct, gc=False):
    """A characteristic's value; its dimension ("RUS") is left aside."""

    value: str | None = None


class RawCharacteristic(msgspec.Struct, gc=False):
    """What a level of the configurator tells apart: a colour, a size."""

    id: str | None = None
    title: str | None = None
    values: list[CharacteristicValue] | None = None


class Choice(msgspec.Struct, rename="camel"):
    """`BACKEND.components.configurator`: a tree whose leaves are the sibling products."""

    product_code: str | None = None
    characteristic: RawCharacteristic | None = None
    matrix: "list[Choice] | None" = None
    available: bool | None = None


class Website(msgspec.Struct, gc=False, rename="camel"):
    """Which city the page was made for."""

    region_id: str | None = None


class DigitalData(msgspec.Struct, gc=False):
    """`window.digitalData`. Its `stock` and `reviewCount` are always 0: never read them."""

    website: Website | None = None


_ITEM_NAME = b"BACKEND.components.item"
#: The states stand behind some 240 KB of cities (269 KB in on all pages recorded 2025-08), which
#: take longer to search than the states to read.
_BEHIND_THE_CITIES = 240_000

_ITEM = msgspec.json.Decoder(Item, strict=False)
_CHOICE = msgspec.json.Decoder(Choice, strict=False)
_DIGITAL_DATA = msgspec.json.Decoder(DigitalData, strict=False)


@attrs.frozen
class PageState:
    """What the page's scripts say: the product, its siblings, the city that was served."""

    item: Item
    configurator: Choice | None
    region_id: str | None


def read_state(body: bytes) -> PageState | None:
    """The page's state, or None when it holds no product's state that is JSON.

    Raises forgiving.Misfit when the product has no id, no title, or a price that is no whole
    number.
    """
    near = body.find(_ITEM_NAME, _BEHIND_THE_CITIES)
    if near < 0:
        near = max(0, body.find(_ITEM_NAME))
    item = _first(state.assigned_objects(body, _ITEM_NAME, near), _ITEM, Item)
    if item is None:
        return None
    choices = state.assigned_objects(body, b"BACKEND.components.configurator", near)
    return PageState(item, _first(choices, _CHOICE, Choice), region_id(body, near))


def holds_item(body: bytes) -> bool:
    """Whether a script of the page holds a product's state, readable or not."""
    try:
        return read_state(body) is not None
    except forgiving.Misfit:
        return True


def region_id(body: bytes, near: int = 0) -> str | None:
    """The id of the city that was served, or None when the page does not name it."""
    scripts = map(state.balanced, state.assigned_objects(body, b"window.digitalData", near))
    digital_data = _first(scripts, _DIGITAL_DATA, DigitalData)
    return digital_data.website.region_id if digital_data and digital_data.website else None


def _first(scripts: Iterable[bytes], decoder: msgspec.json.Decoder[S], shape: type[S]) -> S | None:
    """The first of the scripts' objects that is JSON."""
    for script in scripts:
        try:
            return decoder.decode(state.up_to_last_brace(script))
        except forgiving.UNFIT:
            pass  # more than the object, or not quite our format
        try:
            value = forgiving.parse(state.balanced(script))
        except forgiving.NotJson:
            continue
        return forgiving.read(value, shape, essential=("price",))
    return None
