"""The outbox: what was decided and why, and the prices that are to be set by it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

import attrs
import msgspec

from domain.identity import CityId
from domain.money import DEAREST, Tenge
from domain.pricing import Action
from domain.shop import Decided, ListingId
from storage import budgets
from storage.database import Cursor
from storage.listings import remember

#: Two crawls that decide on the same listing go one after the other.
_LOCK = "SELECT FROM listings WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
_INCOMING: LiteralString = """
WITH told AS (
    SELECT * FROM jsonb_to_recordset(%(decided)s::jsonb) AS told (
        listing_id bigint, kaspi_id text, city_id text, rule_id bigint, board_at timestamptz,
        action text,
        price bigint, before bigint, reason text, rival text, rival_price bigint, profit bigint,
        profit_before bigint, place integer, lowest bigint, highest bigint, brings bigint,
        forbidden boolean, stands boolean, story jsonb)
), incoming AS (
    SELECT told.*, rules.least, latest.id AS latest_id,
           latest.id IS NULL OR (latest.action, latest.price, latest.before, latest.reason,
               latest.rival, latest.rival_price, latest.place, latest.rule_id)
               IS DISTINCT FROM (told.action, told.price, told.before, told.reason, told.rival,
               told.rival_price, told.place, told.rule_id) AS is_news
    FROM told
    JOIN price_rules AS rules ON rules.id = told.rule_id AND rules.replaced_by IS NULL
    JOIN listings ON listings.id = told.listing_id AND listings.kaspi_id = told.kaspi_id
    LEFT JOIN products ON products.kaspi_id = told.kaspi_id
    LEFT JOIN boards ON boards.product_id = products.id AND boards.city_id = told.city_id
    LEFT JOIN LATERAL (
        SELECT * FROM decisions
        WHERE decisions.listing_id = told.listing_id AND decisions.city_id = told.city_id
        ORDER BY decisions.board_at DESC
        LIMIT 1
    ) AS latest ON true
    WHERE (latest.board_at IS NULL OR latest.board_at <= told.board_at)
        AND (boards.completed_at IS NULL OR boards.completed_at <= told.board_at)
)
"""
#: A decision that says what the one before said adds no row.
_DECIDE: LiteralString = (
    _INCOMING
    + """
INSERT INTO decisions AS held (
    listing_id, city_id, rule_id, board_at, action, price, before, reason, rival, rival_price,
    profit, profit_before, place, story)
SELECT listing_id, city_id, rule_id, board_at, action, price, before, reason, rival, rival_price,
       profit, profit_before, place, story
FROM incoming
WHERE is_news
ON CONFLICT DO NOTHING
"""
)
#: What is pending and no longer what was decided last, ends; what a person wants back stays. A
#: price that the board shows already came by another way, as by the price feed: it is applied.
#: Where we do not stand on the board nobody has seen it, whatever is remembered.
_CLOSE: LiteralString = (
    _INCOMING
    + """
UPDATE intentions AS held
SET state = CASE WHEN incoming.stands AND held.price = incoming.before THEN 'applied'
                 WHEN incoming.action = 'set' THEN 'superseded' ELSE 'withdrawn' END,
    outcome = CASE WHEN incoming.stands AND held.price = incoming.before
                   THEN 'already_there' END,
    closed_at = now()
FROM incoming
WHERE held.state = 'pending' AND held.reason = 'decision'
    AND held.listing_id = incoming.listing_id AND held.city_id = incoming.city_id
    AND (incoming.action <> 'set' OR held.price <> incoming.price
         OR held.rule_id <> incoming.rule_id)
RETURNING held.state, held.listing_id, held.city_id, held.price
"""
)
#: A price that is on its way is not intended again, and another one waits until it has arrived or
#: is given up. What could not be verified is decided on anew, but only by a later reading. What it
#: brings moves a little with every reading: only by more than a tenth it is written again.
_INTEND: LiteralString = (
    _INCOMING
    + """
INSERT INTO intentions AS held (
    listing_id, city_id, rule_id, least, decision_id, price, before, lowest, highest, brings,
    forbidden)
SELECT listing_id, city_id, rule_id, least, latest_id, price, before, lowest, highest, brings,
       forbidden
