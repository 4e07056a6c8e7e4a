"""What the webhook was told: an alarm that stands is not told again before its time."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.run import Alarm, Run

_OF_THESE_RUNS = """
spider = :spider AND site = :site AND likeness = :likeness
"""
_FRESH = text(f"""
SELECT alarm, subject FROM alerts WHERE {_OF_THESE_RUNS} AND told_at > :since
""")  # noqa: S608  (built of constants)
_CLEAR = text(f"""
DELETE FROM alerts
WHERE {_OF_THESE_RUNS} AND alarm = ANY(:judged)
    AND NOT (alarm || ':' || subject) = ANY(:standing)
""")  # noqa: S608  (built of constants)
_TOLD = text("""
INSERT INTO alerts (spider, site, likeness, alarm, subject, run_id, raised_at, told_at)
VALUES (:spider, :site, :likeness, :alarm, :subject, :run, :now, :now)
ON CONFLICT (spider, site, likeness, alarm, subject)
    DO UPDATE SET told_at = excluded.told_at, run_id = excluded.run_id
""")


async def untold(
    engine: AsyncEngine, run: Run, alarms: Sequence[Alarm], again_after: timedelta
) -> tuple[Alarm, ...]:
    """The alarms that nobody was told of within `again_after`, for runs like this one."""
    row = {**_like(run), "since": datetime.now(UTC) - again_after}
    async with engine.connect() as connection:
        fresh = {(alarm, subject) for alarm, subject in await connection.execute(_FRESH, row)}
    return tuple(alarm for alarm in alarms if (alarm.name, alarm.subject) not in fresh)


async def clear(
    engine: AsyncEngine, run: Run, alarms: Sequence[Alarm], judged: Collection[str]
) -> None:
    """Forget the alarms that were looked for and do not stand: they would be told anew."""
    standing = [f"{alarm.name}:{alarm.subject}" for alarm in alarms]
    row = {**_like(run), "judged": list(judged), "standing": standing}
    async with engine.begin() as connection:
        await connection.execute(_CLEAR, row)


async def told(engine: AsyncEngine, run: Run, alarms: Sequence[Alarm]) -> None:
    """Remember that somebody has been told of these."""
    common = {**_like(run), "run": run.id, "now": datetime.now(UTC)}
    rows = [{**common, "alarm": alarm.name, "subject": alarm.subject} for alarm in alarms]
    if rows:
        async with engine.begin() as connection:
            await connection.execute(_TOLD, rows)


def _like(run: Run) -> dict[str, object]:
    return {
        "spider": run.spider,
        "site": run.site,
        "likeness": sha256(msgspec.json.encode(dict(run.arguments), order="sorted")).hexdigest(),
    }
