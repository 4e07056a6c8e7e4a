"""Our goods as the cabinet shows them, merged into the listings. Writing twice changes nothing."""

from collections import Counter
from collections.abc import Sequence
from typing import LiteralString

import msgspec
import psycopg

from domain.cabinet import CabinetOffer, ShopPage, ShopRead
from domain.identity import ALMATY_CITY, MerchantId
from domain.readings import ShopReading
from storage.database import Cursor
from storage.rules import hold, lay_defaults
from storage.schema import libpq_address

_encode = msgspec.json.Encoder().encode

#: Of a store's listings so many, or this part in a hundred, may vanish from one reading to the
#: next. Beyond that it is the answer that lacks them: believing it would take a shop off sale.
MOST_VANISHED = 10
MOST_VANISHED_PERCENT = 20

#: In the order in which the outbox locks them, too.
_LOCK = (
    "SELECT FROM listings WHERE store_id = %(store)s AND sku = ANY(%(skus)s) ORDER BY id FOR UPDATE"
)
_UNKNOWN: LiteralString = """
SELECT count(*), 0 FROM unnest(%(skus)s::text[]) AS sku
WHERE NOT EXISTS (
    SELECT FROM listings WHERE store_id = %(store)s AND listings.sku = sku.sku)
"""
_ADD_STORE = "INSERT INTO stores (id) VALUES (%(store)s) ON CONFLICT DO NOTHING"
#: What the cabinet does not say (the price of goods off sale, a stock that is not kept) stays.
#: Columns: new, changed.
_MERGE: LiteralString = """
WITH incoming AS (
    SELECT DISTINCT ON (sku) told.*
    FROM jsonb_to_recordset(%(offers)s::jsonb) AS told (
        sku text, kaspi_id text, name text, brand text, price bigint, stock integer,
        removed_at timestamptz)
    ORDER BY sku
), merged AS (
    INSERT INTO listings AS held (
        store_id, sku, kaspi_id, name, brand, price, stock, removed_at, seen_at)
    SELECT %(store)s, sku, kaspi_id, name, brand, price, stock, removed_at, %(moment)s
    FROM incoming
    ORDER BY sku
    ON CONFLICT (store_id, sku) DO UPDATE
    SET kaspi_id = excluded.kaspi_id, name = coalesce(excluded.name, held.name),
        brand = coalesce(excluded.brand, held.brand),
        price = coalesce(excluded.price, held.price),
        stock = coalesce(excluded.stock, held.stock),
        removed_at = CASE WHEN excluded.removed_at IS NULL THEN NULL
            ELSE coalesce(held.removed_at, excluded.removed_at) END,
        changed_at = CASE WHEN (held.kaspi_id, held.name, held.brand, held.price, held.stock,
                held.removed_at IS NULL) IS DISTINCT FROM (
                excluded.kaspi_id, coalesce(excluded.name, held.name),
                coalesce(excluded.brand, held.brand), coalesce(excluded.price, held.price),
                coalesce(excluded.stock, held.stock), excluded.removed_at IS NULL)
            THEN now() ELSE held.changed_at END,
        seen_at = excluded.seen_at
    WHERE held.seen_at IS NULL OR held.seen_at < excluded.seen_at
    RETURNING id, xmax = 0 AS is_new, changed_at = now() AS is_news
)
SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE is_news AND NOT is_new) FROM merged
"""
#: Of what was on sale for all we knew, and is off since we set a price of it.
_PAUSE: LiteralString = """
UPDATE listings
SET paused_at = %(moment)s, paused_why = 'the cabinet says that no point has it, since we set its '
    || 'price: put it on sale there, then scrapy shop resume'
FROM jsonb_to_recordset(%(offers)s::jsonb) AS told (sku text, vanished boolean)
WHERE store_id = %(store)s AND listings.sku = told.sku AND told.vanished
    AND removed_at IS NULL AND paused_at IS NULL
    AND (seen_at IS NULL OR seen_at < %(moment)s)
    AND EXISTS (
        SELECT FROM intentions
        WHERE listing_id = listings.id
            AND sent_at BETWEEN %(moment)s::timestamptz - interval '1 day' AND %(moment)s)
"""
_TOLD: LiteralString = """
WITH told AS (
    SELECT listings.id, place.*
    FROM jsonb_to_recordset(%(points)s::jsonb) AS place (
        sku text, point text, available boolean, stock integer, preorder smallint)
    JOIN listings ON listings.store_id = %(store)s AND listings.sku = place.sku
        AND listings.seen_at = %(moment)s
)
"""
_FORGET_POINTS: LiteralString = (
    _TOLD
    + """
DELETE FROM listing_points AS held
WHERE held.listing_id IN (SELECT id FROM told) AND NOT EXISTS (
    SELECT FROM told WHERE told.id = held.listing_id AND told.point = held.point)
"""
)
_PUT_POINTS: LiteralString = (
    _TOLD
    + """
INSERT INTO listing_points AS held (listing_id, point, available, stock, preorder)
SELECT DISTINCT ON (id, point) id, point, available, stock, nullif(preorder, 0) FROM told
ORDER BY id, point
ON CONFLICT (listing_id, point) DO UPDATE
SET available = excluded.available, stock = excluded.stock, preorder = excluded.preorder,
    changed_at = now()
WHERE (held.available, held.stock, held.preorder)
    IS DISTINCT FROM (excluded.available, excluded.stock, excluded.preorder)
"""
)
_SHUT_POINTS = """
UPDATE listing_points SET available = false, changed_at = now()
FROM listings
WHERE listings.id = listing_id AND available AND listings.store_id = %(store)s
    AND listings.removed_at IS NOT NULL
"""
#: The price in all cities alone makes no rows.
_FORGET_PRICES: LiteralString = """
DELETE FROM listing_prices AS held
USING listings, jsonb_to_recordset(%(offers)s::jsonb) AS told (sku text, is_on_sale boolean)
WHERE listings.id = held.listing_id AND listings.store_id = %(store)s
    AND listings.sku = told.sku AND told.is_on_sale AND listings.seen_at = %(moment)s
    AND (listings.sku, held.city_id) NOT IN (
        SELECT sku, city_id
        FROM jsonb_to_recordset(%(prices)s::jsonb) AS price (sku text, city_id text))
"""
_PUT_PRICES: LiteralString = """
INSERT INTO listing_prices AS held (listing_id, city_id, price)
SELECT DISTINCT ON (listings.id, told.city_id) listings.id, told.city_id, told.price
FROM jsonb_to_recordset(%(prices)s::jsonb) AS told (sku text, city_id text, price bigint)
JOIN listings ON listings.store_id = %(store)s AND listings.sku = told.sku
    AND listings.seen_at = %(moment)s
ORDER BY listings.id, told.city_id
ON CONFLICT (listing_id, city_id) DO UPDATE
SET price = excluded.price, changed_at = now()
WHERE held.price <> excluded.price
"""
#: New products are watched where others are, in Almaty when there are none.
_WATCH = """
INSERT INTO work_list (kaspi_id, city_id)
SELECT DISTINCT listings.kaspi_id, watched.city_id
FROM listings, (
    SELECT DISTINCT city_id FROM work_list
    UNION SELECT %(city)s WHERE NOT EXISTS (SELECT FROM work_list)) AS watched
WHERE listings.store_id = %(store)s AND listings.added_at = now()
ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""
_RESUME = """
UPDATE listings SET paused_at = NULL, paused_why = NULL
WHERE store_id = %(store)s AND sku = ANY(%(skus)s) AND paused_at IS NOT NULL
"""
#: A former price that was to be put back is not, when the listing is decided on again.
_WITHDRAW_FORMER = """
UPDATE intentions SET state = 'withdrawn', closed_at = now()
FROM listings
WHERE listings.id = listing_id AND store_id = %(store)s AND sku = ANY(%(skus)s)
    AND state = 'pending' AND reason <> 'decision'
