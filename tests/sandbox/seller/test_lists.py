"""Price lists by upload: both formats, the protocol of files, and what is refused."""

from typing import Any

import pytest
from aiohttp import ClientResponse, FormData

from tests.sandbox.seller.conftest import Cabinet
from tests.sandbox.seller.writing import catalog, offer, places, same, workbook

UPLOAD = "/pricefeed/upload/merchant/upload"
YES = '<availability available="yes" storeId="PP1"/>'
OK = offer("1", 5, YES)
CITIES = '<cityprices><cityprice cityId="1">5</cityprice></cityprices>'


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


WRONG = {
    "availabilities after the price": (
        offer("1", 5, "")
        .replace("<availabilities></availabilities>", "")
        .replace("</offer>", f"<availabilities>{YES}</availabilities></offer>"),
        "wrong order",
    ),
    "the model at the end": (
        OK.replace("<model>A &amp; B</model>", "").replace(
            "</offer>", "<model>A &amp; B</model></offer>"
        ),
        "wrong order",
    ),
    "brand before the model": (
        OK.replace("<brand/>", "").replace("<model>", "<brand/><model>"),
        "wrong order",
    ),
}
BAD = {
    "a fraction": (offer("1", "5.5", YES), "not a whole number"),
    "a space in the price": (offer("1", "1 000", YES), "not a whole number"),
    "no price": (offer("1", 0, YES), "not a price"),
    "both kinds of price": (
        OK.replace("</offer>", f"{CITIES}</offer>"),
        "either price",
    ),
    "31 days": (offer("1", 5, YES.replace("/>", ' preOrder="31"/>')), "more than 30 days"),
    "maybe": (offer("1", 5, YES.replace("yes", "maybe")), "is not right"),
    "another attribute": (offer("1", 5, YES.replace("/>", ' x="1"/>')), "is not right"),
    "no availability": (offer("1", 5, ""), "no availability"),
    "another element": (OK.replace("<brand/>", "<barcode>1</barcode>"), "barcode"),
    "no model": (OK.replace("<model>A &amp; B</model>", ""), "model"),
    "the same sku twice": (f"{OK}\n{OK}", "twice"),
    "a half city price": (offer("1", 5, YES, cities=[""]), "cityId"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
async def test_a_wrong_order_costs_the_whole_list(cabinet: Cabinet, what: str) -> None:
    row, why = WRONG[what]
    for position in ("refuse_list", "skip"):
        await cabinet.switch(bad_rows=position)
        item = await cabinet.some()
        told = await taken(cabinet, catalog(cabinet.merchant, same(item, 903), row))
        assert told["status"] == "FAILED"
        assert why in told["error"]
    assert (await cabinet.book())["changes"] == 0


@pytest.mark.parametrize("position", ["refuse_list", "skip"])
@pytest.mark.parametrize("what", BAD)
async def test_a_bad_row_costs_the_list_or_itself(
    cabinet: Cabinet, what: str, position: str
) -> None:
    await cabinet.switch(bad_rows=position)
    row, why = BAD[what]
    item = await cabinet.some()
    told = await taken(cabinet, catalog(cabinet.merchant, row, same(item, 903)))
    file = (await cabinet.control("seller/feed"))["lists"][-1]
    if position == "refuse_list":
        assert told["status"] == "FAILED"
        assert why in told["error"]
        assert told["error"].startswith("line ")
    else:
        assert told["status"] == "FLUSHED"
        assert why in file["skipped"][0]
    assert file["changed"] == (position == "skip")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"", "not XML", id="nothing"),
        pytest.param(b"<html>", "no kaspi_catalog", id="a page"),
        pytest.param(catalog("M", OK)[:-40], "not XML", id="half a list"),
        pytest.param(catalog("M"), "no offer", id="no offers"),
        pytest.param(catalog("1", OK), "is not ours", id="another merchant's"),
        pytest.param(
            catalog("M", OK).replace(b'"kaspiShopping"', b'"other"'),
            "no kaspi_catalog",
            id="another namespace",
        ),
        pytest.param(
            catalog("M", OK).replace(b"<company>C</company>\n", b""), "wrong order", id="no company"
        ),
        pytest.param(b"PK but no workbook", "not a workbook", id="half a workbook"),
    ],
)
async def test_what_is_no_list_is_refused(cabinet: Cabinet, body: bytes, why: str) -> None:
    told = await taken(cabinet, body.replace(b">M<", f">{cabinet.merchant}<".encode()))
    assert told["status"] == "FAILED"
    assert why in told["error"]
    assert (await upload(cabinet, b"")).status == 200, "a refused list is no unfinished one"


@pytest.mark.parametrize(
    ("sku", "position", "status_said"),
    [
        pytest.param("123456789_123456789", "refused", "FLUSHED", id="the cabinet's own form"),
        pytest.param("A" * 21, "refused", "FAILED", id="21 characters"),
        pytest.param("A" * 21, "taken", "FLUSHED", id="21 characters, taken"),
        pytest.param("арт 1", "refused", "FAILED", id="other letters"),
        pytest.param("арт 1", "taken", "FLUSHED", id="other letters, taken"),
    ],
)
async def test_long_skus(cabinet: Cabinet, sku: str, position: str, status_said: str) -> None:
    await cabinet.switch(long_skus=position)
    told = await taken(cabinet, catalog(cabinet.merchant, offer(sku, 5, YES)))
    assert told["status"] == status_said


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


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        pytest.param({"price": 5.5}, "not a whole number", id="a fraction"),
        pytest.param({"price": "1 000"}, "not a whole number", id="a space"),
        pytest.param({"price": 5, "preorder": 31}, "not 1 to 30", id="31 days"),
        pytest.param({"price": 5, "preorder": 0}, "not 1 to 30", id="no days"),
        pytest.param({"price": 5, "stock": "maybe"}, "not a whole number", id="maybe"),
    ],
)
async def test_bad_rows_of_workbooks(cabinet: Cabinet, cells: dict[str, Any], why: str) -> None:
    item = {"sku": "1"}
    bad = row(item, cells["price"], cells.get("stock", "yes"), preorder=cells.get("preorder"))
    told = await taken(cabinet, workbook(bad))
    assert (told["status"], why in told["error"]) == ("FAILED", True)


async def test_a_sku_that_is_a_number_is_no_text(cabinet: Cabinet) -> None:
    told = await taken(cabinet, workbook(row({"sku": 123}, 5, "yes")))
    assert "is not text" in told["error"]


async def test_other_columns_cost_the_whole_list(cabinet: Cabinet) -> None:
    columns = ["sku", "model", "brand", "price", "PP1"]
    told = await taken(cabinet, workbook(["1", "M", "B", 5, "yes"], columns=columns))
    assert "expected SKU, model" in told["error"]


async def test_the_protocol_tells_of_rows_and_forgets_strangers(cabinet: Cabinet) -> None:
    item = await cabinet.some()
    asked = {"merchantUid": cabinet.merchant, "skuList": [item["sku"], "nobody's"]}
    rows = await cabinet.post("/pricefeed/protocol/merchant/offer/list/s", json=asked)
    assert [one["sku"] for one in await rows.json()] == [item["sku"]]
    path = "/pricefeed/protocol/merchant/file/none"
    assert (await cabinet.get(path, params={"m": cabinet.merchant})).status == 404
    assert (await cabinet.post(UPLOAD, data=b"x")).status == 400
