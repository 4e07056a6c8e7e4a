"""The queue of the timetable's own steps: procrastinate's tables, in a schema of their own.

What it holds can be made anew from the ticks at any time, so that another version of procrastinate
gets new tables instead of a migration.
"""

from importlib.metadata import version
from typing import LiteralString

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.schema import SchemaManager
from psycopg.sql import SQL, Identifier, Literal

from storage.schema import libpq_address

SCHEMA = "timetable_queue"
#: Seconds that a step may wait for a connection.
_PATIENCE = 5.0
_LOCK = 7_355_612
_KNOWN: LiteralString = "SELECT obj_description(to_regnamespace(%s), 'pg_namespace')"


def prepare_queue(address: str) -> None:
    """Make the tables, unless those of this version of procrastinate are there."""
    wanted = f"The timetable's steps, kept by procrastinate {version('procrastinate')}."
    with psycopg.connect(libpq_address(address), connect_timeout=10) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        row = connection.execute(_KNOWN, [SCHEMA]).fetchone()
        if row and row[0] == wanted:
            return
        name = Identifier(SCHEMA)
        connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))
        connection.execute(SQL("CREATE SCHEMA {}").format(name))
        connection.execute(SQL("SET LOCAL search_path TO {}").format(name))
        connection.execute(SchemaManager.get_schema())
        connection.execute(SQL("COMMENT ON SCHEMA {} IS {}").format(name, Literal(wanted)))


def queue_app(address: str) -> App:
    """Procrastinate on these tables; it connects when it is opened."""
    connector = PsycopgConnector(
        conninfo=libpq_address(address),
        kwargs={"options": f"-c search_path={SCHEMA}", "connect_timeout": 10},
        min_size=1,
        max_size=4,
        timeout=_PATIENCE,
    )
    return App(connector=connector)
