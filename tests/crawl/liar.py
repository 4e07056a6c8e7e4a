"""Stands between a crawl and a market: passes on what it is asked, or lies as it was told to."""

import asyncio
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import attrs
from aiohttp import ClientSession, web

#: What a path asks for, and of which product.
_PATHS = (
    ("page", re.compile(r"/shop/p/.*?(\d+)/?$")),
    ("offers", re.compile(r"/yml/offer-view/offers/(\d+)$")),
    ("reviews", re.compile(r"/yml/review-view/.*/(\d+)$")),
    ("listing", re.compile(r"/yml/product-view/pl/(\w+)$")),
)


@attrs.frozen(kw_only=True)
class Asked:
    """One request of the crawl: `time` counts from 1 how often the same kind was asked so far."""

    kind: str
    product: str
    time: int
    request: web.Request
    body: bytes
    market: "Door"

    @property
    def question(self) -> dict[str, Any]:
        """The body of a question about offers."""
        question: dict[str, Any] = json.loads(self.body)
        return question

    async def truth(self) -> tuple[int, bytes, str]:
        """What the market answers: status, body, content type."""
        said = self.request.headers
        told = {name: said[name] for name in ("Referer", "User-Agent") if name in said}
        return await self.market.ask(self.request.method, self.request.path_qs, self.body, told)

    async def offers(self) -> dict[str, Any]:
        """The market's true answer to a question about offers."""
        _, body, _ = await self.truth()
        answer: dict[str, Any] = json.loads(body)
        return answer

    async def all_offers(self) -> list[dict[str, Any]]:
        """All offers of the board that is asked for, cheapest first."""
        wanted = json.dumps({"cityId": self.question["cityId"], "sort": True}).encode()
        _, body, _ = await self.market.ask("POST", self.request.path, wanted)
        offers: list[dict[str, Any]] = json.loads(body)["offers"]
        return offers


Lie = Callable[[Asked], Awaitable[web.StreamResponse]]


@attrs.frozen
class Door:
    """The way to the market."""

    client: ClientSession

    async def ask(
        self, method: str, path: str, body: bytes, told: dict[str, str] | None = None
    ) -> tuple[int, bytes, str]:
        headers = {**(told or {}), **({"Content-Type": "application/json"} if body else {})}
        async with self.client.request(method, path, data=body or None, headers=headers) as answer:
            return answer.status, await answer.read(), answer.content_type


@attrs.define
class Liar:
    """Lies by kind of question ("page", "offers", "reviews") and product; "*" means any."""

    market: str
    address: str = ""
    lies: dict[tuple[str, str], Lie] = attrs.Factory(dict)
    asked: Counter[tuple[str, str]] = attrs.Factory(Counter)

    def lie(self, kind: str, product: str, lie: Lie) -> None:
        """From now on lie about this."""
        self.lies[kind, product] = lie

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The truth, unless there is a lie for it."""
        kind, product = _subject(request.path)
        self.asked[kind, product] += 1
        door = request.app[_DOOR]
        asked = Asked(
            kind=kind,
            product=product,
            time=self.asked[kind, product],
            request=request,
            body=await request.read(),
            market=door,
        )
        lie = self.lies.get((kind, product)) or self.lies.get((kind, "*")) or honestly
        return await lie(asked)


_DOOR = web.AppKey("door", Door)


def _subject(path: str) -> tuple[str, str]:
    for kind, pattern in _PATHS:
        if found := pattern.search(path):
            return kind, found[1]
    return "other", ""


@contextmanager
def lying(market: str) -> Iterator[Liar]:
    """A liar in front of a market, on a thread of its own while the block lasts."""
    liar = Liar(market)
    ready: Future[Callable[[], object]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(liar, ready)))
    thread.start()
    stop = ready.result(20)
    try:
        yield liar
    finally:
        stop()
        thread.join()


async def _serve(liar: Liar, ready: Future[Callable[[], object]]) -> None:
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    async with ClientSession(liar.market) as client:
        app = web.Application()
        app[_DOOR] = Door(client)
        app.router.add_route("*", "/{path:.*}", liar.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            liar.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
            ready.set_result(lambda: loop.call_soon_threadsafe(done.set))
            await done.wait()
        finally:
            await runner.cleanup()


# --- The lies ----------------------------------------------------------------------------------


async def honestly(asked: Asked) -> web.StreamResponse:
    """The market's own answer."""
    status, body, kind = await asked.truth()
    return web.Response(status=status, body=body, content_type=kind, charset="UTF-8")


