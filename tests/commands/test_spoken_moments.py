"""Moments as people type them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.moments import ALMATY
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.spoken_moments import spoken_moment

#: 14:30 in Almaty.
NOW = datetime(2026, 9, 18, 9, 30, tzinfo=UTC)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
PAST = datetime(1990, 1, 1)  # noqa: DTZ001  (hypothesis adds the zone)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("2026-09-18", datetime(2026, 9, 17, 19, tzinfo=UTC), id="a day begins there"),
        pytest.param("20260918", datetime(2026, 9, 17, 19, tzinfo=UTC), id="a day without dashes"),
        pytest.param("2026-09-18T14:30", NOW, id="an hour without a zone is Almaty's"),
        pytest.param("2026-09-18 14:30", NOW, id="a blank instead of the T"),
        pytest.param("2026-09-18T09:30Z", NOW, id="Z is UTC"),
        pytest.param("2026-09-18T15:30+06:00", NOW, id="a zone is kept"),
        pytest.param("24h", NOW - timedelta(hours=24), id="hours ago"),
        pytest.param("7d", NOW - timedelta(days=7), id="days ago"),
        pytest.param("90m", NOW - timedelta(minutes=90), id="minutes ago"),
        pytest.param("2w", NOW - timedelta(weeks=2), id="weeks ago"),
        pytest.param(" 7 D ", NOW - timedelta(days=7), id="blanks and capitals"),
        pytest.param("0h", NOW, id="no time ago is now"),
    ],
)
def test_a_moment_is_read(text: str, moment: datetime) -> None:
    read = spoken_moment("since", text, NOW)
    assert read == moment
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "'' is no moment", id="nothing"),
        pytest.param("yesterday", "'yesterday' is no moment", id="a word"),
        pytest.param("2026-02-30", "is no moment", id="a day that no month has"),
        pytest.param("24", "is no moment", id="a number without a unit"),
        pytest.param("-24h", "is no moment", id="a negative span"),
        pytest.param("٢٤h", "is no moment", id="digits of another script"),
        pytest.param("999999d", "is no moment", id="before the calendar begins"),
        pytest.param("0001-01-01", "is no moment", id="before it begins in UTC"),
        pytest.param("2026-09-19", "has not come yet", id="tomorrow"),
        pytest.param("2026-09-18T14:30:01", "has not come yet", id="the next second"),
    ],
)
def test_what_is_no_moment_is_refused_by_name_with_a_right_one(text: str, said: str) -> None:
    with pytest.raises(BadArgument, match=f"^since: .*{said}.*2026-09-18T14:30"):
        spoken_moment("since", text, NOW)


@given(st.datetimes(min_value=PAST, max_value=NOW.replace(tzinfo=None), timezones=ZONES))
def test_every_written_moment_is_itself(moment: datetime) -> None:
    assert spoken_moment("at", moment.isoformat(), moment) == moment


@given(st.datetimes(min_value=PAST, max_value=NOW.replace(tzinfo=None)))
def test_without_a_zone_it_is_that_moment_in_almaty(moment: datetime) -> None:
    assert spoken_moment("at", moment.isoformat(), NOW) == moment.replace(tzinfo=ALMATY)
