"""What the demo tells of the memory: what was found, what changed, and which seller could be us."""

from collections.abc import Mapping
from typing import Any

import attrs
import psycopg
from psycopg.rows import class_row, dict_row

from domain.identity import MerchantId, ProductId
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
#: The goods of the seller with the most boards, at his lowest price.
_OURS = """
WITH ours AS (
    SELECT merchant_id FROM offers WHERE gone_at IS NULL
    GROUP BY merchant_id
    ORDER BY count(*) DESC, merchant_id
    LIMIT 1
)
SELECT offers.merchant_id AS merchant, btrim(min(offers.seller)) AS seller,
       products.kaspi_id AS product, min(offers.price) AS price
FROM offers
JOIN ours USING (merchant_id)
JOIN products ON products.id = offers.product_id
WHERE offers.gone_at IS NULL
GROUP BY offers.merchant_id, products.kaspi_id
ORDER BY products.kaspi_id
"""
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
    """One of a seller's goods, at his lowest price."""

    merchant: MerchantId
    seller: str
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


def largest_seller(address: str) -> list[Article]:
    """All that the seller with the most boards sells."""
    with (
        psycopg.connect(libpq_address(address)) as connection,
        connection.cursor(row_factory=class_row(Article)) as cursor,
    ):
        return cursor.execute(_OURS).fetchall()


def decided(address: str) -> dict[str, int]:
    """How many of our prices are to be set, held, looked at or left alone."""
    with psycopg.connect(libpq_address(address)) as connection:
        return dict(connection.execute(_DECIDED).fetchall())
