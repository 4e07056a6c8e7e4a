"""Every fault over real sockets, read by a client that is not the crawler's."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest
from aiohttp import (
    ClientError,
    ClientPayloadError,
    ClientSession,
    ClientTimeout,
    ServerDisconnectedError,
)
from playwright.async_api import Page

from sandbox.server import running
from sandbox.world import STOCKED, World
from tests.sandbox.conftest import needs_chromium
from tests.sandbox.reading import assigned, linked_data

ALMATY = STOCKED[0]
ITEM = "BACKEND.components.item"


@attrs.frozen
class Said:
    """An answer: its status, type and unpacked body."""

    status: int
    kind: str
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def offers(self) -> list[dict[str, Any]]:
        offers: list[dict[str, Any]] = json.loads(self.body)["offers"]
        return offers


@attrs.frozen
class Shop:
    """A sandbox with a product that has offers on three pages."""

    address: str
    client: ClientSession
    product: str

    async def set(self, kind: str, **more: object) -> None:
        wrong = {
            "script": [{"kind": kind, "times": 1000}],
            "slow_seconds": 0.4,
            "hang_seconds": 0.5,
        }
        async with self.client.post("/sandbox/faults", json={**wrong, **more}) as answer:
            assert answer.status == 200, await answer.text()

    async def heal(self) -> None:
        async with self.client.post("/sandbox/faults", json={}) as answer:
            assert answer.status == 200

    async def page(self) -> Said:
        return await self._said("GET", f"/shop/p/-{self.product}/?c={ALMATY}")

    async def offers(self, page: int = 0) -> Said:
        asked = {"cityId": ALMATY, "limit": 64, "page": page, "sortOption": "PRICE"}
        return await self._said("POST", f"/yml/offer-view/offers/{self.product}", json=asked)

    async def reviews(self) -> Said:
        path = f"/yml/review-view/api/v1/reviews/product/{self.product}?withAgg=true"
        return await self._said("GET", path)

    async def told(self, path: str) -> Any:
        async with self.client.get(path) as answer:
            return await answer.json()

    async def _said(self, method: str, path: str, **more: Any) -> Said:
        async with self.client.request(method, path, **more) as answer:
            return Said(answer.status, answer.content_type, await answer.read())


@pytest.fixture
async def shop(market: World) -> AsyncIterator[Shop]:
    timeout = ClientTimeout(total=20)
    async with (
        running(market) as address,
        ClientSession(address, timeout=timeout) as client,
    ):
        yield Shop(address, client, next(iter(market.cards)))


@pytest.mark.parametrize(
    ("kind", "status", "sign"),
    [
        ("forbidden", 403, "<hr><center>nginx</center>"),
        ("too_many_requests", 429, '<!DOCTYPE html><html lang="ru">'),
        ("method_not_allowed", 405, "405 Not Allowed"),
        ("server_error", 502, "502 Bad Gateway"),
        ("captcha", 200, "g-recaptcha"),
        ("captcha_forbidden", 403, "g-recaptcha"),
    ],
)
async def test_refusals_are_html_whatever_was_asked(
    shop: Shop, kind: str, status: int, sign: str
) -> None:
    await shop.set(kind)
    for said in (await shop.page(), await shop.offers(), await shop.reviews()):
        assert (said.status, said.kind) == (status, "text/html")
        assert sign in said.text
    given = (await shop.told("/sandbox/faults"))["given"]
    assert given == {kind: 3}
    assert (await shop.told("/sandbox/exits/direct"))["faults"] == {kind: 3}


async def test_a_429_says_how_long_to_wait_when_it_is_told_to(shop: Shop) -> None:
    await shop.set("too_many_requests", retry_after=4)
    async with shop.client.get(f"/shop/p/-{shop.product}/") as answer:
        assert answer.headers["Retry-After"] == "4"


async def test_html_comes_for_json_and_never_for_a_page(shop: Shop) -> None:
    await shop.set("html_for_json")
    said = await shop.offers()
    assert (said.status, said.kind) == (200, "text/html")
    assert assigned((await shop.page()).text, ITEM)["card"]["id"] == shop.product


async def test_a_truncated_body_has_the_length_that_it_says(shop: Shop) -> None:
    whole, page = await shop.offers(), await shop.page()
    await shop.set("truncated")
    assert (await shop.offers()).body == whole.body[: len(whole.body) // 2]
    assert (await shop.page()).body == page.body[: len(page.body) // 2]


async def test_a_body_that_breaks_off_is_shorter_than_it_says(shop: Shop) -> None:
    await shop.set("broken_off")
    with pytest.raises(ClientPayloadError):
        await shop.offers()
    with pytest.raises(ClientPayloadError):
        await shop.page()


@pytest.mark.parametrize("kind", ["reset", "reset_midway"])
async def test_a_reset_is_a_reset(shop: Shop, kind: str) -> None:
    await shop.set(kind)
    with pytest.raises(ClientError) as broken:
        await shop.page()
    assert "reset by peer" in str(broken.value)


async def test_a_slow_answer_is_late_and_true(shop: Shop) -> None:
    whole = await shop.offers()
    await shop.set("slow")
    loop = asyncio.get_running_loop()
    before = loop.time()
    assert await shop.offers() == whole
    assert loop.time() - before >= 0.4


async def test_a_hanging_answer_never_comes(shop: Shop) -> None:
    await shop.set("hanging")
    with pytest.raises(ServerDisconnectedError):
        await shop.offers()


async def test_a_client_that_goes_ends_a_hanging_answer(shop: Shop) -> None:
    await shop.set("hanging", hang_seconds=600)
    with pytest.raises(TimeoutError):
        async with shop.client.get(f"/shop/p/-{shop.product}/", timeout=ClientTimeout(total=0.2)):
            pass
    await asyncio.sleep(0.3)
    assert len(asyncio.all_tasks()) < 6


@pytest.mark.parametrize("kind", ["gzip_lie", "gzip_damaged"])
async def test_gzip_that_is_none_cannot_be_unpacked(shop: Shop, kind: str) -> None:
    await shop.set(kind)
    for asked in (shop.page, shop.offers):
        with pytest.raises(ClientPayloadError):
            await asked()


async def test_a_huge_body_is_as_huge_as_it_is_told_to_be(shop: Shop) -> None:
    await shop.set("huge", huge_megabytes=3)
    for said in (await shop.page(), await shop.offers()):
        assert len(said.body) > 3_000_000


async def test_a_bomb_is_small_on_the_wire(shop: Shop) -> None:
    await shop.set("bomb", huge_megabytes=30)
    async with shop.client.get(f"/shop/p/-{shop.product}/") as answer:
        assert int(answer.headers["Content-Length"]) < 50_000
        size = 0
        async for piece in answer.content.iter_any():
            size += len(piece)
    assert size > 30_000_000


async def test_deep_json_is_right_but_for_a_key_that_nobody_can_open(shop: Shop) -> None:
    whole = await shop.offers()
    await shop.set("deep")
    body = (await shop.offers()).body
    with pytest.raises(RecursionError):
        json.loads(body)
    opening, closing = body.index(b"["), body.rindex(b"]]],") + 4
    assert json.loads(b"{" + body[closing:]) == json.loads(whole.body)
    assert body[:opening] == b'{"future":'


#: What every kind that loses nothing keeps of an offer.
ESSENTIAL = ("masterSku", "merchantId", "merchantName", "merchantSku")


@pytest.mark.parametrize("kind", ["missing_keys", "extra_keys", "numbers_as_strings", "slow"])
async def test_kinds_that_lose_nothing_keep_what_is_essential(shop: Shop, kind: str) -> None:
    whole, page = await shop.offers(), await shop.page()
    await shop.set(kind)
    spoiled, spoiled_page = await shop.offers(), await shop.page()
    assert kind == "slow" or spoiled.body != whole.body
    assert int(json.loads(spoiled.body)["total"]) == json.loads(whole.body)["total"]
    for offer, true in zip(spoiled.offers, whole.offers, strict=True):
        assert [offer[key] for key in ESSENTIAL] == [true[key] for key in ESSENTIAL]
        assert float(offer["price"]) == true["price"]
        assert int(offer["preorder"]) == true["preorder"]
    card, true = assigned(spoiled_page.text, ITEM)["card"], assigned(page.text, ITEM)["card"]
    assert (card["id"], card["title"]) == (true["id"], true["title"])
    assert int(card["price"]) == true["price"]


async def test_reviews_lose_and_gain_keys_too(shop: Shop) -> None:
    whole = json.loads((await shop.reviews()).body)
    for kind in ("missing_keys", "extra_keys", "numbers_as_strings"):
        await shop.set(kind)
        spoiled = json.loads((await shop.reviews()).body)
        assert spoiled != whole
        assert set(spoiled) >= set(whole)


async def test_an_offer_without_a_price_is_one_and_the_others_are_whole(shop: Shop) -> None:
    whole = await shop.offers()
    await shop.set("missing_essential")
    changed = [
        (true, offer)
        for true, offer in zip(whole.offers, (await shop.offers()).offers, strict=True)
        if true != offer
    ]
    assert len(changed) == 1
    assert "price" not in changed[0][1]


@pytest.mark.parametrize(
    ("kind", "twice", "lost"),
    [
        pytest.param("shifting", 3, 3, id="a board that moves on: some twice, as many never"),
        pytest.param("duplicated", 3, 0, id="a page that repeats: some twice, none lost"),
    ],
)
async def test_boards_that_move_between_pages(shop: Shop, kind: str, twice: int, lost: int) -> None:
    true = [offer for page in range(3) for offer in (await shop.offers(page)).offers]
    await shop.set(kind, script=[{"kind": kind, "path": "offers", "after": 1}])
    read = [offer["merchantId"] for page in range(3) for offer in (await shop.offers(page)).offers]
    assert len(read) - len(set(read)) == twice
    assert len({offer["merchantId"] for offer in true} - set(read)) == lost


async def test_another_products_answer_says_whose_it_is(shop: Shop) -> None:
    await shop.set("other_product")
    assert {offer["masterSku"] for offer in (await shop.offers()).offers}.isdisjoint({shop.product})
    assert assigned((await shop.page()).text, ITEM)["card"]["id"] != shop.product


async def test_an_empty_shell_is_whole_and_says_nothing(shop: Shop) -> None:
    await shop.set("empty_shell")
    said = await shop.page()
    assert said.text.endswith("</html>")
    assert shop.product not in said.text
    assert linked_data(said.text) == []


async def test_a_page_without_its_state_still_has_its_linked_data(shop: Shop) -> None:
    await shop.set("no_state")
    said = await shop.page()
    assert ITEM not in said.text
    assert any(f'"productID": "{shop.product}"' in block for block in linked_data(said.text))
    assert f'product:retailer_item_id" content="{shop.product}"' in said.text


@pytest.mark.parametrize("kind", ["stripped", "js_state", "js_state_fetched"])
async def test_bytes_alone_do_not_tell_what_only_scripts_know(shop: Shop, kind: str) -> None:
    title = assigned((await shop.page()).text, ITEM)["card"]["title"]
    await shop.set(kind)
    said = await shop.page()
    assert ITEM not in said.text
    assert all("schema.org" not in block for block in linked_data(said.text)[1:])
    assert "product:retailer_item_id" not in said.text
    assert f'"title":"{title}"' not in said.text
    assert said.text.endswith("</html>")


@needs_chromium
@pytest.mark.parametrize("kind", ["js_state", "js_state_fetched"])
async def test_a_browser_sees_what_scripts_build(shop: Shop, browser_page: Page, kind: str) -> None:
    true = assigned((await shop.page()).text, ITEM)
    await shop.set(kind)
    address = f"{shop.address}/shop/p/-{shop.product}/?c={ALMATY}"
    await browser_page.goto(address, wait_until="domcontentloaded")
    seen = await browser_page.wait_for_function("() => window.BACKEND.components.item")
    assert await seen.json_value() == true


async def test_healing_makes_everything_as_before(shop: Shop) -> None:
    whole, page = await shop.offers(), await shop.page()
    await shop.set("forbidden")
    assert (await shop.offers()).status == 403
    await shop.heal()
    assert (await shop.offers(), await shop.page()) == (whole, page)
    assert (await shop.told("/sandbox/faults"))["given"] == {}


async def test_our_own_paths_and_robots_are_always_well(shop: Shop) -> None:
    await shop.set("forbidden", random={"reset": 1})
    assert (await shop.told(f"/sandbox/ledger/{shop.product}/{ALMATY}"))["offers"]
    async with shop.client.get("/robots.txt") as answer:
        assert answer.status == 200


async def test_what_cannot_be_set_is_refused_and_changes_nothing(shop: Shop) -> None:
    await shop.set("forbidden")
    async with shop.client.post("/sandbox/faults", json={"random": {"fire": 1}}) as answer:
        assert answer.status == 400
        assert "'fire' is no kind of fault" in (await answer.json())["error"]
    assert (await shop.offers()).status == 403
