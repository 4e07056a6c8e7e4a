"""A database that is there and does not answer."""

import asyncio

import psycopg
import pytest
import sqlalchemy

from storage import database as database_module
from storage.database import in_transaction, open_engine


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
