"""What the cabinet shows: the keys of the recorded bodies, pages, filters, and both clocks."""

import re
from datetime import timedelta
from typing import Any

import pytest

from sandbox.world import STOCKED, World
from tests.sandbox.seller.conftest import Cabinet, echoed

ALMATY = STOCKED[0]
#: The keys of one item on sale, in the order recorded 2025-05.
ITEM = [
    "masterSku",
    "images",
    "shopLink",
    "masterTitle",
    "offerId",
    "fileId",
    "merchantUid",
    "sku",
    "model",
    "brand",
    "price",
    "oldprice",
    "availabilities",
    "cityPrices",
    "deliveryOptions",
    "_version",
    "_distinctVersion",
    "offerSource",
    "reindexReason",
    "matchesLastBatch",
    "skipDistinctCheck",
    "priority",
    "rangePrice",
    "updates",
    "archivedAt",
    "modification",
    "colourCode",
    "attributes",
    "editionDeadline",
    "verticalCategory",
    "masterCategory",
    "title",
    "available",
    "minPrice",
    "maxPrice",
    "points",
    "updatedAt",
    "anyPickup",
    "anyKaspiDelivery",
    "anyKaspiDeliveryLocal",
    "anyKaspiDeliveryExpress",
    "anyMerchantDelivery",
    "brandCode",
    "selectedCity",
    "allCityPrices",
    "stocks",
    "offerError",
]
DETAILS = [
    "sku",
    "title",
    "masterName",
    "masterSku",
    "masterCategory",
    "cities",
    "updatedAt",
    "available",
    "masterProduct",
    "cityInfo",
    "editionDeadline",
    "availabilities",
    "offerError",
]
ERROR = {
    "offerSource": "MANUAL_OFFER",
    "errorCodes": ["NO_AVAILABILITIES"],
    "warningCodes": [],
    "klNotes": [],
    "reindexReason": None,
}


async def removed(cabinet: Cabinet) -> Any:
    item = await cabinet.some(specified=True)
    gone = [place | {"available": "no"} for place in echoed(item)["availabilities"]]
    await cabinet.push(echoed(item, availabilities=gone))
    return await cabinet.item(item["sku"])


async def test_an_item_on_sale_has_every_recorded_key(cabinet: Cabinet) -> None:
    item = await cabinet.some(specified=True)
    assert list(item) == ITEM
    place = item["availabilities"][0]
    assert list(place) == [
        "available", "storeId", "stockCount", "preOrder", "stockEnabled", "stockSpecified",
    ]  # fmt: skip
    assert list(item["cityPrices"][0]) == ["value", "cityId", "oldprice"]
    assert len(item["allCityPrices"]) > 200
    assert item["allCityPrices"][ALMATY].keys() == {"price", "oldPrice"}
    assert item["stocks"][0].keys() == {"cityId", "stockLevel"}
    assert place["storeId"] == f"{cabinet.merchant}_{item['points'][0]}"


async def test_a_removed_item_has_the_recorded_shape(cabinet: Cabinet) -> None:
    item = await removed(cabinet)
    assert list(item) == [key for key in ITEM if key != "stocks"]
    nothing = ("price", "availabilities", "cityPrices", "model", "available")
    assert [item[key] for key in nothing] == [0, None, None, None, False]
    assert item["offerError"] == ERROR
    assert item["minPrice"] > 0
    assert item["points"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}", item["archivedAt"])
    assert item["updates"][-1]["operationType"] == "REMOVE"


async def test_details_have_every_recorded_key(cabinet: Cabinet) -> None:
    item = await cabinet.some(specified=True)
    asked = {"m": cabinet.merchant, "s": item["sku"]}
    told = await (await cabinet.get("/bff/offer-view/details", params=asked)).json()
    assert list(told) == DETAILS
    point = told["cityInfo"][0]["pickupPoints"][0]
    assert point["name"].startswith(f"{cabinet.merchant}_PP")
    assert point["stock"] == {"value": item["availabilities"][0]["stockCount"], "enabled": True}
    assert told["masterProduct"]["card"]["id"] == item["masterSku"]
    assert told["cities"][0].keys() == {"cityId", "price", "oldPrice", "points"}


