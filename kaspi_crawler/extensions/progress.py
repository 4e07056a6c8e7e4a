"""A progress bar, when a person watches."""

import sys
from typing import Any, Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from domain.readings import DriftedAnswer


class ProgressBar:
    """Counts readings that are stored, on a terminal; says nothing elsewhere."""

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415  (most crawls have no terminal)
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("", total=None)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not sys.stderr.isatty():
            raise NotConfigured
        extension = cls()
        crawler.signals.connect(extension.spider_opened, signals.spider_opened)
        crawler.signals.connect(extension.advance, signals.item_scraped)
        crawler.signals.connect(extension.item_dropped, signals.item_dropped)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        return extension

    def spider_opened(self, spider: Any) -> None:
        """Draw the bar."""
        self._bar.update(self._task, description=f"{spider.name}: stored")
        self._bar.start()

    def advance(self, spider: Any) -> None:
        """One more reading came to its end."""
        self._bar.update(self._task, advance=1, total=spider.expected)

    def item_dropped(self, item: Any, spider: Any) -> None:
        """What was set aside for its format alone comes to its end as a reading, too."""
        if not isinstance(item, DriftedAnswer):
            self.advance(spider)

    def spider_closed(self) -> None:
        """Leave the bar as it stands."""
        self._bar.stop()
