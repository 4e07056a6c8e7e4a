"""The sandbox over real sockets: paths, headers, switches, and loopback alone."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession
from yarl import URL

from sandbox.loopback import NotLoopback, loopback
from sandbox.server import running
from sandbox.world import STOCKED, TICK, World
from tests.sandbox.reading import assigned

ALMATY, ASTANA = STOCKED
OFFERS = "/yml/offer-view/offers"
REVIEWS = "/yml/review-view/api/v1/reviews/product"


@pytest.fixture
async def session(market: World) -> AsyncIterator[ClientSession]:
    """A client of a sandbox that serves the test's own market."""
    async with running(market) as address, ClientSession(address) as client:
        yield client


@pytest.fixture
def card(market: World) -> str:
    return next(iter(market.cards))


async def told(session: ClientSession, path: str, status: int = 200) -> Any:
    async with session.get(path) as answer:
        assert answer.status == status
        return await answer.json()


async def sent(session: ClientSession, path: str, body: object, status: int = 200) -> Any:
    async with session.post(path, json=body) as answer:
        assert answer.status == status
        return await answer.json()


@pytest.mark.parametrize(
    ("form", "region"),
    [
        pytest.param("/shop/p/any-words-{}/?c=710000000", ASTANA, id="the whole address"),
        pytest.param("/shop/p/-{}/?c=710000000", ASTANA, id="without the words"),
        pytest.param("/shop/p/{}/?c=710000000", ASTANA, id="the number alone"),
        pytest.param("/shop/p/-{}?c=710000000", ASTANA, id="without the last slash"),
        pytest.param("/shop/p/-{}/", ALMATY, id="no city means Almaty"),
        pytest.param("/shop/p/-{}/?c=nowhere", ALMATY, id="a city that is no number"),
    ],
)
async def test_a_page_is_served(session: ClientSession, card: str, form: str, region: str) -> None:
    async with session.get(form.format(card)) as answer:
        page = await answer.text()
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/html;charset=UTF-8"
    assert assigned(page, "window.digitalData")["website"]["regionId"] == region


async def test_the_cookies_city_is_served_when_the_address_names_none(
    session: ClientSession, card: str
) -> None:
    cookie = {"Cookie": "kaspi.storefront.cookie.city=511010000"}
    async with session.get(f"/shop/p/-{card}/", headers=cookie) as answer:
        site = assigned(await answer.text(), "window.digitalData")["website"]
    async with session.get(f"/shop/p/-{card}/?c={ASTANA}", headers=cookie) as answer:
        named = assigned(await answer.text(), "window.digitalData")["website"]
    assert (site["regionId"], named["regionId"]) == ("511010000", ASTANA)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/shop/p/nothing-1/", id="an unknown card"),
        pytest.param("/shop/p/colour-11636226b/", id="a base product"),
        pytest.param("/shop/p/words/", id="no number"),
        pytest.param("/elsewhere", id="another path"),
    ],
)
async def test_what_is_not_there_is_not_found(session: ClientSession, path: str) -> None:
    async with session.get(path) as answer:
        assert answer.status == 404
        assert "Страница не найдена | Kaspi Магазин" in await answer.text()


async def test_offers_are_gzipped_for_those_who_take_it(session: ClientSession, card: str) -> None:
    bodies = []
    for encoding in ("gzip", "identity"):
        async with session.post(
            f"{OFFERS}/{card}",
            json={"cityId": ALMATY},
            headers={"Accept-Encoding": encoding},
        ) as answer:
            assert answer.headers.get("Content-Encoding", "identity") == encoding
            bodies.append(await answer.json())
    assert bodies[0] == bodies[1]
    assert bodies[0]["total"] == 150


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_the_bytes_on_the_wire_are_a_whole_page(market: World, encoding: str) -> None:
    path = f"/shop/p/-{next(iter(market.cards))}/"
    async with (
        running(market) as address,
        ClientSession(address, auto_decompress=False) as raw,
        raw.get(path, headers={"Accept-Encoding": encoding}) as answer,
    ):
        body = await answer.read()
    page = gzip.decompress(body) if encoding == "gzip" else body
    assert page.endswith(b"</html>")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="half a body"),
        pytest.param(b'{"limit":5}', id="no city"),
        pytest.param(b'{"cityId":"750000000","limit":100}', id="more than 64"),
    ],
)
async def test_a_bad_request_is_a_spring_error(
    session: ClientSession, card: str, body: bytes
) -> None:
    async with session.post(f"{OFFERS}/{card}", data=body) as answer:
        said = await answer.json()
        assert answer.status == said["status"] == 400
    assert said["error"] == "Bad Request"
    assert said["path"] == f"/offers/{card}"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_offers_answer_post_alone(session: ClientSession, card: str, method: str) -> None:
    async with session.request(method, f"{OFFERS}/{card}") as answer:
        said = await answer.json()
        assert answer.status == said["status"] == 405
    assert set(said) == {"timestamp", "status", "error", "path"}
    assert (said["error"], said["path"]) == ("Method Not Allowed", f"/offers/{card}")


