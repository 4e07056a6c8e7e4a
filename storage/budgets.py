"""What each store may still send: its limits as they are known, and the ledger of its pushes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
import msgspec
import psycopg

from domain.budget import Budget, Push, after_block, after_push, may_send, reset, wait
from domain.identity import MerchantId
from domain.publishing import Outcome
from storage.database import Cursor
from storage.schema import libpq_address

_ENTER = """
INSERT INTO change_budgets (store_id, budget) VALUES (%s, %s::jsonb) ON CONFLICT DO NOTHING
"""
_READ = """
SELECT budget::text, blocked_until, clock_timestamp() FROM change_budgets WHERE store_id = %s
"""
#: Who holds the row is the only one who lets something of the store leave.
_HOLD = f"{_READ} FOR UPDATE"
#: What was refused by a block did not count.
_PUSHES = """
SELECT counts_at, changes FROM pushes
WHERE store_id = %s AND counts_at > %s AND outcome IS DISTINCT FROM 'blocked'
"""
_LEARN = """
UPDATE change_budgets
SET budget = %(budget)s::jsonb, blocked_until = %(until)s, changed_at = clock_timestamp()
WHERE store_id = %(store)s
"""
_LEAVE = """
INSERT INTO pushes (store_id, sent_at, counts_at, changes, questions)
VALUES (%(store)s, %(now)s, %(counts_at)s, %(changes)s, %(questions)s)
RETURNING id
"""
_ANSWERED = """
UPDATE pushes SET counts_at = clock_timestamp(), outcome = %(outcome)s WHERE id = %(push)s
"""
_UNKNOWN = "UPDATE pushes SET outcome = %(outcome)s WHERE id = %(push)s"
_NEVER_LEFT = "DELETE FROM pushes WHERE id = %s"
_FORGET = "DELETE FROM pushes WHERE counts_at < %s"
_UNLEARN = """
UPDATE change_budgets SET budget = NULL, changed_at = clock_timestamp() WHERE store_id = %s
"""


_read_budget = msgspec.json.Decoder(Budget).decode


@attrs.frozen(kw_only=True)
class Purse:
    """A store's budget with what was spent of it, at a moment of the database's clock."""

    budget: Budget
    pushes: Sequence[Push]
    now: datetime

    def may_send(self, waiting: int) -> int:
        """How many changes one push may carry now."""
        return may_send(self.budget, self.pushes, self.now, waiting)

    def wait(self, waiting: int) -> timedelta:
        """How long nothing may leave."""
        return wait(self.budget, self.pushes, self.now, waiting)


async def purse(cursor: Cursor, store: MerchantId, start: Budget, *, hold: bool = False) -> Purse:
    """What a store may send; one who begins, or begins anew, has `start`.

    With `hold` nobody else can take from it until the caller's transaction ends.
    """
    row = await _row(cursor, store, hold=hold)
    if row is None:
        await cursor.execute(_ENTER, [store, msgspec.json.encode(start).decode()])
        row = await _row(cursor, store, hold=hold)
    if row is None:
        raise RuntimeError(f"the budget of store {store} was entered, and is not there")
    learnt, blocked_until, now = row
    budget = reset(start, blocked_until) if learnt is None else _read_budget(learnt)
    await cursor.execute(_PUSHES, [store, now - budget.window])
    pushes = [Push(*spent) for spent in await _pairs(cursor)]
    return Purse(budget=budget, pushes=pushes, now=now)


async def hold(cursor: Cursor, store: MerchantId) -> None:
    """Let nobody else take from a store's budget until the caller's transaction ends."""
    await _row(cursor, store, hold=True)


async def leave(
    cursor: Cursor,
    store: MerchantId,
    held: Purse,
    *,
    changes: int,
    questions: int,
    wait: timedelta,
) -> int:
    """Enter a push before it leaves; no answer is waited for longer than `wait`. Its number."""
    said = {"store": store, "now": held.now, "counts_at": held.now + wait}
    await cursor.execute(_LEAVE, {**said, "changes": changes, "questions": questions})
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError("the database did not number the push")
    return int(str(row[0]))


async def answered(
    cursor: Cursor,
    store: MerchantId,
    push: int,
    outcome: Outcome | None,
    *,
    start: Budget,
    retry_after: timedelta | None = None,
) -> None:
    """Enter what came of a push, None when it was accepted, and learn from it.

    Of a push without an answer nothing is learned: it counts for as long as it may. A caller who
    locks listings as well holds the budget (`hold`) before them, as whoever lets prices leave does.
    """
    said = {"push": push, "outcome": outcome or "accepted"}
    if outcome is Outcome.NO_ANSWER:
        await cursor.execute(_UNKNOWN, said)
        return
    await cursor.execute(_ANSWERED, said)
    if outcome is not None and outcome is not Outcome.BLOCKED:
        return
    # A push that was just refused by a block is none of those that count.
    held = await purse(cursor, store, start, hold=True)
    if outcome is Outcome.BLOCKED:
        learnt = after_block(held.budget, held.pushes, held.now, retry_after)
    else:
        learnt = after_push(held.budget, held.pushes, held.now)
    await _learn(cursor, store, learnt)


async def never_left(cursor: Cursor, push: int) -> None:
    """Take a push out of the ledger of which it is certain that it did not leave."""
    await cursor.execute(_NEVER_LEFT, [push])


def unlearn(address: str, store: MerchantId) -> Budget | None:
    """Let a store begin anew with what the settings say; a block that lasts goes on.

    Returns what it had learned until now, None when that was nothing.
    """
    with psycopg.connect(libpq_address(address)) as connection:
        row = connection.execute(_HOLD, [store]).fetchone()
        connection.execute(_UNLEARN, [store])
    return None if row is None or row[0] is None else _read_budget(row[0])


async def forget_pushes(cursor: Cursor, before: datetime) -> None:
    """Forget pushes that counted before a moment."""
    await cursor.execute(_FORGET, [before])


async def _learn(cursor: Cursor, store: MerchantId, budget: Budget) -> None:
    said = {"budget": msgspec.json.encode(budget).decode(), "until": budget.blocked_until}
    await cursor.execute(_LEARN, {**said, "store": store})


async def _row(cursor: Cursor, store: MerchantId, *, hold: bool) -> Any:
    await cursor.execute(_HOLD if hold else _READ, [store])
    return await cursor.fetchone()


async def _pairs(cursor: Cursor) -> list[Any]:
    return await cursor.fetchall()
