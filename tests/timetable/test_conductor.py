"""Ticks are carried out one of an entry at a time, each to its true end, on a real database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import attrs
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.run import Run
from domain.timetable import Tick
from kaspi_crawler.timetable.conductor import Conductor, Pace
from kaspi_crawler.timetable.verdict import Limits
from storage import timetable as memory
from storage.pulse import Pulse
from storage.runs import begin_run, end_run
from tests.storage.looking import row, rows
from tests.timetable.fake_daemon import FakeDaemon

PACE = Pace(poll=0.02, grace=0.3, pause=0.02)
LIMITS = Limits(
    attempts=3, stuck=timedelta(minutes=45), pending=timedelta(hours=1), ends_stuck=True
)
NO_TIME = attrs.evolve(LIMITS, stuck=timedelta(0), pending=timedelta(0))


@pytest.fixture
def daemon() -> FakeDaemon:
    return FakeDaemon()


@pytest.fixture(autouse=True)
def schedules_come_back(database: str) -> Iterator[None]:
    """What a test does to the schedules ends with it."""
    before = memory.entries(database)
    yield
    for entry in before:
        rows(
            database,
            "UPDATE timetable SET schedule = %s WHERE name = %s RETURNING 1",
            entry.schedule,
            entry.name,
        )


def conductor_of(database: str, daemon: FakeDaemon, limits: Limits = LIMITS) -> Conductor:
    return Conductor(address=database, daemon=daemon, limits=limits, pace=PACE)  # type: ignore[arg-type]


@asynccontextmanager
async def at_work(conductor: Conductor, name: str = "offers") -> AsyncIterator[None]:
    """While the block lasts, the entry's ticks are carried out."""
    work = asyncio.create_task(conductor.carry_out(name))
    try:
        yield
    finally:
        conductor.stop()
        await asyncio.wait_for(work, 20)


async def until(seen: Callable[[], object]) -> None:
    for _ in range(500):
        if seen():
            return
        await asyncio.sleep(0.02)
    pytest.fail("it never became true")


def last(database: str) -> Tick:
    return memory.history(database)[0]


def run_of(job_id: str, started_at: datetime | None = None) -> Run:
    return Run(
        id=uuid4(),
        spider="offers",
        site="https://kaspi.kz",
        arguments={},
        started_at=started_at or datetime.now(UTC),
        job_id=job_id,
    )


# --- One run -------------------------------------------------------------------------------------


async def test_what_is_asked_for_is_scheduled_once_and_ends_as_its_crawl_does(
    engine: AsyncEngine, database: str, daemon: FakeDaemon
) -> None:
    tick = memory.ask_now(database, "offers")
    async with at_work(conductor_of(database, daemon)):
        await until(lambda: daemon.asked)
        run = run_of(tick.job_id)
        await begin_run(engine, run)
        await asyncio.sleep(0.1)
        assert last(database).outcome is None
        await end_run(engine, run.id, "blocked", {})
        await until(lambda: last(database).closed_at)
    assert daemon.asked == [tick.job_id]
    assert last(database).outcome == "blocked"


async def test_the_next_one_waits_for_the_end_of_the_one_before(
    engine: AsyncEngine, database: str, daemon: FakeDaemon
) -> None:
    first, second = memory.ask_now(database, "offers"), memory.ask_now(database, "offers")
    async with at_work(conductor_of(database, daemon)):
        await until(lambda: daemon.asked)
        await asyncio.sleep(0.2)
        assert daemon.asked == [first.job_id]
        run = run_of(first.job_id)
        await begin_run(engine, run)
        await end_run(engine, run.id, "finished", {})
        await until(lambda: len(daemon.asked) == 2)
    assert daemon.asked == [first.job_id, second.job_id]


async def test_a_conductor_that_comes_after_another_does_not_schedule_again(
    database: str, daemon: FakeDaemon
) -> None:
    memory.ask_now(database, "offers")
    for _ in range(3):
        async with at_work(conductor_of(database, daemon)):
            await until(lambda: daemon.asked)
            await asyncio.sleep(0.1)
    assert len(daemon.asked) == 1


# --- What dies -----------------------------------------------------------------------------------


