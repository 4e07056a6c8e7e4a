"""The timetable: which spider is due when, and what became of each time that it was."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import attrs


@attrs.frozen(kw_only=True)
class Entry:
    """One line of the timetable.

    `schedule` is cron's five fields in Almaty time. `lateness` is how long after its time a run is
    still worth something: it is begun late, or again, no later than that. `since` is the moment
    before which nothing is made up for: when the entry was made or resumed. `version` is the egg
    to run; None: scrapyd's latest, or the checkout.
    """

    name: str
    spider: str
    arguments: Mapping[str, str] = attrs.field(factory=dict)
    settings: Mapping[str, str] = attrs.field(factory=dict)
    schedule: str
    lateness: timedelta
    since: datetime
    paused: bool = False
    version: str | None = None


@attrs.frozen(kw_only=True)
class Tick:
    """One time that an entry was due, by the clock or by hand.

    A tick is carried out by one crawl; when that is lost the tick has another `attempt`, with a
    `job_id` of its own, and the one before may not begin any more. `run` is the crawl that has
    begun for the job, `scheduled_at` when scrapyd took the job, `note` what is to be said of it.
    `outcome` is the close reason of the crawl, or one of those below.
    """

    id: int
    entry: str
    due_at: datetime
    by_hand: bool = False
    attempt: int = 1
    job_id: str
    opened_at: datetime
    scheduled_at: datetime | None = None
    run: UUID | None = None
    closed_at: datetime | None = None
    outcome: str | None = None
    note: str | None = None


#: The crawl was killed: its process is gone and left no end.
LOST = "lost"
#: The crawl made no progress, or waited, for longer than it may.
STUCK = "stuck"
#: Its lateness had passed before the crawl began.
MISSED = "missed"
#: The job ended before its crawl began: a wrong argument, a spider that cannot be imported.
NOT_BEGUN = "not_begun"


def job_id(entry: str, due_at: datetime, attempt: int) -> str:
    """What scrapyd calls the job of this attempt: offers-20261126T041500Z-1.

    It follows from the tick alone, so that asking twice is seen to be the same question.
    """
    moment = due_at.astimezone(UTC)
    fraction = f".{moment.microsecond:06}" if moment.microsecond else ""
    return f"{entry}-{moment:%Y%m%dT%H%M%S}{fraction}Z-{attempt}"
