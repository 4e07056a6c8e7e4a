"""The crawl's core figures, as Scrapy counts them."""

from typing import Any, Self

from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.extensions.corestats import CoreStats

from domain.readings import DriftedAnswer


class Counts(CoreStats):
    """All but the items, which `kaspi_crawler.stages` counts: a signal starts a task for each."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = super().from_crawler(crawler)
        crawler.signals.disconnect(extension.item_scraped, signals.item_scraped)
        return extension

    def item_dropped(self, item: Any, spider: Spider, exception: BaseException) -> None:
        """An answer that was read and set aside for its format alone is no loss."""
        if not isinstance(item, DriftedAnswer):
            super().item_dropped(item, spider, exception)