FROM incoming
WHERE action = 'set'
    AND NOT EXISTS (
        SELECT FROM listings WHERE listings.id = incoming.listing_id AND paused_at IS NOT NULL)
    AND NOT EXISTS (
        SELECT FROM intentions AS sent
        WHERE sent.listing_id = incoming.listing_id AND sent.city_id = incoming.city_id
            AND (sent.state IN ('sending', 'accepted') AND sent.price = incoming.price
                 OR sent.state = 'unverified' AND sent.closed_at >= incoming.board_at))
ON CONFLICT (listing_id, city_id) WHERE state = 'pending' DO UPDATE
SET brings = excluded.brings, forbidden = excluded.forbidden, before = excluded.before
WHERE held.reason = 'decision'
    AND ((held.forbidden, held.before) IS DISTINCT FROM (excluded.forbidden, excluded.before)
         OR abs(held.brings - excluded.brings) > abs(held.brings) / 10)
RETURNING (xmax = 0)
"""
)


#: What stands stays: the last decision on each price, and what is pending.
_FORGET_DECISIONS = """
DELETE FROM decisions
WHERE board_at < %(before)s AND EXISTS (
    SELECT FROM decisions AS later
    WHERE later.listing_id = decisions.listing_id AND later.city_id = decisions.city_id
        AND later.board_at > decisions.board_at AND later.board_at <= %(before)s)
"""
_FORGET_INTENTIONS = "DELETE FROM intentions WHERE closed_at < %(before)s"


@attrs.frozen(kw_only=True)
class Written:
    """How many decisions were news, how many intentions are new, how many ended."""

    decisions: int
    intentions: int
    ended: int

    @property
    def counts(self) -> dict[str, int]:
        """The same by name."""
        return attrs.asdict(self)


async def write(cursor: Cursor, decided: Sequence[Decided]) -> Written:
    """Write decisions down, and what is to be done by them, within the caller's transaction.

    Writing twice changes nothing. Left out is what was decided by an older board than is held or
    was decided on, by a rule that holds no more, or for another card. No two may speak of one
    listing in one city. The database refuses a price below the rule's floor or cost, outside the
    allowed prices, or without a rule (psycopg's IntegrityError).
    """
    said = {"decided": msgspec.json.encode(list(map(_told, decided))).decode()}
    await cursor.execute(_LOCK, [sorted({one.listing.id for one in decided})])
    await cursor.execute(_DECIDE, said)
    decisions = cursor.rowcount
    await cursor.execute(_CLOSE, said)
    closed: list[Any] = await cursor.fetchall()
    for listing, city, price in (row[1:] for row in closed if row[0] == "applied"):
        await remember(cursor, ListingId(listing), CityId(city), Tenge(price))
    await cursor.execute(_INTEND, said)
    new = sum(bool(is_new) for (is_new,) in await cursor.fetchall())
    return Written(decisions=decisions, intentions=new, ended=len(closed))


async def forget(cursor: Cursor, before: datetime) -> int:
    """Forget what was decided before that moment, but not what stood at it, and what was intended
    and has ended. Returns how many decisions are gone.
    """
    await cursor.execute(_FORGET_INTENTIONS, {"before": before})
    await budgets.forget_pushes(cursor, before)
    await cursor.execute(_FORGET_DECISIONS, {"before": before})
    return cursor.rowcount


def _told(one: Decided) -> dict[str, object]:
    decision, rival = one.decision, one.decision.rival
    lowest, highest = _bounds(one)
    return {
        "listing_id": one.listing.id,
        "kaspi_id": one.listing.kaspi_id,
        "city_id": one.listing.city,
        "rule_id": one.listing.rule,
        "board_at": one.board_at,
        "action": decision.action,
        "price": decision.price,
        "before": decision.before,
        "reason": decision.reason,
        "rival": None if rival is None else rival.merchant,
        "rival_price": None if rival is None else rival.price,
        "profit": decision.profit,
        "profit_before": decision.profit_before,
        "place": decision.place,
        "lowest": lowest,
        "highest": highest,
        "brings": one.brings,
        "forbidden": one.forbidden,
        "stands": one.stands,
        "story": decision,
    }


def _bounds(one: Decided) -> tuple[int, int]:
    """The lowest and the highest price of the interval in which the new price lies.

    A price that lies in none of them is given bounds that the database refuses.
    """
    price = one.decision.price
    if one.decision.action is Action.SET and price is not None:
        for low, high in one.decision.pairs:
            if low <= price <= high:
                return low, high
    return int(DEAREST), 1
