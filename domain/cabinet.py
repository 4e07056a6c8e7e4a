"""Our goods as the cabinet keeps them, and what came of asking it to change a price."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import attrs

from domain.identity import CityId, MerchantId, ProductId
from domain.money import Tenge


@attrs.frozen(kw_only=True)
class Point:
    """One point of a store at which goods lie: `30000001_PP1`.

    `stock` is None when the cabinet does not keep count of it (`stockSpecified` is false): that is
    not zero. `preorder_days` is 0 for goods that are there.
    """

    id: str
    available: bool
    stock: int | None = None
    preorder_days: int = 0

    @property
    def has_goods(self) -> bool:
        """Whether a buyer can have it there: of a counted stock of nothing nobody can."""
        return self.available and self.stock != 0


@attrs.frozen(kw_only=True)
class CabinetOffer:
    """An article of a store as the cabinet's list shows it.

    `price` is the base price for all cities, None for goods that are off sale. `city_prices` are
    those that were set for a city of its own, `prices` what is asked in each city in the end.
    `points` are all points named, with goods or without; none for what was taken off sale.
    `errors` are the marketplace's codes, NO_AVAILABILITIES among them.
    """

    store: MerchantId
    sku: str
    kaspi_id: ProductId
    title: str | None
    model: str | None
    brand: str | None
    price: Tenge | None
    city_prices: Mapping[CityId, Tenge]
    prices: Mapping[CityId, Tenge]
    points: tuple[Point, ...]
    on_sale: bool
    errors: tuple[str, ...]
    updated_at: datetime | None
    archived_at: datetime | None

    def price_in(self, city: CityId) -> Tenge | None:
        """What is asked in a city."""
        return self.city_prices.get(city) or self.prices.get(city) or self.price

    @property
    def has_goods(self) -> bool:
        """Whether any point has goods: only then a price may be pushed."""
        return self.on_sale and any(point.has_goods for point in self.points)


@attrs.frozen(kw_only=True)
class CabinetPage:
    """One page of the cabinet's list; `total` counts the whole list.

    `unreadable` has a sentence for each article that could not be read.
    """

    offers: tuple[CabinetOffer, ...]
    total: int
    unreadable: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class ShopPage:
    """What one page of a store's list showed: of the goods on sale, or of those taken off."""

    store: MerchantId
    on_sale: bool
    page: int
    offers: tuple[CabinetOffer, ...]
    checked_at: datetime


@attrs.frozen(kw_only=True)
class ShopRead:
    """Both lists of a store were read whole since `began_at`, and showed `count` articles.

    What they did not show is in the cabinet no more. `believed`: somebody has looked, however much
    it is.
    """

    store: MerchantId
    count: int
    began_at: datetime
    checked_at: datetime
    believed: bool = False


class Refusal(StrEnum):
    """Why the cabinet did not do what it was asked."""

    SESSION_GONE = "session_gone"
    FORBIDDEN = "forbidden"
    BLOCKED = "blocked"
    NOT_A_CABINET = "not_a_cabinet"
    UNAVAILABLE = "unavailable"
    REJECTED = "rejected"


@attrs.frozen(kw_only=True)
class Receipt:
    """The answer to a pushed price: the number under which it is queued, or why it was refused.

    A receipt says that the price was accepted, not that it holds: the marketplace applied one nine
    to ten minutes later (recorded 2025-05), and may drop it. `pause` is how many seconds the
    account must wait.
    """

    number: str | None = None
    refusal: Refusal | None = None
    detail: str = ""
    pause: int | None = None

    @property
    def accepted(self) -> bool:
        """Whether the price is queued."""
        return self.refusal is None
