"""Entries and ticks with sensible defaults; tests name what matters to them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.timetable import Entry, Tick, job_id

#: A quarter past nine in Almaty.
NOW = datetime(2026, 11, 26, 4, 15, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """So many minutes after NOW."""
    return NOW + timedelta(minutes=minutes)


def entry(**values: Any) -> Entry:
    """Offers, every quarter of an hour, for as long as it likes."""
    told: dict[str, Any] = {
        "name": "offers",
        "spider": "offers",
        "schedule": "*/15 * * * *",
        "lateness": timedelta(minutes=15),
        "since": at(-10_000),
    }
    return Entry(**{**told, **values})


def tick(**values: Any) -> Tick:
    """A tick that is due now and has not been carried out."""
    told: dict[str, Any] = {"id": 1, "entry": "offers", "due_at": NOW, "opened_at": NOW}
    told |= values
    told.setdefault("job_id", job_id("offers", NOW, values.get("attempt", 1)))
    return Tick(**told)
