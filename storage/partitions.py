"""Monthly partitions of offer_history: made before they are needed."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import LiteralString

from psycopg import sql

from storage.database import Cursor

#: Two crawls that meet a new month at once take turns under this lock.
PARTITION_LOCK = 7_355_608

_NAME = "offer_history_%Y_%m"
#: A table that somebody attached by hand is left alone.
_FIND = r"""
SELECT relname
FROM pg_inherits
JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhparent = 'offer_history'::regclass AND relname ~ '^offer_history_\d{4}_\d{2}$'
ORDER BY relname
"""
_EXISTS = "SELECT to_regclass(%s) IS NOT NULL"
#: A table that is attached when it is ready stops nobody who reads or writes meanwhile; one that
#: is created as a partition waits for all of them, and makes the others wait.
_CREATE = "CREATE TABLE {name} (LIKE offer_history INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
_ATTACH = "ALTER TABLE offer_history ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})"


def month_of(moment: datetime) -> datetime:
    """The start of the moment's month in UTC, where partitions begin."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def following(month: datetime) -> datetime:
    """The start of the next month."""
    if month.month == 12:
        return month.replace(year=month.year + 1, month=1)
    return month.replace(month=month.month + 1)


def partition_name(month: datetime) -> str:
    """The table that holds a month's history: offer_history_2026_11."""
    return month.strftime(_NAME)


async def find_partitions(cursor: Cursor) -> list[datetime]:
    """The months that have a partition, oldest first."""
    await cursor.execute(_FIND)
    return [
        datetime.strptime(str(name), _NAME).replace(tzinfo=UTC)
        for (name,) in await cursor.fetchall()
    ]


async def make_partitions(cursor: Cursor, months: Iterable[datetime]) -> None:
    """Make the partitions of these months where they are missing, in the cursor's transaction."""
    await cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PARTITION_LOCK])
    for month in sorted(months):
        await cursor.execute(_EXISTS, [partition_name(month)])
        if await cursor.fetchone() != (True,):
            await cursor.execute(_for_month(_CREATE, month))
            await cursor.execute(_for_month(_ATTACH, month))


def _for_month(statement: LiteralString, month: datetime) -> sql.Composed:
    return sql.SQL(statement).format(
        name=sql.Identifier(partition_name(month)),
        start=sql.Literal(month.isoformat()),
        end=sql.Literal(following(month).isoformat()),
    )
