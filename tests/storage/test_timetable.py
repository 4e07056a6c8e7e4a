"""The timetable in the database: a tick moves only from where it was seen, a job begins once."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs
import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.run import Run
from domain.timetable import Tick
from storage import timetable
from storage.pulse import Pulse
from storage.runs import (
    SpentJob,
    begin_run,
    close_run,
    end_run,
    lock_of,
    open_runs,
    refuse_a_spent_job,
)
from tests.building import START
from tests.storage.looking import row, rows


def run_of(job_id: str | None) -> Run:
    return Run(
        id=uuid4(),
        spider="offers",
        site="https://kaspi.kz",
        arguments={},
        started_at=START,
        job_id=job_id,
    )


def opened(database: str, minutes: int = 0) -> Tick:
    tick = timetable.add_tick(database, "offers", START + timedelta(minutes=minutes))
    assert tick
    return tick


# --- Entries -------------------------------------------------------------------------------------


def test_it_begins_with_the_three_spiders(database: str) -> None:
    held = {each.name: (each.schedule, each.lateness) for each in timetable.entries(database)}
    assert held == {
        "offers": ("*/15 * * * *", timedelta(minutes=15)),
        "products": ("30 1 * * *", timedelta(hours=12)),
        "reviews": ("40 5 * * *", timedelta(hours=12)),
    }


def test_an_entry_rests_and_goes_on_from_now(database: str) -> None:
    before = timetable.entry(database, "offers")
    timetable.pause(database, "offers")
    assert timetable.entry(database, "offers") == attrs.evolve(before, paused=True)
    timetable.resume(database, "offers")
    after = timetable.entry(database, "offers")
    assert not after.paused
    assert after.since > before.since


def test_resuming_what_does_not_rest_changes_nothing(database: str) -> None:
    before = timetable.entry(database, "offers")
    timetable.resume(database, "offers")
    assert timetable.entry(database, "offers") == before


@pytest.mark.parametrize("do", [timetable.entry, timetable.pause, timetable.resume])
def test_an_unknown_entry_is_named(database: str, do: Any) -> None:
    with pytest.raises(timetable.NoSuchEntry, match="no 'nights': there are offers, products, re"):
        do(database, "nights")


# --- Ticks ---------------------------------------------------------------------------------------


def test_a_tick_is_noted_once(database: str) -> None:
    tick = opened(database)
    assert timetable.add_tick(database, "offers", START) is None
    assert timetable.open_ticks(database) == [tick]
    assert tick.job_id == "offers-20260918T070000Z-1"


def test_a_closed_tick_stays_closed(database: str) -> None:
    tick = opened(database)
    assert timetable.close(database, tick, "finished")
    assert not timetable.close(database, tick, "lost")
    assert not timetable.again(database, tick, "once more")
    assert [held.outcome for held in timetable.history(database)] == ["finished"]


async def test_a_tick_whose_crawl_began_meanwhile_does_not_move(
    engine: AsyncEngine, database: str
) -> None:
    tick = opened(database)
    await begin_run(engine, run_of(tick.job_id))
    assert not timetable.again(database, tick, "it seemed not to begin")
    assert not timetable.close(database, tick, "missed")
    (held,) = timetable.open_ticks(database)
    assert (held.attempt, held.run is not None) == (1, True)


# --- A job begins once ---------------------------------------------------------------------------


async def test_a_run_knows_its_job_and_its_entry(engine: AsyncEngine, database: str) -> None:
    tick, run = opened(database), run_of("offers-20260918T070000Z-1")
    await begin_run(engine, run)
    held = row(database, "SELECT job_id, entry FROM runs")
    assert held == {"job_id": tick.job_id, "entry": "offers"}
    assert timetable.open_ticks(database)[0].run == run.id


async def test_a_job_that_somebody_else_scheduled_begins_as_often_as_it_likes(
    engine: AsyncEngine, database: str
) -> None:
    for _ in range(2):
        await begin_run(engine, run_of("3f2c1d"))
        refuse_a_spent_job(database, "3f2c1d")
    assert rows(database, "SELECT DISTINCT entry FROM runs") == [{"entry": None}]


async def test_of_two_processes_with_one_job_one_begins(engine: AsyncEngine, database: str) -> None:
    tick = opened(database)
    begun = await asyncio.gather(
        *(begin_run(engine, run_of(tick.job_id)) for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in begun) == ["NoneType", "SpentJob"]
    assert len(rows(database, "SELECT FROM runs")) == 1


@pytest.mark.parametrize("given_up", ["again", "close"])
async def test_a_job_that_was_given_up_does_not_begin(
    engine: AsyncEngine, database: str, given_up: str
) -> None:
    tick = opened(database)
    assert getattr(timetable, given_up)(database, tick, "lost")
    refused = pytest.raises(SpentJob, match="offers-20260918T070000Z-1 of the timetable")
    with refused:
        await begin_run(engine, run_of(tick.job_id))
    with refused:
        refuse_a_spent_job(database, tick.job_id)
    assert rows(database, "SELECT FROM runs") == []


async def test_the_job_in_its_place_begins(engine: AsyncEngine, database: str) -> None:
    tick = opened(database)
    timetable.again(database, tick, "lost")
    refuse_a_spent_job(database, "offers-20260918T070000Z-2")
    await begin_run(engine, run_of("offers-20260918T070000Z-2"))
    assert row(database, "SELECT entry FROM runs")["entry"] == "offers"


# --- An end is written once ----------------------------------------------------------------------


async def test_a_crawl_that_was_taken_for_dead_does_not_finish(
    engine: AsyncEngine, database: str
) -> None:
    run = run_of(None)
    await begin_run(engine, run)
    assert close_run(database, run.id, "lost")
    await end_run(engine, run.id, "finished", {})
    assert row(database, "SELECT close_reason FROM runs")["close_reason"] == "lost"
    assert not close_run(database, run.id, "stuck")


# --- Signs of life -------------------------------------------------------------------------------


def pulse(database: str, run: UUID, **values: Any) -> Pulse:
    told = {"answers": lambda: 7, "overruled": lambda _reason: None, "every": 0.05}
    return Pulse(address=database, run=run, **{**told, **values})


async def eventually(database: str, *, alive: bool) -> None:
    for _ in range(200):
        if [run.alive for run in open_runs(database)] == [alive]:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"it never became {alive=}")


async def test_a_crawl_is_seen_to_live_until_it_is_gone(engine: AsyncEngine, database: str) -> None:
    run = run_of(None)
    beating = pulse(database, run.id)
    await beating.start()
    await begin_run(engine, run)
    await eventually(database, alive=True)
    await beating.stop()
    await eventually(database, alive=False)


async def test_a_lock_that_was_cut_off_is_taken_again(engine: AsyncEngine, database: str) -> None:
    run = run_of(None)
    beating = pulse(database, run.id)
    await beating.start()
    await begin_run(engine, run)
    cut = rows(
        database,
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'",
    )
    assert len(cut) == 1
    await eventually(database, alive=False)
    await eventually(database, alive=True)
    await beating.stop()


async def test_a_crawl_that_moves_is_seen_to_move(engine: AsyncEngine, database: str) -> None:
    run = run_of(None)
    answers = iter(range(100))
    beating = pulse(database, run.id, answers=lambda: next(answers))
    await begin_run(engine, run)
    await beating.start()
    for _ in range(200):
        seen = row(database, "SELECT answers, progressed_at > started_at AS moves FROM runs")
        if seen["answers"] > 2:
            break
        await asyncio.sleep(0.05)
    assert seen["moves"]
    await beating.stop()


async def test_a_crawl_hears_that_it_was_given_up(engine: AsyncEngine, database: str) -> None:
    run = run_of(None)
    heard: asyncio.Queue[str] = asyncio.Queue()
    beating = pulse(database, run.id, overruled=heard.put_nowait)
    await begin_run(engine, run)
    await beating.start()
    close_run(database, run.id, "stuck")
    assert await asyncio.wait_for(heard.get(), 20) == "stuck"
    await beating.stop()
    assert heard.empty()


@pytest.mark.parametrize(
    "run", [UUID(int=0), UUID(int=2**128 - 1), UUID("80000000-0000-4000-8000-000000000001")]
)
def test_every_id_has_a_lock_that_the_server_finds(database: str, run: UUID) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO runs (id, spider, site, arguments, started_at)"
            " VALUES (%s, 'offers', '', '{}', now())",
            [run],
        )
        connection.execute("SELECT pg_advisory_lock(%s::bigint)", [lock_of(run)])
        assert [each.alive for each in open_runs(database)] == [True]


# --- One keeper ----------------------------------------------------------------------------------


def test_a_timetable_has_one_keeper(database: str) -> None:
    assert not timetable.is_carried_out(database)
    first = timetable.Leadership(database)
    assert timetable.is_carried_out(database)
    with pytest.raises(timetable.AlreadyKept, match="another `scrapy timetable run`"):
        timetable.Leadership(database)
    first.leave()
    timetable.Leadership(database).leave()
