"""Stage 300: store: an item goes on only when it is committed."""

import asyncio
import logging
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.cabinet import ShopPage, ShopRead
from domain.categories import CategoryTree, SitemapCategories
from domain.listing import FoundVariants, ListingPage
from domain.offers import OfferBoard
from domain.readings import Discovery, Finding, ProductMissing, ProductRefresh
from domain.reviews import ReviewSummary, ReviewTexts
from pipelines.reach import Reach
from storage.database import open_engine, said
from storage.patience import PASSING_ERRORS
from storage.pulse import Pulse
from storage.runs import begin_run, end_run
from storage.writer import BatchWriter, NotStored

logger = logging.getLogger(__name__)

#: Seconds between two tries to write the end of a crawl.
_PAUSE = 0.5


class Store:
    """Writes readings in batches, and the run itself with its true outcome."""

    _engine: AsyncEngine
    _writer: BatchWriter
    _pulse: Pulse
    _closing: asyncio.Task[None] | None = None
    _is_ending = False

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._reach = Reach(crawler.settings)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        stage = cls(crawler)
        crawler.signals.connect(stage.spider_closed, signals.spider_closed)
        return stage

    async def open_spider(self) -> None:
        """Reach the database, or fail with what to do."""
        run = self._crawler.spider.run  # type: ignore[union-attr]
        address = self._reach.address()
        self._engine = open_engine(address)
        self._writer = BatchWriter(self._engine, self._reach.patience, revive=self._reach.revive)
        self._pulse = Pulse(
            address=address,
            run=run.id,
            answers=self._answers,
            overruled=self._overruled,
            revive=self._reach.revive,
            every=self._crawler.settings.getfloat("PULSE_SECONDS"),
        )
        await self._pulse.start()
        await begin_run(self._engine, run)

    async def process_item(self, item: Finding) -> Finding:
        """Return the item when it is committed."""
        try:
            await self._writer.save(item)
        except NotStored as error:
            raise DropItem(f"{_named(item)} was not stored: {error}") from error
        except PASSING_ERRORS as error:
            self._end_the_crawl(error)
            raise DropItem(f"{_named(item)} was not stored", log_level="ERROR") from error
        return item

    async def close_spider(self) -> None:
        """Write what still waits."""
        await self._writer.close()
        for name, count in self._writer.counts.items():
            self._crawler.stats.set_value(f"stored/{name}", count)

    async def spider_closed(self, reason: str) -> None:
        """Write the outcome of the run: after all stages have closed, when it is known."""
        self._is_ending = True
        try:
            await self._write_end(reason)
        except PASSING_ERRORS as error:
            logger.error("The end of this crawl could not be written down: %s", said(error))
        await self._pulse.stop()
        await self._engine.dispose()

    async def _write_end(self, reason: str) -> None:
        """Write the outcome; a database that is away is waited for, unless it just was."""
        run = self._crawler.spider.run.id  # type: ignore[union-attr]
        loop = asyncio.get_running_loop()
        deadline = loop.time()
        if reason != "database_away":
            deadline += self._crawler.settings.getfloat("STORE_PATIENCE")
        while True:
            try:
                return await end_run(self._engine, run, reason, dict(self._writer.counts))
            except PASSING_ERRORS:
                if loop.time() + _PAUSE > deadline:
                    raise
            await asyncio.sleep(_PAUSE)
            await loop.run_in_executor(None, self._reach.revive)

    def _answers(self) -> int:
        """How many answers came: what shows from outside that the crawl moves."""
        stats = self._crawler.stats
        return int(stats.get_value("response_received_count", 0)) if stats else 0

    def _overruled(self, reason: str) -> None:
        """Somebody took this crawl for dead or stuck, and may have started another one.

        An end that is there when the crawl closes is its own, most likely.
        """
        if self._closing is None and not self._is_ending and self._crawler.engine:
            logger.error("This crawl was given up (%s) by the timetable: it ends here", reason)
            closing = self._crawler.engine.close_spider_async(reason=reason)
            self._closing = asyncio.create_task(closing)

    def _end_the_crawl(self, error: Exception) -> None:
        """Asking on would lose every answer: say so once, and close."""
        if self._closing is None and self._crawler.engine:
            logger.error(
                "The database stayed away for %s seconds (%s): the crawl ends here. "
                "See `scrapy doctor`, then run again: what was committed is kept",
                self._crawler.settings["STORE_PATIENCE"],
                said(error),
            )
            closing = self._crawler.engine.close_spider_async(reason="database_away")
            self._closing = asyncio.create_task(closing)


def _named(item: Finding) -> str:
    match item:
        case OfferBoard():
            return f"The board of product {item.kaspi_id} in city {item.city_id}"
        case ReviewSummary():
            return f"The rating of product {item.kaspi_id}"
        case ProductRefresh() | ProductMissing():
            return f"What was read of product {item.kaspi_id}"
        case ShopPage() | ShopRead():
            return f"What was read of store {item.store}"
        case _:
            return _named_discovery(item)


def _named_discovery(item: Discovery) -> str:
    match item:
        case ReviewTexts():
            return f"What was read of product {item.kaspi_id}"
        case ListingPage():
            return f"Page {item.page} of the listing of {item.query} in city {item.city_id}"
        case FoundVariants():
            return f"The variants of card {item.card_id}"
        case CategoryTree() | SitemapCategories():
            return f"The categories of city {item.city_id}"
