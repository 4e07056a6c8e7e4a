"""Former prices of ours: as they stood at a moment, or before our first push; and put back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

import attrs
import psycopg
from psycopg.rows import class_row

from domain.identity import CityId, MerchantId
from domain.money import Tenge
from domain.shop import ListingId, RuleId
from storage.schema import libpq_address

#: The rule that holds for each former price, and what stands there now as far as we know.
_WITH_RULE: LiteralString = """
SELECT former.listing_id AS listing, listings.sku, former.city_id AS city, former.price,
       coalesce(CASE WHEN ours.closed_at > now_there.checked_at OR now_there.price IS NULL
                     THEN ours.price END, now_there.price, here.price) AS current,
       listings.stocked_on,
       EXISTS (
           SELECT FROM intentions
           WHERE intentions.listing_id = former.listing_id AND intentions.city_id = former.city_id
               AND state IN ('sending', 'accepted') AND intentions.price <> former.price
       ) AS moves,
       rule.id AS rule, rule.said::text AS said, rule.least
FROM former
JOIN listings ON listings.id = former.listing_id
LEFT JOIN listing_prices AS here USING (listing_id, city_id)
LEFT JOIN LATERAL (
    SELECT offers.price, boards.checked_at
    FROM offers
    JOIN products ON products.id = offers.product_id
    JOIN boards USING (product_id, city_id)
    WHERE products.kaspi_id = listings.kaspi_id AND offers.city_id = former.city_id
        AND offers.merchant_id = listings.store_id AND offers.gone_at IS NULL
) AS now_there ON true
LEFT JOIN LATERAL (
    SELECT price, closed_at FROM intentions
    WHERE intentions.listing_id = former.listing_id AND intentions.city_id = former.city_id
        AND state = 'applied'
    ORDER BY closed_at DESC
    LIMIT 1
) AS ours ON true
LEFT JOIN LATERAL (
    SELECT id, said, least FROM price_rules
    WHERE price_rules.listing_id = former.listing_id AND replaced_by IS NULL
        AND price_rules.city_id IN ('', former.city_id)
    ORDER BY price_rules.city_id DESC
    LIMIT 1
) AS rule ON true
WHERE listings.store_id = %(store)s
    AND (%(skus)s::text[] IS NULL OR listings.sku = ANY(%(skus)s))
ORDER BY listings.sku, former.city_id
"""
#: As buyers saw them: the last change of our own offer before that moment.
_AT: LiteralString = (
    """
WITH former AS (
    SELECT listings.id AS listing_id, offers.city_id, seen.price
    FROM listings
    JOIN products USING (kaspi_id)
    JOIN offers ON offers.product_id = products.id AND offers.merchant_id = listings.store_id
    CROSS JOIN LATERAL (
        SELECT price, event FROM offer_history
        WHERE offer_history.offer_id = offers.id AND created_at <= %(at)s
        ORDER BY created_at DESC
        LIMIT 1
    ) AS seen
    WHERE seen.event <> 'gone'
)
"""
    + _WITH_RULE
)
#: Where nothing of ours was ever sent, the price is not ours to put back.
_BASELINE: LiteralString = (
    """
WITH former AS (
    SELECT listing_id, city_id, price FROM baseline_prices
    WHERE EXISTS (
        SELECT FROM intentions
        WHERE intentions.listing_id = baseline_prices.listing_id
            AND intentions.city_id = baseline_prices.city_id AND sent_at IS NOT NULL)
)
"""
    + _WITH_RULE
)
_LOCK = "SELECT FROM listings WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
_PAUSE = """
UPDATE listings SET paused_at = now(), paused_why = %(why)s WHERE id = ANY(%(listings)s)
"""
_END_PENDING = """
UPDATE intentions SET state = 'superseded', closed_at = now()
WHERE state = 'pending' AND listing_id = ANY(%(listings)s)
"""
_INTEND = """
INSERT INTO intentions (
    listing_id, city_id, rule_id, least, price, before, lowest, highest, reason, forbidden)
VALUES (
    %(listing)s, %(city)s, %(rule)s, %(least)s, %(price)s, %(before)s, %(lowest)s, %(highest)s,
    %(reason)s, true)
"""


@attrs.frozen(kw_only=True)
class Former:
    """A price as it once stood, beside what stands now and the rule that holds, if there is one.

    `moves`: another price is on its way, and may stand there next.
    """

    listing: ListingId
    sku: str
    city: CityId
    price: Tenge
    current: Tenge | None
    stocked_on: Any
    moves: bool
    rule: RuleId | None
    said: str | None
    least: Tenge | None


@attrs.frozen(kw_only=True)
class PutBack:
    """A former price that is still allowed: `lowest` to `highest` is the interval it lies in."""

    former: Former
    lowest: int
    highest: int


def prices_at(
    address: str, store: MerchantId, skus: Sequence[str] | None, at: datetime
) -> list[Former]:
    """Our prices as buyers saw them at that moment, of some articles or of all."""
    return _read(address, _AT, {"store": store, "skus": skus, "at": at})


def baseline(address: str, store: MerchantId, skus: Sequence[str] | None) -> list[Former]:
    """Our prices as they stood before our first push."""
    return _read(address, _BASELINE, {"store": store, "skus": skus})


def put_back(
    address: str, prices: Sequence[PutBack], standing: Sequence[Former], reason: str, why: str
) -> int:
    """Intend former prices, all or none, and pause their listings, so that nothing overrules them.

    So are the listings of former prices that are `standing` already. What is pending of all these
    listings ends. The database refuses what a rule forbids. Returns how many listings are paused.
    """
    listings = sorted({former.listing for former in (*(one.former for one in prices), *standing)})
    with psycopg.connect(libpq_address(address)) as connection:
        connection.execute(_LOCK, [listings])
        connection.execute(_PAUSE, {"listings": listings, "why": why})
        connection.execute(_END_PENDING, {"listings": listings})
        with connection.cursor() as cursor:
            cursor.executemany(_INTEND, [_row(one, reason) for one in prices])
    return len(listings)


def _read(address: str, query: LiteralString, asked: dict[str, Any]) -> list[Former]:
    with (
        psycopg.connect(libpq_address(address)) as connection,
        connection.cursor(row_factory=class_row(Former)) as cursor,
    ):
        return cursor.execute(query, asked).fetchall()


def _row(one: PutBack, reason: str) -> dict[str, Any]:
    return {
        "listing": one.former.listing,
        "city": one.former.city,
        "rule": one.former.rule,
        "least": one.former.least,
        "price": one.former.price,
        "before": one.former.current,
        "lowest": one.lowest,
        "highest": one.highest,
        "reason": reason,
    }