async def test_details_of_a_removed_item_say_no_stock(cabinet: Cabinet) -> None:
    item = await removed(cabinet)
    asked = {"m": cabinet.merchant, "s": item["sku"]}
    told = await (await cabinet.get("/bff/offer-view/details", params=asked)).json()
    assert (list(told), told["available"]) == (DETAILS, False)
    assert "stock" not in told["cityInfo"][0]["pickupPoints"][0]
    assert told["offerError"] == ERROR


async def test_changes_are_told_in_local_time_and_in_utc(cabinet: Cabinet, market: World) -> None:
    await cabinet.switch(apply_seconds=570)
    item = await cabinet.some()
    asked_at = market.now
    await cabinet.push(echoed(item, price=777))
    await cabinet.control("advance", {"minutes": 10})
    item = await cabinet.item(item["sku"])
    applied_at = asked_at + timedelta(seconds=570)
    local = (asked_at + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%S.000")
    assert item["updates"][-1] == {
        "operationType": "PRICE_CHANGE",
        "uploadedBy": "user@example.kz",
        "uploadedDate": local,
    }
    assert item["updatedAt"] == applied_at.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    deadline = (applied_at + timedelta(days=1, hours=5)).strftime("%Y-%m-%dT%H:%M:%S.000+05:00")
    assert item["editionDeadline"] == deadline


async def test_pages_begin_with_zero_and_together_hold_everything_once(cabinet: Cabinet) -> None:
    total = (await cabinet.listed())["total"]
    assert total > 4
    pages = [await cabinet.listed(p=page, l=2) for page in range(total // 2 + 2)]
    skus = [item["sku"] for page in pages for item in page["data"]]
    assert {page["total"] for page in pages} == {total}
    assert len(skus) == len(set(skus)) == total
    assert pages[-1]["data"] == []


@pytest.mark.parametrize("query", [{"l": 101}, {"l": 0}, {"p": -1}, {"p": "x"}])
async def test_a_page_that_is_none_is_a_bad_request(
    cabinet: Cabinet, query: dict[str, str | int]
) -> None:
    asked = {"m": cabinet.merchant, **query}
    assert (await cabinet.get("/bff/offer-view/list", params=asked)).status == 400


async def test_the_list_is_filtered(cabinet: Cabinet) -> None:
    gone = await removed(cabinet)
    everything = (await cabinet.listed())["data"]
    sold = await cabinet.listed(a="true")
    archived = await cabinet.listed(a="false")
    assert archived == await cabinet.listed(available="false")
    assert gone["sku"] in {item["sku"] for item in archived["data"]}
    assert sold["total"] + archived["total"] == len(everything)
    for text in (gone["sku"], gone["masterSku"], gone["title"].upper()):
        found = await cabinet.listed(t=text)
        assert gone["sku"] in {item["sku"] for item in found["data"]}
    assert (await cabinet.listed(t="nothing of the kind"))["total"] == 0


async def test_small_reads(cabinet: Cabinet, market: World) -> None:
    item = await cabinet.some()
    asked = {"merchantUid": cabinet.merchant}
    points = await (await cabinet.get("/bff/offer-view/points", params=asked)).json()
    assert [point["name"] for point in points] == ["PP1", "PP2", "PP3", "PP10"]
    count = await cabinet.get("/offers/api/v1/offer/count", params={"m": cabinet.merchant})
    assert (await count.json())["published"] == (await cabinet.listed(a="true"))["total"]
    lowest = await cabinet.get("/offers/api/v1/price/lowest", params={"s": item["masterSku"]})
    leader = market.board(item["masterSku"], ALMATY).leader
    assert (await lowest.json())["price"] == (leader[1].price if leader else None)
    several = await cabinet.post(
        "/offers/api/v1/offer/details",
        params={"m": cabinet.merchant},
        json={"sku": [item["sku"], "nobody's"]},
    )
    assert [one["sku"] for one in await several.json()] == [item["sku"]]


async def test_the_cabinet_and_the_storefront_agree_from_the_start(cabinet: Cabinet) -> None:
    for item in (await cabinet.listed(a="true"))["data"]:
        seen = await cabinet.board(item, ALMATY)
        here = [one for one in item["cityPrices"] if one["cityId"] == ALMATY]
        yes = [p for p in item["availabilities"] if p["storeId"][-3:] in {"PP1", "PP2"}]
        if any(place["available"] == "yes" for place in yes):
            assert seen is not None
            assert (seen["price"], seen["merchantSku"]) == (here[0]["value"], item["sku"])
        else:
            assert seen is None
