"""Forget old changes, month by month, but neither a day's prices nor how the boards stand since."""

import asyncio
from datetime import datetime
from typing import LiteralString

import attrs
import psycopg
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.database import Cursor, psycopg_connection
from storage.partitions import (
    find_partitions,
    following,
    make_partitions,
    month_of,
    partition_name,
)

#: Two people who forget at once take turns under this lock.
RETENTION_LOCK = 7_355_610
#: Whoever uses the history goes first; we try again so often, with so many seconds in between.
_BE_POLITE = "SET LOCAL lock_timeout = '500ms'"
_ATTEMPTS = 40
_PAUSE = 1.0

#: Nobody writes to the month any more; crawls of today do not notice.
_CLOSE = "LOCK TABLE {month} IN SHARE MODE"

#: One row an offer and Almaty day. A day belongs to two months when midnight in Almaty and in
#: UTC lie between them, so the later month adds to the earlier one's row. Carried rows say
#: nothing new; a departure repeats a price that was set before.
_ROLL_UP = """
INSERT INTO offer_history_daily AS daily (
    offer_id, product_id, day, seller, min_price, max_price, last_price, last_event, changes
)
SELECT offer_id, product_id, (created_at AT TIME ZONE INTERVAL '5 hours')::date AS day,
       (array_agg(seller ORDER BY created_at DESC))[1],
       coalesce(min(price) FILTER (WHERE event <> 'gone'), min(price)),
       coalesce(max(price) FILTER (WHERE event <> 'gone'), max(price)),
       (array_agg(price ORDER BY created_at DESC))[1],
       (array_agg(event ORDER BY created_at DESC))[1],
       count(*)
FROM {month}
WHERE event <> 'carried'
GROUP BY offer_id, product_id, day
ON CONFLICT (offer_id, day) DO UPDATE
SET seller = excluded.seller,
    min_price = least(daily.min_price, excluded.min_price),
    max_price = greatest(daily.max_price, excluded.max_price),
    last_price = excluded.last_price,
    last_event = excluded.last_event,
    changes = daily.changes + excluded.changes
"""

#: The state at the month's end of each offer that stood then, unless it changed at that moment.
_CARRY = """
INSERT INTO offer_history (
    offer_id, product_id, event, seller, price, price_minus_bonus, price_before_discount,
    discount_percent, preorder_days, delivery_type, delivery_duration, delivery_days,
    kaspi_delivery, merchant_rating, merchant_reviews, created_at
)
SELECT offer_id, product_id, 'carried', seller, price, price_minus_bonus,
       price_before_discount, discount_percent, preorder_days, delivery_type,
       delivery_duration, delivery_days, kaspi_delivery, merchant_rating, merchant_reviews,
       {end}::timestamptz
FROM (
    SELECT DISTINCT ON (offer_id) * FROM {month} ORDER BY offer_id, created_at DESC
) AS latest
WHERE event <> 'gone'
ON CONFLICT (offer_id, created_at) DO NOTHING
"""

_COUNT = "SELECT count(*) FROM {month} WHERE event <> 'carried'"
#: The only moment at which crawls and readers wait: the commit follows at once.
_DROP = "DROP TABLE {month}"


class TooBusy(RuntimeError):
    """The history was never left alone for long enough to drop a month."""


@attrs.frozen(kw_only=True)
class RolledUp:
    """What was forgotten: the months, their changes, and the rows that remain of them.

    `days` are rows of offer_history_daily, `carried` rows of offer_history.
    """

    months: tuple[datetime, ...] = ()
    changes: int = 0
    days: int = 0
    carried: int = 0

    def with_month(self, month: datetime, changes: int, days: int, carried: int) -> "RolledUp":
        """The sum with one more month."""
        return RolledUp(
            months=(*self.months, month),
            changes=self.changes + changes,
            days=self.days + days,
            carried=self.carried + carried,
        )


def kept_from(now: datetime, months: int) -> datetime:
    """The start of the history that is kept: this month and so many whole months before it.

    Raises ValueError for less than one month.
    """
    if months < 1:
        raise ValueError(f"{months} months are too few to keep: expected 1 or more")
    current = month_of(now)
    years, month = divmod(current.year * 12 + current.month - 1 - months, 12)
    return current.replace(year=years, month=month + 1)


async def roll_up(engine: AsyncEngine, keep_from: datetime) -> RolledUp:
    """Roll up and drop the months of offer_history that end by `keep_from`, oldest first.

    board_at stays exact for every moment from `keep_from` on, except that `since` is at least the
    start of what is kept. A month is one transaction: a kill leaves it whole or rolled up, and
    the next call goes on. Crawls go on meanwhile; at the end of a month they wait for some
    milliseconds while its table is dropped.

    Raises ValueError unless `keep_from` is the start of a month in UTC, and TooBusy when others
    left no pause to drop a month in for about a minute.
    """
    if keep_from != month_of(keep_from):
        raise ValueError(f"{keep_from.isoformat()} is not the start of a month in UTC")
    done = RolledUp()
    async with engine.connect() as connection:
        cursor = (await psycopg_connection(connection)).cursor()
        for month in await _months_before(connection, cursor, keep_from):
            async with connection.begin():
                done = await _roll_up_month(cursor, month, done)
    return done


async def _months_before(
    connection: AsyncConnection, cursor: Cursor, keep_from: datetime
) -> list[datetime]:
    """The months to forget, oldest first. The one after them is there to carry what stands."""
    async with connection.begin():
        months = [month for month in await find_partitions(cursor) if month < keep_from]
        await make_partitions(cursor, map(following, months))
    return months


async def _roll_up_month(cursor: Cursor, month: datetime, done: RolledUp) -> RolledUp:
    await cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RETENTION_LOCK])
    if month not in await find_partitions(cursor):
        return done
    await cursor.execute(_of(month, _CLOSE))
    days = (await cursor.execute(_of(month, _ROLL_UP))).rowcount
    carried = (await cursor.execute(_of(month, _CARRY))).rowcount
    await cursor.execute(_of(month, _COUNT))
    (changes,) = await cursor.fetchone() or (0,)
    await _drop(cursor, month)
    return done.with_month(month, changes=int(str(changes)), days=days, carried=carried)


async def _drop(cursor: Cursor, month: datetime) -> None:
    """Drop the month's table in the first short pause of those who use the history."""
    await cursor.execute(_BE_POLITE)
    for _ in range(_ATTEMPTS):
        await cursor.execute("SAVEPOINT before_drop")
        try:
            await cursor.execute(_of(month, _DROP))
        except psycopg.errors.LockNotAvailable:
            await cursor.execute("ROLLBACK TO SAVEPOINT before_drop")
            await asyncio.sleep(_PAUSE)
        else:
            return
    raise TooBusy(
        f"{partition_name(month)} could not be dropped, because offer_history is in use without "
        "a pause: end long queries and exports, then try again"
    )


def _of(month: datetime, statement: LiteralString) -> sql.Composed:
    return sql.SQL(statement).format(
        month=sql.Identifier(partition_name(month)),
        end=sql.Literal(following(month).isoformat()),
    )
