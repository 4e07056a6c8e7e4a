"""The crawls themselves: each is a row from its start, so that a killed one is seen."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import attrs
import msgspec
import psycopg
from psycopg.rows import class_row
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.run import Alarm, Figures, Run
from storage.schema import libpq_address

_BEGIN = text("""
INSERT INTO runs (id, spider, site, arguments, started_at, job_id, entry)
VALUES (:id, :spider, :site, CAST(:arguments AS jsonb), :started_at, :job_id, :entry)
""")
_END = text("""
UPDATE runs
SET finished_at = :finished_at, close_reason = :reason, stored = CAST(:stored AS jsonb)
WHERE id = :id AND finished_at IS NULL
""")
_JUDGE = text("""
UPDATE runs SET figures = CAST(:figures AS jsonb), alarms = CAST(:alarms AS jsonb) WHERE id = :id
""")
_LAST = text("""
SELECT figures
FROM runs
WHERE spider = :spider AND site = :site AND arguments = CAST(:arguments AS jsonb)
    AND id <> :id AND started_at < :started_at
    AND close_reason = 'finished' AND figures IS NOT NULL
ORDER BY started_at DESC
LIMIT :count
""")
#: The tick that a job is an attempt of, kept by who asks until the end of the transaction.
_TICK = """
SELECT id, entry, job_id = :job_id AND closed_at IS NULL AND run IS NULL AS may_begin
FROM timetable_ticks
WHERE left(job_id, length(job_id) - strpos(reverse(job_id), '-'))
    = left(:job_id, length(:job_id) - strpos(reverse(:job_id), '-'))
"""
_TICK_KEPT = text(_TICK + "FOR UPDATE")
_CLAIM = text("UPDATE timetable_ticks SET run = :run, note = NULL WHERE id = :tick")
#: A crawl that lives holds an advisory lock whose key are the first 64 bits of the run's id.
_OPEN = """
SELECT id, spider, entry, job_id, started_at, coalesce(progressed_at, started_at) AS progressed_at,
       EXISTS (
           SELECT FROM pg_locks
           WHERE locktype = 'advisory' AND objsubid = 1 AND granted
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND (classid::bigint << 32 | objid::bigint)
                   = ('x' || left(replace(runs.id::text, '-', ''), 16))::bit(64)::bigint
       ) AS alive
FROM runs
WHERE finished_at IS NULL
ORDER BY started_at
"""
_CLOSE = """
UPDATE runs SET finished_at = now(), close_reason = %(reason)s
WHERE id = %(run)s AND finished_at IS NULL
"""


class SpentJob(RuntimeError):
    """A job of the timetable that has begun before, or was given up: it must not begin again."""


@attrs.frozen(kw_only=True)
class OpenRun:
    """A run without an end; `alive`: its crawl holds the run's lock at this moment."""

    id: UUID
    spider: str
    entry: str | None
    job_id: str | None
    started_at: datetime
    progressed_at: datetime
    alive: bool


def lock_of(run: UUID) -> int:
    """The key of the advisory lock that the run's crawl holds while it lives."""
    return int.from_bytes(run.bytes[:8], "big", signed=True)


async def begin_run(engine: AsyncEngine, run: Run) -> None:
    """Write that the run has begun. Of a tick's jobs only the last may begin, and once.

    Raises SpentJob, which leaves nothing written.
    """
    row = {
        "id": run.id,
        "spider": run.spider,
        "site": run.site,
        "arguments": _json(dict(run.arguments)),
        "started_at": run.started_at,
        "job_id": run.job_id,
    }
    async with engine.begin() as connection:
        tick = await _tick(connection, run.job_id)
        await connection.execute(_BEGIN, {**row, "entry": tick and tick["entry"]})
        if tick:
            await connection.execute(_CLAIM, {"run": run.id, "tick": tick["id"]})


async def _tick(connection: AsyncConnection, job_id: str | None) -> RowMapping | None:
    """The tick of the job, kept by us; None for jobs that the timetable knows nothing of."""
    if job_id is None:
        return None
    found = await connection.execute(_TICK_KEPT, {"job_id": job_id})
    tick = found.mappings().first()
    if tick and not tick["may_begin"]:
        raise _spent(job_id)
    return tick


def refuse_a_spent_job(address: str, job_id: str | None) -> None:
    """Raise SpentJob before there is a crawl; `begin_run` has the last word."""
    if job_id is None:
        return
    asked = _TICK.replace(":job_id", "%(job_id)s")
    with psycopg.connect(libpq_address(address)) as connection:
        tick = connection.execute(asked.encode(), {"job_id": job_id}).fetchone()
    if tick and not tick[2]:
        raise _spent(job_id)


def _spent(job_id: str) -> SpentJob:
    return SpentJob(
        f"job {job_id} of the timetable has begun before, or another one was started in its place: "
        "nothing is read. `scrapy timetable history` says what became of it"
    )


async def end_run(engine: AsyncEngine, run: UUID, reason: str, stored: Mapping[str, int]) -> None:
    """Write how the run ended, and the rows of history that it made; an end that is written
    already stays.
    """
    row = {
        "id": run,
        "finished_at": datetime.now(UTC),
        "reason": reason,
        "stored": _json(dict(stored)),
    }
    async with engine.begin() as connection:
        await connection.execute(_END, row)


async def last_figures(engine: AsyncEngine, run: Run, count: int) -> tuple[Figures, ...]:
    """The figures of the `count` newest finished runs like this one, the newest first.

    Like it are those of the same spider, site and arguments.
    """
    row = {
        "id": run.id,
        "spider": run.spider,
        "site": run.site,
        "arguments": _json(dict(run.arguments)),
        "started_at": run.started_at,
        "count": count,
    }
    async with engine.connect() as connection:
        found = await connection.execute(_LAST, row)
        return tuple(msgspec.convert(figures, Figures) for (figures,) in found)


async def judge_run(
    engine: AsyncEngine, run: UUID, figures: Figures, alarms: Sequence[Alarm]
) -> None:
    """Write what the run's health was judged by, and the verdict."""
    told = [
        {
            "name": alarm.name,
            "subject": alarm.subject,
            "sentence": alarm.sentence,
            "remedy": alarm.remedy,
        }
        for alarm in alarms
    ]
    row = {"id": run, "figures": _json(figures), "alarms": _json(told)}
    async with engine.begin() as connection:
        await connection.execute(_JUDGE, row)


def open_runs(address: str) -> list[OpenRun]:
    """The runs without an end, the oldest first."""
    with (
        psycopg.connect(libpq_address(address), connect_timeout=10) as connection,
        connection.cursor(row_factory=class_row(OpenRun)) as cursor,
    ):
        return cursor.execute(_OPEN).fetchall()


def close_run(address: str, run: UUID, reason: str) -> bool:
    """Give a run the end that its crawl could not write; False when it has one by now."""
    with psycopg.connect(libpq_address(address), connect_timeout=10) as connection:
        done: psycopg.Cursor[Any] = connection.execute(_CLOSE, {"run": run, "reason": reason})
        return bool(done.rowcount)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
