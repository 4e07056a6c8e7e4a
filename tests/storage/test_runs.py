"""Runs: a row from the start, closed with the truth, open for ever when it was killed."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.run import Run
from storage.runs import begin_run, end_run
from tests.building import START
from tests.storage.looking import row

RUN = Run(
    id=UUID("1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"),
    spider="offers",
    site="https://kaspi.kz",
    arguments={"products": "104500100", "cities": "750000000,710000000", "note": "Ещё «раз»"},
    started_at=START,
)


async def test_a_run_is_a_row_from_its_start(engine: AsyncEngine, database: str) -> None:
    await begin_run(engine, RUN)
    held = row(database, "SELECT * FROM runs")
    assert held == {
        "id": RUN.id,
        "spider": "offers",
        "site": "https://kaspi.kz",
        "arguments": dict(RUN.arguments),
        "started_at": START,
        "finished_at": None,
        "close_reason": None,
        "stored": None,
        "figures": None,
        "alarms": None,
        "job_id": None,
        "entry": None,
        "answers": 0,
        "progressed_at": None,
    }


async def test_a_run_ends_with_the_truth(engine: AsyncEngine, database: str) -> None:
    await begin_run(engine, RUN)
    before = datetime.now(UTC)
    await end_run(engine, RUN.id, "finished", {"offer_history/seen": 7})
    held = row(database, "SELECT * FROM runs")
    assert (held["close_reason"], held["stored"]) == ("finished", {"offer_history/seen": 7})
    assert before <= held["finished_at"] <= datetime.now(UTC)


async def test_one_run_does_not_end_another(engine: AsyncEngine, database: str) -> None:
    await begin_run(engine, RUN)
    await end_run(engine, UUID(int=7), "finished", {})
    assert row(database, "SELECT * FROM runs")["finished_at"] is None
