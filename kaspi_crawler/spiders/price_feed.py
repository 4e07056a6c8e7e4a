"""The price feeds of our stores, written anew: what `scrapy feed write` does, for a timetable."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar, Self

import psycopg
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider
from scrapy.settings import Settings

from domain.identity import MerchantId
from kaspi_crawler import arguments
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.complaints import sentence
from kaspi_crawler.conversation import StorefrontSpider
from kaspi_crawler.feed.versions import FeedRefused
from kaspi_crawler.feed.writing import (
    faults_in_words,
    in_words,
    shelf_of,
    terms_of,
    write_feed,
)
from storage.ready import ready_address

#: Listings that cannot stand in a feed, and are named one by one.
_NAMED_FAULTS = 5


class PriceFeedSpider(StorefrontSpider):
    """Write the price feeds of our stores; with PUBLISH=off or cabinet as previews.

    Arguments
        stores: merchant ids, separated by commas; default: all that have listings
    """

    name = "price_feed"
    accepts: ClassVar[tuple[str, ...]] = ("stores",)
    #: Seconds that it stays for the cabinet: others carry prices there.
    lingers: ClassVar[int] = 0

    def __init__(self, stores: str | None = None, **told: Any) -> None:
        super().__init__(stores=stores, **told)
        self.named = None if stores is None else arguments.stores(stores)
        self._refused = False

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.idle, signals.spider_idle)
        return spider

    def prepare(self, settings: Settings) -> None:
        """Find the stores. Raises BadArgument, and what a database that is away does."""
        from storage.feeds import stores_with_listings  # noqa: PLC0415  (mistakes are told before)

        self._address = ready_address(settings["DATABASE_URL"], Path(settings["DATA_DIR"]))
        known = stores_with_listings(self._address)
        for store in self.named or ():
            if store not in known:
                raise BadArgument(
                    f"stores: {store} has no listings here: `scrapy listings import` or "
                    "`scrapy rules import` a table with its articles"
                )
        self.stores = self.named or known

    async def questions(self) -> AsyncIterator[Request]:
        """None: the feeds are made of what is remembered."""
        for store in self.stores:
            await asyncio.to_thread(self._write, store)
        nothing: tuple[Request, ...] = ()
        for question in nothing:
            yield question

    def idle(self) -> None:
        """End with a reason of its own where a feed was not written."""
        if self._refused:
            raise CloseSpider("feed_refused")

    def _write(self, store: MerchantId) -> None:
        terms = terms_of(self.settings)
        try:
            written = write_feed(self._address, shelf_of(self.settings, store), terms)
        except (FeedRefused, OSError, psycopg.OperationalError) as error:
            self._refused = True
            self.logger.error("%s: not written, the last feed stays: %s", store, _why(error))
            return
        for line in in_words(written, terms):
            self.logger.info("%s: %s", store, line)
        for line in faults_in_words(written, _NAMED_FAULTS):
            self.logger.warning("%s: %s", store, line)


def _why(error: Exception) -> str:
    """What a feed was refused for, and what to do about it."""
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return "the rules were being changed all the while (`scrapy rules`). Write it again"
    if isinstance(error, psycopg.OperationalError):
        return f"the database: {sentence(error)}. See `scrapy doctor`, and write it again"
    if isinstance(error, OSError):
        return f"{sentence(error)}. FEEDS_DIR has to be a directory that can be written to"
    return str(error)
