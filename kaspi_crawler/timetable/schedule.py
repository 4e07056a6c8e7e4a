"""When an entry is due, read from its five fields of cron."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import attrs
from croniter import CroniterError, croniter

from domain.moments import ALMATY
from domain.timetable import Entry

#: More ticks than this are not counted when they were missed.
_COUNTED = 1_000


class WrongSchedule(ValueError):
    """An entry's schedule that cannot be read."""


@attrs.frozen(kw_only=True)
class Due:
    """The last time that an entry was due, and how many times before it nobody noted."""

    at: datetime
    passed_over: int
    too_late: bool


def next_due(entry: Entry, after: datetime) -> datetime:
    """The first time after the moment that the entry is due. Raises WrongSchedule."""
    moment: datetime = _times(entry, after).get_next(datetime)
    return moment.astimezone(UTC)


def due(entry: Entry, last: datetime | None, now: datetime) -> Due | None:
    """What is due and was not noted: only the last time counts, however many were missed.

    `last` is the last time that was noted. What was due before the entry was made or resumed is
    not made up for. Raises WrongSchedule.
    """
    known = max(filter(None, (last, entry.since)))
    # The moment itself counts: croniter's previous time lies before it.
    at = next(_before(entry, now + timedelta(microseconds=1)))
    if entry.paused or at <= known:
        return None
    earlier = takewhile(lambda moment: moment > known, _before(entry, at))
    passed_over = sum(1 for _moment, _count in zip(earlier, range(_COUNTED), strict=False))
    return Due(at=at, passed_over=passed_over, too_late=now - at > entry.lateness)


def _before(entry: Entry, moment: datetime) -> Iterator[datetime]:
    times = _times(entry, moment)
    while True:
        yield times.get_prev(datetime).astimezone(UTC)


def _times(entry: Entry, moment: datetime) -> croniter:
    try:
        return croniter(entry.schedule, moment.astimezone(ALMATY))
    except CroniterError as error:
        raise WrongSchedule(
            f"{entry.name}: {entry.schedule!r} is no schedule ({error}): correct it in the table "
            "timetable. A right one: */15 * * * *"
        ) from None
