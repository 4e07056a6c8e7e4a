"""Stage 700: publish: what is pending is carried to the cabinet while a crawl runs."""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider, IgnoreRequest
from scrapy.http import Response
from scrapy.settings import BaseSettings

from domain.budget import Budget
from domain.identity import MerchantId
from domain.publishing import Patience
from domain.readings import Finding
from partners.call import Answer, Call
from pipelines.carrier import Carrier, NoAnswer, NotSent, Terms, Turn
from pipelines.reach import Reach
from storage import departures
from storage.berths import Berths
from storage.patience import PASSING_ERRORS

logger = logging.getLogger(__name__)

_BY_CABINET = {"cabinet", "both"}
#: Stores that may use the database at once: one does not wait for the answers of all others.
_CONNECTIONS = 4
#: What may leave within this time is waited for when nothing else is to be done.
_SOON = timedelta(seconds=15)


class Publish:
    """Carries pending prices to the cabinet, store by store; with PUBLISH=off nothing leaves.

    What leaves is written down before (`sending`), so that a crawl that is killed sends nothing
    twice. A crawl that has nothing else to do stays open while something may be sent, for
    PUBLISH_LINGER seconds at most, or as long as its spider says (`lingers`).
    """

    _berths: Berths

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._reach = Reach(crawler.settings)
        self._is_on = crawler.settings["PUBLISH"] in _BY_CABINET
        self._terms = terms_of(crawler.settings)
        self._carriers: dict[MerchantId, asyncio.Task[None]] = {}
        self._turns: dict[MerchantId, Turn] = {}
        self._work: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self._news = asyncio.Event()
        #: Items that came, and how many had come when each store, and all stores, were looked at.
        self._items = 0
        self._looked_at: dict[MerchantId | None, int] = {}
        self._idle_since: Any = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        stage = cls(crawler)
        crawler.signals.connect(stage.spider_idle, signals.spider_idle)
        return stage

    def open_spider(self) -> None:
        """Begin to carry, if the cabinet is to be used."""
        if self._is_on:
            self._reach.open(_CONNECTIONS)
            self._berths = Berths(self._reach.address())
            self._work = asyncio.create_task(self._told(self._carry_all(), "for further stores"))

    def process_item(self, item: Finding) -> Finding:
        """Pass it on: what it brought about stands in the outbox."""
        self._items += 1
        self._news.set()
        return item

    def spider_idle(self) -> None:
        """Keep the crawl open while something may be sent."""
        clock = asyncio.get_running_loop().time
        if self._idle_since is None:
            self._idle_since = clock()
        lingers = getattr(self._crawler.spider, "lingers", None)
        longest = self._crawler.settings.getfloat("PUBLISH_LINGER") if lingers is None else lingers
        if self._is_busy() and clock() - self._idle_since < longest:
            raise DontCloseSpider

    async def close_spider(self) -> None:
        """Finish what is under way, and let go of the database."""
        self._ended.set()
        if self._work is None:
            return
        try:
            await self._work
            await asyncio.gather(*self._carriers.values(), return_exceptions=True)
        finally:
            await self._berths.close()
            await self._reach.close()

    # --- Looking -------------------------------------------------------------------------------

    def _is_busy(self) -> bool:
        """Whether something may be sent soon."""
        if self._work is None or self._work.done():
            return False
        alive = [store for store, carrying in self._carriers.items() if not carrying.done()]
        if any(self._looked_at.get(one, -1) < self._items for one in (None, *alive)):
            return True
        turns = [self._turns[store] for store in alive if store in self._turns]
        return any(turn.waits and turn.pause <= _SOON for turn in turns)

    async def _carry_all(self) -> None:
        """Find the stores that have something to send, and let each be carried for."""
        while not self._ended.is_set():
            items, pause = self._items, self._terms.look
            try:
                found = await self._reach.do(departures.stores, "prices wait to be sent")
            except PASSING_ERRORS as error:
                self._crawler.stats.inc_value("publish/no_database")
                logger.error("No store is looked for: the database stayed away (%s)", error)
                found, pause = [], self._terms.rest
            for store in found:
                if store not in self._carriers:
                    carrying = self._told(self._carry(store), f"for {store}")
                    self._carriers[store] = asyncio.create_task(carrying)
            self._looked_at[None] = items
            await self._nap(pause, wakes=pause == self._terms.look)

    async def _told(self, work: Awaitable[None], whom: str) -> None:
        """An error of ours ends this work alone, and is told when it happens."""
        try:
            await work
        except Exception:
            logger.exception("Nothing more is sent %s in this crawl: report this", whom)
            self._crawler.stats.inc_value("item_errors")

    async def _carry(self, store: MerchantId) -> None:
        carrier = Carrier(
            store=store,
            terms=self._terms,
            reach=self._reach,
            ask=_Engine(self._crawler, store),
            stats=self._crawler.stats,
        )
        while not self._ended.is_set():
            items = self._items
            try:
                turn = await self._turn(carrier)
            except PASSING_ERRORS as error:
                self._crawler.stats.inc_value("publish/no_database")
                logger.error("No price of %s is sent: no database (%s)", store, error)
                turn = Turn(pause=self._terms.rest)
            self._turns[store], self._looked_at[store] = turn, items
            await self._nap(turn.pause, wakes=not turn.waits and turn.pause <= self._terms.look)

    async def _turn(self, carrier: Carrier) -> Turn:
        """One turn of a carrier, if no other process carries for its store."""
        store = carrier.store
        waiting = f"prices of {store} wait"
        if not await self._reach.patiently(lambda: self._berths.take(store), waiting):
            return Turn(pause=self._terms.look, waits=True)
        try:
            return await carrier.turn()
        finally:
            await self._berths.leave(store)

    async def _nap(self, pause: timedelta, *, wakes: bool = False) -> None:
        """Wait until the crawl ends; a nap that `wakes` ends a breath after an item came, too."""
        waits: set[asyncio.Task[Any]] = {asyncio.create_task(self._ended.wait())}
        if wakes:
            waits.add(asyncio.create_task(self._woken()))
        await asyncio.wait(
            waits, timeout=pause.total_seconds(), return_when=asyncio.FIRST_COMPLETED
        )
        for one in waits:
            one.cancel()

    async def _woken(self) -> None:
        await asyncio.sleep(self._terms.look.total_seconds() / 4)
        news = self._news
        await news.wait()
        if news is self._news:  # whoever wakes first; the others hear of it all the same
            self._news = asyncio.Event()


