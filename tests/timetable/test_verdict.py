"""What is done about a tick, for everything that can be seen of it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.timetable import Tick
from kaspi_crawler.timetable.verdict import (
    Again,
    Bury,
    Close,
    Crawl,
    End,
    Limits,
    Schedule,
    Verdict,
    Wait,
    of_crawl,
    of_job,
    of_silence,
)
from partners.scrapyd import JobState
from tests.timetable.building import NOW, at, tick

RUN = UUID(int=7)
LATENESS = timedelta(minutes=15)
LIMITS = Limits(
    attempts=3, stuck=timedelta(minutes=45), pending=timedelta(hours=1), ends_stuck=True
)
SAYS_ONLY = Limits(
    attempts=3, stuck=timedelta(minutes=45), pending=timedelta(hours=1), ends_stuck=False
)


def crawl(**values: Any) -> Crawl:
    return Crawl(**{"ended": None, "dead": False, "progressed_at": NOW, **values})


@pytest.mark.parametrize(
    ("seen", "which", "minutes", "verdict"),
    [
        pytest.param(crawl(ended="finished"), tick(), 60, Close("finished"), id="finished"),
        pytest.param(crawl(ended="shutdown"), tick(), 1, Close("shutdown"), id="somebody ended it"),
        pytest.param(crawl(ended="blocked"), tick(), 1, Close("blocked"), id="the site refused"),
        pytest.param(crawl(), tick(), 44, Wait(), id="it lives and moves"),
        pytest.param(crawl(dead=True), tick(), 1, Bury(), id="it died without an end"),
        pytest.param(
            crawl(ended="lost"),
            tick(),
            5,
            Again("job offers-20261126T041500Z-1 was lost", at_once=True),
            id="it was lost, and there is time for another",
        ),
        pytest.param(
            crawl(ended="database_away"),
            tick(),
            5,
            Again("job offers-20261126T041500Z-1 was database_away", at_once=True),
            id="the database stayed away",
        ),
        pytest.param(
            crawl(ended="lost"),
            tick(),
            16,
            Close("lost", "its time has passed; it had 1 jobs"),
            id="it was lost, and its time has passed",
        ),
        pytest.param(
            crawl(ended="lost"),
            tick(attempt=3),
            5,
            Close("lost", "given up after 3 jobs"),
            id="it was lost three times",
        ),
        pytest.param(
            crawl(),
            tick(),
            46,
            End("no answer has come since 46 minutes"),
            id="it lives and stands still",
        ),
        pytest.param(crawl(progressed_at=at(40)), tick(), 46, Wait(), id="it is old, but it moves"),
    ],
)
def test_of_a_crawl_that_has_begun(
    seen: Crawl, which: Tick, minutes: int, verdict: Verdict
) -> None:
    assert of_crawl(which, seen, LATENESS, LIMITS, at(minutes)) == verdict


@pytest.mark.parametrize(
    ("state", "which", "minutes", "verdict"),
    [
        pytest.param(JobState.UNKNOWN, tick(), 0, Schedule(), id="scrapyd never heard of it"),
        pytest.param(
            JobState.UNKNOWN,
            tick(scheduled_at=NOW),
            3,
            Schedule(),
            id="scrapyd has forgotten it: the same job is asked for again",
        ),
        pytest.param(
            JobState.UNKNOWN,
            tick(),
            16,
            Close("missed", "its time had passed before it could be started"),
            id="it comes too late",
        ),
        pytest.param(JobState.PENDING, tick(scheduled_at=NOW), 59, Wait(), id="it waits"),
        pytest.param(JobState.RUNNING, tick(scheduled_at=NOW), 1, Wait(), id="it starts"),
        pytest.param(
            JobState.PENDING,
            tick(scheduled_at=NOW),
            61,
            End("waits in scrapyd's queue since 61 minutes"),
            id="it waits for ever",
        ),
        pytest.param(
            JobState.RUNNING,
            tick(scheduled_at=NOW),
            61,
            End("waits for its crawl to begin since 61 minutes"),
            id="its process does nothing",
        ),
        pytest.param(
            JobState.FINISHED,
            tick(),
            5,
            Again(
                "job offers-20261126T041500Z-1 ended before its crawl began: "
                "scrapyd's own log says why",
                at_once=False,
            ),
            id="it ended before it began",
        ),
        pytest.param(
            JobState.FINISHED,
            tick(attempt=3),
            5,
            Close(
                "not_begun",
                "job offers-20261126T041500Z-3 ended before its crawl began: "
                "scrapyd's own log says why",
            ),
            id="three ended before they began",
        ),
    ],
)
def test_of_a_job_whose_crawl_has_not_begun(
    state: JobState, which: Tick, minutes: int, verdict: Verdict
) -> None:
    assert of_job(which, state, LATENESS, LIMITS, at(minutes)) == verdict


def test_what_is_stuck_is_only_said_when_it_is_not_to_be_ended() -> None:
    standing = of_crawl(tick(run=RUN), crawl(), LATENESS, SAYS_ONLY, at(46))
    waiting = of_job(tick(scheduled_at=NOW), JobState.PENDING, LATENESS, SAYS_ONLY, at(61))
    assert standing == Wait("no answer has come since 46 minutes")
    assert waiting == Wait("waits in scrapyd's queue since 61 minutes")


@pytest.mark.parametrize(
    ("which", "minutes", "verdict"),
    [
        pytest.param(tick(), 5, Wait("it is away"), id="it is waited for"),
        pytest.param(tick(), 16, Close("missed", "it is away"), id="its time has passed"),
        pytest.param(
            tick(scheduled_at=NOW), 16, Wait("it is away"), id="a job that it has may still run"
        ),
    ],
)
def test_of_a_scrapyd_that_does_not_answer(which: Tick, minutes: int, verdict: Verdict) -> None:
    assert of_silence(which, "it is away", LATENESS, at(minutes)) == verdict
