"""Price lists by address: on the market's clock, at once on command, and when nothing changed."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest
from aiohttp import encode_basic_auth, web

from tests.sandbox.seller.conftest import Cabinet
from tests.sandbox.seller.writing import catalog, same


@attrs.define
class Feed:
    """A server of one list: what it says, and what it was asked."""

    address: str = ""
    body: bytes = b""
    etag: str | None = None
    modified: str | None = None
    wants: str | None = None
    asked: list[web.Request] = attrs.Factory(list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        if self.wants and request.headers.get("Authorization") != self.wants:
            return web.Response(status=401)
        if self.etag and request.headers.get("If-None-Match") == self.etag:
            return web.Response(status=304)
        if self.modified and request.headers.get("If-Modified-Since") == self.modified:
            return web.Response(status=304)
        known = {"ETag": self.etag, "Last-Modified": self.modified}
        headers = {name: value for name, value in known.items() if value}
        return web.Response(body=self.body, content_type="text/xml", headers=headers)


@pytest.fixture
async def feed() -> AsyncIterator[Feed]:
    made = Feed()
    app = web.Application()
    app.router.add_get("/list.xml", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.address = f"http://127.0.0.1:{runner.addresses[0][1]}/list.xml"
    yield made
    await runner.cleanup()


async def followed(cabinet: Cabinet, feed: Feed, price: int, **more: object) -> Any:
    """Offer a list with one item at a price, and let the market follow it."""
    item = await cabinet.some()
    feed.body = catalog(cabinet.merchant, same(item, price))
    await cabinet.control("seller/feed", {"url": feed.address, **more})
    return item


async def pulled(cabinet: Cabinet) -> str:
    outcome: str = (await cabinet.control("seller/feed/pull", {}))["outcome"]
    return outcome


async def price_of(cabinet: Cabinet, item: Any) -> int:
    price: int = (await cabinet.item(item["sku"]))["price"]
    return price


async def test_a_list_is_pulled_at_once_on_command(cabinet: Cabinet, feed: Feed) -> None:
    item = await followed(cabinet, feed, 611)
    assert await price_of(cabinet, item) == item["price"]
    assert await pulled(cabinet) == "taken"
    assert await price_of(cabinet, item) == 611
    assert "kaspi" in feed.asked[0].headers["User-Agent"]
    change = (await cabinet.control("seller/book/changes"))[0]
    assert (change["door"], change["sku"], change["price"]) == ("pull", item["sku"], 611)


@pytest.mark.parametrize("minutes", [60, 30])
async def test_a_list_is_pulled_on_the_markets_clock(
    cabinet: Cabinet, feed: Feed, minutes: int
) -> None:
    await cabinet.switch(pull_minutes=minutes)
    item = await followed(cabinet, feed, 612)
    await cabinet.control("advance", {"minutes": minutes - 1})
    assert len(feed.asked) == 0
    await cabinet.control("advance", {"minutes": 1})
    assert len(feed.asked) == 1
    assert await price_of(cabinet, item) == 612
    await cabinet.control("advance", {"minutes": minutes * 5})
    assert len(feed.asked) == 2, "a long jump is one pull"
    await cabinet.control("advance", {"minutes": minutes})
    assert len(feed.asked) == 3


async def test_a_list_waits_like_a_push_before_it_applies(cabinet: Cabinet, feed: Feed) -> None:
    await cabinet.switch(apply_seconds=570)
    item = await followed(cabinet, feed, 613)
    assert await pulled(cabinet) == "taken"
    assert await price_of(cabinet, item) == item["price"]
    await cabinet.control("advance", {"seconds": 570})
    assert await price_of(cabinet, item) == 613


@pytest.mark.parametrize("by", ["hash", "etag", "modified", "nothing"])
async def test_what_has_not_changed_is_not_taken_again(
    cabinet: Cabinet, feed: Feed, by: str
) -> None:
    await cabinet.switch(changed_by=by)
    feed.etag = '"1"'
    feed.modified = "Thu, 17 Sep 2026 07:00:00 GMT"
    item = await followed(cabinet, feed, 614)
    outcomes = [await pulled(cabinet), await pulled(cabinet)]
    assert outcomes == ["taken", "taken" if by == "nothing" else "unchanged"]
    asked = feed.asked[-1].headers
    assert ("If-None-Match" in asked, "If-Modified-Since" in asked) == (
        by == "etag",
        by == "modified",
    )
    feed.body = catalog(cabinet.merchant, same(item, 615))
    feed.etag = f'"{hashlib.sha256(feed.body).hexdigest()}"'
    feed.modified = "Thu, 17 Sep 2026 08:00:00 GMT"
    assert await pulled(cabinet) == "taken"
    assert await price_of(cabinet, item) == 615


async def test_new_bytes_under_an_old_etag_are_missed(cabinet: Cabinet, feed: Feed) -> None:
    await cabinet.switch(changed_by="etag")
    feed.etag = '"always the same"'
    item = await followed(cabinet, feed, 616)
    await pulled(cabinet)
    feed.body = catalog(cabinet.merchant, same(item, 617))
    assert await pulled(cabinet) == "unchanged"
    assert await price_of(cabinet, item) == 616


@pytest.mark.parametrize(
    ("login", "outcome"),
    [
        pytest.param({"login": "kaspi", "password": "secret"}, "taken", id="with them"),
        pytest.param({"login": "kaspi", "password": "no"}, "unauthorized", id="with wrong ones"),
        pytest.param({}, "unauthorized", id="without"),
    ],
)
async def test_a_list_may_want_a_login(
    cabinet: Cabinet, feed: Feed, login: dict[str, str], outcome: str
) -> None:
    feed.wants = encode_basic_auth("kaspi", "secret")
    await followed(cabinet, feed, 618, **login)
    assert await pulled(cabinet) == outcome


async def test_a_refused_list_changes_nothing_and_says_why(cabinet: Cabinet, feed: Feed) -> None:
    item = await followed(cabinet, feed, 619)
    feed.body = feed.body.replace(b"<brand/>", b"").replace(b"<price>", b"<brand/><price>")
    assert await pulled(cabinet) == "refused"
    told = await cabinet.control("seller/feed")
    assert "wrong order" in told["pulls"][-1]["detail"]
    assert told["lists"][-1]["status"] == "FAILED"
    assert await price_of(cabinet, item) == item["price"]


async def test_nobody_at_the_address_is_unreachable(cabinet: Cabinet, feed: Feed) -> None:
    await followed(cabinet, feed, 620)
    await cabinet.control("seller/feed", {"url": feed.address.replace("list", "none")})
    assert await pulled(cabinet) == "unreachable"
    await cabinet.control("seller/feed", {"url": "http://127.0.0.1:9/list.xml"})
    assert await pulled(cabinet) == "unreachable"


async def test_an_address_is_left_again(cabinet: Cabinet, feed: Feed) -> None:
    await followed(cabinet, feed, 621)
    await cabinet.control("seller/feed", {"url": None})
    await cabinet.control("advance", {"minutes": 120})
    assert feed.asked == []
    assert (await cabinet.control("seller/feed/pull", {}, status=404))["error"]


@pytest.mark.parametrize("url", ["http://example.kz/list.xml", "list.xml", "http://192.168.0.1/x"])
async def test_only_this_machine_is_asked(cabinet: Cabinet, url: str) -> None:
    told = await cabinet.control("seller/feed", {"url": url}, status=400)
    assert "this machine alone" in told["error"]
