"""Through a storm of faults the book holds every change that was taken, once."""

import asyncio
from collections import Counter

from aiohttp import ClientError

from tests.sandbox.seller.conftest import Cabinet, echoed

STORM = dict.fromkeys(
    ("forbidden", "no_certificate", "html_for_json", "truncated", "reset", "reset_midway"), 0.05
)


async def test_every_id_that_was_answered_stands_in_the_book_once(cabinet: Cabinet) -> None:
    items = (await cabinet.listed(a="true"))["data"]
    await cabinet.control("faults", {"random": STORM, "seed": 3})
    ids: list[str] = []
    met: Counter[str] = Counter()

    async def push(number: int) -> None:
        item = items[number % len(items)]
        try:
            answer = await cabinet.push(echoed(item, price=1_000 + number))
        except ClientError as wrong:
            met[type(wrong).__name__] += 1
            return
        if answer.status == 200 and answer.content_type == "application/json":
            body = await answer.read()
            if body.endswith(b"}"):
                ids.append((await answer.json())["id"])
                return
        met[str(answer.status)] += 1

    for start in range(0, 240, 20):
        await asyncio.gather(*(push(start + number) for number in range(20)))
    await cabinet.control("faults", {})
    changes = await cabinet.control("seller/book/changes")
    entered = Counter(change["id"] for change in changes)
    assert len(met) > 3
    assert set(ids) <= set(entered)
    assert set(entered.values()) == {1}
    assert len(ids) < len(changes) < 240, "some were taken without an answer, some never came"
    asked = {price for change in changes for price in change["city_prices"].values()}
    live = await cabinet.control("seller/book/live")
    assert {line["price"] for line in live} <= asked
    assert {line["by"] for line in live} <= set(entered)
    for item in items:
        last = [change for change in changes if change["sku"] == item["sku"]][-1]
        now = await cabinet.item(item["sku"])
        assert {one["value"] for one in now["cityPrices"]} == set(last["city_prices"].values())
