"""Forward proxies on this machine: each counts when it was asked, and may refuse, lie or hang."""

import asyncio
import bisect
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import attrs
from aiohttp import ClientSession, web

#: What an exit does with a question: an answer of its own, or None to pass it on.
Manner = Callable[["ForwardProxy", web.Request], Awaitable[web.StreamResponse | None]]


async def honestly(_exit: "ForwardProxy", _request: web.Request) -> None:
    """Pass everything on."""


@attrs.define(eq=False)
class ForwardProxy:
    """One exit. `asked` are the moments (monotonic, in seconds) at which questions came in."""

    number: int
    address: str = ""
    manner: Manner = honestly
    asked: list[float] = attrs.Factory(list)
    paths: Counter[str] = attrs.Factory(Counter)
    passed_on: int = 0
    authorizations: set[str] = attrs.Factory(set)

    @property
    def name(self) -> str:
        return self.address.removeprefix("http://")

    def most_within(self, seconds: float) -> int:
        """The most questions that came in within so many seconds."""
        return max(
            (
                bisect.bisect_right(self.asked, first + seconds) - position
                for position, first in enumerate(self.asked)
            ),
            default=0,
        )

    async def answer(self, request: web.Request, client: ClientSession) -> web.StreamResponse:
        self.asked.append(time.monotonic())
        self.paths[request.path] += 1
        self.authorizations.add(request.headers.get("Proxy-Authorization", ""))
        own = await self.manner(self, request)
        if own is not None:
            return own
        self.passed_on += 1
        headers = {
            name: value
            for name, value in request.headers.items()
            if name not in {"Host", "Accept-Encoding", "Proxy-Authorization", "Content-Length"}
        }
        body = await request.read()
        async with client.request(
            request.method, request.url, data=body or None, headers=headers
        ) as answer:
            return web.Response(
                status=answer.status,
                body=await answer.read(),
                headers={"Content-Type": answer.headers.get("Content-Type", "text/plain")},
            )


# --- Manners -------------------------------------------------------------------------------------


def refusing(status: int, times: int | None = None, **headers: str) -> Manner:
    """Refuse with a page, the first so many times or always."""
    left = [times]

    async def refuse(_exit: ForwardProxy, _request: web.Request) -> web.StreamResponse | None:
        if left[0] is not None:
            if not left[0]:
                return None
            left[0] -= 1
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        page = f'<!DOCTYPE html><html lang="ru"><body>{status}</body></html>'
        return web.Response(status=status, text=page, content_type="text/html", headers=told)

    return refuse


def banned_after(count: int, status: int = 403) -> Manner:
    """Serve so many questions, then refuse for ever."""

    async def refuse(exit_: ForwardProxy, request: web.Request) -> web.StreamResponse | None:
        if len(exit_.asked) <= count:
            return None
        return await refusing(status)(exit_, request)

    return refuse


def refusing_for(seconds: float, status: int) -> Manner:
    """Refuse for so long, counted from the first question."""

    async def refuse(exit_: ForwardProxy, request: web.Request) -> web.StreamResponse | None:
        if time.monotonic() - exit_.asked[0] > seconds:
            return None
        return await refusing(status)(exit_, request)

    return refuse


def lying_with(text: str) -> Manner:
    """Answer everything with this, as JSON."""

    async def lie(_exit: ForwardProxy, _request: web.Request) -> web.StreamResponse:
        return web.Response(text=text, content_type="application/json")

    return lie


async def dying(_exit: ForwardProxy, request: web.Request) -> web.StreamResponse | None:
    """Break every connection."""
    if request.transport:
        request.transport.abort()
    return web.Response()


async def hanging(_exit: ForwardProxy, _request: web.Request) -> web.StreamResponse | None:
    """Answer nothing for longer than anybody waits."""
    await asyncio.sleep(3600)
    return web.Response()


# --- Proxies, running ----------------------------------------------------------------------------


@contextmanager
def forwarding(count: int) -> Iterator[list[ForwardProxy]]:
    """So many exits on a thread of their own, while the block lasts."""
    exits = [ForwardProxy(number) for number in range(count)]
    ready: Future[Callable[[], object]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(exits, ready)))
    thread.start()
    stop = ready.result(20)
    try:
        yield exits
    finally:
        stop()
        thread.join()


async def _serve(exits: list[ForwardProxy], ready: Future[Callable[[], object]]) -> None:
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    async with ClientSession() as client:
        runners = [await _open(each, client) for each in exits]
        ready.set_result(lambda: loop.call_soon_threadsafe(done.set))
        await done.wait()
        for runner in runners:
            await runner.cleanup()


async def _open(exit_: ForwardProxy, client: ClientSession) -> web.ServerRunner:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return await exit_.answer(request, client)  # type: ignore[arg-type]

    runner = web.ServerRunner(web.Server(answer, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    exit_.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    return runner
