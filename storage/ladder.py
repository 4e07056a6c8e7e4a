"""How publishing went for a store: what waits, what was sent, what became of it; for the ladder."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, LiteralString

import attrs
import msgspec
import psycopg
from psycopg.rows import class_row, dict_row

from domain.budget import Budget, Push, spent, wait
from domain.identity import MerchantId
from storage.departures import CHOSEN
from storage.schema import libpq_address

_LISTINGS: LiteralString = f"""
SELECT count(DISTINCT listings.id) AS listings,
       count(DISTINCT listings.id) FILTER (WHERE listings.paused_at IS NOT NULL) AS paused,
       count(DISTINCT listings.id) FILTER (WHERE {CHOSEN}) AS chosen
FROM listings
CROSS JOIN (VALUES ('decision')) AS intentions (reason)
WHERE store_id = %(store)s
    AND EXISTS (
        SELECT FROM price_rules WHERE listing_id = listings.id AND replaced_by IS NULL)
"""
_COUNTS: LiteralString = f"""
SELECT state, outcome, {CHOSEN} AS chosen, sent_at IS NOT NULL AS sent, count(*) AS count
FROM intentions
JOIN listings ON listings.id = intentions.listing_id
WHERE listings.store_id = %(store)s AND (closed_at IS NULL OR closed_at >= %(since)s)
GROUP BY state, outcome, chosen, sent
"""
_LATENCY = """
SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (
    ORDER BY intentions.closed_at - coalesce(accepted_at, sent_at))
FROM intentions
JOIN listings ON listings.id = intentions.listing_id
WHERE listings.store_id = %(store)s AND state = 'applied' AND sent_at IS NOT NULL
    AND intentions.closed_at >= %(since)s
"""
_BUDGET = """
SELECT budget::text AS budget, clock_timestamp() AS now FROM change_budgets
WHERE store_id = %(store)s AND budget IS NOT NULL
"""
_PUSHES = """
SELECT counts_at, changes, outcome FROM pushes
WHERE store_id = %(store)s AND counts_at >= %(since)s
"""
_PAUSED = """
SELECT sku, paused_at, paused_why FROM listings
WHERE store_id = %(store)s AND paused_at IS NOT NULL
ORDER BY paused_at, sku
"""
_KNOWN = "SELECT FROM stores WHERE id = %(store)s"


@attrs.frozen(kw_only=True)
class Spending:
    """A store's budget now: what is left of it, and for how long nothing may leave."""

    budget: Budget
    left: int
    wait: timedelta
    pushes: int
    blocks: int


@attrs.frozen(kw_only=True)
class Report:
    """What became of a store's prices since a moment.

    `waiting` are pending prices within the share, `outside` those beyond it. `counts` are those
    that were sent to the cabinet, by state; `unsent` those that came to be live without, as by the
    feed. `latency` are the 50th, 95th and 99th percentiles from accepted to applied, None when
    nothing was applied.
    """

    listings: int
    chosen: int
    paused: int
    waiting: int
    outside: int
    counts: Mapping[str, int]
    unsent: int
    refused: Mapping[str, int]
    unverified: Mapping[str, int]
    latency: tuple[timedelta, timedelta, timedelta] | None
    spending: Spending | None

    @property
    def ended(self) -> int:
        """Prices that were sent, and of which it is known what became of them."""
        return self.counts.get("applied", 0) + self.counts.get("unverified", 0)


@attrs.frozen(kw_only=True)
class Paused:
    """A listing of which no price is sent, and why."""

    sku: str
    paused_at: datetime
    paused_why: str


def report(address: str, store: MerchantId, share: int, since: datetime) -> Report | None:
    """The report on a store, with a share in ten-thousandths; None for one that is not known."""
    asked = {"store": store, "share": share, "since": since}
    with psycopg.connect(libpq_address(address), row_factory=dict_row) as connection:
        if connection.execute(_KNOWN, asked).fetchone() is None:
            return None
        listings = connection.execute(_LISTINGS, asked).fetchone() or {}
        rows = connection.execute(_COUNTS, asked).fetchall()
        latency = connection.execute(_LATENCY, asked).fetchone() or {}
        spending = _spending(connection, asked)
    took = latency.get("percentile_disc")
    return Report(
        listings=listings.get("listings", 0),
        chosen=listings.get("chosen", 0),
        paused=listings.get("paused", 0),
        waiting=_sum(rows, state="pending", chosen=True),
        outside=_sum(rows, state="pending", chosen=False),
        counts={
            state: _sum(rows, state=state, sent=True) for state in {row["state"] for row in rows}
        },
        unsent=_sum(rows, state="applied", sent=False),
        refused=_outcomes(rows, "refused"),
        unverified=_outcomes(rows, "unverified"),
        latency=None if took is None else tuple(took),
        spending=spending,
    )


def paused(address: str, store: MerchantId) -> list[Paused]:
    """The listings of which no price is sent, the longest paused first."""
    with (
        psycopg.connect(libpq_address(address)) as connection,
        connection.cursor(row_factory=class_row(Paused)) as cursor,
    ):
        return cursor.execute(_PAUSED, {"store": store}).fetchall()


def _spending(connection: psycopg.Connection[Any], asked: Mapping[str, Any]) -> Spending | None:
    held = connection.execute(_BUDGET, asked).fetchone()
    if held is None:
        return None
    budget, now = msgspec.json.decode(held["budget"], type=Budget), held["now"]
    since = min(asked["since"], now - budget.window)
    rows = connection.execute(_PUSHES, {**asked, "since": since}).fetchall()
    counted = [
        Push(row["counts_at"], row["changes"]) for row in rows if row["outcome"] != "blocked"
    ]
    recent = [push for push in counted if push.at > now - budget.window]
    return Spending(
        budget=budget,
        left=max(0, budget.limit - spent(budget, recent, now)),
        wait=max(timedelta(0), wait(budget, recent, now)),
        pushes=len(rows),
        blocks=sum(row["outcome"] == "blocked" for row in rows),
    )


def _sum(rows: list[Any], **wanted: object) -> int:
    return sum(row["count"] for row in rows if wanted.items() <= row.items())


def _outcomes(rows: list[Any], state: str) -> dict[str, int]:
    found = sorted({str(row["outcome"]) for row in rows if row["state"] == state})
    return {one: _sum(rows, state=state, outcome=one) for one in found}
