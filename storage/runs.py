"""The crawls themselves: each is a row from its start, so that a killed one is seen."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.run import Run

_BEGIN = text("""
INSERT INTO runs (id, spider, site, arguments, started_at)
VALUES (:id, :spider, :site, CAST(:arguments AS jsonb), :started_at)
""")
_END = text("""
UPDATE runs
SET finished_at = :finished_at, close_reason = :reason, stored = CAST(:stored AS jsonb)
WHERE id = :id
""")


async def begin_run(engine: AsyncEngine, run: Run) -> None:
    """Write that the run has begun."""
    row = {
        "id": run.id,
        "spider": run.spider,
        "site": run.site,
        "arguments": msgspec.json.encode(dict(run.arguments)).decode(),
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
        "stored": msgspec.json.encode(dict(stored)).decode(),
    }
    async with engine.begin() as connection:
        await connection.execute(_END, row)
