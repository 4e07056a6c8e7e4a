"""Offers of one product in one city: the board on which sellers meet."""

from datetime import datetime
from decimal import Decimal
from operator import attrgetter

import attrs
import msgspec

from domain.identity import CityId, MerchantId, ProductId
from domain.money import Tenge


class DeliveryOption(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One way of getting the goods. `cost` is None when the answer does not name one."""

    type: str
    promised_at: datetime | None
    inter_city: bool | None
    cost: Tenge | None


class Offer(msgspec.Struct, frozen=True, gc=False):
    """One merchant's offer. None means that the marketplace did not say it: absent is not zero.

    `seller` is the merchant's name, which may change; `merchant_id` does not.

    `delivery_days` counts calendar days in Almaty from the reading to the promise.
    `delivery_duration` is the marketplace's class (TODAY, TOMORROW, TILL_5_DAYS, …).
    `preorder_days` is 0 for goods in stock. Ratings run from 0 to 5 in tenths.

    This is the hot value, twenty to a board, and a struct for its speed (docs/decisions/0005).
    """

    merchant_id: MerchantId
    seller: str
    merchant_sku: str | None
    price: Tenge
    price_minus_bonus: Tenge | None = None
    price_before_discount: Tenge | None = None
    discount_percent: int | None = None
    merchant_rating: Decimal | None = None
    merchant_reviews: int | None = None
    purchase_count: int | None = None
    title: str | None = None
    preorder_days: int | None = None
    delivery_type: str | None = None
    delivery_duration: str | None = None
    kaspi_delivery: bool | None = None
    delivery_at: datetime | None = None
    pickup_at: datetime | None = None
    postomat_at: datetime | None = None
    handed_over_at: datetime | None = None
    available_at: datetime | None = None
    located_in_point: str | None = None
    delivery_points: tuple[str, ...] = ()
    pickup_points: tuple[str, ...] = ()
    delivery_options: tuple[DeliveryOption, ...] = ()
    delivery_days: int | None = None


_price = attrgetter("price")


@attrs.frozen(kw_only=True)
class OfferBoard:
    """All offers of one product in one city, one a merchant, at the moment of reading.

    `total` is how many the marketplace says there are. Only a `complete` board, one on which
    all of them were held at once, may say that somebody has left.
    """

    kaspi_id: ProductId
    city_id: CityId
    offers: tuple[Offer, ...]
    total: int
    complete: bool
    checked_at: datetime

    @property
    def min_price(self) -> Tenge | None:
        """The lowest price on the board, whatever the order of the answer."""
        return min(map(_price, self.offers), default=None)

    @property
    def max_price(self) -> Tenge | None:
        """The highest price on the board, whatever the order of the answer."""
        return max(map(_price, self.offers), default=None)
