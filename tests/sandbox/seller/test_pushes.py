"""Pushes: accepted at once, applied later, seen in the cabinet and by buyers, and judged."""

import itertools
from typing import Any

import pytest

from sandbox.world import STOCKED, World
from tests.sandbox.seller.conftest import EMAIL, Cabinet, echoed

ALMATY = STOCKED[0]


async def ids(answer: Any) -> Any:
    assert answer.status == 200, answer.status
    return await answer.json()


async def kinds(cabinet: Cabinet, part: str = "wrongs") -> dict[str, int]:
    told: dict[str, int] = (await cabinet.book())[part]
    return told


async def test_a_push_is_accepted_at_once_and_applied_after_its_time(cabinet: Cabinet) -> None:
    await cabinet.switch(apply_seconds=570)
    item = await cabinet.some()
    told = await ids(await cabinet.push(echoed(item, price=777)))
    assert list(told) == ["id"]
    assert len(told["id"]) == 24
    int(told["id"], 16)
    await cabinet.control("advance", {"seconds": 569})
    assert (await cabinet.item(item["sku"]))["price"] == item["price"]
    await cabinet.control("advance", {"seconds": 1})
    after = await cabinet.item(item["sku"])
    assert {one["value"] for one in after["cityPrices"]} == {777}
    assert after["availabilities"] == item["availabilities"]


async def test_buyers_see_the_price_that_was_pushed(cabinet: Cabinet, market: World) -> None:
    item = await almaty_item(cabinet)
    await cabinet.push(echoed(item, price=777))
    seen = await cabinet.board(item, ALMATY)
    assert seen is not None
    assert seen["price"] == 777.0
    async with cabinet.client.get(f"{cabinet.address}/shop/p/-{item['masterSku']}/") as page:
        assert page.status == 200
    live = await cabinet.control("seller/book/live")
    assert {(line["price"], line["present"]) for line in live} == {(777, True)}
    assert len(live) == len({line["city"] for line in live}) <= len(item["cityPrices"])
    assert (live[0]["merchant"], live[0]["sku"]) == (cabinet.merchant, item["sku"])
    truth = market.board_at(item["masterSku"], ALMATY, market.now)
    assert 777 in {offer.price for offer in truth if offer.merchant_id == cabinet.merchant}


async def almaty_item(cabinet: Cabinet) -> Any:
    for item in (await cabinet.listed(a="true"))["data"]:
        if await cabinet.board(item, ALMATY):
            return item
    raise AssertionError("nothing of ours is sold in Almaty")


async def test_our_price_moves_by_the_cabinet_alone(cabinet: Cabinet) -> None:
    before = (await cabinet.listed())["data"]
    await cabinet.control("advance", {"minutes": 24 * 60})
    assert (await cabinet.listed())["data"] == before
    assert await cabinet.control("seller/book/live") == []
    seen = [await cabinet.board(item, ALMATY) for item in before]
    prices = {one["price"] for one in seen if one}
    assert prices <= {price["value"] for item in before for price in item["cityPrices"] or ()}


async def test_a_batch_is_answered_in_its_order(cabinet: Cabinet) -> None:
    items = (await cabinet.listed(a="true"))["data"][:3]
    told = await ids(await cabinet.push(*(echoed(item, price=500) for item in items)))
    assert [list(one) for one in told] == [["id"]] * 3
    changes = await cabinet.control("seller/book/changes")
    assert [change["id"] for change in changes] == [one["id"] for one in told]
    assert [change["sku"] for change in changes] == [item["sku"] for item in items]
    assert {change["door"] for change in changes} == {"batch"}


async def test_a_price_alone_is_for_all_towns_and_leaves_the_points(cabinet: Cabinet) -> None:
    item = await cabinet.some(specified=True)
    await cabinet.push({"sku": item["sku"], "price": 330})
    after = await cabinet.item(item["sku"])
    assert {one["value"] for one in after["cityPrices"]} == {330}
    assert after["availabilities"] == item["availabilities"]
    assert {one["price"] for one in after["allCityPrices"].values()} == {330}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="half a body"),
        pytest.param(b'{"sku":"1"}', id="no store"),
        pytest.param(b'{"merchantUid":"M","sku":"1","price":0}', id="no price"),
        pytest.param(b'{"merchantUid":"M","sku":"1","price":12.5}', id="a fraction"),
    ],
)
async def test_what_cannot_be_understood_is_refused(cabinet: Cabinet, body: bytes) -> None:
    body = body.replace(b"M", cabinet.merchant.encode())
    path = "/pricefeed/upload/merchant/process"
    assert (await cabinet.post(path, data=body)).status == 400
    assert (await cabinet.book())["changes"] == 0


