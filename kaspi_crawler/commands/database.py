"""`scrapy database`: the analyst's way into the database."""

import argparse
import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from scrapy.exceptions import UsageError
from scrapy.settings import Settings

from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.verbs import VerbCommand
from storage.embedded import DatabaseUnavailable, connect_address, is_embedded
from storage.embedded.binaries import program

VERBS = {
    "url": 'print the address, for any client: psql "$(scrapy database url)"',
    "psql": "open psql, or pass it arguments: scrapy database psql -c 'table products'",
    "status": "say how the server, the schema and the tables are",
    "upgrade": "bring the tables to the newest schema",
    "retain": "keep --months N of the history in full, and of what is older a row a day",
}
#: The verbs that take arguments of their own.
_TAKES_MORE = ("psql", "retain")
#: Where distributions keep the descriptions of terminals: the wheel's psql knows one place only.
TERMINALS = "/etc/terminfo:/lib/terminfo:/usr/share/terminfo"


class Command(VerbCommand):
    """One verb for each way in; the embedded server starts by itself."""

    verbs = VERBS
    about = "The database: its address, psql, status, upgrade, retain"
    follows = "arguments of psql or retain"
    takes = argparse.REMAINDER

    def do(
        self,
        verb: str,
        words: Sequence[str],
        opts: argparse.Namespace,  # noqa: ARG002
        settings: Settings,
    ) -> int:
        if words and verb not in _TAKES_MORE:
            raise UsageError(f"{verb} takes no {words[0]!r}", print_help=False)
        # The settings hold the environment's address, unless the command line replaced it.
        environ = {**os.environ, "DATABASE_URL": settings.get("DATABASE_URL") or ""}
        address = connect_address(environ, Path(settings.get("DATA_DIR") or ".data"))
        return _do(verb, address, words, environ)


def _do(verb: str, address: str, given: Sequence[str], environ: Mapping[str, str]) -> int:
    if verb == "psql":
        return _psql(address, given)
    if verb == "url":
        return _tell([address])
    if verb == "retain":
        return _tell(_retain(address, _months(given)))
    return _tell(_upgrade(address) if verb == "upgrade" else _status(address, environ))


def _tell(lines: Iterable[str]) -> int:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    return 0


def _upgrade(address: str) -> Iterator[str]:
    # SQLAlchemy and Alembic take half a second, which url and psql save.
    from storage.schema import revisions, upgrade  # noqa: PLC0415

    before, newest = revisions(address)
    if before == newest:
        yield f"the tables are at revision {newest} already, the newest"
        return
    upgrade(address)
    yield f"the tables are at revision {newest} now (before: {before or 'none'})"


def _months(given: Sequence[str]) -> int:
    """The one option of retain. Raises BadArgument."""
    right = "A right one: scrapy database retain --months 6"
    match [word for part in given for word in part.split("=", maxsplit=1)]:
        case ["--months", number] if re.fullmatch("[1-9][0-9]{0,2}", number):
            return int(number)
        case ["--months", number]:
            raise BadArgument(f"months: {number!r} is not 1 to 999 months. {right}")
    raise BadArgument(f"months: say how many months to keep in full. {right}")


def _retain(address: str, months: int) -> Iterator[str]:
    """Forget what is older than so many whole months, and say what became of it."""
    from storage.database import in_transaction, open_engine  # noqa: PLC0415
    from storage.outbox import forget as forget_decisions  # noqa: PLC0415
    from storage.retention import RolledUp, kept_from, roll_up  # noqa: PLC0415
    from storage.schema import require_newest  # noqa: PLC0415

    async def forget() -> tuple[RolledUp, int]:
        engine = open_engine(address, connections=1, patient=True)
        try:
            decisions = await in_transaction(
                engine, lambda cursor: forget_decisions(cursor, keep_from)
            )
            return await roll_up(engine, keep_from), decisions
        finally:
            await engine.dispose()

    require_newest(address)
    keep_from = kept_from(datetime.now(UTC), months)
    done, decisions = asyncio.run(forget())
    if done.months:
        names = ", ".join(f"{month:%Y-%m}" for month in done.months)
        yield f"rolled up {names}: {done.changes:,} changes are {done.days:,} rows of days now"
        yield f"carried on {done.carried:,} offers that stood"
    if decisions:
        yield f"forgot {decisions:,} decisions on our prices"
    yield f"offer_history is kept in full from {keep_from:%Y-%m-%d} (UTC)"


def _status(address: str, environ: Mapping[str, str]) -> Iterator[str]:
    from storage.condition import condition  # noqa: PLC0415
    from storage.schema import revisions  # noqa: PLC0415

    current, newest = revisions(address)
    now = condition(address)
    kind = "embedded" if is_embedded(environ) else "given by DATABASE_URL"
    schema = "the newest" if current == newest else f"not {newest}: run `scrapy database upgrade`"
    yield f"server  PostgreSQL {now.version}, {kind}, up for {now.uptime}"
    yield f"size    {_megabytes(now.size)}"
    yield f"schema  {current or 'none'}, {schema}"
    for table in now.tables:
        yield f"table   {table.name:<24} ~{table.rows:>12,} rows {_megabytes(table.size):>12}"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"


def _psql(address: str, given: Sequence[str]) -> int:
    """Run psql and return its exit code; we stay alive meanwhile, so the server does too."""
    path = program("psql")
    if path is None:
        raise DatabaseUnavailable(
            "no psql on this machine: run `make setup`, or install postgresql-client;"
            " any other client works with the address that `scrapy database url` prints"
        )
    plain, environ = _without_password(address)
    environ.setdefault("TERMINFO_DIRS", TERMINALS)
    # Ctrl-C in the terminal belongs to psql, which cancels a query with it.
    before = signal.signal(signal.SIGINT, _leave_it_to_psql)
    try:
        code = subprocess.call([str(path), "--dbname", plain, *given], env=environ)  # noqa: S603
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code


def _leave_it_to_psql(_signal: int, _frame: FrameType | None) -> None:
    """Survive; a handler, unlike an ignored signal, is not inherited by psql."""


def _without_password(address: str) -> tuple[str, dict[str, str]]:
    """The address for a command line, which every user of the machine can read, and the rest."""
    from psycopg import ProgrammingError  # noqa: PLC0415
    from psycopg.conninfo import conninfo_to_dict, make_conninfo  # noqa: PLC0415

    try:
        parts = conninfo_to_dict(address)
    except ProgrammingError as error:
        raise DatabaseUnavailable(f"DATABASE_URL cannot be read: {error}") from error
    password = parts.pop("password", None)
    environ = dict(os.environ)
    if password is not None:
        environ["PGPASSWORD"] = str(password)
    return make_conninfo("", **parts), environ
