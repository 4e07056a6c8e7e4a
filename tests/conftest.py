"""A real PostgreSQL for the whole session, and an empty database for each test."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import open_engine
from storage.embedded.place import place_at
from storage.patience import Patience
from storage.schema import upgrade
from storage.writer import BatchWriter
from tests.storage.embedded_processes import Client, demolish

#: Seconds that the embedded server outlives a test session that was killed.
LINGER = 5
#: Ends what a failed test left open, then forgets all rows, numbers and months.
_EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid();
DO $$
DECLARE month regclass;
BEGIN
    FOR month IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'offer_history'::regclass LOOP
        EXECUTE 'DROP TABLE ' || month;
    END LOOP;
END $$;
TRUNCATE products, product_cards, product_changes, boards, offers, offer_history_daily, work_list,
    runs, exits, proxies, alerts, timetable_ticks, listing_hints, listing_hint_history, found_in,
    found_variants, categories, category_counts, sitemap_categories, review_texts,
    reviewed_products, review_readings, review_rates, stores, listings, rule_changes, rule_lines,
    price_rules, decisions, intentions, listing_points, listing_prices, cabinet_accounts,
    change_budgets, pushes, baselines, baseline_prices RESTART IDENTITY;
DELETE FROM timetable WHERE name NOT IN ('offers', 'products', 'reviews');
UPDATE timetable SET paused = false, since = now()
"""


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a PostgreSQL where databases may be made.

    TEST_DATABASE_URL names one (14 or newer); else an embedded one is made, then removed.
    """
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
        return
    parent = Path(tempfile.mkdtemp(prefix="kaspi-tests-"))
    parent.chmod(0o755)
    # A process of its own, because tests of the embedded database release all that this one uses.
    user = Client(parent / "data", LINGER)
    yield user.address()
    user.leave()
    demolish(place_at(parent / "data"))
    shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_database(server: str) -> Iterator[str]:
    """The address of a database with the newest tables."""
    name = create_database(server)
    _tell(server, SQL("ALTER DATABASE {} SET synchronous_commit = off").format(Identifier(name)))
    upgrade(address_of(server, name))
    yield address_of(server, name)
    drop_database(server, name)


@pytest.fixture
def database(migrated_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a database with the newest tables, all empty; DATABASE_URL names it, too.

    Emptying one takes 20 ms, making another half a second on a busy machine.
    """
    with psycopg.connect(migrated_database) as connection:
        connection.execute(_EMPTY)
    monkeypatch.setenv("DATABASE_URL", migrated_database)
    return migrated_database


@pytest.fixture
def empty_database(server: str) -> Iterator[str]:
    """The address of a database without tables."""
    name = create_database(server)
    yield address_of(server, name)
    drop_database(server, name)


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    """An engine of the test's database."""
    engine = open_engine(database)
    yield engine
    await engine.dispose()


@pytest.fixture
async def writer(engine: AsyncEngine) -> AsyncIterator[BatchWriter]:
    """A writer that hardly waits for company, and gives up soon."""
    writer = BatchWriter(engine, Patience(linger=0.001, give_up_after=5.0))
    yield writer
    await writer.close()


def address_of(server: str, name: str) -> str:
    """The address of another database of the server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def create_database(server: str) -> str:
    """Make a database with a new name."""
    name = f"kaspi_test_{uuid4().hex}"
    _tell(server, SQL("CREATE DATABASE {}").format(Identifier(name)))
    return name


def drop_database(server: str, name: str) -> None:
    """Remove a database with all who are connected to it."""
    _tell(server, SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def _tell(server: str, statement: psycopg.sql.Composed) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)
