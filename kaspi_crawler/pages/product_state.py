"""The product page's inline state, typed: what we read of it, and nothing more.

As in 29 pages recorded 2025-08; clients of 2025-10 … 2026-08 read the same keys. Everything but
the product's id and title is optional.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar, cast

import attrs
import msgspec

from kaspi_crawler.pages import forgiving, javascript, state
from kaspi_crawler.pages.forgiving import Misfit
from kaspi_crawler.pages.outcomes import Witness
from kaspi_crawler.pages.shapes import Count, Moment

S = TypeVar("S", bound=msgspec.Struct)


class PromoConditions(msgspec.Struct, gc=False, rename="camel"):
    """The brand stands here alone; goods without one are literally "Без бренда"."""

    brand: str | None = None
    base_product_codes: list[str] | None = None


class Card(msgspec.Struct, gc=False, rename="camel"):
    """`price` is absent when nobody offers the product in the city, or when it was renamed."""

    id: str
    title: str
    created_time: Moment | None = None
    shop_link: str | None = None
    category_id: str | None = None
    reviews_link: str | None = None
    price: int | msgspec.UnsetType | None = msgspec.UNSET
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

#: How many objects of one name are tried, and how deep a moved one is looked for.
_MOST_STATES = 8
_DEEPEST = 5
#: What an item has besides its card; a recommended product has none of it.
_OF_AN_ITEM = frozenset({"galleryImages", "breadcrumbs", "specifications"})

_ITEM = msgspec.json.Decoder(Item, strict=False)
_CHOICE = msgspec.json.Decoder(Choice, strict=False)
_DIGITAL_DATA = msgspec.json.Decoder(DigitalData, strict=False)


@attrs.frozen
class PageState:
    """What the page's scripts say: the product, its siblings, the city that was served."""

    item: Item
    configurator: Choice | None
    region_id: str | None


def read_state(
    body: bytes, product: str | None = None, witness: Witness | None = None
) -> PageState | None:
    """The page's state, or None when it holds no product's state that can be read.

    The state of `product` goes before that of another, wherever on the page it stands; `witness`
    hears when it is not where and as we know it. Raises forgiving.Misfit when the product has no
    id, no title, or a price that is no whole number.
    """
    witness = witness or Witness()
    near = _near(body)
    item = _item(body, near, product, witness)
    if item is None:
        return None
    choices = state.assigned_objects(body, b"BACKEND.components.configurator", near)
    configurator = _first(choices, _CHOICE, Choice, witness)
    return PageState(item, configurator, region_id(body, near, witness))


def holds_item(body: bytes) -> bool:
    """Whether a script of the page holds a product's state, readable or not."""
    try:
        return read_state(body) is not None
    except forgiving.Misfit:
        return True


def region_id(body: bytes, near: int = 0, witness: Witness | None = None) -> str | None:
    """The id of the city that was served, or None when the page does not name it."""
    scripts = map(state.balanced, state.assigned_objects(body, b"window.digitalData", near))
    digital_data = _first(scripts, _DIGITAL_DATA, DigitalData, witness or Witness())
    return digital_data.website.region_id if digital_data and digital_data.website else None


def loose_item(body: bytes) -> dict[str, object] | None:
    """`BACKEND.components.item` with all its keys, or None when there is none to read."""
    for script in _scripts(body, _near(body)):
        try:
            value = _parse(script, Witness())
        except forgiving.NotJson:
            continue
        return value if isinstance(value, dict) else None
    return None


def _near(body: bytes) -> int:
    near = body.find(_ITEM_NAME, _BEHIND_THE_CITIES)
    return near if near >= 0 else max(0, body.find(_ITEM_NAME))


def _scripts(body: bytes, near: int) -> Iterator[bytes]:
    return islice(state.assigned_objects(body, _ITEM_NAME, near), _MOST_STATES)


def _item(body: bytes, near: int, product: str | None, witness: Witness) -> Item | None:
    """Our product's item, else the first one's of another.

    Raises forgiving.Misfit when there is one whose price, or else id or title, is spoilt.
    """
    others: list[Item] = []
    misfits: list[Misfit] = []
    for script in _scripts(body, near):
        try:
            item = _read(script, _ITEM, Item, witness)
        except Misfit as misfit:
            misfits.append(misfit)
            continue
        if item is not None and product in {None, item.card.id}:
            return item
        others += [item] if item is not None else []
    spoilt_price = [misfit for misfit in misfits if misfit.field == "price"]
    if spoilt_price:
        raise spoilt_price[0]
    moved = _moved(body, product) if product else None
    if moved is not None:
        witness.saw("moved", "BACKEND.components.item")
        return forgiving.read(moved, Item, essential=("price",))
    if misfits:
        raise misfits[0]
    return others[0] if others else None


def _moved(body: bytes, product: str) -> dict[str, object] | None:
    """The product's item where it stands under another name, or deeper than we know.

    None when there is none, or several that speak of other prices or titles.
    """
    found: list[dict[str, object]] = []
    for script in islice(state.objects_with(body, (b"card", product.encode())), _MOST_STATES):
        try:
            value = _parse(script, Witness())
        except forgiving.NotJson:
            continue
        found += _items_within(value, product, _DEEPEST)
    said = {(str(_card(one)["title"]), str(_card(one).get("price"))) for one in found}
    return found[0] if len(said) == 1 else None


def _items_within(value: object, product: str, depth: int) -> Iterator[dict[str, object]]:
    """Objects that look like an item of this product: a card, and something else of an item."""
    if not isinstance(value, dict) or depth == 0:
        return
    card = _card_within(value.get("card"), product, depth) if "card" in value else None
    if card is not None and not _OF_AN_ITEM.isdisjoint(value):
        yield {**value, "card": card}
        return
    for inner in value.values():
        yield from _items_within(inner, product, depth - 1)


def _card_within(value: object, product: str, depth: int) -> dict[str, object] | None:
    if not isinstance(value, dict) or depth == 0:
        return None
    if value.get("id") == product and isinstance(value.get("title"), str):
        return value
    cards = [_card_within(inner, product, depth - 1) for inner in value.values()]
    own = [card for card in cards if card is not None]
    return own[0] if len(own) == 1 else None


def _card(item: dict[str, object]) -> dict[str, object]:
    return cast("dict[str, object]", item["card"])


def _first(
    scripts: Iterable[bytes], decoder: msgspec.json.Decoder[S], shape: type[S], witness: Witness
) -> S | None:
    """The first of the scripts' objects that can be read."""
    for script in islice(scripts, _MOST_STATES):
        read = _read(script, decoder, shape, witness)
        if read is not None:
            return read
    return None


def _read(
    script: bytes, decoder: msgspec.json.Decoder[S], shape: type[S], witness: Witness
) -> S | None:
    """The object at the start of the script, or None when it can not be read. Raises Misfit."""
    try:
        return decoder.decode(state.up_to_last_brace(script))
    except forgiving.UNFIT:
        pass  # more than the object, or not quite our format
    try:
        return decoder.decode(state.balanced(script))
    except forgiving.UNFIT:
        witness.loose = True
    try:
        value = _parse(script, witness)
    except forgiving.NotJson:
        return None
    return forgiving.read(value, shape, essential=("price",))


def _parse(script: bytes, witness: Witness) -> object:
    """JSON, else an object of JavaScript, of which `witness` hears. Raises NotJson."""
    try:
        return forgiving.parse(state.balanced(script))
    except forgiving.NotJson:
        value = javascript.parse(script)
    witness.saw("type", "BACKEND.components (no JSON)")
    return value
