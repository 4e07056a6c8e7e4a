"""The database: there, new enough, with the newest tables."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from kaspi_crawler.complaints import sentence
from kaspi_crawler.health.verdict import Verdict
from storage.condition import condition
from storage.embedded import DatabaseUnavailable, connect_address, is_embedded
from storage.embedded.binaries import OLDEST
from storage.schema import NEWEST, revisions

#: 18.4, 15.18 (Debian 15.18-1), 19beta1.
_MAJOR = re.compile(r"[0-9]+")


def verdicts(environ: Mapping[str, str], data_directory: Path) -> Iterator[Verdict]:
    """How the server is and, if it answers, how its tables are.

    Starts the embedded server when no DATABASE_URL is given: whether it starts is the question.
    """
    embedded = is_embedded(environ)
    try:
        address = connect_address(environ, data_directory)
        now = condition(address)
        current, _newest = revisions(address)
    except (DatabaseUnavailable, psycopg.Error, SQLAlchemyError) as error:
        yield Verdict.wrong("database", sentence(error), _remedy(embedded=embedded))
        return
    yield server(now.version, now.size, embedded=embedded)
    yield tables(current)


def server(version: str, size: int, *, embedded: bool) -> Verdict:
    """Whether the server is new enough. `size` is that of the database, in bytes."""
    kind = "embedded" if embedded else "given by DATABASE_URL"
    said = f"PostgreSQL {version}, {kind}, {size / 1e6:,.1f} MB"
    major = _MAJOR.match(version)
    if major and int(major[0]) >= OLDEST:
        return Verdict.well("database", said)
    remedy = f"Set DATABASE_URL to PostgreSQL {OLDEST} or newer, or unset it."
    return Verdict.wrong("database", said, remedy)


def tables(current: str | None) -> Verdict:
    """Whether the tables are those that this code needs."""
    if current is None:
        return Verdict.well("tables", f"none yet: the first crawl makes them ({NEWEST})")
    if current == NEWEST:
        return Verdict.well("tables", f"revision {current}, the newest")
    said = f"at revision {current}, this code needs {NEWEST}"
    if current > NEWEST:
        return Verdict.wrong("tables", said, "Bring the code up to date: it is older than them.")
    return Verdict.wrong("tables", said, "Run `scrapy database upgrade`.")


def _remedy(*, embedded: bool) -> str:
    if embedded:
        return "Mend that, or set DATABASE_URL to another PostgreSQL."
    return "Start that server or correct DATABASE_URL; unset, the embedded database is used."
