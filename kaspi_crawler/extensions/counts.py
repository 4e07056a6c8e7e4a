"""The crawl's core figures, as Scrapy counts them."""

from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.extensions.corestats import CoreStats


class Counts(CoreStats):
    """All but the items, which `kaspi_crawler.stages` counts: a signal starts a task for each."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = super().from_crawler(crawler)
        crawler.signals.disconnect(extension.item_scraped, signals.item_scraped)
        return extension
