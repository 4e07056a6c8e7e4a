"""Looks for garbage seldom: a crawl makes little of it that is cyclic, and many values."""

import gc
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler

#: Python's defaults are 700, 10, 10: with twenty offers on a board the collector then runs over
#: every value that waits for its commit, again and again, and takes a quarter of the time.
THRESHOLDS = (50_000, 20, 100)


class SeldomGarbage:
    """Leaves what the start made alone, and collects the rest seldom."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls()
        crawler.signals.connect(extension.spider_opened, signals.spider_opened)
        return extension

    def spider_opened(self) -> None:
        """Modules, settings and components stay to the end: they need not be looked at."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)