async def test_a_strange_sku_is_accepted_and_never_applied(cabinet: Cabinet) -> None:
    await ids(await cabinet.push({"sku": "nobody's", "price": 5}))
    assert (await cabinet.book())["fates"] == {"unknown_sku": 1}


async def test_a_careful_push_leaves_no_wrongs(cabinet: Cabinet) -> None:
    for item in (await cabinet.listed(a="true"))["data"]:
        await cabinet.push(echoed(item, price=item["price"] + 1))
    book = await cabinet.book()
    assert (book["wrongs"], book["effects"], book["removed"]) == ({}, {}, 0)
    assert book["without_looking"] == 0


async def test_a_point_that_is_not_named_is_dropped(cabinet: Cabinet) -> None:
    item = await cabinet.some(several=True)
    change = echoed(item)
    await cabinet.push(change | {"availabilities": change["availabilities"][:1]})
    after = await cabinet.item(item["sku"])
    assert after["points"] == item["points"][:1]
    dropped = len(item["points"]) - 1
    assert (await kinds(cabinet))["point_dropped"] == dropped
    assert (await kinds(cabinet, "effects"))["point_dropped"] == dropped


@pytest.mark.parametrize("availabilities", [[], [{"available": "yes", "storeId": "1_PP1"}]])
async def test_without_any_point_the_item_is_removed(
    cabinet: Cabinet, availabilities: list[object]
) -> None:
    item = await almaty_item(cabinet)
    await cabinet.push(echoed(item, availabilities=availabilities))
    after = await cabinet.item(item["sku"])
    assert (after["available"], after["offerError"]["errorCodes"]) == (
        False,
        ["NO_AVAILABILITIES"],
    )
    assert await cabinet.board(item, ALMATY) is None
    assert (await cabinet.book())["removed"] == 1


@pytest.mark.parametrize(
    ("edit", "wrong"),
    [
        pytest.param({"available": False}, "sold_out_reopened", id="a point that says no"),
        pytest.param({"stockCount": 0}, "sold_out_reopened", id="a point with nothing left"),
        pytest.param({"stockCount": 7}, "stock_forgotten", id="a stock that is kept"),
        pytest.param({"preOrder": 3}, "preorder_lost", id="days of preorder"),
    ],
)
async def test_carelessness_is_entered(
    cabinet: Cabinet, edit: dict[str, object], wrong: str
) -> None:
    item = await cabinet.some(specified=False)
    code = item["points"][0]
    await cabinet.control("seller/edit", {"sku": item["sku"], "points": {code: edit}})
    await cabinet.listed()
    careless = [
        {"available": "yes", "storeId": f"{cabinet.merchant}_{one}"} for one in item["points"]
    ]
    await cabinet.push(echoed(item, availabilities=careless))
    assert (await kinds(cabinet))[wrong] == 1


async def test_an_edit_nobody_was_shown_is_an_effect_and_no_wrong(cabinet: Cabinet) -> None:
    item = await cabinet.some(specified=False)
    gone = {item["points"][0]: {"available": False}}
    await cabinet.control("seller/edit", {"sku": item["sku"], "points": gone})
    await cabinet.push(echoed(item))
    assert await kinds(cabinet) == {}
    assert (await kinds(cabinet, "effects"))["sold_out_reopened"] == 1


async def test_who_did_not_look_is_judged_by_the_truth(cabinet: Cabinet) -> None:
    goods = (await cabinet.control("seller/goods"))["listings"]
    sku = next(one["sku"] for one in goods if len(one["places"]) > 1)
    await cabinet.push({"sku": sku, "price": 5, "availabilities": []})
    book = await cabinet.book()
    assert book["without_looking"] == 1
    assert book["wrongs"]["point_dropped"] > 1


@pytest.mark.parametrize(
    ("position", "specified", "sent", "stays"),
    [
        pytest.param("harmless", True, True, True, id="harmless"),
        pytest.param("harmless", False, True, True, id="harmless where none is kept"),
        pytest.param("unspecified", True, True, True, id="unspecified: where one is kept"),
        pytest.param("unspecified", False, True, False, id="unspecified: where none is kept"),
        pytest.param("unspecified", False, False, True, id="unspecified: not sent"),
        pytest.param("always", True, True, False, id="always"),
        pytest.param("always", True, False, True, id="always: not sent"),
    ],
)
async def test_the_hazard_of_stock_count(
    cabinet: Cabinet, position: str, specified: bool, sent: bool, stays: bool
) -> None:
    await cabinet.switch(stock_count=position)
    item = await cabinet.some(specified=specified)
    places = echoed(item)["availabilities"]
    for place in places:
        place.pop("stockCount", None)
        if sent:
            place["stockCount"] = 5
    await cabinet.push(echoed(item, price=700, availabilities=places))
    assert (await cabinet.item(item["sku"]))["available"] is stays


