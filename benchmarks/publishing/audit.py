"""The storm's counts, by the sandbox's own book and by our outbox: what must be zero."""

from bisect import bisect_right
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
import psycopg
from psycopg.rows import dict_row

from benchmarks.publishing.eyes import ask
from benchmarks.publishing.rulebook import Rulebook, standing

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
#: The moments at which pushes of each listing were written down; the book may hold no more changes.
_PUSHED = """
SELECT store_id, sku, array_agg(DISTINCT sent_at ORDER BY sent_at) AS moments
FROM intentions JOIN listings ON listings.id = listing_id
WHERE push_id IS NOT NULL
GROUP BY store_id, sku
"""
_STATES = "SELECT state, outcome, count(*) AS count FROM intentions GROUP BY 1, 2 ORDER BY 1, 2"
_SENT = "SELECT coalesce(sum(changes), 0) AS count FROM pushes"
_RULES = """
SELECT store_id, sku, city_id, (said->>'floor')::bigint AS low, (said->>'ceiling')::bigint AS high
FROM price_rules JOIN listings ON listings.id = listing_id
WHERE replaced_by IS NULL
"""
_SLICE = 10_000
#: Of the sandbox's clock, as its switch has it.
_WINDOW = timedelta(minutes=30)
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


def audit(address: str, database: str, overdue: float, rules: Rulebook | None = None) -> Audit:
    """Compare the book with the outbox; `overdue` seconds after it was sent a price is stuck.

    Without a book of rules those of the database are taken, as if they had always held.
    """
    with psycopg.connect(database, row_factory=dict_row) as connection:

        def rows(query: str, *values: object) -> list[dict[str, Any]]:
            return connection.execute(query.encode(), values).fetchall()

        held = standing(
            {
                (row["store_id"], row["sku"], row["city_id"]): (row["low"], row["high"])
                for row in rows(_RULES)
            }
        )
        pushed = {(row["store_id"], row["sku"]): row["moments"] for row in rows(_PUSHED)}
        lost, stuck = rows(_LOST)[0]["count"], rows(_STUCK, f"{overdue} seconds")[0]["count"]
        states = {
            f"{row['state']} {row['outcome'] or ''}".strip(): row["count"] for row in rows(_STATES)
        }
    book = ask(address, "seller/book")
    changes = list(_lines(address, "changes"))
    wrongs: Counter[str] = Counter(wrong["kind"] for one in changes for wrong in one["wrongs"])
    effects: Counter[str] = Counter(wrong["kind"] for one in changes for wrong in one["effects"])
    violations = {
        "prices outside the allowed set live through us": _outside(
            _lines(address, "live"), changes, pushed, rules or held
        ),
        "intentions lost": lost + stuck,
        "sent twice": _twice(changes, pushed),
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
        "most changes of a store within a window, of 250": _most_in_window(changes, _WINDOW),
        "rules that were changed": (rules or held).changes,
    }
    return Audit(
        violations=violations,
        sent=sent_so_far(database),
        states=states,
        book={key: book[key] for key in ("changes", "fates", "refusals", "removed", "live")},
        notes=notes,
    )


Pushed = Mapping[tuple[str, str], Sequence[datetime]]


def _outside(live: Iterable[Any], changes: Iterable[Any], pushed: Pushed, rules: Rulebook) -> int:
    """Prices that our pushes named and brought to buyers, and that no rule allowed when they left.

    One that a push did not name, as when it applied in part, was there without us.
    """
    entries = {one["id"]: one for one in changes}
    found = 0
    for line in live:
        entry = entries.get(line["by"])
        if entry is None or not line["present"] or line["price"] not in _named(entry):
            continue
        at = _left_at(entry, pushed)
        if not rules.allows(line["merchant"], line["sku"], line["city"], line["price"], at):
            found += 1
    return found


def _named(entry: Any) -> set[int]:
    return {entry["price"], *entry["city_prices"].values()}


def _left_at(entry: Any, pushed: Pushed) -> datetime:
    """When the push of an accepted change was written down: the last one before it came."""
    came = datetime.fromisoformat(entry["real_at"])
    moments = pushed.get((entry["merchant"], entry["sku"]), ())
    before = bisect_right(moments, came)
    return moments[before - 1] if before else came


def _twice(changes: Iterable[Any], pushed: Pushed) -> int:
    counted: defaultdict[tuple[str, str], int] = defaultdict(int)
    for one in changes:
        counted[one["merchant"], one["sku"]] += 1
    return sum(max(0, count - len(pushed.get(key, ()))) for key, count in counted.items())


def _most_in_window(changes: Iterable[Any], window: timedelta) -> int:
    """The most changes of one store that the sandbox accepted within its window."""
    made: defaultdict[str, deque[datetime]] = defaultdict(deque)
    most = 0
    for one in changes:
        at, counting = datetime.fromisoformat(one["at"]), made[one["merchant"]]
        counting.append(at)
        while counting[0] <= at - window:
            counting.popleft()
        most = max(most, len(counting))
    return most


def _lines(address: str, part: str) -> Iterator[Any]:
    first = 0
    while True:
        lines = ask(address, f"seller/book/{part}?first={first}&most={_SLICE}")
        yield from lines
        if len(lines) < _SLICE:
            return
        first += len(lines)
