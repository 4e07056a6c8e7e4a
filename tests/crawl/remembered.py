"""What the database remembers of a crawl, and whether it agrees with itself."""

from datetime import datetime
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.crawl.market import Quote

Row = dict[str, Any]

#: Offers whose last word in the history is not what the offer says.
_OFFERS_WITHOUT_HISTORY = """
SELECT offers.id
FROM offers
LEFT JOIN LATERAL (
    SELECT * FROM offer_history WHERE offer_id = offers.id ORDER BY created_at DESC LIMIT 1
) AS last ON true
WHERE last.offer_id IS NULL
    OR (last.event = 'gone') <> (offers.gone_at IS NOT NULL)
    OR (last.seller, last.price, last.preorder_days, last.delivery_duration, last.delivery_type)
        IS DISTINCT FROM (offers.seller, offers.price, offers.preorder_days,
            offers.delivery_duration, offers.delivery_type)
"""

#: Offers that the board of this moment does not show, or shows otherwise.
_BOARDS_THAT_DIFFER = """
SELECT products.kaspi_id, boards.city_id
FROM boards
JOIN products ON products.id = boards.product_id
WHERE EXISTS (
    (SELECT merchant_id, price FROM offers
     WHERE (offers.product_id, offers.city_id) = (boards.product_id, boards.city_id)
         AND gone_at IS NULL
     EXCEPT
     SELECT merchant_id, price FROM board_at(products.kaspi_id, boards.city_id, now()))
    UNION ALL
    (SELECT merchant_id, price FROM board_at(products.kaspi_id, boards.city_id, now())
     EXCEPT
     SELECT merchant_id, price FROM offers
     WHERE (offers.product_id, offers.city_id) = (boards.product_id, boards.city_id)
         AND gone_at IS NULL)
)
"""

#: Rows of history that repeat the row before them.
_REPETITIONS = """
SELECT offer_id, created_at
FROM (
    SELECT *, lag((seller, price, price_minus_bonus, price_before_discount, discount_percent,
                   preorder_days, delivery_type, delivery_duration, kaspi_delivery,
                   merchant_rating)::text)
                  OVER (PARTITION BY offer_id ORDER BY created_at) AS before
    FROM offer_history
) AS told
WHERE event = 'changed'
    AND before = (seller, price, price_minus_bonus, price_before_discount, discount_percent,
                  preorder_days, delivery_type, delivery_duration, kaspi_delivery,
                  merchant_rating)::text
"""

#: Complete boards that hold another number of offers than they say.
_BOARDS_THAT_MISCOUNT = """
SELECT product_id, city_id
FROM boards
LEFT JOIN offers USING (product_id, city_id)
GROUP BY boards.product_id, boards.city_id
HAVING boards.complete
    AND boards.seller_amount <> count(offers.id) FILTER (WHERE offers.gone_at IS NULL)
"""


def rows(database: str, query: str, *values: object) -> list[Row]:
    """What the database answers."""
    try:
        return _connected(database).execute(query.encode(), values).fetchall()
    except psycopg.OperationalError:  # a test has cut the connection
        _connected.cache_clear()
        return _connected(database).execute(query.encode(), values).fetchall()


@lru_cache(maxsize=1)
def _connected(database: str) -> psycopg.Connection[Row]:
    """One connection for all questions about one database: they are many."""
    return psycopg.connect(database, row_factory=dict_row, autocommit=True)


def row(database: str, query: str, *values: object) -> Row:
    """The only row of the answer."""
    (only,) = rows(database, query, *values)
    return only


def product(database: str, kaspi_id: str) -> Row:
    """A row of products."""
    return row(database, "SELECT * FROM products WHERE kaspi_id = %s", kaspi_id)


def board(database: str, kaspi_id: str, city: str) -> Row:
    """A row of boards."""
    return row(
        database,
        "SELECT boards.* FROM boards JOIN products ON products.id = product_id"
        " WHERE kaspi_id = %s AND city_id = %s",
        kaspi_id,
        city,
    )


def offers(database: str, kaspi_id: str, city: str) -> dict[str, Quote]:
    """The standing offers of a board by merchant."""
    return _quotes(
        rows(
            database,
            "SELECT offers.* FROM offers JOIN products ON products.id = product_id"
            " WHERE kaspi_id = %s AND city_id = %s AND offers.gone_at IS NULL",
            kaspi_id,
            city,
        )
    )


def board_at(database: str, kaspi_id: str, city: str, moment: datetime) -> dict[str, Quote]:
    """What board_at says of a moment, by merchant."""
    return _quotes(rows(database, "SELECT * FROM board_at(%s, %s, %s)", kaspi_id, city, moment))


def _quotes(found: list[Row]) -> dict[str, Quote]:
    quotes = {
        offer["merchant_id"]: (offer["price"], offer["preorder_days"], offer["seller"])
        for offer in found
    }
    assert len(quotes) == len(found), "a merchant stands twice on a board"
    return quotes


def events(database: str) -> dict[str, int]:
    """How many rows of both histories speak of each event: {"offer_history/seen": 1809}."""
    return {
        f"{table}/{told['event']}": told["count"]
        for table in ("offer_history", "product_history")
        for told in rows(database, f"SELECT event::text, count(*) FROM {table} GROUP BY event")  # noqa: S608
    }


def runs(database: str) -> list[Row]:
    """The crawls, in their order."""
    return rows(database, "SELECT * FROM runs ORDER BY started_at")


def boards_read_by(database: str, spider: str) -> int:
    """How many boards were last read by the newest crawl of a spider."""
    return int(
        row(
            database,
            "SELECT count(*) FROM boards WHERE checked_at >="
            " (SELECT max(started_at) FROM runs WHERE spider = %s)",
            spider,
        )["count"]
    )


def assert_consistent(database: str) -> None:
    """The boards, the offers and the history tell the same story, once."""
    assert rows(database, _OFFERS_WITHOUT_HISTORY) == []
    assert rows(database, _BOARDS_THAT_DIFFER) == []
    assert rows(database, _REPETITIONS) == []
    assert rows(database, _BOARDS_THAT_MISCOUNT) == []


def assert_remembers(database: str, exported: list[Row]) -> None:
    """The memory holds each exported board as it stood then; of an incomplete one, more."""
    asked = (
        "SELECT merchant_id, seller, price, preorder_days, delivery_duration"
        " FROM board_at(%s, %s, %s)"
    )
    columns = ("merchant_id", "seller", "price", "preorder_days", "delivery_duration")
    with psycopg.connect(database) as connection:
        for board in exported:
            key = (board["kaspi_id"], board["city_id"], board["checked_at"])
            remembered = set(connection.execute(asked, key).fetchall())
            told = {tuple(offer[column] for column in columns) for offer in board["offers"]}
            missing, added = told - remembered, remembered - told
            assert not missing, key
            assert not (board["complete"] and added), key
