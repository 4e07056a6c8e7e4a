"""One page of the offers API: its offers, and how many the board has in all.

Fields as recorded 2026-09, with those that other clients saw in 2023 … 2026. Everything but the
merchant and the price is optional: what is absent stays None, and zero stays zero.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter

import attrs
import msgspec

from domain.identity import CityId, ProductId
from domain.moments import ALMATY, almaty_date
from domain.money import DEAREST, Tenge
from domain.offers import DeliveryOption, Offer
from kaspi_crawler.pages import forgiving
from kaspi_crawler.pages.answers import json_text, refusal
from kaspi_crawler.pages.forgiving import Misfit, in_utc
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.shapes import Count, Moment
from partners.call import Answer


class RawDeliveryOption(msgspec.Struct, gc=False, rename="camel"):
    """One entry of `deliveryOptions` (clients of 2025-06 … 2026)."""

    delivery: Moment | None = None
    inter_city: bool | None = None
    delivery_cost: int | None = None


#: What the API calls the fields of an offer.
_API_NAMES = {
    "merchant_id": "merchantId",
    "seller": "merchantName",
    "merchant_sku": "merchantSku",
    "price": "price",
    "price_minus_bonus": "priceMinusBonus",
    "price_before_discount": "priceBeforeDiscount",
    "discount_percent": "discount",
    "merchant_rating": "merchantRating",
    "merchant_reviews": "merchantReviewsQuantity",
    "purchase_count": "purchaseCount",
    "title": "title",
    "preorder_days": "preorder",
    "delivery_type": "deliveryType",
    "delivery_duration": "deliveryDuration",
    "kaspi_delivery": "kaspiDelivery",
    "delivery_at": "delivery",
    "pickup_at": "pickup",
    "postomat_at": "postomat",
    "handed_over_at": "kdPickupDate",
    "available_at": "availabilityDate",
    "located_in_point": "locatedInPoint",
    "delivery_points": "kdPoints",
    "pickup_points": "pointsWithAvailability",
    "delivery_options": "deliveryOptions",
    "master_sku": "masterSku",
}


class RawOffer(msgspec.Struct, gc=False, rename=_API_NAMES):
    """One offer as the API sends it; prices come as 361788.0 and are read as whole numbers."""

    merchant_id: str
    price: int
    seller: str | None = None
    merchant_sku: str | None = None
    price_minus_bonus: int | None = None
    price_before_discount: int | None = None
    discount_percent: Count | None = None
    merchant_rating: Decimal | None = None
    merchant_reviews: Count | None = None
    purchase_count: Count | None = None
    title: str | None = None
    preorder_days: Count | None = None
    delivery_type: str | None = None
    delivery_duration: str | None = None
    kaspi_delivery: bool | None = None
    delivery_at: Moment | None = None
    pickup_at: Moment | None = None
    postomat_at: Moment | None = None
    handed_over_at: Moment | None = None
    available_at: Moment | None = None
    located_in_point: str | None = None
    delivery_points: tuple[str, ...] | None = None
    pickup_points: tuple[str, ...] | None = None
    delivery_options: dict[str, RawDeliveryOption | None] | None = None
    master_sku: str | int | None = None


class RawOffers(msgspec.Struct, gc=False, rename="camel"):
    """The whole answer. `total` and `offersCount` both count the whole board."""

    offers: list[RawOffer]
    total: int | None = None
    offers_count: int | None = None


class LooseOffers(msgspec.Struct, rename="camel"):
    """The answer when something in it does not fit: offers are then read one by one."""

    offers: list[object]
    total: int | None = None
    offers_count: int | None = None


#: How we call what an offer cannot do without.
_WORDS = {"RawOffer": "offer", "merchantId": "merchant"}

_decoder = msgspec.json.Decoder(RawOffers, strict=False)


@attrs.frozen(kw_only=True)
class OffersPart:
    """One page of a board. `total` is the size of the whole board.

    `unreadable` has a sentence for each offer that has no usable merchant or price.
    """

    offers: tuple[Offer, ...]
    total: int
    unreadable: tuple[str, ...] = ()


@attrs.frozen
class OffersPage:
    """The answer to Storefront.offers."""

    answer: Answer
    product: ProductId
    city: CityId
    checked_at: datetime

    def to_item(self) -> OffersPart | TryAgain | Unreadable:
        """Read the page whole, or offer by offer when its format has drifted."""
        if self.answer.status != 200:
            return refusal(self.answer, self._where)
        text = json_text(self.answer)
        try:
            raw = _decoder.decode(text)
        except forgiving.UNFIT:
            return self._read_loosely(text)
        return self._part(raw, raw.offers, [])

    def _read_loosely(self, text: bytes) -> OffersPart | TryAgain | Unreadable:
        try:
            raw = forgiving.read(forgiving.parse(text), LooseOffers)
        except (forgiving.NotJson, Misfit):
            return refusal(self.answer, self._where)
        offers: list[RawOffer] = []
        unreadable: list[str] = []
        for value in raw.offers:
            try:
                offers.append(forgiving.read(value, RawOffer))
            except Misfit as misfit:
                merchant = value.get("merchantId") if isinstance(value, dict) else None
                unreadable.append(self._complaint(misfit, merchant))
        return self._part(raw, offers, unreadable)

    def _part(
        self, raw: RawOffers | LooseOffers, values: list[RawOffer], unreadable: list[str]
    ) -> OffersPart | TryAgain | Unreadable:
        if values and all(map(self._is_of_another, values)):
            return self._of_another(values[0].master_sku)
        total = raw.total if raw.total is not None else raw.offers_count
        if total is None or total < 0:
            return Unreadable(
                f"no total ({self._where})",
                "Kaspi has changed the answer: compare it with a recorded one.",
            )
        midnight = _midnight(self.checked_at)
        offers: list[Offer] = []
        for value in values:
            try:
                offers.append(_offer(value, midnight))
            except Misfit as misfit:
                unreadable.append(self._complaint(misfit, value.merchant_id))
        return OffersPart(offers=tuple(offers), total=total, unreadable=tuple(unreadable))

    def _is_of_another(self, raw: RawOffer) -> bool:
        return raw.master_sku is not None and str(raw.master_sku) != self.product

    def _of_another(self, product: object) -> TryAgain:
        """A proxy or a cache has mixed up two answers, or the card was merged into another."""
        return TryAgain(
            "other_product",
            f"These are offers of {product} ({self._where}). Open the product's address in a "
            "browser: it may have been replaced by that one.",
        )

    @property
    def _where(self) -> str:
        return f"offers of {self.product}, city {self.city}"

    def _complaint(self, misfit: Misfit, merchant: object) -> str:
        """A sentence: no price in 'нет' (offers of 102298404, city 750000000, merchant 5001)."""
        whose = f", merchant {merchant}" if merchant and misfit.field == "price" else ""
        return f"{misfit.named(_WORDS)} ({self._where}{whose})"


#: What an offer takes over from the answer just as it stands there, in the order of Offer.
_AS_TOLD = Offer.__struct_fields__[4:-4]
_told = attrgetter(*_AS_TOLD)
_made: Callable[..., Offer] = Offer
_MOMENTS = slice(_AS_TOLD.index("delivery_at"), _AS_TOLD.index("available_at") + 1)


def _offer(raw: RawOffer, midnight: datetime) -> Offer:
    """Raises Misfit when there is no merchant, or no price of whole positive tenge.

    `midnight` began the day of the reading. This runs for every offer that is read: the few
    fields that need care are mended in place, and all others are taken over at once.
    """
    merchant, price = raw.merchant_id.strip(), raw.price
    if not merchant:
        raise Misfit("merchantId", raw.merchant_id)
    if not 0 < price <= DEAREST:
        raise Misfit("price", price)
    if raw.price_minus_bonus is not None:
        raw.price_minus_bonus = _positive(raw.price_minus_bonus)
    if raw.price_before_discount is not None:
        raw.price_before_discount = _positive(raw.price_before_discount)
    if raw.merchant_rating is not None:
        raw.merchant_rating = _rating(raw.merchant_rating)
    if raw.title is not None:
        raw.title = raw.title.strip() or None
    told = _told(raw)
    for moment in told[_MOMENTS]:
        if moment is not None and moment.tzinfo is not UTC:
            told = tuple(map(_in_utc, told))
            break
    return _made(
        merchant,
        (raw.seller or "").strip(),
        (raw.merchant_sku or "").strip() or None,  # blank is as good as absent
        price,
        *told,
        raw.delivery_points or (),
        raw.pickup_points or (),
        _delivery_options(raw.delivery_options) if raw.delivery_options else (),
        _delivery_days(raw, midnight),
    )


def _in_utc(value: object) -> object:
    return in_utc(value) if isinstance(value, datetime) else value


def _positive(value: int) -> Tenge | None:
    """A price that need not be there: 0 means that there is none (recorded 2025-08)."""
    return Tenge(value) if 0 < value <= DEAREST else None


_WORST, _BEST = Decimal(0), Decimal(5)


def _rating(value: Decimal) -> Decimal | None:
    """Ratings run from 0 to 5; 0 occurs for a merchant with one review (recorded 2026-09)."""
    return value if value.is_finite() and _WORST <= value <= _BEST else None


def _midnight(moment: datetime) -> datetime:
    """When the moment's day began in Almaty."""
    return datetime.combine(almaty_date(moment), time(), ALMATY).astimezone(UTC)


