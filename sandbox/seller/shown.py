"""A listing as the cabinet's list shows it: every key of the recorded bodies, in their order.

Recorded 2025-05: an item on sale, and the same after it was removed.
"""

from collections import defaultdict
from datetime import datetime
from functools import lru_cache

import msgspec

from domain.identity import CityId, MerchantId
from domain.moments import ALMATY, utc
from domain.money import Tenge
from sandbox.catalogue import Card
from sandbox.cities import cities
from sandbox.goods import NO_BRAND
from sandbox.seller.goods import Listing, Place, Update
from sandbox.seller.stocking import city_of

#: What a removed item says of its error, whoever removed it.
NO_AVAILABILITIES = "NO_AVAILABILITIES"
Json = dict[str, object]


def item(listing: Listing, card: Card, merchant: MerchantId) -> Json:
    """One item of `data`. A removed one has price 0, no points and no cities; see minPrice."""
    on_sale = listing.on_sale
    brand = None if card.brand == NO_BRAND else card.brand
    lowest, highest = _range(listing)
    return {
        "masterSku": listing.product,
        "images": list(card.images),
        "shopLink": card.path,
        "masterTitle": card.title,
        "offerId": listing.offer_id,
        "fileId": listing.file_id,
        "merchantUid": merchant,
        "sku": listing.sku,
        "model": listing.model if on_sale else None,
        "brand": brand,
        "price": listing.price if on_sale else 0,
        "oldprice": 0,
        "availabilities": [_availability(place) for place in listing.places] if on_sale else None,
        "cityPrices": _city_prices(listing) if on_sale else None,
        "deliveryOptions": None,
        "_version": None,
        "_distinctVersion": listing.version,
        "offerSource": listing.source,
        "reindexReason": None,
        "matchesLastBatch": False,
        "skipDistinctCheck": False,
        "priority": 0,
        "rangePrice": {"MIN": lowest, "MAX": highest} if on_sale else {"MAX": 0, "MIN": 0},
        "updates": [_update(update) for update in listing.updates],
        "archivedAt": None if listing.archived_at is None else local(listing.archived_at),
        "modification": False,
        "colourCode": None,
        "attributes": [],
        "editionDeadline": deadline(listing.deadline),
        "verticalCategory": "Home",
        "masterCategory": f"Master - {card.kind.leaf}",
        "title": card.title,
        "available": on_sale,
        "minPrice": lowest,
        "maxPrice": highest,
        "points": [_code(place) for place in listing.places],
        "updatedAt": changed_at(listing.changed_at),
        "anyPickup": True,
        "anyKaspiDelivery": True,
        "anyKaspiDeliveryLocal": False,
        "anyKaspiDeliveryExpress": False,
        "anyMerchantDelivery": False,
        "brandCode": brand,
        "selectedCity": None,
        "allCityPrices": all_city_prices(listing),
        **({"stocks": _stocks(listing)} if on_sale else {}),
        "offerError": offer_error(listing),
    }


def local(moment: datetime) -> str:
    """A moment in Almaty without its zone: 2025-05-06T15:02:34.668."""
    return moment.astimezone(ALMATY).replace(tzinfo=None).isoformat(timespec="milliseconds")


def changed_at(moment: datetime) -> str:
    """A moment in UTC with Z: 2025-05-06T09:46:26.558981Z."""
    return utc(moment).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def deadline(moment: datetime) -> str:
    """A moment in Almaty with its zone: 2025-05-07T14:45:48.198+05:00."""
    return moment.astimezone(ALMATY).isoformat(timespec="milliseconds")


def all_city_prices(listing: Listing) -> msgspec.Raw:
    """The price in every town, also while it is off sale."""
    return _in_every_town(listing.price, tuple(listing.city_prices.items()))


@lru_cache(maxsize=4_096)
def _in_every_town(price: Tenge, city_prices: tuple[tuple[CityId, Tenge], ...]) -> msgspec.Raw:
    """Written once for each set of prices: it is the longest part of an item by far."""
    own = dict(city_prices)
    told = {city.id: {"price": own.get(city.id, price), "oldPrice": None} for city in cities()}
    return msgspec.Raw(msgspec.json.encode(told))


def offer_error(listing: Listing) -> Json | None:
    """Why it is not on sale."""
    if listing.on_sale:
        return None
    return {
        "offerSource": listing.source,
        "errorCodes": [NO_AVAILABILITIES],
        "warningCodes": [],
        "klNotes": [],
        "reindexReason": None,
    }


def _range(listing: Listing) -> tuple[Tenge, Tenge]:
    prices = listing.city_prices.values() or (listing.price,)
    return min(prices), max(prices)


def _availability(place: Place) -> Json:
    return {
        "available": "yes" if place.available else "no",
        "storeId": place.store_id,
        "stockCount": place.stock,
        "preOrder": place.preorder,
        "stockEnabled": place.specified,
        "stockSpecified": place.specified,
    }


def _city_prices(listing: Listing) -> list[Json]:
    return [
        {"value": price, "cityId": city, "oldprice": 0}
        for city, price in listing.city_prices.items()
    ]


def _update(update: Update) -> Json:
    return {
        "operationType": update.operation,
        "uploadedBy": update.by,
        "uploadedDate": local(update.at),
    }


def _code(place: Place) -> str:
    return place.store_id.rpartition("_")[2]


def _stocks(listing: Listing) -> list[Json]:
    levels: dict[CityId, Json] = defaultdict(dict)
    for place in listing.places:
        if place.specified:
            level = {"value": place.stock, "enabled": True}
            levels[city_of(place)][place.store_id] = level
    return [{"cityId": city, "stockLevel": level} for city, level in levels.items()]
