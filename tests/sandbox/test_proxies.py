"""The local proxies over real sockets: each an exit of its own, to the sandbox and nowhere else."""

import asyncio
import base64
import errno
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import attrs
import pytest
from aiohttp import ClientError, ClientSession

from sandbox.exits import Exit
from sandbox.proxies import open_proxies
from sandbox.server import running
from sandbox.world import World


@attrs.frozen
class Place:
    """A sandbox with its proxies, and a client of both."""

    address: str
    client: ClientSession
    proxies: tuple[str, ...]

    async def status(self, number: int | None = None, path: str = "/robots.txt") -> int:
        """What a request through a proxy, or through none, is answered."""
        proxy = None if number is None else self.proxies[number - 1]
        async with self.client.get(f"{self.address}{path}", proxy=proxy) as answer:
            await answer.read()
            return answer.status

    async def told(self, path: str) -> Any:
        async with self.client.get(f"{self.address}{path}") as answer:
            return await answer.json()

    async def set(self, **switches: object) -> None:
        async with self.client.post(f"{self.address}/sandbox/faults", json=switches) as answer:
            assert answer.status == 200, await answer.text()

    async def served(self) -> dict[str, int]:
        exits = [*await self.told("/sandbox/exits"), await self.told("/sandbox/exits/direct")]
        return {one["name"]: one["served"] for one in exits}


@asynccontextmanager
async def opened(market: World, credentials: str | None = None) -> AsyncIterator[Place]:
    async with (
        running(market, exits=3, credentials=credentials) as address,
        ClientSession() as client,
    ):
        async with client.get(f"{address}/sandbox/exits") as answer:
            exits = await answer.json()
        yield Place(address, client, tuple(one["proxy"] for one in exits))


@pytest.fixture
async def place(market: World) -> AsyncIterator[Place]:
    async with opened(market) as place:
        yield place


async def raw(proxy: str, sent: bytes) -> bytes:
    """What a proxy answers to bytes, until it closes."""
    where = urlsplit(proxy)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        writer.write(sent)
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


async def test_each_proxy_is_an_exit_of_its_own(place: Place) -> None:
    for number in (1, 2, 2, None, None, None):
        assert await place.status(number) == 200
    assert await place.served() == {"exit-1": 1, "exit-2": 2, "exit-3": 0, "direct": 3}


async def test_a_client_cannot_call_itself_another_exit_behind_a_proxy(place: Place) -> None:
    lie = {"X-Sandbox-Exit": "exit-3"}
    async with place.client.get(
        f"{place.address}/robots.txt", proxy=place.proxies[0], headers=lie
    ) as answer:
        assert answer.status == 200
    assert (await place.served())["exit-1"] == 1
    assert (await place.served())["exit-3"] == 0


async def test_a_body_goes_through_and_so_does_its_answer(place: Place, market: World) -> None:
    card = next(iter(market.cards))
    address = f"{place.address}/yml/offer-view/offers/{card}"
    answers = []
    for proxy in (None, *place.proxies[:2]):
        asked = place.client.post(address, json={"cityId": "750000000"}, proxy=proxy)
        async with asked as answer:
            answers.append(await answer.json())
    assert answers[0]["total"] == 150
    assert answers[0] == answers[1] == answers[2]


async def test_one_connection_carries_request_after_request(place: Place) -> None:
    host = urlsplit(place.address).netloc
    one = f"GET {place.address}/robots.txt HTTP/1.1\r\nHost: {host}\r\n"
    answered = await raw(place.proxies[0], f"{one}\r\n{one}Connection: close\r\n\r\n".encode())
    assert answered.count(b"HTTP/1.1 200 OK") == 2
    assert (await place.served())["exit-1"] == 2


async def test_a_tunnel_to_the_sandbox_is_counted_too(place: Place) -> None:
    host = urlsplit(place.address).netloc
    tunnel = f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n"
    inner = f"GET /robots.txt HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    answered = await raw(place.proxies[1], (tunnel + inner).encode())
    assert answered.startswith(b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK")
    assert (await place.served())["exit-2"] == 1


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"GET http://example.kz/ HTTP/1.1\r\n\r\n", 403, id="another host"),
        pytest.param(b"GET http://127.0.0.1:1/ HTTP/1.1\r\n\r\n", 403, id="another port"),
        pytest.param(b"CONNECT example.kz:443 HTTP/1.1\r\n\r\n", 403, id="a tunnel elsewhere"),
        pytest.param(b"GET /robots.txt HTTP/1.1\r\n\r\n", 403, id="no absolute address"),
        pytest.param(b"\x16\x03\x01 hello\r\n\r\n", 400, id="no HTTP"),
    ],
)
async def test_a_proxy_leads_to_the_sandbox_alone(place: Place, sent: bytes, status: int) -> None:
    answered = await raw(place.proxies[0], sent)
    assert answered.startswith(b"HTTP/1.1 %d " % status)
    assert (await place.served())["exit-1"] == 0