def _delivery_days(raw: RawOffer, midnight: datetime) -> int | None:
    """Calendar days in Almaty until the promised delivery, else those of its class."""
    if raw.delivery_at is not None:
        return max(0, (raw.delivery_at - midnight).days)
    return None if raw.delivery_duration is None else _days_of_class(raw.delivery_duration)


_CLASSES = {"EXPRESS": 0, "TODAY": 0, "TOMORROW": 1}
_TILL_DAYS = re.compile(r"TILL_([0-9]{1,3})_DAYS?")


@lru_cache(maxsize=64)
def _days_of_class(duration: str) -> int | None:
    """How many days a delivery class promises: TILL_5_DAYS is 5. None for an unknown class."""
    till = _TILL_DAYS.fullmatch(duration)
    return int(till.group(1)) if till else _CLASSES.get(duration)


def _delivery_options(raw: dict[str, RawDeliveryOption | None]) -> tuple[DeliveryOption, ...]:
    return tuple(
        DeliveryOption(
            type=kind,
            promised_at=in_utc(option.delivery),
            inter_city=option.inter_city,
            cost=_cost(option.delivery_cost),
        )
        for kind, option in raw.items()
        if option is not None
    )


def _cost(value: int | None) -> Tenge | None:
    """What a delivery costs: unlike a price it may be 0, which is free."""
    return Tenge(value) if value is not None and 0 <= value <= DEAREST else None