def saying(text: str, status: int = 200, **headers: str) -> Lie:
    """A page of HTML with some status, whatever was asked."""

    async def said(asked: Asked) -> web.StreamResponse:
        return web.Response(
            status=status, text=text, content_type="text/html", headers=_spelt(headers)
        )

    return said


def _spelt(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


HTML_FOR_JSON = saying("<!DOCTYPE html><html lang='ru'><body>Обновите страницу</body></html>")
TOO_MANY = saying(
    '<!DOCTYPE html><html lang="ru"><body>429</body></html>', status=429, Retry_After="1"
)
FORBIDDEN = saying(
    "<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center>"
    "<hr><center>nginx</center></body></html>",
    status=403,
)
NOT_ALLOWED = saying("<html><body>405 Not Allowed</body></html>", status=405)
EMPTY_SHELL = saying(
    "<!doctype html><html lang='ru'><head><title>Kaspi Магазин</title></head>"
    "<body><div id='app'></div></body></html>"
)
CAPTCHA = saying(
    "<!doctype html><html><head><title>Вы не робот?</title></head><body>"
    "<form action='/check'><div class='g-recaptcha'></div></form></body></html>"
)
TROUBLE = saying("<html><body><h1>502 Bad Gateway</h1></body></html>", status=502)
NOT_FOUND = saying("<html><head><title>Страница не найдена | Kaspi Магазин</title>", status=404)


async def truncated(asked: Asked) -> web.StreamResponse:
    """Half of the true answer, under a true length: the connection ends as if all were well."""
    status, body, kind = await asked.truth()
    return web.Response(status=status, body=body[: len(body) // 2], content_type=kind)


def page_of(other: str) -> Lie:
    """Another product's page."""

    async def said(asked: Asked) -> web.StreamResponse:
        path = asked.request.path_qs.replace(asked.product, other)
        status, body, kind = await asked.market.ask("GET", path, b"")
        return web.Response(status=status, body=body, content_type=kind)

    return said


def leading_to(address: str) -> Lie:
    """A redirection."""

    async def said(asked: Asked) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": address})

    return said


async def broken_price(asked: Asked) -> web.StreamResponse:
    """The true offers, but the price of the second is a word."""
    answer = await asked.offers()
    answer["offers"][1]["price"] = "нет"
    return web.json_response(answer)


async def larger_total(asked: Asked) -> web.StreamResponse:
    """The true offers, and the word that there are ten more."""
    answer = await asked.offers()
    answer["total"] += 10
    answer["offersCount"] += 10
    return web.json_response(answer)


async def nobody(asked: Asked) -> web.StreamResponse:
    """Nobody sells it: an answer that is the same for every product."""
    return web.json_response({"offers": [], "total": 0, "offersCount": 0})


async def pages_of_ten(asked: Asked) -> web.StreamResponse:
    """Ten offers a page, whatever was asked for."""
    offers = await asked.all_offers()
    return _part(offers, asked.question["page"], 10)


async def shifting(asked: Asked) -> web.StreamResponse:
    """All offers are there, in another order at every question."""
    offers = await asked.all_offers()
    random.Random(asked.time).shuffle(offers)  # noqa: S311
    return _part(offers, asked.question["page"], asked.question["limit"])


def _part(offers: list[dict[str, Any]], page: int, size: int) -> web.Response:
    part = offers[page * size : (page + 1) * size]
    return web.json_response({"offers": part, "total": len(offers), "offersCount": len(offers)})


async def hanging(asked: Asked) -> web.StreamResponse:
    """No answer, for longer than anybody waits."""
    await asyncio.sleep(3600)
    return web.Response()


async def reset(asked: Asked) -> web.StreamResponse:
    """The connection breaks."""
    if asked.request.transport:
        asked.request.transport.abort()
    return web.Response()


def after(times: int, lie: Lie, before: Lie = honestly) -> Lie:
    """Answer so many times in one way, then in the other."""

    async def said(asked: Asked) -> web.StreamResponse:
        return await (before if asked.time <= times else lie)(asked)

    return said


def on_page(page: int, lie: Lie) -> Lie:
    """Lie about one page of offers only."""

    async def said(asked: Asked) -> web.StreamResponse:
        return await (lie if asked.question["page"] == page else honestly)(asked)

    return said
