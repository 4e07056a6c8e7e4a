"""Whose data the memory holds, Kaspi's own or a replica's: the two are never mixed."""

from datetime import UTC, datetime

import psycopg
from psycopg import sql

from domain.site import is_replica
from storage.schema import libpq_address, upgrade

_LOCK = 7_355_610
_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user
"""
_LAST_SITE = "SELECT site FROM runs ORDER BY started_at DESC LIMIT 1"


class ForeignData(RuntimeError):
    """The memory holds another marketplace's data than the one that is asked."""


def last_site(address: str) -> str | None:
    """The storefront that the last crawl asked; None before the first one."""
    with psycopg.connect(libpq_address(address)) as connection:
        row = connection.execute(_LAST_SITE).fetchone()
    return None if row is None else str(row[0])


def keep_apart(address: str, site: str, *, ours: bool) -> str | None:
    """Make room for what the site will say.

    A replica's data is set aside, whole, when Kaspi itself is asked: returns the schema that it
    was moved to. That is done in a database of `ours` (the embedded one) alone: others may hold
    more than our tables. Kaspi's data stays where it is.
    Raises ForeignData with what to do instead.
    """
    held = last_site(address)
    if held is None or is_replica(held) == is_replica(site):
        return None
    if not is_replica(held) or not ours:
        raise ForeignData(
            f"the database holds what {held} said, and {site} is asked now: the two are not "
            "mixed. Name another database (DATABASE_URL), or another directory for the embedded "
            "one (DATA_DIR=.data/replica)"
        )
    return _set_aside(address)


def _set_aside(address: str) -> str:
    """Rename the schema; two crawls that find the same replica's data take turns."""
    name = f"replica_{datetime.now(UTC):%Y%m%d_%H%M%S}"
    with psycopg.connect(libpq_address(address)) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        row = connection.execute("SELECT to_regclass('public.runs')").fetchone()
        if row is None or row[0] is None:
            raise ForeignData("another crawl is setting a replica's data aside: run this again")
        _refuse_while_in_use(connection)
        connection.execute(sql.SQL("ALTER SCHEMA public RENAME TO {}").format(sql.Identifier(name)))
        connection.execute("CREATE SCHEMA public")
    upgrade(address)
    return name


def _refuse_while_in_use(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """A crawl that still writes would go on in the new tables."""
    row = connection.execute(_OTHERS).fetchone()
    if row and row[0]:
        raise ForeignData(
            "a replica's data has to be set aside first, and somebody still uses it: end the "
            "other crawl or close psql, then run this again"
        )
