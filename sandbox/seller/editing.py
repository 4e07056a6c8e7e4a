"""Edits from outside: what somebody else changes in the cabinet, or a sale does to the stock."""

from datetime import timedelta

import attrs
from msgspec import UNSET, Struct, UnsetType

from domain.identity import CityId
from domain.money import tenge
from sandbox.seller.goods import Listing, Place, Update
from sandbox.seller.shelf import Shelf

#: Whom the audit trail names.
_SOMEBODY = "merchant-user@example.kz"


class PlaceEdit(Struct, forbid_unknown_fields=True, rename="camel"):
    """What is to be true of one point; what is left out stays. `stockCount` null: none is kept."""

    available: bool | None = None
    stock_count: int | UnsetType | None = UNSET
    pre_order: int | None = None


class Edit(Struct, forbid_unknown_fields=True, rename="camel"):
    """What is to be true of one listing at once: prices by city, points by PP1 or whole name."""

    sku: str
    price: int | None = None
    city_prices: dict[str, int] = {}
    points: dict[str, PlaceEdit] = {}


def edited(shelf: Shelf, edit: Edit) -> Listing:
    """The listing as the edit wants it. Raises LookupError for strangers, NotMoney for a price."""
    listing = shelf.listings.get(edit.sku)
    if listing is None:
        raise LookupError(f"the store {shelf.merchant} has no sku {edit.sku}")
    prices = dict(listing.city_prices)
    if edit.price is not None:
        prices = dict.fromkeys(prices, tenge(edit.price))
    prices |= {CityId(city): tenge(price) for city, price in edit.city_prices.items()}
    places = _edited_places(shelf, listing, edit)
    now = shelf.world.now
    sells = any(place.available for place in places)
    operation = "PRICE_CHANGE" if sells and listing.on_sale else "ON_SALE" if sells else "REMOVE"
    return attrs.evolve(
        listing,
        price=min(prices.values()),
        city_prices=prices,
        places=places,
        changed_at=now,
        deadline=now + timedelta(days=1),
        archived_at=None if sells else listing.archived_at or now,
        updates=(*listing.updates, Update(operation=operation, by=_SOMEBODY, at=now))[-4:],
        version=listing.version + 1,
    )


def _edited_places(shelf: Shelf, listing: Listing, edit: Edit) -> tuple[Place, ...]:
    places = {place.store_id: place for place in listing.places}
    for name, wanted in edit.points.items():
        whole = name if name in shelf.points else f"{shelf.merchant}_{name}"
        if whole not in shelf.points:
            raise LookupError(f"the store {shelf.merchant} has no point {name}")
        before = places.get(whole) or Place(store_id=whole, available=False)
        places[whole] = _edited_place(before, wanted)
    return tuple(places.values())


def _edited_place(before: Place, wanted: PlaceEdit) -> Place:
    after = before
    if wanted.available is not None:
        after = attrs.evolve(after, available=wanted.available)
    if wanted.pre_order is not None:
        after = attrs.evolve(after, preorder=wanted.pre_order)
    if wanted.stock_count is None:
        return attrs.evolve(after, stock=0, specified=False)
    if isinstance(wanted.stock_count, int):
        return attrs.evolve(after, stock=wanted.stock_count, specified=True)
    return after
