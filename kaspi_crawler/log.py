"""What the console says: sentences, without the bytes of every item."""

import logging
from typing import Any, Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.logformatter import LogFormatter, LogFormatterResult

#: Loggers that announce every setting, component and step of every crawl.
_TALKATIVE = (
    "scrapy.addons",
    "scrapy.core.engine",
    "scrapy.crawler",
    "scrapy.middleware",
    "scrapy.utils.log",
    "scrapy-playwright",
)


def quieten() -> None:
    """Let the talkative speak only of what is wrong.

    With filters, because Scrapy sets the levels anew when it configures logging.
    """
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_is_wrong)


def _is_wrong(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


class ReadableLog(LogFormatter):
    """Scrapy's messages, where an item is named instead of printed whole.

    What is said of every answer and every item is put together only when it is heard.
    """

    def __init__(self, *, loud: bool = True) -> None:
        self._loud = loud

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(loud=crawler.settings["LOG_LEVEL"] == "DEBUG")

    def crawled(self, request: Request, *args: Any) -> LogFormatterResult | None:  # type: ignore[override]
        """Which page came; the addresses of a sign-in are secrets."""
        is_told = self._loud and not request.meta.get("unlogged")
        return super().crawled(request, *args) if is_told else None

    def scraped(self, *args: Any) -> LogFormatterResult | None:  # type: ignore[override]
        """Which item passed all stages."""
        return super().scraped(*args) if self._loud else None

    def dropped(self, item: Any, exception: BaseException, *args: Any) -> LogFormatterResult:
        """The reason is the whole sentence."""
        told = super().dropped(item, exception, *args)
        return LogFormatterResult(level=told["level"], msg="%(exception)s", args=told["args"])

    def item_error(self, item: Any, *args: Any) -> LogFormatterResult:
        """Which reading the error met; the traceback follows."""
        told = super().item_error(item, *args)
        kaspi_id = getattr(item, "kaspi_id", "?")
        return LogFormatterResult(
            level=told["level"],
            msg="A reading of product %(kaspi_id)s was lost to an error",
            args={"kaspi_id": kaspi_id},
        )
