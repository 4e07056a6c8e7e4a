"""A storm: two thousand products, every fifth answer bad, two exits dead, one banned midway."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from tests.crawl.conftest import Opener
from tests.crawl.crawling import listed
from tests.crawl.market import ALMATY, selling
from tests.transport.forwarding import (
    ForwardProxy,
    Manner,
    banned_after,
    dying,
    refusing,
)

PRODUCTS = 2_000
#: Fifty times as fast as in the field: 50 questions a second, rests of 1.2 s.
FAST = 50
#: Products that nobody answers well, as if the site could not.
HOPELESS = 5

Answer = Callable[[ForwardProxy, web.Request], Awaitable[web.StreamResponse | None]]


async def half(_exit: ForwardProxy, _request: web.Request) -> web.StreamResponse:
    """An answer that broke off."""
    return web.Response(text='{"offers": [{"masterSku": "1', content_type="application/json")


async def slow(_exit: ForwardProxy, _request: web.Request) -> web.StreamResponse:
    """Longer than the crawl waits."""
    await asyncio.sleep(5)
    return web.Response()


BAD: tuple[Answer, ...] = (
    refusing(429),
    refusing(403),
    refusing(405),
    refusing(200),
    refusing(502),
    half,
    slow,
    dying,
)


def stormy(seed: int, hopeless: set[str]) -> Manner:
    """Every fifth answer is bad in some way; of hopeless products, every one."""
    dice = random.Random(seed)  # noqa: S311

    async def answer(exit_: ForwardProxy, request: web.Request) -> web.StreamResponse | None:
        if request.path.rpartition("/")[2] in hopeless:
            return await refusing(502)(exit_, request)
        if dice.random() < 0.2:
            return await dice.choice(BAD)(exit_, request)
        return None

    return answer


@pytest.mark.long
def test_every_product_that_can_be_had_is_had_and_every_other_is_named(
    open_workplace: Opener, tmp_path: Path, exits: list[ForwardProxy]
) -> None:
    with selling(tmp_path, products=PRODUCTS) as market:
        products = list(market.offers)
        sold = [product for product, board in market.offers.items() if board[ALMATY]]
        hopeless = set(sold[:: len(sold) // HOPELESS][:HOPELESS])
        for each in exits:
            each.manner = stormy(each.number, hopeless)
        exits[0].manner = exits[1].manner = dying
        weather, ban = exits[2].manner, banned_after(300)

        async def banned_midway(
            exit_: ForwardProxy, request: web.Request
        ) -> web.StreamResponse | None:
            return await ban(exit_, request) or await weather(exit_, request)

        exits[2].manner = banned_midway
        place = open_workplace(market.address)
        file = place.directory / "products.txt"
        file.write_text("\n".join(products), encoding="ascii")
        ended = place.crawl(
            "offers",
            {"products": f"@{file}", "cities": ALMATY},
            environment={
                "PROXIES": listed(each.address for each in exits),
                "KASPI_DELAY": str(1 / FAST),
            },
            settings={
                "SHORTEST_REST": 60 / FAST,
                "LONGEST_REST": 1800 / FAST,
                "FIRST_RESTS": '{"forbidden": 0.2}',
                "DOWNLOAD_TIMEOUT": 1,
            },
        )
    assert (ended.code, ended.reason) == (0, "finished"), ended.said[-3000:]
    read = {line["kaspi_id"] for line in place.lines("offers")}
    assert read == set(sold) - hopeless
    for product in hopeless:
        (told,) = ended.sentences_about(f"Product {product}", "was not read")
        assert "server_error" in told
    for each in exits:
        assert each.most_within(1.0) <= FAST + 3 + FAST * 0.1
        assert each.most_within(5.0) <= 5 * FAST + 3 + FAST * 0.1
