"""The log as JSON lines, a file a crawl, for machines; the console stays for people."""

import logging
from pathlib import Path
from typing import Self

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter
from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

logger = logging.getLogger(__name__)

#: Objects that Scrapy hangs on its records; the spider's name is in every line as it is.
_SCRAPYS_OWN = ("spider", "crawler")


class JsonLog:
    """Writes DATA_DIR/logs/<spider>/<UTC start>-<id>.jsonl from the crawl's opening to its end."""

    _handler: logging.Handler | None = None

    def __init__(self, crawler: Crawler, directory: Path) -> None:
        self._crawler = crawler
        self._directory = directory

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not crawler.settings.getbool("LOG_ENABLED"):
            raise NotConfigured
        extension = cls(crawler, Path(crawler.settings["DATA_DIR"]) / "logs")
        crawler.signals.connect(extension.spider_opened, signals.spider_opened)
        crawler.signals.connect(extension.engine_stopped, signals.engine_stopped)
        return extension

    def spider_opened(self) -> None:
        """Begin the file."""
        run = self._crawler.spider.run  # type: ignore[union-attr]
        path = self._directory / run.spider / f"{run.name}.jsonl"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handler = logging.FileHandler(path, encoding="utf-8")
        except OSError as error:
            logger.warning("No JSON log: %s", error)
            return
        handler.setFormatter(
            JsonFormatter(
                "%(levelname)s %(name)s %(message)s",
                rename_fields={"levelname": "level", "name": "logger"},
                static_fields={"run": str(run.id), "spider": run.spider},
                reserved_attrs=[*RESERVED_ATTRS, *_SCRAPYS_OWN],
                timestamp="time",
                json_ensure_ascii=False,
            )
        )
        handler.setLevel(self._crawler.settings["LOG_LEVEL"])
        logging.getLogger().addHandler(handler)
        self._handler = handler

    def engine_stopped(self) -> None:
        """End the file."""
        if self._handler:
            logging.getLogger().removeHandler(self._handler)
            self._handler.close()