@pytest.mark.parametrize(
    ("position", "door", "back"),
    [(True, "single", True), (False, "single", False), (False, "batch", True)],
    ids=["single may", "single may not", "batch always"],
)
async def test_what_brings_a_removed_item_back(
    cabinet: Cabinet, position: bool, door: str, back: bool
) -> None:
    await cabinet.switch(single_restores=position)
    item, other = (await cabinet.listed(a="true"))["data"][:2]
    await cabinet.push(echoed(item, availabilities=[]))
    again = [{"available": "yes", "storeId": f"{cabinet.merchant}_PP1"}]
    changes = [echoed(item, availabilities=again)]
    if door == "batch":
        changes.append({"sku": other["sku"], "price": 9})
    await cabinet.push(*changes)
    after = await cabinet.item(item["sku"])
    assert after["available"] is back
    assert (after["updates"][-1]["operationType"] == "ON_SALE") is back


@pytest.mark.parametrize(("needed", "price"), [(True, None), (False, 650)])
async def test_city_prices_without_a_price(
    cabinet: Cabinet, needed: bool, price: int | None
) -> None:
    await cabinet.switch(price_needed=needed)
    item = await cabinet.some()
    await cabinet.push(echoed(item, price=650))
    expected = {price or one["value"] for one in item["cityPrices"]}
    after = await cabinet.item(item["sku"])
    assert {one["value"] for one in after["cityPrices"]} == expected
    await cabinet.push(echoed(item, price=640) | {"price": 640})
    after = await cabinet.item(item["sku"])
    assert {one["value"] for one in after["cityPrices"]} == {640}


@pytest.mark.parametrize(("position", "cities"), [("kept", 2), ("lost", 1)])
async def test_a_city_that_is_not_named(cabinet: Cabinet, position: str, cities: int) -> None:
    await cabinet.switch(unnamed_cities=position)
    listed = (await cabinet.listed(a="true"))["data"]
    item = next(one for one in listed if len(one["cityPrices"]) == 2)
    first = {"cityId": item["cityPrices"][0]["cityId"], "value": 444}
    await cabinet.push(echoed(item, cityPrices=[first]))
    after = await cabinet.item(item["sku"])
    assert len(after["cityPrices"]) == cities
    assert after["cityPrices"][0]["value"] == 444


async def test_more_than_two_a_second_blocks_the_account(cabinet: Cabinet) -> None:
    await cabinet.switch(per_second=2, clock="sandbox")
    item = await cabinet.some()
    statuses = [(await cabinet.push(echoed(item, price=price))).status for price in (5, 6, 7, 8)]
    assert statuses == [200, 200, 429, 429]
    assert (await cabinet.book())["refusals"] == {"per_second": 1, "in_block": 1}
    assert (await cabinet.control("seller"))["accounts"][0]["blocked_for"] == 1800
    assert (await cabinet.listed())["total"], "reading goes on"
    await cabinet.control("advance", {"seconds": 1799})
    assert (await cabinet.push(echoed(item, price=9))).status == 429
    await cabinet.control("advance", {"seconds": 1})
    assert (await cabinet.push(echoed(item, price=9))).status == 200
    refusals = await cabinet.control("seller/book/refusals")
    assert {line["account"] for line in refusals} == {EMAIL}


@pytest.mark.parametrize(("most", "refused"), [(3, 1), (None, 0)], ids=["three", "any number"])
async def test_changes_in_a_window(cabinet: Cabinet, most: int | None, refused: int) -> None:
    await cabinet.switch(changes_per_window=most, clock="sandbox")
    item, other, third = (await cabinet.listed(a="true"))["data"][:3]
    await cabinet.push(echoed(item, price=5), echoed(other, price=5))
    await cabinet.push(echoed(item, price=6), echoed(other, price=6))
    assert (await cabinet.book())["refusals"] == ({"per_window": 1} if refused else {})
    await cabinet.control("advance", {"seconds": 1800})
    assert (await cabinet.push(echoed(third, price=6))).status == 200


