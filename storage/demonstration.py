"""What the demo tells of the memory: what was found, what changed, and how our prices fared."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString

import attrs
import psycopg
from psycopg.rows import class_row, dict_row

from domain.identity import CityId, MerchantId, ProductId
from domain.money import Tenge
from storage.schema import libpq_address

#: What the memory holds, and what the last crawl made of it.
_FOUND = """
SELECT (SELECT count(*) FROM products) AS products,
       (SELECT count(*) FROM boards) AS boards,
       (SELECT count(*) FROM offers WHERE gone_at IS NULL) AS offers,
       (SELECT count(DISTINCT merchant_id) FROM offers) AS sellers,
       (SELECT count(*) FROM offer_history) AS history
"""
_CHANGED = """
SELECT coalesce((stored ->> 'offer_history/changed')::integer, 0) AS changed,
       coalesce((stored ->> 'offer_history/seen')::integer, 0) AS arrived,
       coalesce((stored ->> 'offer_history/returned')::integer, 0) AS returned,
       coalesce((stored ->> 'offer_history/gone')::integer, 0) AS left
FROM runs
ORDER BY started_at DESC
LIMIT 1
"""
_LARGEST_FALL = """
SELECT products.name, offers.city_id, offers.seller, before.price AS before, now.price AS now
FROM offer_history AS now
JOIN offers ON offers.id = now.offer_id
JOIN products ON products.id = offers.product_id
CROSS JOIN LATERAL (
    SELECT price FROM offer_history AS earlier
    WHERE earlier.offer_id = now.offer_id AND earlier.created_at < now.created_at
    ORDER BY earlier.created_at DESC
    LIMIT 1
) AS before
WHERE now.event = 'changed' AND now.created_at >= (SELECT max(started_at) FROM runs)
ORDER BY before.price - now.price DESC
LIMIT 1
"""
#: What a store of ours sells, each article at its lowest price.
_OURS = """
SELECT listings.store_id AS merchant, btrim(min(offers.seller)) AS seller, listings.sku,
       listings.kaspi_id AS product, min(offers.price) AS price
FROM listings
JOIN products USING (kaspi_id)
JOIN offers ON offers.product_id = products.id AND offers.merchant_id = listings.store_id
WHERE listings.store_id = %(store)s AND offers.gone_at IS NULL
GROUP BY listings.store_id, listings.sku, listings.kaspi_id
ORDER BY listings.sku
"""
#: Boards with an offer of ours, and those on which nobody asks less.
_STANDING = """
SELECT count(*) AS boards, count(*) FILTER (WHERE ours.price = least.price) AS first
FROM offers AS ours
CROSS JOIN LATERAL (
    SELECT min(price) AS price FROM offers
    WHERE product_id = ours.product_id AND city_id = ours.city_id AND gone_at IS NULL
) AS least
WHERE ours.merchant_id = %(store)s AND ours.gone_at IS NULL
"""
_PUSHED = """
SELECT count(DISTINCT (listing_id, push_id)) FROM intentions
JOIN listings ON listings.id = listing_id
WHERE store_id = %(store)s AND sent_at >= %(since)s
"""
#: Prices of which we have seen that they are live, the last one of each article and city.
_LIVE = """
SELECT DISTINCT ON (listing_id, city_id) sku, city_id, intentions.price FROM intentions
JOIN listings ON listings.id = listing_id
WHERE store_id = %(store)s AND state = 'applied' AND intentions.closed_at >= %(since)s
ORDER BY listing_id, city_id, intentions.closed_at DESC
"""
#: A price that went the whole way, by the cabinet first, and one that the market has answered.
_WHOLE_STORY = """
SELECT sku, city_id FROM intentions
JOIN listings ON listings.id = listing_id
WHERE store_id = %(store)s AND state = 'applied' AND intentions.closed_at >= %(since)s
ORDER BY sent_at IS NOT NULL DESC,
         (SELECT action = 'set' FROM decisions
          WHERE decisions.listing_id = intentions.listing_id
              AND decisions.city_id = intentions.city_id
          ORDER BY board_at DESC LIMIT 1) DESC NULLS LAST,
         sku, city_id
LIMIT 1
"""
_EXIT = "SELECT rests, trials, answered FROM exits WHERE kind = 'api' AND name = %(name)s"
_DECIDED = """
SELECT latest.action, count(*)
FROM (
    SELECT DISTINCT ON (listing_id, city_id) action FROM decisions
    ORDER BY listing_id, city_id, board_at DESC
) AS latest
GROUP BY latest.action
"""

Figures = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Article:
    """One of our goods, at our lowest price."""

    merchant: MerchantId
    seller: str
    sku: str
    product: ProductId
    price: Tenge


def told(address: str) -> tuple[Figures, Figures, Figures]:
    """What was found, what the last crawl changed, and the largest fall of a price."""
    with psycopg.connect(libpq_address(address), row_factory=dict_row) as connection:
        found, changed, fall = (
            connection.execute(query).fetchone() or {}
            for query in (_FOUND, _CHANGED, _LARGEST_FALL)
        )
    return found, changed, fall


def goods(address: str, store: MerchantId) -> list[Article]:
    """All that a store of ours sells."""
    with (
        psycopg.connect(libpq_address(address)) as connection,
        connection.cursor(row_factory=class_row(Article)) as cursor,
    ):
        return cursor.execute(_OURS, {"store": store}).fetchall()


def standing(address: str, store: MerchantId) -> tuple[int, int]:
    """On how many boards a store's offers stand, and on how many nobody asks less."""
    boards, first = _row(address, _STANDING, store=store)
    return boards, first


def pushed(address: str, store: MerchantId, since: datetime) -> int:
    """How many articles were pushed through the cabinet, each time that they were."""
    (count,) = _row(address, _PUSHED, store=store, since=since)
    return int(count)


def live(address: str, store: MerchantId, since: datetime) -> Mapping[tuple[str, CityId], Tenge]:
    """The prices that were seen to be live, by article and city."""
    with psycopg.connect(libpq_address(address)) as connection:
        found = connection.execute(_LIVE, {"store": store, "since": since}).fetchall()
    return {(sku, city): price for sku, city, price in found}


def whole_story(address: str, store: MerchantId, since: datetime) -> tuple[str, CityId] | None:
    """The article and the city of a price that is worth telling of."""
    found = _row(address, _WHOLE_STORY, store=store, since=since)
    return (found[0], found[1]) if found else None


def exit_fared(address: str, name: str) -> tuple[int, int, int]:
    """How often an exit rested, how often it was tried after that, and how often it answered."""
    rests, trials, answered = _row(address, _EXIT, name=name) or (0, 0, 0)
    return rests, trials, answered


def _row(address: str, query: LiteralString, **asked: object) -> Any:
    with psycopg.connect(libpq_address(address)) as connection:
        return connection.execute(query, asked).fetchone()


def decided(address: str) -> dict[str, int]:
    """How many of our prices are to be set, held, looked at or left alone."""
    with psycopg.connect(libpq_address(address)) as connection:
        return dict(connection.execute(_DECIDED).fetchall())