async def test_a_crawl_that_was_killed_is_lost_and_another_one_is_started(
    engine: AsyncEngine, database: str, daemon: FakeDaemon
) -> None:
    tick = memory.ask_now(database, "offers")
    async with at_work(conductor_of(database, daemon)):
        await until(lambda: daemon.asked)
        await begin_run(engine, run_of(tick.job_id))  # and nobody holds its lock
        await until(lambda: len(daemon.asked) == 2)
        second = run_of(daemon.asked[1])
        await begin_run(engine, second)
        await end_run(engine, second.id, "finished", {})
        await until(lambda: last(database).closed_at)
    assert daemon.asked[1] == f"{tick.job_id.removesuffix('-1')}-2"
    ends = rows(database, "SELECT close_reason FROM runs ORDER BY job_id")
    assert [each["close_reason"] for each in ends] == ["lost", "finished"]
    assert (last(database).outcome, last(database).attempt) == ("finished", 2)


async def test_a_crawl_that_lives_is_not_lost_though_scrapyd_forgot_it(
    engine: AsyncEngine, database: str, daemon: FakeDaemon
) -> None:
    tick = memory.ask_now(database, "offers")
    run = run_of(tick.job_id)
    pulse = Pulse(database, run.id, answers=lambda: 1, overruled=lambda _reason: None, every=0.05)
    async with at_work(conductor_of(database, daemon)):
        await until(lambda: daemon.asked)
        await pulse.start()
        await begin_run(engine, run)
        daemon.jobs.clear()
        await asyncio.sleep(2 * PACE.grace)
        assert last(database).closed_at is None
        await pulse.stop()
    assert set(daemon.asked) == {tick.job_id}


async def test_a_job_that_ends_before_it_begins_is_tried_again_and_then_given_up(
    database: str, daemon: FakeDaemon
) -> None:
    memory.ask_now(database, "offers")
    async with at_work(conductor_of(database, daemon)):
        for number in range(1, 4):
            await until(lambda number=number: len(daemon.asked) == number)  # type: ignore[misc]
            daemon.jobs[daemon.asked[-1]] = "finished"
        await until(lambda: last(database).closed_at)
    assert last(database).outcome == "not_begun"
    assert "scrapyd's own log" in (last(database).note or "")


async def test_a_stranger_s_crawl_that_was_killed_gets_its_end(
    engine: AsyncEngine, database: str, daemon: FakeDaemon
) -> None:
    living, dead = run_of("by-hand-1"), run_of("by-hand-2")
    pulse = Pulse(database, living.id, answers=lambda: 1, overruled=lambda _reason: None)
    await pulse.start()
    await begin_run(engine, living)
    await begin_run(engine, dead)
    conductor = conductor_of(database, daemon)
    await conductor.look()
    assert _reasons(database) == {living.id: None, dead.id: None}
    await asyncio.sleep(PACE.grace)
    await conductor.look()
    assert _reasons(database) == {living.id: None, dead.id: "lost"}
    await pulse.stop()


def _reasons(database: str) -> dict[UUID, str | None]:
    return {each["id"]: each["close_reason"] for each in rows(database, "SELECT * FROM runs")}


# --- What is stuck -------------------------------------------------------------------------------


async def test_a_job_that_waits_for_ever_is_cancelled(database: str, daemon: FakeDaemon) -> None:
    tick = memory.ask_now(database, "offers")
    async with at_work(conductor_of(database, daemon, NO_TIME)):
        await until(lambda: last(database).closed_at)
    assert daemon.signals == [(tick.job_id, "INT")]
    assert last(database).outcome == "stuck"
    assert (last(database).note or "").startswith("waits in scrapyd's queue")


async def test_a_crawl_that_stands_still_is_ended_and_hears_of_it(
    engine: AsyncEngine, database: str, daemon: FakeDaemon
) -> None:
    tick = memory.ask_now(database, "offers")
    run, heard = run_of(tick.job_id, datetime.now(UTC) - timedelta(hours=1)), list[str]()
    pulse = Pulse(database, run.id, answers=lambda: 0, overruled=heard.append, every=0.05)
    await pulse.start()
    await begin_run(engine, run)
    async with at_work(conductor_of(database, daemon)):
        await until(lambda: last(database).closed_at)
    await until(lambda: heard)
    await pulse.stop()
    assert daemon.signals == [(tick.job_id, "INT"), (tick.job_id, "KILL")]
    assert (last(database).outcome, heard) == ("stuck", ["stuck"])
    assert row(database, "SELECT close_reason FROM runs")["close_reason"] == "stuck"