class _Engine:
    """Asks through the crawl's own engine: its exits, its pacing, the account's session."""

    def __init__(self, crawler: Crawler, store: MerchantId) -> None:
        self._crawler = crawler
        self._store = store

    async def __call__(self, call: Call, *, within: timedelta | None = None) -> Answer:
        request = Request(
            call.address,
            method=call.method,
            headers=dict(call.headers),
            body=call.body,
            meta={"kind": "cabinet", "wants": call.wants, "account": self._store},
            dont_filter=True,
        )
        if within is not None:
            clock = asyncio.get_running_loop().time
            leaves_by = clock() + within.total_seconds()
            request.meta.update(dont_retry=True, leaves_by=leaves_by)
        engine = self._crawler.engine
        if engine is None or engine._slot is None or engine._slot.closing is not None:
            raise NotSent("the crawl ends")
        try:
            return _answer(await engine.download_async(request))
        except IgnoreRequest as error:
            raise NotSent(str(error) or type(error).__name__) from error
        except Exception as error:  # whatever went wrong on the way: no answer
            raise NoAnswer(str(error) or type(error).__name__) from error


def _answer(response: Response) -> Answer:
    headers = {
        name.decode("latin-1").lower(): values[-1].decode("latin-1")
        for name, values in response.headers.items()
        if values
    }
    return Answer(status=response.status, body=response.body, address=response.url, headers=headers)


def terms_of(settings: BaseSettings) -> Terms:
    """The settings PUBLISH_… as a carrier takes them."""

    def seconds(name: str) -> timedelta:
        return timedelta(seconds=settings.getfloat(name))

    limit = settings.getint("PUBLISH_CHANGES")
    return Terms(
        address=settings["MC_URL"],
        names_base=settings.getbool("PUBLISH_BASE_PRICE"),
        share=settings.getint("PUBLISH_SHARE") * 100,
        most=settings.getint("PUBLISH_BATCH"),
        start=Budget(
            limit=limit,
            most=max(limit, settings.getint("PUBLISH_MOST_CHANGES")),
            gap=seconds("PUBLISH_GAP"),
            window=seconds("PUBLISH_WINDOW"),
            pause=seconds("PUBLISH_PAUSE"),
        ),
        patience=patience_of(settings),
        first_look=seconds("PUBLISH_FIRST_LOOK"),
        look_again=seconds("PUBLISH_LOOK_AGAIN"),
        look=seconds("PUBLISH_LOOK"),
        rest=seconds("PUBLISH_REST"),
        fresh=seconds("PUBLISH_FRESH"),
        prompt=seconds("PUBLISH_PROMPT"),
        answer=seconds("DOWNLOAD_TIMEOUT"),
    )


def patience_of(settings: BaseSettings) -> Patience:
    """How long a price that was sent may take to appear.

    Of one whose answer was lost longer than it can still be about to leave, whatever is set.
    """
    under_way = settings.getfloat("PUBLISH_PROMPT") + settings.getfloat("DOWNLOAD_TIMEOUT")
    unknown = max(settings.getfloat("VERIFY_UNKNOWN_AFTER"), 2 * under_way)
    return Patience(
        queued=timedelta(seconds=max(settings.getfloat("VERIFY_AFTER"), unknown)),
        unknown=timedelta(seconds=unknown),
    )