async def test_proxies_that_want_credentials_ask_for_them(market: World) -> None:
    async with opened(market, credentials="buyer:secret") as place:
        for said, status in (("buyer:secret", 200), ("buyer:other", 407), (None, 407)):
            asked = place.client.get(
                f"{place.address}/robots.txt", proxy=place.proxies[0], headers=basic(said)
            )
            async with asked as answer:
                assert answer.status == status
                assert ("Proxy-Authenticate" in answer.headers) == (status == 407)
        assert (await place.served())["exit-1"] == 1


def basic(said: str | None) -> dict[str, str]:
    if said is None:
        return {}
    return {"Proxy-Authorization": f"Basic {base64.b64encode(said.encode()).decode()}"}


async def test_the_sandbox_never_sees_the_credentials_of_a_proxy() -> None:
    seen: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    there = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, open_proxies([Exit("exit-9")], "127.0.0.1", there, "a:b") as (proxy,):
        assert proxy.exit.proxy
        word = "Proxy-Authorization: Basic YTpi\r\nProxy-Connection: keep-alive\r\n"
        await raw(proxy.exit.proxy, f"GET {there}/x?y=1 HTTP/1.1\r\n{word}\r\n".encode())
    assert seen == [b"GET /x?y=1 HTTP/1.1\r\nX-Sandbox-Exit: exit-9\r\n\r\n"]


async def test_a_dead_exit_refuses_connections_and_can_live_again(place: Place) -> None:
    assert await place.status(1) == 200  # leaves a connection open
    await place.set(exits={"exit-1": {"state": "dead"}})
    with pytest.raises(ClientError) as refused:
        await place.status(1)
    assert refused.value.args[0] is not None
    assert isinstance(refused.value.__cause__, OSError)
    assert refused.value.__cause__.errno == errno.ECONNREFUSED
    assert await place.status(2) == 200
    await place.set()
    assert await place.status(1) == 200


async def test_limits_are_kept_apart_for_each_exit(place: Place) -> None:
    await place.set(limits={"rate": 1, "burst": 2, "ban_seconds": 60, "retry_after": 9})
    assert [await place.status(1) for _ in range(4)] == [200, 200, 403, 403]
    assert [await place.status(2) for _ in range(2)] == [200, 200]
    first, second, _ = await place.told("/sandbox/exits")
    assert (first["served"], first["refused"], first["over_limit"]) == (2, 2, 1)
    assert (second["served"], second["refused"], second["banned"]) == (2, 0, False)


async def test_an_exit_of_a_data_centre_gets_429_for_pages_and_405_for_offers(
    place: Place, market: World
) -> None:
    await place.set(exits={"exit-1": {"state": "datacenter"}})
    card = next(iter(market.cards))
    async with place.client.get(
        f"{place.address}/shop/p/-{card}/", proxy=place.proxies[0]
    ) as answer:
        assert answer.status == 429
        assert (await answer.text()).startswith('<!DOCTYPE html><html lang="ru">')
    async with place.client.post(
        f"{place.address}/yml/offer-view/offers/{card}",
        json={"cityId": "750000000"},
        proxy=place.proxies[0],
    ) as answer:
        assert answer.status == 405
        assert "405 Not Allowed" in await answer.text()


async def test_a_slow_exit_answers_late_and_right(place: Place) -> None:
    await place.set(exits={"exit-1": {"state": "slow", "delay": 0.4}})
    loop = asyncio.get_running_loop()
    before = loop.time()
    assert await place.status(1) == 200
    assert loop.time() - before >= 0.4


async def test_a_lying_exit_says_nothing_true_of_what_is_asked(place: Place, market: World) -> None:
    await place.set(exits={"exit-1": {"state": "lying"}})
    card = next(iter(market.cards))
    heard = []
    for _ in range(12):
        async with place.client.post(
            f"{place.address}/yml/offer-view/offers/{card}",
            json={"cityId": "750000000", "limit": 3},
            proxy=place.proxies[0],
        ) as answer:
            heard.append(await answer.text())
    for text in heard:
        assert not _is_true(text, card)
    exits = await place.told("/sandbox/exits")
    assert set(exits[0]["faults"]) == {"html_for_json", "captcha", "truncated", "other_product"}


def _is_true(text: str, card: str) -> bool:
    try:
        offers = json.loads(text)["offers"]
    except ValueError:
        return False
    return any(offer["masterSku"] == card for offer in offers)


async def test_the_ports_of_closed_proxies_are_given_back(market: World) -> None:
    async with opened(market) as place:
        proxies = place.proxies
    for proxy in proxies:
        with pytest.raises(OSError, match=r"refused|failed"):
            await raw(proxy, b"GET / HTTP/1.1\r\n\r\n")