async def test_limits_are_counted_by_the_real_clock_by_default(cabinet: Cabinet) -> None:
    await cabinet.switch(per_second=1, block_seconds=0)
    item = await cabinet.some()
    answers = [(await cabinet.push(echoed(item))).status for _ in range(2)]
    assert answers == [200, 429]
    await cabinet.control("advance", {"minutes": 60})
    assert (await cabinet.push(echoed(item))).status == 429


@pytest.mark.parametrize(
    ("share", "fate"),
    [("lost", {"lost": 1}), ("delayed", {"waiting": 1}), ("partial", {"applied": 1})],
)
async def test_a_change_is_lost_late_or_cut(
    cabinet: Cabinet, share: str, fate: dict[str, int]
) -> None:
    await cabinet.switch(**{share: 1})
    listed = (await cabinet.listed(a="true"))["data"]
    item = next(one for one in listed if len(one["cityPrices"]) == 2)
    before = {one["value"] for one in item["cityPrices"]}
    assert 555 not in before
    assert (await cabinet.push(echoed(item, price=555))).status == 200
    after = {one["value"] for one in (await cabinet.item(item["sku"]))["cityPrices"]}
    assert (await cabinet.book())["fates"] == fate
    change = (await cabinet.control("seller/book/changes"))[0]
    assert (change["late"], change["cut"]) == (share == "delayed", share == "partial")
    assert (555 in after) is (share == "partial")
    assert after & before, "the other city keeps its price"
    await cabinet.control("advance", {"minutes": 60})
    after = {one["value"] for one in (await cabinet.item(item["sku"]))["cityPrices"]}
    assert (after == {555}) is (share == "delayed")


async def test_the_same_seed_loses_the_same_changes(cabinet: Cabinet) -> None:
    fates = []
    for seed in (1, 1, 2):
        await cabinet.switch(lost=0.5, seed=seed)
        first = (await cabinet.book())["changes"]
        item = await cabinet.some()
        for price in range(100, 100 + 12):
            await cabinet.push({"sku": item["sku"], "price": price})
        changes = await cabinet.control(f"seller/book/changes?first={first}")
        fates.append([change["fate"] for change in changes])
    assert all({"lost", "applied"} <= set(one) for one in fates)
    assert len(set(itertools.chain(*fates))) == 2


async def test_an_edit_from_outside_is_seen_everywhere(cabinet: Cabinet) -> None:
    item = await almaty_item(cabinet)
    edit = {"sku": item["sku"], "cityPrices": {ALMATY: 321}}
    await cabinet.control("seller/edit", edit)
    seen = await cabinet.board(item, ALMATY)
    assert seen is not None
    assert seen["price"] == 321.0
    live = await cabinet.control("seller/book/live")
    assert [(line["price"], line["by"]) for line in live] == [(321, "outside")]
    after = await cabinet.item(item["sku"])
    assert after["updates"][-1]["uploadedBy"] == "merchant-user@example.kz"


@pytest.mark.parametrize(
    ("edit", "status"),
    [
        pytest.param({"sku": "nobody's"}, 404, id="a strange sku"),
        pytest.param({"sku": None}, 400, id="no sku"),
        pytest.param({"sku": "S", "price": -1}, 400, id="no price"),
        pytest.param({"sku": "S", "points": {"PP77": {}}}, 404, id="no point"),
    ],
)
async def test_a_wrong_edit_is_explained(
    cabinet: Cabinet, edit: dict[str, object], status: int
) -> None:
    item = await cabinet.some()
    edit = edit | ({"sku": item["sku"]} if edit["sku"] == "S" else {})
    assert (await cabinet.control("seller/edit", edit, status=status))["error"]


@pytest.mark.parametrize(
    ("kind", "status", "accepted"),
    [
        ("no_certificate", 526, 0),
        ("forbidden", 403, 0),
        ("html_for_json", 200, 0),
        ("signed_out", 401, 0),
        ("truncated", 200, 1),
    ],
)
async def test_faults_of_pushes(cabinet: Cabinet, kind: str, status: int, accepted: int) -> None:
    item = await cabinet.some()
    script = [{"kind": kind, "path": "pricefeed"}]
    await cabinet.control("faults", {"script": script})
    answer = await cabinet.push(echoed(item, price=777))
    assert answer.status == status
    assert (answer.content_type == "text/html") is (kind not in {"signed_out", "truncated"})
    assert (await cabinet.book())["changes"] == accepted
    assert (await cabinet.get("/s/m")).status == (401 if kind == "signed_out" else 200)
