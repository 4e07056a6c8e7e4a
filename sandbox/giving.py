"""Gives a fault: the answer that comes instead of the true one."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Mapping
from functools import cache, partial

import attrs
from aiohttp import web
from aiohttp.typedefs import Handler

from domain.identity import ProductId
from sandbox import refusals
from sandbox.connections import reset
from sandbox.faults import JSON_PATHS, Subject, Switches
from sandbox.packing import Body, Part, part
from sandbox.spoiling import SPOILS

#: By how many places a board has moved on, and how many offers of the page before are repeated:
#: the offers desk looks for them on the request.
MOVED = web.RequestKey("moved", int)
REPEATED = web.RequestKey("repeated", int)
#: The session of the cabinet is over: its guard looks for it.
SIGNED_OUT = web.RequestKey("signed_out", int)
_PLACES = 3
_MEGABYTE = 1_000_000
#: Pieces of a slow answer, and seconds between two looks at whether a client has gone.
_DROPS, _LOOK = 20, 0.05


@attrs.frozen(kw_only=True)
class Asked:
    """A request that is to get a fault. `other` is a product that it does not ask about."""

    request: web.Request
    handler: Handler
    about: Subject
    switches: Switches
    other: ProductId

    async def truth(self) -> web.Response:
        """The answer that a well market gives, as it goes over the wire."""
        answer = await self.handler(self.request)
        if not isinstance(answer, web.Response):
            raise TypeError(f"{self.request.path} streams its answer: it cannot be spoiled")
        return answer


Give = Callable[[Asked], Awaitable[web.StreamResponse]]


async def give(kind: str, asked: Asked) -> web.StreamResponse:
    """Answer with a fault; a client that goes in its midst has had enough of it."""
    try:
        return await GIVEN[kind](asked)
    except ConnectionError:
        return web.Response()


def _saying(make: Callable[[Asked], web.Response]) -> Give:
    async def said(asked: Asked) -> web.StreamResponse:
        return make(asked)

    return said


def _spoiled(kind: str) -> Give:
    """The true answer with another body; what is no answer with data stays as it is."""

    async def spoiled(asked: Asked) -> web.StreamResponse:
        answer = await asked.truth()
        if answer.status != 200:
            return answer
        body = Body([SPOILS[kind](asked.about.path, _plain(answer))])
        packed = "Content-Encoding" in answer.headers
        answer.body = body.gzipped if packed else body.plain
        return answer

    return spoiled


def _plain(answer: web.Response) -> bytes:
    """The body's bytes before they were packed."""
    body = _wire(answer)
    return gzip.decompress(body) if "Content-Encoding" in answer.headers else body


def _wire(answer: web.Response) -> bytes:
    body = answer.body
    return bytes(body) if isinstance(body, bytes | bytearray | memoryview) else b""


