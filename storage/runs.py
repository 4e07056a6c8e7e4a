"""The crawls themselves: each is a row from its start, so that a killed one is seen."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.run import Alarm, Figures, Run

_BEGIN = text("""
INSERT INTO runs (id, spider, site, arguments, started_at)
VALUES (:id, :spider, :site, CAST(:arguments AS jsonb), :started_at)
""")
_END = text("""
UPDATE runs
SET finished_at = :finished_at, close_reason = :reason, stored = CAST(:stored AS jsonb)
WHERE id = :id
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


async def begin_run(engine: AsyncEngine, run: Run) -> None:
    """Write that the run has begun."""
    row = {
        "id": run.id,
        "spider": run.spider,
        "site": run.site,
        "arguments": _json(dict(run.arguments)),
        "started_at": run.started_at,
    }
    async with engine.begin() as connection:
        await connection.execute(_BEGIN, row)


async def end_run(engine: AsyncEngine, run: UUID, reason: str, stored: Mapping[str, int]) -> None:
    """Write how the run ended, and the rows of history that it made."""
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


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
