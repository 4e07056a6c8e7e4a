"""Stage 50: set aside the answers that could not be read, with their bytes."""

import json
import logging
import re
from itertools import chain
from pathlib import Path
from typing import Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from domain.readings import Reading, UnreadAnswer

logger = logging.getLogger(__name__)

#: What does not stand in the names of our files.
_NO_NAME = re.compile(r"[^\w.-]+")


class Quarantine:
    """Keeps the newest unreadable answers below DATA_DIR/quarantine/<spider>.

    Each is two files of one name: the body as it came, and a description of it in JSON.
    """

    def __init__(self, crawler: Crawler, directory: Path, limit: int) -> None:
        self._crawler = crawler
        self._directory = directory
        self._limit = limit

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings = crawler.settings
        directory = Path(settings["DATA_DIR"]) / "quarantine"
        return cls(crawler, directory, settings.getint("QUARANTINE_LIMIT"))

    def process_item(self, item: Reading) -> Reading:
        """Keep an unread answer and tell of it; let everything else pass."""
        if not isinstance(item, UnreadAnswer):
            return item
        self._crawler.stats.inc_value("unread")
        kept = "" if item.status is None else self._keep(item)  # no answer: there is nothing to see
        raise DropItem(f"{_sentence(item)}{kept}", log_level="ERROR")

    def _keep(self, item: UnreadAnswer) -> str:
        directory = self._directory / item.spider
        name = f"{item.checked_at:%Y%m%dT%H%M%S.%f}Z-{_file_name(item.kaspi_id)}"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            (directory / f"{name}.body").write_bytes(item.body)
            (directory / f"{name}.json").write_text(_description(item), encoding="utf-8")
            self._forget_oldest(directory)
        except OSError as error:
            return f" (the answer could not be kept: {error})"
        return f" (kept as {directory / name}.body)"

    def _forget_oldest(self, directory: Path) -> None:
        newest_first = sorted(directory.glob("*.body"), reverse=True)
        oldest = newest_first[self._limit :]
        for body in chain(oldest, (path.with_suffix(".json") for path in oldest)):
            body.unlink(missing_ok=True)


def _sentence(item: UnreadAnswer) -> str:
    city = f" in city {item.city_id}" if item.city_id else ""
    return f"{_named(item.kaspi_id)}{city} was not read: {item.reason}. {item.remedy}"


def _named(subject: str) -> str:
    """A product by its number or short link; anything else by its own name."""
    if subject.isdigit() or subject.startswith("/"):
        return f"Product {subject}"
    return subject[:1].upper() + subject[1:]


def _file_name(subject: str) -> str:
    return _NO_NAME.sub("-", subject).strip("-")[:60]


def _description(item: UnreadAnswer) -> str:
    told = {
        "address": item.address,
        "status": item.status,
        "kaspi_id": item.kaspi_id,
        "city_id": item.city_id,
        "reason": item.reason,
        "remedy": item.remedy,
        "checked_at": item.checked_at.isoformat(),
    }
    return json.dumps(told, ensure_ascii=False, indent=1)