async def test_reviews_and_their_errors(session: ClientSession, card: str) -> None:
    whole = await told(session, f"{REVIEWS}/{card}?withAgg=true&filter=COMMENT&limit=9")
    assert {"data", "summary", "groupSummary"} <= set(whole)
    unknown = await told(session, f"{REVIEWS}/1?withAgg=true")
    assert (unknown["data"], unknown["groupSummary"]) == ([], [])
    await told(session, f"{REVIEWS}/{card}?limit=none", status=400)
    await told(session, f"{REVIEWS}/{card}?page=-1", status=400)


async def test_robots_ask_for_ten_seconds(session: ClientSession) -> None:
    async with session.get("/robots.txt") as answer:
        assert "Crawl-delay: 10" in (await answer.text()).splitlines()


async def test_advancing_tells_what_became_of_the_market(
    session: ClientSession, market: World
) -> None:
    before = {card: market.board_at(card, ALMATY, market.now) for card in market.cards}
    said = await sent(session, "/sandbox/advance", {"minutes": 600})
    after = {card: market.board_at(card, ALMATY, market.now) for card in market.cards}
    assert said["changed"] == sum(city["changed"] for city in said["cities"].values()) > 0
    assert before != after
    assert said["now"] == "2026-09-18T17:00:00Z"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("/sandbox/advance", {"minutes": -1}, 400, id="back in time"),
        pytest.param("/sandbox/advance", {"hours": 1}, 400, id="an unknown word"),
        pytest.param(
            "/sandbox/set",
            {"product": "1", "city": ALMATY, "merchant": "Zerde", "price": 5},
            404,
            id="an unknown card",
        ),
    ],
)
async def test_wrong_switches_are_explained(
    session: ClientSession, path: str, body: object, status: int
) -> None:
    assert (await sent(session, path, body, status=status))["error"]


async def test_a_forced_price_is_seen_in_offers_page_and_ledger(
    session: ClientSession, card: str
) -> None:
    board = await sent(session, f"{OFFERS}/{card}", {"cityId": ALMATY, "limit": 1, "sort": True})
    merchant = board["offers"][0]["merchantId"]
    change = {"product": card, "city": ALMATY, "merchant": merchant, "price": 9}
    await sent(session, "/sandbox/set", change)
    board = await sent(session, f"{OFFERS}/{card}", {"cityId": ALMATY, "limit": 1, "sort": True})
    ledger = await told(session, f"/sandbox/ledger/{card}/{ALMATY}")
    async with session.get(f"/shop/p/-{card}/") as answer:
        page = await answer.text()
    assert board["offers"][0]["price"] == 9.0
    assert (ledger["offers"][0]["merchant_id"], ledger["offers"][0]["price"]) == (merchant, 9)
    assert assigned(page, "BACKEND.components.item")["card"]["price"] == 9


@pytest.mark.parametrize(
    ("at", "status"),
    [
        pytest.param("2026-11-21T01:00:00%2B00:00", 200, id="a moment with its zone"),
        pytest.param("2026-11-21T01:00:00+00:00", 200, id="a plus sign that was not quoted"),
        pytest.param("2026-11-21T01:00:00", 400, id="a moment without a zone"),
        pytest.param("yesterday", 400, id="no moment"),
        pytest.param("2020-01-01T00:00:00Z", 404, id="before the ledger begins"),
    ],
)
async def test_the_ledger_is_asked_for_a_real_moment(
    session: ClientSession, card: str, at: str, status: int
) -> None:
    path = URL(f"/sandbox/ledger/{card}/{ALMATY}?at={at}", encoded=True)
    async with session.get(path) as answer:
        assert answer.status == status


