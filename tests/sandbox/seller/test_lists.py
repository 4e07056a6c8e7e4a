"""Price lists by upload: both formats, the protocol of files, and what is refused."""

from io import BytesIO
from typing import Any

import pytest
from aiohttp import ClientResponse, FormData

from partners.kaspi.price_feed import check, read
from tests.sandbox.seller.conftest import Cabinet
from tests.sandbox.seller.writing import catalog, offer, places, same, workbook

UPLOAD = "/pricefeed/upload/merchant/upload"
YES = '<availability available="yes" storeId="PP1"/>'
OK = offer("1", 5, YES)


async def upload(cabinet: Cabinet, body: bytes, *, field: bool = False) -> ClientResponse:
    form = FormData()
    form.add_field("file", body, filename="list.xml", content_type="text/xml")
    if field:
        form.add_field("merchantUid", cabinet.merchant)
        return await cabinet.post(UPLOAD, data=form)
    return await cabinet.post(UPLOAD, params={"merchantUid": cabinet.merchant}, data=form)


async def status(cabinet: Cabinet, file: str) -> Any:
    path = f"/pricefeed/protocol/merchant/file/{file}"
    answer = await cabinet.get(path, params={"m": cabinet.merchant})
    assert answer.status == 200
    return await answer.json()


async def taken(cabinet: Cabinet, body: bytes) -> Any:
    """Upload a list and say what became of it."""
    answer = await upload(cabinet, body)
    assert answer.status == 200, await answer.text()
    return await status(cabinet, (await answer.json())["id"])


@pytest.mark.parametrize("field", [False, True], ids=["in the query", "as a field"])
async def test_a_list_is_flushed_when_its_time_has_come(cabinet: Cabinet, field: bool) -> None:
    await cabinet.switch(apply_seconds=570)
    item = await cabinet.some()
    answer = await upload(cabinet, catalog(cabinet.merchant, same(item, 888)), field=field)
    file = (await answer.json())["id"]
    assert (await status(cabinet, file))["status"] == "PROCESSING"
    again = await upload(cabinet, catalog(cabinet.merchant, OK))
    assert "Unfinished file found" in await again.text()
    await cabinet.control("advance", {"seconds": 570})
    assert (await status(cabinet, file))["status"] == "FLUSHED"
    after = await cabinet.item(item["sku"])
    assert {one["value"] for one in after["cityPrices"]} == {888}
    assert after["fileId"] == file
    last = await cabinet.get(
        "/pricefeed/upload/merchant/files/last", params={"m": cabinet.merchant}
    )
    assert await last.json() == {"id": file}


async def test_city_prices_and_short_names_of_points_are_understood(cabinet: Cabinet) -> None:
    item = await cabinet.some()
    short = places(item).replace(f"{cabinet.merchant}_", "")
    cities = [one["cityId"] for one in item["cityPrices"]]
    told = await taken(
        cabinet, catalog(cabinet.merchant, offer(item["sku"], 901, short, cities=cities))
    )
    assert told["status"] == "FLUSHED"
    after = await cabinet.item(item["sku"])
    assert after["points"] == item["points"]
    assert [one["value"] for one in after["cityPrices"]] == [901] * len(cities)


async def test_a_point_that_a_list_does_not_name_is_dropped(cabinet: Cabinet) -> None:
    item = await cabinet.some(several=True)
    only = places({"availabilities": item["availabilities"][:1]})
    await taken(cabinet, catalog(cabinet.merchant, offer(item["sku"], 900, only)))
    assert (await cabinet.item(item["sku"]))["points"] == item["points"][:1]
    change = (await cabinet.control("seller/book/changes"))[0]
    assert change["door"] == "file"
    assert {wrong["kind"] for wrong in change["wrongs"]} == {"point_dropped"}


async def test_rows_that_change_nothing_leave_no_entry(cabinet: Cabinet) -> None:
    item = await cabinet.some()
    for _ in range(2):
        await taken(cabinet, catalog(cabinet.merchant, same(item, 640)))
    assert (await cabinet.book())["changes"] == 1


BAD = offer("1", "5.5", YES)
WRONG = OK.replace("<brand/>", "").replace("<model>", "<brand/><model>")


@pytest.mark.parametrize("position", ["refuse_list", "skip"])
async def test_a_bad_row_costs_the_list_or_itself(cabinet: Cabinet, position: str) -> None:
    await cabinet.switch(bad_rows=position)
    item = await cabinet.some()
    told = await taken(cabinet, catalog(cabinet.merchant, BAD, same(item, 903)))
    file = (await cabinet.control("seller/feed"))["lists"][-1]
    if position == "refuse_list":
        assert (told["status"], file["changed"]) == ("FAILED", 0)
        assert told["error"].startswith("line ")
    else:
        assert (told["status"], file["changed"]) == ("FLUSHED", 1)
        assert "not a whole number" in file["skipped"][0]


