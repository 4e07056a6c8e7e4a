"""A database that is there and does not answer."""

import asyncio

import psycopg
import pytest
import sqlalchemy

from storage import database as database_module
from storage.database import connect, in_transaction, open_engine
from storage.patience import PASSING_ERRORS

_SILENCE = database_module.SILENCE
_OWN = "options=-c%20work_mem%3D5MB"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "SILENCE", 0.2)


async def _sleep(cursor: database_module.Cursor) -> None:
    await cursor.execute("SELECT pg_sleep(1)")


async def _one(cursor: database_module.Cursor) -> object:
    await cursor.execute("SELECT 1")
    return await cursor.fetchone()


def test_a_statement_without_an_answer_is_a_database_that_is_away(database: str) -> None:
    async def work() -> object:
        engine = open_engine(database, connections=1)
        with pytest.raises(psycopg.OperationalError, match="did not answer"):
            await in_transaction(engine, _sleep)
        found = await in_transaction(engine, _one)
        await engine.dispose()
        return found

    assert asyncio.run(work()) == (1,)


def test_so_it_is_through_sqlalchemy(database: str) -> None:
    async def work() -> None:
        engine = open_engine(database, connections=1)
        async with engine.connect() as connection:
            with pytest.raises(sqlalchemy.exc.OperationalError, match="did not answer"):
                await connection.execute(sqlalchemy.text("SELECT pg_sleep(1)"))
            await connection.invalidate()
        await engine.dispose()

    asyncio.run(work())


def test_a_patient_one_waits(database: str) -> None:
    async def work() -> None:
        engine = open_engine(database, connections=1, patient=True)
        await in_transaction(engine, _sleep)
        await engine.dispose()

    asyncio.run(work())


def test_so_it_is_beside_the_pool(database: str) -> None:
    async def work() -> None:
        async with await connect(database) as connection:
            with pytest.raises(psycopg.OperationalError, match="did not answer"):
                await connection.execute("SELECT pg_sleep(1)")

    asyncio.run(work())


@pytest.mark.parametrize("setting", ["tcp_keepalives_idle", "tcp_user_timeout"])
def test_the_server_is_told_when_to_give_up_a_client(database: str, setting: str) -> None:
    """What it makes of it is seen over TCP alone, and it is no more than this."""

    async def work() -> str:
        async with await connect(f"{database}{'&' if '?' in database else '?'}{_OWN}") as one:
            return one.info.get_parameters()["options"]

    assert f"-c {setting}=" in (told := asyncio.run(work()))
    assert "-c work_mem=5MB" in told, "and what the address says holds as well"


def test_who_waits_for_a_connection_waits_longer_than_a_statement_takes(database: str) -> None:
    assert open_engine(database).pool.timeout() > _SILENCE  # type: ignore[attr-defined]


def test_a_pool_without_a_free_connection_is_a_database_that_is_away(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_TURN", 0.05)

    async def work() -> None:
        engine = open_engine(database, connections=1)
        async with engine.connect():
            with pytest.raises(PASSING_ERRORS):
                await in_transaction(engine, _one)
        await engine.dispose()

    asyncio.run(work())
