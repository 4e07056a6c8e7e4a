"""Our goods as the cabinet holds them, and what a change asks for: values that do not change."""

from collections.abc import Mapping
from datetime import datetime

import attrs

from domain.identity import CityId, ProductId
from domain.money import Tenge


@attrs.frozen(kw_only=True)
class Place:
    """One listing at one point. `stock` counts only where it is `specified`; days of preorder."""

    store_id: str
    available: bool
    stock: int = 0
    specified: bool = False
    preorder: int = 0

    @property
    def is_open(self) -> bool:
        """Whether a buyer can have it from there."""
        return self.available and not (self.specified and self.stock == 0)


@attrs.frozen(kw_only=True)
class Update:
    """One line of a listing's audit trail."""

    operation: str
    by: str
    at: datetime


@attrs.frozen(kw_only=True)
class Listing:
    """One of our goods. `archived_at` is set while it is off sale; prices are in tenge."""

    sku: str
    product: ProductId
    model: str
    offer_id: str
    price: Tenge
    city_prices: Mapping[CityId, Tenge]
    places: tuple[Place, ...]
    changed_at: datetime
    deadline: datetime
    archived_at: datetime | None = None
    file_id: str = "MANUAL_CHANGES"
    source: str = "MANUAL_OFFER"
    updates: tuple[Update, ...] = ()
    version: int = 1

    @property
    def on_sale(self) -> bool:
        """Whether any point has it."""
        return self.archived_at is None

    def price_in(self, city: CityId) -> Tenge:
        """What a city sees: its own price, or the one for all towns."""
        return self.city_prices.get(city, self.price)

    def place(self, store_id: str) -> Place | None:
        """How it stands at a point, or None if it is not there."""
        return next((place for place in self.places if place.store_id == store_id), None)


@attrs.frozen(kw_only=True)
class Availability:
    """What a change says of one point; None is what it does not say."""

    store_id: str
    available: bool
    stock: int | None = None
    preorder: int | None = None


@attrs.frozen(kw_only=True)
class Change:
    """What a push or a row of a list asks for; `places` None leaves the points alone."""

    sku: str
    price: Tenge | None = None
    city_prices: Mapping[CityId, Tenge] = attrs.Factory(dict)
    places: tuple[Availability, ...] | None = None
    model: str | None = None


@attrs.frozen(kw_only=True)
class Author:
    """Who asked for a change, and when: the account's e-mail, the door, the file or MANUAL_CHANGES.

    `door` is single, batch, file or pull.
    """

    email: str
    door: str
    at: datetime
    file_id: str = "MANUAL_CHANGES"
    source: str = "MANUAL_OFFER"