async def test_a_refused_list_changes_nothing_and_stands_in_nobodys_way(cabinet: Cabinet) -> None:
    item = await cabinet.some()
    told = await taken(cabinet, catalog(cabinet.merchant, same(item, 903), WRONG))
    assert told["status"] == "FAILED"
    assert "wrong order" in told["error"]
    assert (await cabinet.book())["changes"] == 0
    assert (await upload(cabinet, catalog(cabinet.merchant, OK))).status == 200


@pytest.mark.parametrize(("position", "stays"), [("kept", True), ("withdrawn", False)])
async def test_an_item_that_a_list_leaves_out(cabinet: Cabinet, position: str, stays: bool) -> None:
    await cabinet.switch(omitted=position)
    item, other = (await cabinet.listed(a="true"))["data"][:2]
    await taken(cabinet, catalog(cabinet.merchant, same(item, 333)))
    left_out = await cabinet.item(other["sku"])
    assert left_out["available"] is stays
    assert left_out["minPrice"] == other["minPrice"]
    assert (await cabinet.item(item["sku"]))["available"]


@pytest.mark.parametrize(("most", "said"), [(1, "FAILED"), (None, "FLUSHED")])
async def test_the_longest_list(cabinet: Cabinet, most: int | None, said: str) -> None:
    await cabinet.switch(list_megabytes=most)
    long = catalog(cabinet.merchant, OK, f"<!--{'x' * 1_000_000}-->")
    assert (await taken(cabinet, long))["status"] == said


def row(item: Any, price: object, *cells: object, preorder: object = None) -> list[object]:
    points = (*cells, None, None, None, None, None)[:5]
    return [item["sku"], "Модель", "Без бренда", price, *points, preorder]


async def test_a_workbook_is_understood(cabinet: Cabinet) -> None:
    item = await cabinet.some()
    told = await taken(cabinet, workbook(row(item, 702, 7, "yes", 0, preorder=4)))
    assert told["status"] == "FLUSHED"
    after = await cabinet.item(item["sku"])
    stocks = [
        (
            one["storeId"].rpartition("_")[2],
            one["available"],
            one["stockCount"],
            one["stockSpecified"],
        )
        for one in after["availabilities"]
    ]
    assert stocks == [("PP1", "yes", 7, True), ("PP2", "yes", 0, False), ("PP3", "no", 0, True)]
    assert {one["preOrder"] for one in after["availabilities"]} == {4}
    assert {one["value"] for one in after["cityPrices"]} == {702}


@pytest.mark.parametrize(
    ("position", "points"), [("dropped", ["PP1"]), ("no", ["PP1", "PP2", "PP3"])]
)
async def test_an_empty_cell(cabinet: Cabinet, position: str, points: list[str]) -> None:
    await cabinet.switch(empty_point=position)
    item = await cabinet.some()
    await taken(cabinet, workbook(row(item, 702, "yes")))
    assert (await cabinet.item(item["sku"]))["points"] == points


async def test_the_protocol_tells_of_rows_and_forgets_strangers(cabinet: Cabinet) -> None:
    item = await cabinet.some()
    asked = {"merchantUid": cabinet.merchant, "skuList": [item["sku"], "nobody's"]}
    rows = await cabinet.post("/pricefeed/protocol/merchant/offer/list/s", json=asked)
    assert [one["sku"] for one in await rows.json()] == [item["sku"]]
    path = "/pricefeed/protocol/merchant/file/none"
    assert (await cabinet.get(path, params={"m": cabinet.merchant})).status == 404
    assert (await cabinet.post(UPLOAD, data=b"x")).status == 400


async def test_what_is_on_sale_is_exported_as_the_feed_reads_it(cabinet: Cabinet) -> None:
    """By the reader of the client, which knows nothing of the sandbox."""
    item = await cabinet.some()
    asked = f"{cabinet.address}/sandbox/seller/active.xml"
    exported = BytesIO(await (await cabinet.get(asked)).read())
    assert check(exported) > 0
    exported.seek(0)
    shop, offers = read(exported)
    [told] = [offer for offer in offers if offer.sku == item["sku"]]
    assert (shop.merchant, told.model) == (cabinet.merchant, item["model"])
    assert {each.city: each.price for each in told.city_prices} == {
        each["cityId"]: each["value"] for each in item["cityPrices"]
    }
