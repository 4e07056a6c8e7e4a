"""The formats that we know, key by key, and how an answer differs from them.

Keys are those recorded 2025-06 … 2026-09 and those that clients of these years read. `always` are
keys that every recording has; all others may be absent or null. A key that appears here is no
drift: what Kaspi adds is either read by a page or listed here.
"""

import re
from collections.abc import Iterator, Mapping
from functools import partial

import attrs

from domain.readings import Source
from kaspi_crawler.pages import forgiving, product_state
from kaspi_crawler.pages.answers import without_mark
from kaspi_crawler.pages.outcomes import Drift

#: Elements of a list that are looked at, and differences that one answer may show.
_ELEMENTS = 20
_MOST = 50
_NUMBERS: tuple[type, ...] = (int, float)


@attrs.frozen
class Known:
    """What we know of one key: its JSON types, and the keys of the object or objects in it."""

    types: tuple[type, ...]
    always: bool = False
    fields: "Mapping[str, Known] | None" = None


_text = partial(Known, (str,))
_number = partial(Known, _NUMBERS)
_flag = partial(Known, (bool,))
_list = partial(Known, (list,))
_object = partial(Known, (dict,))
_anything = Known((str, *_NUMBERS, bool, list, dict))

_OFFER = {
    "masterSku": _text(always=True),
    "masterCategory": _text(),
    "merchantId": _text(always=True),
    "merchantName": _text(always=True),
    "merchantSku": _text(),
    "merchantRating": _number(),
    "merchantReviewsQuantity": _number(),
    "merchantSegmentId": _number(),
    "title": _text(),
    "price": _number(always=True),
    "priceMinusBonus": _number(),
    "priceBeforeDiscount": _number(),
    "discount": _number(),
    "purchaseCount": _number(),
    "delivery": _text(),
    "pickup": _text(),
    "postomat": _text(),
    "kdPickupDate": _text(),
    "availabilityDate": _text(),
    "deliveryMovedBySlot": _flag(),
    "kaspiDelivery": _flag(),
    "deliveryType": _text(),
    "deliveryDuration": _text(),
    "deliveryDays": _anything,
    "deliveryOptions": _object(),
    "preorder": _number(),
    "kdPoints": _list(),
    "pointsWithAvailability": _list(),
    "locatedInPoint": _text(),
    "locatedInCity": _anything,
    "kdDestinationCity": _anything,
    "deliverySteps": _anything,
    "badges": _anything,
}
_OFFERS = {
    "offers": _list(always=True, fields=_OFFER),
    "total": _number(always=True),
    "offersCount": _number(always=True),
    "pcmResponsePresent": _flag(),
    "badges": _list(),
    "loanPicker": _object(),
    "highRatingPresent": _flag(),
    "excellentMerchantPresent": _flag(),
    "productCardInfo": _object(),
    "deliveryDurationFacetValues": _object(),
}
_REVIEWS = {
    "data": _list(),
    "summary": _object(
        fields={
            "global": _number(),
            "statistic": _list(fields={"rate": _number(always=True), "count": _number()}),
        }
    ),
    "groupSummary": _list(
        always=True, fields={"id": _text(always=True), "total": _number(always=True)}
    ),
    "imagesSummaryCount": _number(),
}
_PROMO = {
    "brand": _text(),
    "categoryCodes": _list(),
    "baseProductCodes": _list(),
    "groups": _list(),
    "productSeries": _anything,
}
_CARD = {
    "id": _text(always=True),
    "title": _text(always=True),
    "createdTime": _text(always=True),
    "shopLink": _text(always=True),
    "categoryId": _text(always=True),
    "currency": _text(),
    "reviewsLink": _text(),
    "price": _number(),
    "discount": _number(),
    "unitPriceBeforeDiscount": _number(),
    "maxQuantity": _number(),
    "unit": _object(),
    "promoConditions": _object(always=True, fields=_PROMO),
    "stickers": _anything,
    "buttonInCart": _object(),
}
_FEATURE = {
    "code": _text(),
    "name": _text(),
    "type": _text(),
    "featureValues": _list(fields={"value": _text()}),
    "featureUnit": _anything,
    "description": _text(),
    "range": _anything,
    "position": _number(),
    "importanceScore": _number(),
    **dict.fromkeys(
        ("multiValued", "mandatory", "important", "keyAttribute", "visible", "comparable"),
        _flag(),
    ),
    "merchantVisible": _flag(),
}
_ITEM = {
    "card": _object(always=True, fields=_CARD),
    "galleryImages": _list(
        always=True,
        fields={
            **dict.fromkeys(("small", "medium", "large", "location"), _text()),
            "verified": _anything,
            "infographics": _flag(),
        },
    ),
    "breadcrumbs": _list(
        always=True,
        fields={"title": _text(always=True), "link": _text(), "id": _text(always=True)},
    ),
    "description": _text(),
    "descriptions": _list(),
    "specifications": _list(
        always=True,
        fields={
            "code": _text(),
            "name": _text(),
            "position": _number(),
            "features": _list(fields=_FEATURE),
        },
    ),
    **dict.fromkeys(
        ("productNavigation", "videoId", "videos", "teasers", "richContent", "certificate"),
        _anything,
    ),
    "sizeTableCode": _text(),
    "endpoint": _text(),
}
_OWN_PRICE = {"cityId": _text(always=True), "value": _number(always=True), "oldprice": _number()}
_OWN_POINT = {
    "available": _text(always=True),
    "storeId": _text(always=True),
    "stockCount": _number(),
    "preOrder": _number(),
    "stockEnabled": _flag(),
    "stockSpecified": _flag(),
}
_OWN_OFFER = {
    "sku": _text(always=True),
    "masterSku": _text(always=True),
    "available": _flag(always=True),
    **dict.fromkeys(("masterTitle", "title", "model", "brand", "brandCode"), _text()),
    **dict.fromkeys(("merchantUid", "offerId", "fileId", "shopLink"), _text()),
    **dict.fromkeys(("masterCategory", "verticalCategory", "colourCode"), _text()),
    **dict.fromkeys(("offerSource", "reindexReason"), _text()),
    **dict.fromkeys(("archivedAt", "updatedAt", "editionDeadline"), _text()),
    **dict.fromkeys(("price", "oldprice", "minPrice", "maxPrice"), _number()),
    **dict.fromkeys(("images", "points", "stocks", "updates"), _list()),
    **dict.fromkeys(("rangePrice", "allCityPrices", "offerError"), _object()),
    "availabilities": _list(fields=_OWN_POINT),
    "cityPrices": _list(fields=_OWN_PRICE),
    **dict.fromkeys(
        ("anyPickup", "anyKaspiDelivery", "anyKaspiDeliveryLocal", "anyKaspiDeliveryExpress"),
        _flag(),
    ),
    "anyMerchantDelivery": _flag(),
    **dict.fromkeys(
        ("deliveryOptions", "selectedCity", "attributes", "modification", "priority"), _anything
    ),
    **dict.fromkeys(
        ("matchesLastBatch", "skipDistinctCheck", "_version", "_distinctVersion"), _anything
    ),
}
_OWN_OFFERS = {"data": _list(always=True, fields=_OWN_OFFER), "total": _number(always=True)}
_APIS = {Source.OFFERS: _OFFERS, Source.REVIEWS: _REVIEWS, Source.SHOP: _OWN_OFFERS}


