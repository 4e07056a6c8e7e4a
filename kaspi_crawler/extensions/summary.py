"""The end of a crawl in one sentence; its figures go into the JSON log."""

import logging
from collections.abc import Mapping
from typing import Any, Self

from scrapy import signals
from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

#: Figures of the crawl's statistics that people want to hear, in this order.
_FIGURES = {
    "stored/offer_history/seen": "offers first seen",
    "stored/offer_history/changed": "changed",
    "stored/offer_history/returned": "returned",
    "stored/offer_history/gone": "gone",
    "decided/set": "prices to set",
    "decided/hold": "to hold",
    "decided/review": "to be looked at",
    "decided/off": "off",
    "decided/unusable_rules": "with a rule that cannot be used",
    "outbox/decisions": "decisions that are news",
    "outbox/intentions": "new intentions",
    "outbox/refused": "REFUSED by the database",
    "publish/sent": "prices sent",
    "publish/accepted": "accepted",
    "publish/applied": "applied",
    "publish/unverified": "NOT VERIFIED",
    "publish/blocked": "blocked",
    "stored/work_list/added": "put on the work list",
    "stored/review_texts/seen": "reviews first seen",
    "stored/listings/seen": "articles first seen",
    "stored/listings/changed": "articles changed",
    "stored/listings/vanished": "articles vanished",
    "stored/listings/vanished_after_push": "articles OFF SALE AFTER OUR PRICE",
    "missing": "not on the site",
    "item_dropped_count": "not stored",
    "item_errors": "lost to errors",
}


class Summary:
    """Says what the crawl did when it closes."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(crawler)
        crawler.signals.connect(extension.item_error, signals.item_error)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        return extension

    def item_error(self) -> None:
        """Count what a stage lost: such a crawl has not succeeded."""
        self._crawler.stats.inc_value("item_errors")

    def spider_closed(self, reason: str) -> None:
        """One line for people, with all figures for machines."""
        stats = self._crawler.stats.get_stats()
        logger.info("Closed (%s): %s", reason, in_words(stats), extra={"figures": stats})


def readings(stats: Mapping[str, Any]) -> int:
    """How many readings were stored: to learn that there is no such product is none."""
    return max(0, int(stats.get("item_scraped_count", 0)) - int(stats.get("missing", 0)))


def in_words(stats: Mapping[str, Any]) -> str:
    """The figures that are not zero: 5 read and stored, 552 offers first seen."""
    read = readings(stats)
    told = [f"{read:,} read and stored"] if read else []
    told += [f"{stats[key]:,} {name}" for key, name in _FIGURES.items() if stats.get(key)]
    return ", ".join(told) or "nothing was read"