"""
#: Columns: how many vanished, how many are kept at all.
_VANISHED = """
SELECT count(*) FILTER (WHERE coalesce(seen_at, added_at) < %(began)s), count(*)
FROM listings
WHERE store_id = %(store)s AND removed_at IS NULL
"""
_REMOVE = """
UPDATE listings SET removed_at = %(moment)s, changed_at = now()
WHERE store_id = %(store)s AND removed_at IS NULL AND coalesce(seen_at, added_at) < %(began)s
"""


def resume(address: str, store: MerchantId, skus: Sequence[str]) -> int:
    """Let prices of paused listings be sent again. Returns how many were paused."""
    with psycopg.connect(libpq_address(address)) as connection:
        asked = {"store": store, "skus": list(skus)}
        paused = connection.execute(_RESUME, asked).rowcount
        connection.execute(_WITHDRAW_FORMER, asked)
        return paused


async def merge_shop(cursor: Cursor, reading: ShopReading) -> Counter[str]:
    """Write one page, or the end of a reading. Returns what it added, by table and event."""
    if isinstance(reading, ShopPage):
        return await _merge_page(cursor, reading)
    return await _merge_end(cursor, reading)


async def _merge_page(cursor: Cursor, page: ShopPage) -> Counter[str]:
    told = _told(page)
    await cursor.execute(_ADD_STORE, told)
    if (await _counted(cursor, _UNKNOWN, told))[0]:
        await hold(cursor)  # before the listings, as whoever changes rules does
    await cursor.execute(_LOCK, told)
    await cursor.execute(_PAUSE, told)
    paused = cursor.rowcount
    new, changed = await _counted(cursor, _MERGE, told)
    for statement in (_FORGET_POINTS, _PUT_POINTS, _FORGET_PRICES, _PUT_PRICES):
        await cursor.execute(statement, told)
    if not page.on_sale:
        await cursor.execute(_SHUT_POINTS, told)
    counts = Counter({"listings/seen": new, "listings/changed": changed})
    counts["listings/vanished_after_push"] = paused
    if new:
        await lay_defaults(cursor, page.store, f"new goods of store {page.store}")
        await cursor.execute(_WATCH, told)
        counts["work_list/added"] = cursor.rowcount
    return +counts


async def _merge_end(cursor: Cursor, read: ShopRead) -> Counter[str]:
    """Take off what has vanished, unless too much has."""
    told = {"store": read.store, "began": read.began_at, "moment": read.checked_at}
    vanished, known = await _counted(cursor, _VANISHED, told)
    if not read.believed and vanished > max(MOST_VANISHED, known * MOST_VANISHED_PERCENT // 100):
        return Counter({"listings/not_believed": vanished})
    await cursor.execute(_REMOVE, told)
    await cursor.execute(_SHUT_POINTS, told)
    return +Counter({"listings/vanished": vanished})


def _told(page: ShopPage) -> dict[str, object]:
    offers = page.offers
    return {
        "store": page.store,
        "moment": page.checked_at,
        "city": ALMATY_CITY,
        "skus": [offer.sku for offer in offers],
        "offers": _json([_row(offer, page) for offer in offers]),
        "points": _json([
            {"sku": offer.sku, "point": point.id, "available": point.available,
             "stock": point.stock, "preorder": point.preorder_days}
            for offer in offers for point in offer.points
        ]),
        "prices": _json([
            {"sku": offer.sku, "city_id": city, "price": price}
            for offer in offers for city, price in offer.city_prices.items()
        ]),
    }  # fmt: skip


def _row(offer: CabinetOffer, page: ShopPage) -> dict[str, object]:
    return {
        "sku": offer.sku,
        "kaspi_id": offer.kaspi_id,
        "name": offer.model or offer.title,
        "brand": offer.brand,
        "price": offer.price,
        "stock": _stock(offer),
        "removed_at": None if offer.on_sale else offer.archived_at or page.checked_at,
        "is_on_sale": offer.on_sale,
        "vanished": not offer.on_sale and "NO_AVAILABILITIES" in offer.errors,
    }


def _stock(offer: CabinetOffer) -> int | None:
    """Pieces at all points together; None when one of them does not keep count."""
    stocks = [point.stock for point in offer.points]
    if not stocks or None in stocks:
        return None
    return sum(filter(None, stocks))


def _json(rows: list[dict[str, object]]) -> str:
    return _encode(rows).decode()


async def _counted(
    cursor: Cursor, statement: LiteralString, told: dict[str, object]
) -> tuple[int, int]:
    await cursor.execute(statement, told)
    row = await cursor.fetchone() or (0, 0)
    return int(str(row[0])), int(str(row[1]))