def drifts(source: Source, body: bytes) -> frozenset[Drift]:
    """How an answer differs from the format we know; nothing for one that is none at all."""
    found: set[Drift] = set()
    for drift in _differences(source, body):
        found.add(drift)
        if len(found) == _MOST:
            break
    return frozenset(found)


def _differences(source: Source, body: bytes) -> Iterator[Drift]:
    if source is Source.PAGE:
        item = product_state.loose_item(body)
        if item is not None:
            yield from _compare(item, _ITEM, "")
    elif source in _APIS:
        try:
            told = forgiving.parse(without_mark(body))
        except forgiving.NotJson:
            return
        if isinstance(told, dict):
            yield from _compare(told, _APIS[source], "")


def _compare(value: Mapping[str, object], known: Mapping[str, Known], path: str) -> Iterator[Drift]:
    for key in value:
        if key not in known:
            yield Drift("unknown", path + _plain(key))
    for key, kind in known.items():
        if key in value:
            yield from _compare_one(value[key], kind, path + key)
        elif kind.always:
            yield Drift("missing", path + key)


def _compare_one(given: object, kind: Known, path: str) -> Iterator[Drift]:
    if given is None and not kind.always:
        return
    if type(given) not in kind.types:
        yield Drift("type", path)
    elif kind.fields is not None and isinstance(given, dict):
        yield from _compare(given, kind.fields, f"{path}.")
    elif kind.fields is not None and isinstance(given, list):
        for one in given[:_ELEMENTS]:
            if isinstance(one, dict):
                yield from _compare(one, kind.fields, f"{path}[].")
            else:
                yield Drift("type", f"{path}[]")


def _plain(key: str) -> str:
    """A key as it may stand in a log and a name of a figure."""
    return re.sub(r"[^\w.@-]", "?", key)[:40]