async def test_what_is_stuck_can_be_left_alone_and_is_said(
    database: str, daemon: FakeDaemon
) -> None:
    memory.ask_now(database, "offers")
    limits = attrs.evolve(NO_TIME, ends_stuck=False)
    async with at_work(conductor_of(database, daemon, limits)):
        await until(lambda: (last(database).note or "").startswith("waits in scrapyd's queue"))
    assert daemon.signals == []
    assert last(database).closed_at is None


# --- A scrapyd that is away ----------------------------------------------------------------------


async def test_a_job_waits_for_scrapyd_and_says_so(database: str, daemon: FakeDaemon) -> None:
    daemon.away = True
    tick = memory.ask_now(database, "offers")
    async with at_work(conductor_of(database, daemon)):
        await until(lambda: "scrapyd does not answer" in (last(database).note or ""))
        daemon.away = False
        await until(lambda: daemon.asked)
        await until(lambda: last(database).scheduled_at)
    assert daemon.asked == [tick.job_id]
    assert last(database).note is None


async def test_a_spider_that_scrapyd_does_not_know_is_said(
    database: str, daemon: FakeDaemon
) -> None:
    daemon.takes = False
    memory.ask_now(database, "offers")
    async with at_work(conductor_of(database, daemon)):
        await until(lambda: last(database).note == "scrapyd refuses: spider 'offers' not found")


async def test_what_waited_beyond_its_time_was_missed(database: str, daemon: FakeDaemon) -> None:
    daemon.away = True
    memory.add_tick(database, "offers", datetime.now(UTC) - timedelta(minutes=16))
    async with at_work(conductor_of(database, daemon)):
        await until(lambda: last(database).closed_at)
    assert last(database).outcome == "missed"


# --- What is due ---------------------------------------------------------------------------------


def rests_but_offers(database: str, since: datetime) -> None:
    rows(database, "UPDATE timetable SET paused = name <> 'offers', since = %s RETURNING 1", since)


async def test_after_an_absence_what_is_due_runs_once_and_late(
    database: str, daemon: FakeDaemon
) -> None:
    rests_but_offers(database, datetime.now(UTC) - timedelta(hours=3))
    conductor = conductor_of(database, daemon)
    assert await conductor.look() == {"offers"}
    assert await conductor.look() == {"offers"}
    (tick,) = memory.history(database)
    assert tick.note in ("10 earlier ones were missed", "11 earlier ones were missed")
    assert (tick.by_hand, tick.due_at.minute % 15, tick.closed_at) == (False, 0, None)


async def test_what_is_too_late_is_noted_and_not_run(database: str, daemon: FakeDaemon) -> None:
    rests_but_offers(database, datetime.now(UTC) - timedelta(days=3))
    rows(
        database,
        "UPDATE timetable SET schedule = %s WHERE name = 'offers' RETURNING 1",
        f"{(datetime.now(UTC) - timedelta(minutes=30)).minute} * * * *",
    )
    assert await conductor_of(database, daemon).look() == set()
    (tick,) = memory.history(database)
    assert tick.outcome == "missed"
    assert (tick.note or "").startswith("the timetable was away; ")


async def test_of_those_that_wait_for_a_long_run_there_is_one(
    database: str, daemon: FakeDaemon
) -> None:
    now = datetime.now(UTC)
    rests_but_offers(database, now - timedelta(hours=1))
    memory.add_tick(database, "offers", now - timedelta(minutes=31))
    await conductor_of(database, daemon).look()
    assert len(memory.history(database)) == 1


async def test_a_wrong_schedule_does_not_stop_the_others(
    database: str, daemon: FakeDaemon, caplog: pytest.LogCaptureFixture
) -> None:
    since = datetime.now(UTC) - timedelta(hours=1)
    rows(database, "UPDATE timetable SET since = %s RETURNING 1", since)
    rows(database, "UPDATE timetable SET schedule = 'soon' WHERE name = 'products' RETURNING 1")
    assert "offers" in await conductor_of(database, daemon).look()
    assert "products: 'soon' is no schedule" in caplog.text