async def _broken_off(
    asked: Asked, *, end: Callable[[asyncio.WriteTransport], None]
) -> web.Response:
    """Half of the body under the whole length, and the end of the connection."""
    answer = await asked.truth()
    wire, transport = _wire(answer), asked.request.transport
    begun = _begun(answer)
    begun.content_length = len(wire)
    await begun.prepare(asked.request)
    await begun.write(wire[: len(wire) // 2])
    await asyncio.sleep(_LOOK)  # what was written leaves before the connection ends
    if transport:
        end(transport)
    return web.Response()


async def _reset(asked: Asked) -> web.StreamResponse:
    reset(asked.request.transport)
    return web.Response()


async def _slow(asked: Asked) -> web.StreamResponse:
    answer = await asked.truth()
    wire, begun = _wire(answer), _begun(answer)
    begun.content_length = len(wire)
    await begun.prepare(asked.request)
    size = len(wire) // _DROPS + 1
    for start in range(0, len(wire), size):
        await asyncio.sleep(asked.switches.slow_seconds / _DROPS)
        await begun.write(wire[start : start + size])
    return begun


async def _hanging(asked: Asked) -> web.StreamResponse:
    loop = asyncio.get_running_loop()
    until = loop.time() + asked.switches.hang_seconds
    # aiohttp tells nobody when a client goes, so that there is no event to wait for
    while loop.time() < until and not _gone(asked.request):  # noqa: ASYNC110
        await asyncio.sleep(_LOOK)
    if asked.request.transport:
        asked.request.transport.close()
    return web.Response()


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


async def _gzip_lie(asked: Asked) -> web.StreamResponse:
    answer = await asked.truth()
    answer.body = _plain(answer)
    answer.headers["Content-Encoding"] = "gzip"
    return answer


async def _gzip_damaged(asked: Asked) -> web.StreamResponse:
    """The stream breaks in its middle: what stands before it can still be unpacked."""
    answer = await asked.truth()
    packed = bytearray(Body([_plain(answer)]).gzipped)
    middle = len(packed) // 2
    packed[middle : middle + 8] = b"\xff" * 8
    answer.body = bytes(packed)
    answer.headers["Content-Encoding"] = "gzip"
    return answer


async def _huge(asked: Asked) -> web.StreamResponse:
    answer = await asked.truth()
    begun = _begun(answer)
    begun.headers.pop("Content-Encoding", None)
    begun.enable_chunked_encoding()
    await begun.prepare(asked.request)
    await begun.write(_opening(asked))
    filling = b" " * (_MEGABYTE // 4)
    for _ in range(asked.switches.huge_megabytes * 4):
        await begun.write(filling)
    return begun


async def _bomb(asked: Asked) -> web.StreamResponse:
    answer = await asked.truth()
    answer.body = _packed_bomb(_opening(asked), asked.switches.huge_megabytes)
    answer.headers["Content-Encoding"] = "gzip"
    return answer


def _opening(asked: Asked) -> bytes:
    if asked.about.path in JSON_PATHS:
        return b'{"total":1,"offers":['
    return b'<!doctype html><html lang="ru"><head><title>Kaspi</title>'


@cache
def _packed_bomb(opening: bytes, megabytes: int) -> bytes:
    return Body([opening, *[_filling()] * megabytes]).gzipped


@cache
def _filling() -> Part:
    return part(b" " * _MEGABYTE, level=9)


async def _moving(asked: Asked, *, mark: web.RequestKey[int]) -> web.StreamResponse:
    asked.request[mark] = _PLACES
    return await asked.truth()


async def _other_product(asked: Asked) -> web.StreamResponse:
    """The answer that a request about another product gets."""
    wanted = asked.request.match_info
    name, value = ("product", asked.other) if "product" in wanted else ("tail", f"-{asked.other}/")
    wanted[name] = value
    return await asked.truth()


def _begun(answer: web.Response) -> web.StreamResponse:
    """An answer with the same head, to be written by hand."""
    kept = {name: value for name, value in answer.headers.items() if name != "Content-Length"}
    return web.StreamResponse(status=answer.status, headers=kept)


def _close(transport: asyncio.WriteTransport) -> None:
    transport.close()


GIVEN: Mapping[str, Give] = {
    "forbidden": _saying(lambda _: refusals.by_nginx(403)),
    "too_many_requests": _saying(lambda asked: refusals.too_many(asked.switches.retry_after)),
    "method_not_allowed": _saying(lambda _: refusals.by_nginx(405)),
    "server_error": _saying(lambda _: refusals.by_nginx(502)),
    "html_for_json": _saying(lambda _: refusals.nothing()),
    "captcha": _saying(lambda _: refusals.captcha(200)),
    "captcha_forbidden": _saying(lambda _: refusals.captcha(403)),
    "broken_off": partial(_broken_off, end=_close),
    "reset": _reset,
    "reset_midway": partial(_broken_off, end=reset),
    "slow": _slow,
    "hanging": _hanging,
    "gzip_lie": _gzip_lie,
    "gzip_damaged": _gzip_damaged,
    "huge": _huge,
    "bomb": _bomb,
    "shifting": partial(_moving, mark=MOVED),
    "duplicated": partial(_moving, mark=REPEATED),
    "other_product": _other_product,
    "no_certificate": _saying(lambda _: refusals.by_nginx(526)),
    "signed_out": partial(_moving, mark=SIGNED_OUT),
    **{kind: _spoiled(kind) for kind in SPOILS},
}
