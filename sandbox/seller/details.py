"""A listing's details as the cabinet shows them, with its card, its cities and its points.

Recorded 2025-05: an item on sale, and the same after it was removed.
"""

from datetime import UTC

from domain.identity import CityId, MerchantId
from sandbox.catalogue import Card
from sandbox.cities import cities, city_named
from sandbox.seller.goods import Listing, Place
from sandbox.seller.shown import Json, changed_at, deadline, offer_error
from sandbox.seller.stocking import city_of

_IMAGES = "https://resources.cdn-kaspi.kz/img/m/p"
#: Invented for every point: nobody lives there.
_ADDRESS: Json = {
    "code": None,
    "latitude": 43.238,
    "longitude": 76.945,
    "streetName": " улица Примерная",
    "streetNumber": " 1",
    "town": None,
    "building": "",
    "phone": "7000000000",
    "name": "Контакт склада",
    "apartment": None,
    "district": None,
}

_HOLIDAY: Json = {
    "openingTime": {"hour": 9, "minute": 0},
    "closingTime": {"hour": 18, "minute": 0},
    "date": "2027-05-07",
    "closed": True,
    "name": None,
    "message": None,
}


def details(listing: Listing, card: Card, merchant: MerchantId) -> Json:
    """The answer for one sku; points of a removed item say no stock."""
    return {
        "sku": listing.sku,
        "title": card.title,
        "masterName": card.title,
        "masterSku": listing.product,
        "masterCategory": f"Master - {card.kind.leaf}",
        "cities": [_city(listing, city.id) for city in cities()],
        "updatedAt": changed_at(listing.changed_at),
        "available": listing.on_sale,
        "masterProduct": _master(card),
        "cityInfo": [_city_info(listing, city, merchant) for city in listing.city_prices],
        "editionDeadline": deadline(listing.deadline),
        "availabilities": [_point(place) for place in listing.places],
        "offerError": offer_error(listing),
    }


def _city(listing: Listing, city: CityId) -> Json:
    return {"cityId": city, "price": listing.price_in(city), "oldPrice": None, "points": None}


def _city_info(listing: Listing, city: CityId, merchant: MerchantId) -> Json:
    here = [place for place in listing.places if city_of(place) == city]
    return {
        "id": city,
        "name": city_named(city).name,
        "price": listing.price_in(city),
        "oldPrice": 0,
        "pickupPoints": [_pickup_point(listing, place, merchant) for place in here],
    }


def _pickup_point(listing: Listing, place: Place, merchant: MerchantId) -> Json:
    code = place.store_id.rpartition("_")[2]
    number = code.removeprefix("PP")
    stock = {"stock": {"value": place.stock, "enabled": place.specified}}
    return {
        "name": place.store_id,
        "displayName": code,
        "type": "STORE",
        "openingSchedule": _schedule(f"{merchant}-Sch{number}", 10, 18),
        "kdSchedule": _schedule(f"kdps_{merchant}-{code}", 9, 11),
        "active": True,
        "address": _ADDRESS,
        "merchantUid": merchant,
        "rfoID": "000000000000",
        "kaspiDelivery": True,
        "kdPickupType": "SELF_DELIVERY",
        "kdReturnPointCode": None,
        "available": place.available or not listing.on_sale,
        "cityName": city_named(city_of(place)).name,
        **(stock if listing.on_sale else {}),
    }


def _schedule(code: str, opens: int, closes: int) -> Json:
    hours = {
        "openingTime": {"hour": opens, "minute": 0},
        "closingTime": {"hour": closes, "minute": 0},
    }
    days = [{**hours, "dayOfWeekIndex": day} for day in range(1, 7)]
    return {"code": code, "weekDays": days, "specialDays": [_HOLIDAY]}


def _point(place: Place) -> Json:
    city = city_of(place)
    return {
        "pointId": place.store_id,
        "name": place.store_id.rpartition("_")[2],
        "pickup": True,
        "kaspiDelivery": True,
        "kaspiDeliveryLocal": True,
        "kaspiDeliveryExpress": True,
        "merchantDelivery": False,
        "address": _ADDRESS,
        "cityId": city,
        "cityName": city_named(city).name,
    }


def _master(card: Card) -> Json:
    created = card.created_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return {
        "card": {
            "id": card.id,
            "name": card.title,
            "createdTime": created,
            "shopLink": card.path,
            "maxQuantity": 20,
            "numberOfOrders": None,
            "unit": {
                "type": "PIECES",
                "measurementLiteral": "шт.",
                "countingLiteral": "шт",
                "increment": 1,
            },
            "category": [card.kind.leaf],
            "categoryId": "03326",
            "promoConditions": {
                "brand": card.brand,
                "categoryCodes": [card.kind.leaf],
                "baseProductCodes": list(card.base_codes),
                "groups": None,
            },
            "stickers": None,
            "refundPeriod": 30,
            "title": card.title,
        },
        "galleryImages": [_image(location) for location in card.images],
        "videoId": None,
        "description": card.description,
        "specifications": [_specification(card)],
        "weight": 0,
        "masterCategoryCode": f"Master - {card.kind.leaf}",
        "masterCategoryName": card.kind.leaf,
        "restrictedAge": 0,
        "sizeTableCode": None,
        "hasVariants": card.family is not None,
        "childrenContent": True,
        "certificate": None,
        "carParts": False,
        "videos": None,
        "teasers": None,
        "richContent": None,
        "status": "ACTUAL",
        "redirectCodes": None,
    }


def _specification(card: Card) -> Json:
    """All traits of a card as one group."""
    features = [
        {
            "code": value.trait.code,
            "name": value.trait.name,
            "description": None,
            "type": value.trait.type,
            "range": None,
            "comparable": None,
            "featureUnit": None,
            "featureValues": [{"value": said} for said in value.values],
            "mandatory": None,
            "keyAttribute": False,
            "merchantVisible": None,
            "position": place,
            "visible": True,
            "multiValued": True,
        }
        for place, value in enumerate(card.values, 1)
    ]
    return {
        "code": f"{card.kind.leaf}*Harakteristiki",
        "name": "Дополнительные характеристики",
        "features": features,
        "position": 0,
    }


def _image(location: str) -> Json:
    return {
        "small": f"{_IMAGES}/{location}?format=gallery-small",
        "medium": f"{_IMAGES}/{location}?format=gallery-medium",
        "large": f"{_IMAGES}/{location}?format=gallery-large",
        "location": location,
        "verified": None,
    }
