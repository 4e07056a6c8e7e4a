"""The book of exits: what all crawls together know of each, written by compare and swap.

No lock outlives a statement, so a crawl that is killed or stopped holds up nobody: who writes
names the version that he read, and reads again when another was quicker.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import msgspec
import psycopg
from psycopg.rows import dict_row
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.exits import Exit
from storage.database import open_engine, sqlalchemy_url
from storage.schema import libpq_address

_COLUMNS = tuple(field.name for field in attrs.fields(Exit))
_WRITTEN = tuple(name for name in _COLUMNS if name not in {"host", "kind", "name", "version"})

_ENTER = text("""
INSERT INTO exits (host, kind, name)
SELECT :host, :kind, name FROM unnest(CAST(:names AS text[])) AS wanted (name)
ON CONFLICT DO NOTHING
""")
_READ = text("""
SELECT exits.*, clock_timestamp() AS now
FROM exits
WHERE host = :host AND kind = :kind AND name = ANY(CAST(:names AS text[]))
""")
_SWAP = text(
    f"UPDATE exits SET version = version + 1, {', '.join(f'{each} = :{each}' for each in _WRITTEN)}"  # noqa: S608
    " WHERE host = :host AND kind = :kind AND name = :name AND version = :version"
)
_LISTED = "SELECT * FROM exits ORDER BY host, kind, name"


class ExitBook:
    """The exits, as this crawl reads and writes them over one connection of its own.

    Commits are not waited for on disk: a server that falls over forgets half a second of turns.
    """

    def __init__(self, address: str) -> None:
        url = sqlalchemy_url(address)
        told = " ".join((*url.normalized_query.get("options", ()), "-c synchronous_commit=off"))
        hasty = url.update_query_dict({"options": told}).render_as_string(hide_password=False)
        self._engine: AsyncEngine = open_engine(hasty, connections=1).execution_options(
            isolation_level="AUTOCOMMIT"
        )

    async def enter(self, host: str, kind: str, names: Sequence[str]) -> None:
        """Make sure that the exits have a row each."""
        async with self._engine.connect() as connection:
            asked = {"host": host, "kind": kind, "names": list(names)}
            await connection.execute(_ENTER, asked)

    async def read(
        self, host: str, kind: str, names: Sequence[str]
    ) -> tuple[dict[str, Exit], datetime | None]:
        """The exits by name, and the moment by the database's clock; None without any exit."""
        async with self._engine.connect() as connection:
            asked = {"host": host, "kind": kind, "names": list(names)}
            rows = (await connection.execute(_READ, asked)).mappings().all()
        return {row["name"]: _exit(row) for row in rows}, (rows[0]["now"] if rows else None)

    async def swap(self, changed: Exit) -> Exit | None:
        """Write an exit unless another wrote it since; what stands then, or None."""
        row = {name: getattr(changed, name) for name in _COLUMNS}
        row["refused"] = msgspec.json.encode(dict(changed.refused)).decode()
        async with self._engine.connect() as connection:
            written = (await connection.execute(_SWAP, row)).rowcount
        return attrs.evolve(changed, version=changed.version + 1) if written else None

    async def close(self) -> None:
        """Close the connection."""
        await self._engine.dispose()


def listed(address: str) -> Iterator[Exit]:
    """All exits that crawls have ever used, by host, kind and name."""
    with psycopg.connect(libpq_address(address), row_factory=dict_row) as connection:
        for row in connection.execute(_LISTED):
            yield _exit(row)


def _exit(row: Mapping[Any, Any]) -> Exit:
    return Exit(**{name: row[name] for name in _COLUMNS})
