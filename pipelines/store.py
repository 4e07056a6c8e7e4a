"""Stage 300: store: an item goes on only when it is committed."""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.categories import CategoryTree, SitemapCategories
from domain.listing import FoundVariants, ListingPage
from domain.offers import OfferBoard
from domain.readings import Finding, ProductMissing, ProductRefresh
from domain.reviews import ReviewSummary, ReviewTexts
from storage.database import open_engine, said
from storage.embedded import DatabaseUnavailable
from storage.ready import ready_address
from storage.runs import begin_run, end_run
from storage.writer import PASSING_ERRORS, BatchWriter, NotStored, Patience

logger = logging.getLogger(__name__)


class Store:
    """Writes readings in batches, and the run itself with its true outcome."""

    _engine: AsyncEngine
    _writer: BatchWriter
    _closing: asyncio.Task[None] | None = None

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        stage = cls(crawler)
        crawler.signals.connect(stage.spider_closed, signals.spider_closed)
        return stage

    async def open_spider(self) -> None:
        """Reach the database, or fail with what to do."""
        settings = self._crawler.settings
        patience = Patience(
            full_at=settings.getint("STORE_BATCH_OFFERS"),
            linger=settings.getfloat("STORE_LINGER"),
            give_up_after=settings.getfloat("STORE_PATIENCE"),
        )
        self._engine = open_engine(self._reach())
        self._writer = BatchWriter(self._engine, patience, revive=self._revive)
        await begin_run(self._engine, self._crawler.spider.run)  # type: ignore[union-attr]

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
        spider = self._crawler.spider
        try:
            await end_run(self._engine, spider.run.id, reason, dict(self._writer.counts))  # type: ignore[union-attr]
        except PASSING_ERRORS as error:
            logger.error("The end of this crawl could not be written down: %s", said(error))
        await self._engine.dispose()

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

    def _revive(self) -> None:
        """Start the database if it is ours to start; the writer decides how long it waits."""
        with suppress(DatabaseUnavailable, *PASSING_ERRORS):
            self._reach()

    def _reach(self) -> str:
        settings = self._crawler.settings
        return ready_address(settings["DATABASE_URL"], Path(settings["DATA_DIR"]))


def _named(item: Finding) -> str:
    match item:
        case OfferBoard():
            return f"The board of product {item.kaspi_id} in city {item.city_id}"
        case ReviewSummary():
            return f"The rating of product {item.kaspi_id}"
        case ProductRefresh() | ProductMissing() | ReviewTexts():
            return f"What was read of product {item.kaspi_id}"
        case ListingPage():
            return f"Page {item.page} of the listing of {item.query} in city {item.city_id}"
        case FoundVariants():
            return f"The variants of card {item.card_id}"
        case CategoryTree() | SitemapCategories():
            return f"The categories of city {item.city_id}"
