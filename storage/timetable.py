"""The timetable as the database keeps it: its entries, and the ticks with what became of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, LiteralString, TypeVar

import attrs
import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from domain.timetable import Entry, Tick, job_id
from storage.schema import libpq_address

T = TypeVar("T")

_ENTRIES = """
SELECT name, spider, arguments, settings, schedule, lateness, paused, version, since
FROM timetable
ORDER BY name
"""
_ADD_ENTRY = """
INSERT INTO timetable (name, spider, arguments, schedule, lateness, since)
VALUES (%(name)s, %(spider)s, %(arguments)s, %(schedule)s, %(lateness)s, %(since)s)
ON CONFLICT DO NOTHING
"""
_REMOVE_ENTRY = "DELETE FROM timetable WHERE name = %s"
_PAUSE = "UPDATE timetable SET paused = true WHERE name = %s"
_RESUME = """
UPDATE timetable
SET since = CASE WHEN paused THEN now() ELSE since END, paused = false
WHERE name = %s
"""
_COLUMNS: LiteralString = """
id, entry, due_at, by_hand, attempt, job_id, opened_at, scheduled_at, run, closed_at, outcome, note
"""
_OPEN = f"SELECT {_COLUMNS} FROM timetable_ticks WHERE closed_at IS NULL ORDER BY due_at"
_ONE = f"SELECT {_COLUMNS} FROM timetable_ticks WHERE id = %s"
#: The newest ticks of one entry or of all.
_HISTORY = f"""
SELECT {_COLUMNS} FROM timetable_ticks
WHERE %(entry)s::text IS NULL OR entry = %(entry)s
ORDER BY due_at DESC
LIMIT %(count)s
"""
_LATEST = f"""
SELECT DISTINCT ON (entry) {_COLUMNS} FROM timetable_ticks ORDER BY entry, due_at DESC
"""
_LAST_BY_THE_CLOCK = """
SELECT entry, max(due_at) FROM timetable_ticks WHERE NOT by_hand GROUP BY entry
"""
_ADD = f"""
INSERT INTO timetable_ticks (entry, due_at, by_hand, job_id, closed_at, outcome, note)
VALUES (%(entry)s, %(due_at)s, %(by_hand)s, %(job_id)s,
        CASE WHEN %(outcome)s::text IS NOT NULL THEN now() END, %(outcome)s, %(note)s)
ON CONFLICT DO NOTHING
RETURNING {_COLUMNS}
"""
#: A tick moves on only from where it was seen: its crawl may have begun meanwhile.
_UNMOVED: LiteralString = """
WHERE id = %(id)s AND job_id = %(job_id)s AND run IS NOT DISTINCT FROM %(run)s
    AND closed_at IS NULL
"""
_SCHEDULED = f"UPDATE timetable_ticks SET scheduled_at = now(), note = NULL {_UNMOVED}"
_NOTE = f"UPDATE timetable_ticks SET note = %(note)s {_UNMOVED}"
_CLOSE = f"""
UPDATE timetable_ticks SET closed_at = now(), outcome = %(outcome)s, note = %(note)s {_UNMOVED}
"""
_AGAIN = f"""
UPDATE timetable_ticks
SET attempt = %(attempt)s, job_id = %(next)s, run = NULL, scheduled_at = NULL, note = %(note)s
{_UNMOVED}
"""
_RUN = "SELECT finished_at, close_reason FROM runs WHERE id = %s"
#: Kept by the one process that carries the timetable of a database out.
_LEADER = 7_355_611
_IS_LED = """
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND classid = 0 AND objid = %s AND objsubid = 1 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
"""


class NoSuchEntry(LookupError):
    """The timetable has no entry of that name."""


class EntryExists(ValueError):
    """The timetable has an entry of that name."""


class AlreadyKept(RuntimeError):
    """Another process carries this timetable out."""


def entries(address: str) -> list[Entry]:
    """All entries by name."""
    with _reading(address, Entry) as cursor:
        return cursor.execute(_ENTRIES).fetchall()


def entry(address: str, name: str) -> Entry:
    """One entry. Raises NoSuchEntry, which names those that there are."""
    held = entries(address)
    for each in held:
        if each.name == name:
            return each
    names = ", ".join(each.name for each in held) or "none"
    raise NoSuchEntry(f"the timetable has no {name!r}: there are {names}")


def add_entry(address: str, entry: Entry) -> None:
    """Add an entry. Raises EntryExists."""
    row = attrs.asdict(entry) | {"arguments": Jsonb(entry.arguments)}
    with _connected(address) as connection:
        if not connection.execute(_ADD_ENTRY, row).rowcount:
            raise EntryExists(
                f"the timetable has {entry.name!r} already: `scrapy timetable remove {entry.name}` "
                "makes room"
            )


def remove_entry(address: str, name: str) -> None:
    """Forget an entry, and what became of its ticks. Raises NoSuchEntry."""
    _change(address, _REMOVE_ENTRY, name)


def pause(address: str, name: str) -> None:
    """Let an entry rest. Raises NoSuchEntry."""
    _change(address, _PAUSE, name)


def resume(address: str, name: str) -> None:
    """Let an entry go on from now: what was due meanwhile is not made up for.

    Raises NoSuchEntry.
    """
    _change(address, _RESUME, name)


def last_by_the_clock(address: str) -> dict[str, datetime]:
    """When each entry was due last, as far as that was noted."""
    with _connected(address) as connection:
        return dict(connection.execute(_LAST_BY_THE_CLOCK).fetchall())


def add_tick(
    address: str,
    name: str,
    due_at: datetime,
    *,
    by_hand: bool = False,
    outcome: str | None = None,
    note: str | None = None,
) -> Tick | None:
    """Note that an entry is due, or with an outcome, that it was; None: that was known."""
    row = {
        "entry": name,
        "due_at": due_at,
        "by_hand": by_hand,
        "job_id": job_id(name, due_at, 1),
        "outcome": outcome,
        "note": note,
    }
    with _reading(address, Tick) as cursor:
        return cursor.execute(_ADD, row).fetchone()


def ask_now(address: str, name: str) -> Tick:
    """Note that a person wants an entry carried out. Raises NoSuchEntry."""
    entry(address, name)
    while True:
        if tick := add_tick(address, name, datetime.now(UTC), by_hand=True):
            return tick


def open_ticks(address: str) -> list[Tick]:
    """The ticks that wait or run, in the order in which they were due."""
    with _reading(address, Tick) as cursor:
        return cursor.execute(_OPEN).fetchall()


def tick(address: str, number: int) -> Tick | None:
    """One tick as it is now."""
    with _reading(address, Tick) as cursor:
        return cursor.execute(_ONE, [number]).fetchone()


def history(address: str, name: str | None = None, count: int = 20) -> list[Tick]:
    """The newest ticks, of one entry or of all."""
    with _reading(address, Tick) as cursor:
        return cursor.execute(_HISTORY, {"entry": name, "count": count}).fetchall()


def latest(address: str) -> dict[str, Tick]:
    """The newest tick of each entry."""
    with _reading(address, Tick) as cursor:
        return {found.entry: found for found in cursor.execute(_LATEST)}


def run_end(address: str, tick: Tick) -> str | None:
    """The close reason of the tick's crawl; None while it has no end."""
    with _connected(address) as connection:
        row = connection.execute(_RUN, [tick.run]).fetchone()
        return str(row[1]) if row and row[0] else None


