"""A carrier at work in this process, asking a sandbox over real sockets."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import attrs
from aiohttp import ClientError, ClientSession, ClientTimeout
from scrapy.settings import Settings

from domain.publishing import Patience
from kaspi_crawler import settings as project
from partners.call import Answer, Call
from pipelines.carrier import Carrier, NoAnswer, NotSent, Terms, Turn
from pipelines.publish import terms_of
from pipelines.reach import Reach
from tests.publish.shop import Shop
from tests.publish.signing import sign_in


class Stats(Counter[str]):
    """Counts as a crawler's statistics do."""

    def inc_value(self, name: str, count: int = 1) -> None:
        self[name] += count

    def set_value(self, name: str, value: int) -> None:
        self[name] = value


@attrs.define
class Client:
    """Sends calls with the session of a store; hooks happen when it reads, and when it sends."""

    client: ClientSession
    cookie: str
    before_push: Callable[[], object] = lambda: None
    while_read: Callable[[], object] = lambda: None
    closes: bool = False
    asked: list[Call] = attrs.Factory(list)

    async def __call__(self, call: Call, *, within: timedelta | None = None) -> Answer:
        happens = self.while_read if within is None else self.before_push
        await asyncio.get_running_loop().run_in_executor(None, happens)
        if within is not None and self.closes:
            raise NotSent("the crawl ends")
        self.asked.append(call)
        headers = {**call.headers, "Cookie": self.cookie}
        try:
            async with self.client.request(
                call.method, call.address, data=call.body, headers=headers, allow_redirects=False
            ) as answer:
                return Answer(
                    status=answer.status,
                    body=await answer.read(),
                    address=call.address,
                    headers={name.lower(): value for name, value in answer.headers.items()},
                )
        except (ClientError, TimeoutError) as error:
            raise NoAnswer(repr(error)) from error


@attrs.frozen
class Carried:
    """What some turns came to."""

    stats: Stats
    turns: tuple[Turn, ...]
    asked: tuple[Call, ...]

    @property
    def pushes(self) -> int:
        return sum(call.method == "POST" for call in self.asked)


def terms(shop: Shop, **changed: Any) -> Terms:
    """The project's own, but for the address and what a test changes; nothing is read back."""
    settings = Settings()
    settings.setmodule(project)
    settings.set("MC_URL", f"{shop.address}/mc.shop")
    settings.set("PUBLISH_GAP", 0.001)
    return attrs.evolve(
        terms_of(settings), **{"share": 10_000, "first_look": timedelta(hours=1), **changed}
    )


def carry(
    shop: Shop,
    turns: int = 1,
    *,
    before_push: Callable[[], object] = lambda: None,
    while_read: Callable[[], object] = lambda: None,
    cookie: str | None = None,
    naps: bool = False,
    closes: bool = False,
    **changed: Any,
) -> Carried:
    """Let a carrier take so many turns; with `naps` it rests between them as in a crawl.

    `closes`: the crawl ends just before a push leaves.
    """
    known = sign_in(shop.address) if cookie is None else cookie
    client = partial(
        Client, cookie=known, before_push=before_push, while_read=while_read, closes=closes
    )
    return asyncio.run(_carry(shop, turns, client, terms(shop, **changed), naps=naps))


async def _carry(
    shop: Shop,
    turns: int,
    asking: Callable[[ClientSession], Client],
    chosen: Terms,
    *,
    naps: bool,
) -> Carried:
    stats = Stats()
    reach = Reach(
        Settings({"DATABASE_URL": shop.database, "DATA_DIR": "unused", "STORE_PATIENCE": 5})
    )
    reach.open()
    async with ClientSession(timeout=ClientTimeout(total=2)) as client:
        ask = asking(client)
        carrier = Carrier(store=shop.store, terms=chosen, reach=reach, ask=ask, stats=stats)
        came = []
        for _ in range(turns):
            came.append(await carrier.turn())
            await asyncio.sleep(came[-1].pause.total_seconds() if naps else 0)
    await reach.close()
    return Carried(stats, tuple(came), tuple(ask.asked))


#: Reads back at once, and waits no longer.
AT_ONCE: dict[str, Any] = {
    "first_look": timedelta(0),
    "look_again": timedelta(0),
    "patience": Patience(queued=timedelta(0), unknown=timedelta(0)),
}
#: Reads back at once, and goes on waiting.
PATIENT: dict[str, Any] = {"first_look": timedelta(0), "look_again": timedelta(0)}
__all__ = ["AT_ONCE", "PATIENT", "Carried", "NotSent", "carry", "terms"]
