"""Kaspi's own data and a replica's are never mixed."""

from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.run import Run
from storage.origin import ForeignData, keep_apart
from storage.runs import begin_run
from storage.schema import NEWEST, libpq_address, revisions

KASPI, REPLICA = "https://kaspi.kz", "http://127.0.0.1:8801"


def run_of(site: str) -> Run:
    return Run(id=uuid4(), spider="offers", arguments={}, site=site, started_at=datetime.now(UTC))


@pytest.mark.parametrize(
    ("held", "asked"),
    [
        pytest.param(None, KASPI, id="an empty memory takes Kaspi's data"),
        pytest.param(None, REPLICA, id="an empty memory takes a replica's data"),
        pytest.param(KASPI, KASPI, id="Kaspi's data goes on"),
        pytest.param(REPLICA, "http://127.0.0.1:9902", id="a replica on another port is the same"),
    ],
)
async def test_like_goes_with_like(
    database: str, engine: AsyncEngine, held: str | None, asked: str
) -> None:
    if held:
        await begin_run(engine, run_of(held))
    assert keep_apart(database, asked, ours=True) is None


async def test_a_replica_is_not_read_into_kaspis_data(database: str, engine: AsyncEngine) -> None:
    await begin_run(engine, run_of(KASPI))
    with pytest.raises(ForeignData, match=r"DATA_DIR=\.data/replica"):
        keep_apart(database, REPLICA, ours=True)


async def test_a_replicas_data_is_set_aside_whole_for_kaspis(
    database: str, engine: AsyncEngine
) -> None:
    await begin_run(engine, run_of(REPLICA))
    await engine.dispose()
    schema = keep_apart(database, KASPI, ours=True)
    assert schema is not None
    assert revisions(database) == (NEWEST, NEWEST)
    with psycopg.connect(libpq_address(database)) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)
        kept = connection.execute(f"SELECT site FROM {schema}.runs").fetchall()  # noqa: S608
    assert kept == [(REPLICA,)]
    assert keep_apart(database, KASPI, ours=True) is None


async def test_in_a_database_that_is_not_ours_nothing_is_moved(
    database: str, engine: AsyncEngine
) -> None:
    await begin_run(engine, run_of(REPLICA))
    await engine.dispose()
    with pytest.raises(ForeignData, match="Name another database"):
        keep_apart(database, KASPI, ours=False)


async def test_what_is_in_use_is_not_moved(database: str, engine: AsyncEngine) -> None:
    await begin_run(engine, run_of(REPLICA))  # the engine keeps its connection
    with pytest.raises(ForeignData, match="end the other crawl"):
        keep_apart(database, KASPI, ours=True)
