"""The storm's counts, by the sandbox's own book and by our outbox: what must be zero."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import psycopg
from psycopg.rows import dict_row

from benchmarks.publishing.eyes import ask

#: The newest decision on each price that left nothing in the outbox: no intention with its price
#: since the last one that ended, none under way, and none that must wait for another reading.
_LOST = """
WITH latest AS (
    SELECT DISTINCT ON (listing_id, city_id) listing_id, city_id, price, board_at, action
    FROM decisions
    ORDER BY listing_id, city_id, board_at DESC
)
SELECT count(*) AS count FROM latest
WHERE action = 'set' AND NOT EXISTS (
    SELECT FROM intentions AS kept
    WHERE kept.listing_id = latest.listing_id AND kept.city_id = latest.city_id
        AND (kept.price = latest.price
             OR kept.state = 'unverified' AND kept.closed_at >= latest.board_at))
"""
#: Open although the time in which a price may take to appear, and as much again, is over.
_STUCK = """
SELECT count(*) AS count FROM intentions
WHERE state IN ('sending', 'accepted') AND sent_at < now() - %s::interval
"""
#: Each push of a listing, by us: the book may hold no more changes of it.
_PUSHED = """
SELECT store_id, sku, count(DISTINCT push_id) AS pushes
FROM intentions JOIN listings ON listings.id = listing_id
WHERE push_id IS NOT NULL
GROUP BY store_id, sku
"""
_STATES = "SELECT state, outcome, count(*) AS count FROM intentions GROUP BY 1, 2 ORDER BY 1, 2"
_SENT = "SELECT count(*) AS count FROM intentions WHERE sent_at IS NOT NULL"
_RULES = """
SELECT store_id, sku, (said->>'floor')::bigint AS low, (said->>'ceiling')::bigint AS high
FROM price_rules JOIN listings ON listings.id = listing_id
WHERE replaced_by IS NULL
"""
_SLICE = 10_000
_LIMITS = ("per_second", "per_window")


@attrs.frozen(kw_only=True)
class Audit:
    """What must be zero, in words; and what happened besides."""

    violations: Mapping[str, int]
    sent: int
    states: Mapping[str, int]
    book: Mapping[str, Any]
    notes: Mapping[str, int]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was violated."""
        return not any(self.violations.values())


def sent_so_far(database: str) -> int:
    """How many prices have left."""
    with psycopg.connect(database, row_factory=dict_row) as connection:
        row = connection.execute(_SENT).fetchone()
        return int(row["count"]) if row else 0


def audit(address: str, database: str, overdue: float) -> Audit:
    """Compare the book with the outbox; `overdue` seconds after it was sent a price is stuck."""
    with psycopg.connect(database, row_factory=dict_row) as connection:

        def rows(query: str, *values: object) -> list[dict[str, Any]]:
            return connection.execute(query.encode(), values).fetchall()

        rules = {(row["store_id"], row["sku"]): (row["low"], row["high"]) for row in rows(_RULES)}
        pushed = {(row["store_id"], row["sku"]): row["pushes"] for row in rows(_PUSHED)}
        lost, stuck = rows(_LOST)[0]["count"], rows(_STUCK, f"{overdue} seconds")[0]["count"]
        states = {
            f"{row['state']} {row['outcome'] or ''}".strip(): row["count"] for row in rows(_STATES)
        }
    book = ask(address, "seller/book")
    changes = list(_lines(address, "changes"))
    wrongs: Counter[str] = Counter(wrong["kind"] for one in changes for wrong in one["wrongs"])
    effects: Counter[str] = Counter(wrong["kind"] for one in changes for wrong in one["effects"])
    twice = _twice(changes, pushed)
    violations = {
        "prices outside the allowed set live through us": _outside(address, rules, changes),
        "intentions lost": lost + stuck,
        "sent twice": twice,
        "sold-out items reopened": wrongs["sold_out_reopened"],
        "points dropped": wrongs["point_dropped"] + effects["point_dropped"],
        "limits exceeded": sum(book["refusals"].get(why, 0) for why in _LIMITS),
        "other wrongs of a push": sum(
            count for kind, count in wrongs.items()
            if kind not in {"sold_out_reopened", "point_dropped"}
        ),
        "pushed without looking": book["without_looking"],
    }  # fmt: skip
    notes = {
        "points that sold out while a change waited to be applied, and opened by it": effects[
            "sold_out_reopened"
        ],
        "pushes while blocked": book["refusals"].get("in_block", 0),
    }
    return Audit(
        violations=violations,
        sent=sent_so_far(database),
        states=states,
        book={key: book[key] for key in ("changes", "fates", "refusals", "removed", "live")},
        notes=notes,
    )


def _outside(
    address: str, rules: Mapping[tuple[str, str], tuple[int, int]], changes: Iterable[Any]
) -> int:
    """Prices that our pushes named and brought to buyers, and that the listing's rule forbids.

    One that a push did not name, as when it applied in part, was there without us.
    """
    named = {one["id"]: {one["price"], *one["city_prices"].values()} for one in changes}
    found = 0
    for line in _lines(address, "live"):
        low, high = rules.get((line["merchant"], line["sku"]), (0, 10**12))
        is_ours = line["price"] in named.get(line["by"], ())
        if is_ours and line["present"] and not low <= line["price"] <= high:
            found += 1
    return found


def _twice(changes: Iterable[Any], pushed: Mapping[tuple[str, str], int]) -> int:
    counted: defaultdict[tuple[str, str], int] = defaultdict(int)
    for one in changes:
        counted[one["merchant"], one["sku"]] += 1
    return sum(max(0, count - pushed.get(key, 0)) for key, count in counted.items())


def _lines(address: str, part: str) -> Iterable[Any]:
    first = 0
    while True:
        lines = ask(address, f"seller/book/{part}?first={first}&most={_SLICE}")
        yield from lines
        if len(lines) < _SLICE:
            return
        first += len(lines)