def scheduled(address: str, tick: Tick) -> bool:
    """Note that scrapyd has taken the job. False here and below: the tick has moved on."""
    return _move(address, _SCHEDULED, tick)


def say(address: str, tick: Tick, note: str | None) -> bool:
    """Note what is to be said of a tick that waits."""
    return tick.note == note or _move(address, _NOTE, tick, note=note)


def close(address: str, tick: Tick, outcome: str, note: str | None = None) -> bool:
    """Note what became of the tick: after that no job of it may begin."""
    return _move(address, _CLOSE, tick, outcome=outcome, note=note)


def again(address: str, tick: Tick, note: str) -> bool:
    """Give the tick another job: after that the job before may not begin."""
    attempt = tick.attempt + 1
    following = job_id(tick.entry, tick.due_at, attempt)
    return _move(address, _AGAIN, tick, attempt=attempt, next=following, note=note)


class Leadership:
    """The right to carry the timetable of a database out, which ends with its connection."""

    def __init__(self, address: str) -> None:
        """Take it. Raises AlreadyKept, or psycopg.OperationalError."""
        self._connection = psycopg.connect(
            libpq_address(address), autocommit=True, connect_timeout=10
        )
        if not self._holds("SELECT pg_try_advisory_lock(%s)"):
            self.leave()
            raise AlreadyKept(
                "another `scrapy timetable run` carries the timetable of this database out: "
                "there is nothing to do for a second one"
            )

    def confirm(self) -> None:
        """Raise psycopg.OperationalError when the right is lost with the connection."""
        self._connection.execute("SELECT 1")

    def leave(self) -> None:
        """Give it up."""
        self._connection.close()

    def _holds(self, question: LiteralString) -> bool:
        row = self._connection.execute(question, [_LEADER]).fetchone()
        return bool(row and row[0])


def is_carried_out(address: str) -> bool:
    """Whether a `scrapy timetable run` is at work on this database."""
    with _connected(address) as connection:
        row = connection.execute(_IS_LED, [_LEADER]).fetchone()
        return bool(row and row[0])


@contextmanager
def _connected(address: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(libpq_address(address), connect_timeout=10) as connection:
        yield connection


@contextmanager
def _reading(address: str, kind: type[T]) -> Iterator[psycopg.Cursor[T]]:
    with _connected(address) as connection, connection.cursor(row_factory=class_row(kind)) as found:
        yield found


def _change(address: str, statement: LiteralString, name: str) -> None:
    with _connected(address) as connection:
        if not connection.execute(statement, [name]).rowcount:
            entry(address, name)


def _move(address: str, statement: LiteralString, tick: Tick, **values: object) -> bool:
    row = {**attrs.asdict(tick), **values}
    with _connected(address) as connection:
        return bool(connection.execute(statement, row).rowcount)