async def test_products_are_listed_with_addresses_that_work(
    session: ClientSession, market: World
) -> None:
    listed = await told(session, "/sandbox/products")
    assert [card["id"] for card in listed] == list(market.cards)
    assert [card["has_offers"] for card in listed[:5]] == [True, True, True, True, False]
    assert listed[0]["offers"] == {ALMATY: 150, ASTANA: 77}
    async with session.get(listed[0]["address"]) as answer:
        assert answer.status == 200


async def test_requests_are_counted_by_kind_and_address(session: ClientSession, card: str) -> None:
    for path in (f"/shop/p/-{card}/", "/shop/p/-1/", f"{REVIEWS}/{card}", "/robots.txt", "/x"):
        async with session.get(path):
            pass
    await sent(session, f"{OFFERS}/{card}", {"cityId": ALMATY})
    counts = await told(session, "/sandbox/requests")
    kinds = {"page": 2, "reviews": 1, "robots": 1, "other": 1, "offers": 1, "sandbox": 1}
    assert counts["kinds"] == kinds
    assert counts["addresses"] == {"127.0.0.1": 7}


async def test_a_running_clock_moves_the_world(market: World) -> None:
    start = market.now
    async with running(market, speed=90_000):
        await asyncio.sleep(0.5)
    assert market.now > start
    assert (market.now - start) % TICK == timedelta(0)


async def test_a_clock_at_rest_does_not(market: World) -> None:
    start = market.now
    async with running(market):
        await asyncio.sleep(0.15)
    assert market.now == start


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.7", "::1", "localhost"])
def test_this_machine_alone_is_an_address_to_listen_on(host: str) -> None:
    assert loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.kz", ""])  # noqa: S104
async def test_any_other_address_is_refused(market: World, host: str) -> None:
    with pytest.raises(NotLoopback, match="this machine alone"):
        async with running(market, host=host):
            pass


async def test_a_taken_port_is_said_to_be_taken(market: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            async with running(market, port=taken.getsockname()[1]):
                pass


BROWSER = {"User-Agent": "Mozilla/5.0", "Referer": "https://kaspi.kz/shop/"}
LISTING = "/yml/product-view/pl"


@pytest.mark.parametrize("path", ["filters", "results"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param(BROWSER, 200, id="a browser inside the shop"),
        pytest.param({"Referer": "x", "User-Agent": "Kaspi/5.1 (Android)"}, 403, id="an app"),
        pytest.param({"User-Agent": "Mozilla/5.0"}, 403, id="without a Referer"),
    ],
)
async def test_listings_are_for_browsers(
    session: ClientSession, path: str, headers: dict[str, str], status: int
) -> None:
    async with session.get(f"{LISTING}/{path}?page=0", headers=headers) as answer:
        assert answer.status == status
        body = await answer.text()
    assert ("nginx" in body) == (status == 403)


async def test_a_search_is_walled_off_with_a_spring_error(session: ClientSession) -> None:
    async with session.get(f"{LISTING}/results?text=a&page=2", headers=BROWSER) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"] == "Bad Request"


async def test_the_city_may_come_from_a_header_alone(session: ClientSession) -> None:
    headers = {**BROWSER, "X-KS-City": ASTANA}
    async with session.get(f"{LISTING}/results?page=0", headers=headers) as answer:
        cards = (await answer.json())["data"]
    assert {zone for card in cards for zone in card["deliveryZones"]} == {ASTANA}


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        pytest.param("/shop/sitemap.xml", 200, "text/xml", id="the sitemap"),
        pytest.param("/shop/Category-ru-KZT-almaty.xml", 200, "text/xml", id="a city's"),
        pytest.param("/shop/Category-ru-KZT-atlantis.xml", 404, "text/html", id="no city's"),
        pytest.param(
            "/yml/main-navigation/n/n/desktop-menu?depth=2", 200, "application/json", id="the menu"
        ),
        pytest.param(
            "/yml/main-navigation/n/n/desktop-menu?depth=x", 400, "application/json", id="no depth"
        ),
    ],
)
async def test_what_leads_to_listings_is_served(
    session: ClientSession, path: str, status: int, kind: str
) -> None:
    async with session.get(path) as answer:
        assert (answer.status, answer.content_type) == (status, kind)


async def test_a_group_of_variants_shows_the_page_of_one_of_them(
    session: ClientSession, market: World
) -> None:
    card = next(card for card in market.cards.values() if card.base_codes)
    async with session.get(f"/shop/p/any-words-{card.base_codes[-1]}/") as answer:
        shown = assigned(await answer.text(), "BACKEND.components.item")["card"]["id"]
    assert market.cards[shown].base_codes[-1] == card.base_codes[-1]
