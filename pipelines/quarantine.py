"""Stage 50: set aside the answers that could not be read, or differ from what we know."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from domain.readings import DriftedAnswer, Reading, UnreadAnswer

logger = logging.getLogger(__name__)

SetAside = UnreadAnswer | DriftedAnswer
#: What does not stand in the names of our files.
_NO_NAME = re.compile(r"[^\w.-]+")


class Quarantine:
    """Keeps the newest unreadable answers below DATA_DIR/quarantine/<spider>.

    Each is two files of one name: the body as it came, and a description of it in JSON, which has
    all that `scrapy quarantine replay` needs to read it again. A folder holds QUARANTINE_LIMIT
    answers and QUARANTINE_BYTES; of an answer the first QUARANTINE_LARGEST bytes are kept.
    """

    def __init__(
        self, crawler: Crawler, directory: Path, limit: int, most_bytes: int, largest: int
    ) -> None:
        self._crawler = crawler
        self._directory = directory
        self._limit = limit
        self._most_bytes = most_bytes
        self._largest = largest
        self._drifted = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings = crawler.settings
        return cls(
            crawler,
            Path(settings["DATA_DIR"]) / "quarantine",
            settings.getint("QUARANTINE_LIMIT"),
            settings.getint("QUARANTINE_BYTES", 200_000_000),
            settings.getint("QUARANTINE_LARGEST", 4_000_000),
        )

    def process_item(self, item: Reading) -> Reading:
        """Keep an unread or drifted answer and tell of it; let everything else pass."""
        if isinstance(item, UnreadAnswer):
            self._crawler.stats.inc_value("unread")
            # Without an answer there is nothing to see.
            kept = "" if item.status is None else self._keep(item)
            raise DropItem(f"{_sentence(item)}{kept}", log_level="ERROR")
        if isinstance(item, DriftedAnswer):
            self._drifted += 1
            room = self._drifted <= self._crawler.settings.getint("DRIFT_KEPT", 20)
            kept = self._keep(item) if room else ""
            raise DropItem(f"{_sentence_of_drift(item)}{kept}", log_level="WARNING")
        return item

    def _keep(self, item: SetAside) -> str:
        directory = self._directory / item.spider
        mark = "-drift" if isinstance(item, DriftedAnswer) else ""
        name = f"{item.checked_at:%Y%m%dT%H%M%S.%f}Z-{_file_name(item.kaspi_id)}{mark}"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            (directory / f"{name}.body").write_bytes(item.body[: self._largest])
            described = _description(item, cut=len(item.body) > self._largest)
            (directory / f"{name}.json").write_text(described, encoding="utf-8")
            self._forget_oldest(directory)
        except OSError as error:
            return f" (the answer could not be kept: {error})"
        return f" (kept as {directory / name}.body)"

    def _forget_oldest(self, directory: Path) -> None:
        for body in self._too_many(directory):
            body.unlink(missing_ok=True)
            body.with_suffix(".json").unlink(missing_ok=True)

    def _too_many(self, directory: Path) -> Iterator[Path]:
        """The oldest answers, beyond the number and the bytes that are kept."""
        held = 0
        for place, body in enumerate(sorted(directory.glob("*.body"), reverse=True), start=1):
            held += body.stat().st_size
            if place > self._limit or held > self._most_bytes:
                yield body


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


def _sentence_of_drift(item: DriftedAnswer) -> str:
    city = f" in city {item.city_id}" if item.city_id else ""
    return (
        f"The answer ({item.source}) about product {item.kaspi_id}{city} was read, but its format "
        f"is new: {'; '.join(item.drifts)}. See `scrapy quarantine list`"
    )


def _description(item: SetAside, *, cut: bool) -> str:
    told: dict[str, object] = {
        "source": item.source,
        "address": item.address,
        "status": item.status,
        "kaspi_id": item.kaspi_id,
        "city_id": item.city_id,
        "checked_at": item.checked_at.isoformat(),
    }
    if isinstance(item, DriftedAnswer):
        told["drifts"] = list(item.drifts)
    else:
        told |= {"reason": item.reason, "remedy": item.remedy}
    if cut:
        told["cut"] = True
    return json.dumps(told, ensure_ascii=False, indent=1)
