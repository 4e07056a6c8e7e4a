"""When an entry is due: once, however many times were missed, and not when it is too late."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.timetable import Entry
from kaspi_crawler.timetable.schedule import Due, WrongSchedule, due, next_due
from tests.timetable.building import NOW, at, entry

DAILY = entry(schedule="30 1 * * *", lateness=timedelta(hours=12))
#: Half past one in Almaty, before NOW.
HALF_PAST_ONE = datetime(2026, 11, 25, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("which", "last", "now", "found"),
    [
        pytest.param(
            entry(), at(-15), NOW, Due(at=NOW, passed_over=0, too_late=False), id="at its moment"
        ),
        pytest.param(
            entry(), at(-15), at(9), Due(at=NOW, passed_over=0, too_late=False), id="nine late"
        ),
        pytest.param(entry(), NOW, at(14.9), None, id="not twice"),
        pytest.param(
            entry(),
            at(-45),
            at(3),
            Due(at=NOW, passed_over=2, too_late=False),
            id="the last of three that were missed, and two are counted",
        ),
        pytest.param(
            entry(lateness=timedelta(minutes=5)),
            at(-15),
            at(6),
            Due(at=NOW, passed_over=0, too_late=True),
            id="too late after its lateness",
        ),
        pytest.param(entry(paused=True), at(-45), NOW, None, id="not while it rests"),
        pytest.param(entry(since=at(1)), None, at(9), None, id="not for the time before resuming"),
        pytest.param(
            entry(since=at(-1)), None, NOW, Due(at=NOW, passed_over=0, too_late=False), id="first"
        ),
        pytest.param(
            DAILY,
            HALF_PAST_ONE - timedelta(days=3),
            NOW,
            Due(at=HALF_PAST_ONE, passed_over=2, too_late=False),
            id="after a weekend a daily one runs once",
        ),
        pytest.param(
            DAILY,
            HALF_PAST_ONE - timedelta(days=1),
            HALF_PAST_ONE + timedelta(hours=13),
            Due(at=HALF_PAST_ONE, passed_over=0, too_late=True),
            id="in the afternoon a night's one is too late",
        ),
    ],
)
def test_what_is_due(which: Entry, last: datetime | None, now: datetime, found: Due | None) -> None:
    assert due(which, last, now) == found


def test_hours_are_those_of_almaty() -> None:
    assert next_due(DAILY, NOW) == HALF_PAST_ONE + timedelta(days=1)


@settings(deadline=None)
@given(minutes=st.integers(0, 100_000), step=st.integers(1, 400))
def test_looking_again_and_again_finds_each_time_once(minutes: int, step: int) -> None:
    """However often one looks, what is noted goes forward, and nothing is noted twice."""
    last, noted = at(minutes), []
    for look in range(12):
        found = due(entry(since=at(minutes)), last, at(minutes + look * step))
        if found:
            noted.append(found.at)
            last = found.at
    assert noted == sorted(set(noted))
    assert all(moment.minute % 15 == 0 for moment in noted)


@pytest.mark.parametrize("schedule", ["61 * * * *", "soon", "", "* * *"])
def test_a_wrong_schedule_is_named(schedule: str) -> None:
    with pytest.raises(WrongSchedule, match="is no schedule"):
        next_due(entry(schedule=schedule), NOW)
    with pytest.raises(WrongSchedule):
        due(entry(schedule=schedule), None, NOW)
