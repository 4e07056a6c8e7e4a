"""One crawl: its number, what it was told, when it began."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import attrs


@attrs.frozen(kw_only=True)
class Run:
    """One run of one spider. `site` is the address of the storefront that it asks.

    `job_id` is what scrapyd calls it; None when a person started it.
    """

    id: UUID
    spider: str
    arguments: Mapping[str, str]
    site: str
    started_at: datetime
    job_id: str | None = None

    @property
    def name(self) -> str:
        """How the run's files are called: 20261121T090000Z-1b9d6bcd."""
        return f"{self.started_at:%Y%m%dT%H%M%SZ}-{str(self.id)[:8]}"


@attrs.frozen(kw_only=True)
class Figures:
    """What the health of one run is judged by.

    `items` are readings that were stored, `expected` how many were wanted (None: not known).
    `answers` are all answers and silences, of which `refused` were refused and `unread` given up.
    `standing` are offers that stood when they were last read, on the boards that were read now, and
    `gone` those of them that are there no longer. `coverage` holds, by reading and field
    ("offer/price_minus_bonus"), how many parts in ten thousand of the readings looked at have the
    field.
    """

    items: int
    expected: int | None
    seconds: int
    boards: int
    incomplete: int
    answers: int
    refused: int
    unread: int
    coverage: Mapping[str, int]
    standing: int = 0
    gone: int = 0


@attrs.frozen(kw_only=True)
class Alarm:
    """Something wrong with a run: `name` has an entry in docs/operating.md.

    `subject` is what it is about (sources, fields, keys): two alarms of one name and subject are
    the same alarm. `sentence` and `remedy` are for people, `russian` says both in Russian.
    """

    name: str
    subject: str
    sentence: str
    remedy: str
    russian: str
