"""The past of boards: every moment at which one was read and something was new on it.

Moments pass one by one, so that memory stays small however long the past is. Everything is seen
as it stood when the first question was asked.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row

from domain.identity import CityId, MerchantId, ProductId
from domain.past import Board, Moment
from domain.pricing import MarketOffer
from storage.schema import libpq_address

#: Rows that travel at once from the server.
_SLICE = 2_000

#: Boards on which the merchant has stood, whether or not the offer stands now.
_BOARDS = """
SELECT products.kaspi_id AS product, offers.city_id AS city, products.name
FROM offers
JOIN products ON products.id = offers.product_id
WHERE offers.merchant_id = %(merchant)s
    AND (%(products)s::text[] IS NULL OR products.kaspi_id = ANY(%(products)s))
    AND (%(cities)s::text[] IS NULL OR offers.city_id = ANY(%(cities)s))
ORDER BY products.kaspi_id, offers.city_id
"""

#: The board at the start, then each row of the history until the end. `carried` rows repeat what
#: stood at the start of the kept history, so they count only where it begins.
_PAST = """
SELECT %(since)s::timestamptz AS at, 'seen' AS event, merchant_id, price, price_minus_bonus,
       preorder_days, delivery_days, merchant_rating, merchant_reviews
FROM board_at(%(product)s, %(city)s, %(since)s)
UNION ALL
SELECT offer_history.created_at, offer_history.event::text, offers.merchant_id,
       offer_history.price, offer_history.price_minus_bonus, offer_history.preorder_days,
       offer_history.delivery_days, offer_history.merchant_rating, offer_history.merchant_reviews
FROM products
JOIN offers ON offers.product_id = products.id AND offers.city_id = %(city)s
JOIN offer_history ON offer_history.offer_id = offers.id
WHERE products.kaspi_id = %(product)s
    AND offer_history.created_at > %(since)s AND offer_history.created_at <= %(until)s
ORDER BY at, merchant_id
"""

#: The last complete reading of the board: until then it is known to have stood.
_READ_UNTIL = """
SELECT least(%(until)s::timestamptz, coalesce(boards.completed_at, boards.checked_at))
FROM boards
JOIN products ON products.id = boards.product_id
WHERE products.kaspi_id = %(product)s AND boards.city_id = %(city)s
"""

Connection = psycopg.Connection[Any]


class _Row(NamedTuple):
    """One offer from a moment on."""

    at: datetime
    event: str
    merchant_id: str
    price: int
    price_minus_bonus: int | None
    preorder_days: int | None
    delivery_days: int | None
    merchant_rating: Decimal | None
    merchant_reviews: int | None


def boards_of(
    connection: Connection,
    merchant: MerchantId,
    products: Sequence[ProductId] | None = None,
    cities: Sequence[CityId] | None = None,
) -> list[Board]:
    """The boards on which a merchant stands or stood, by product and city."""
    asked = {
        "merchant": merchant,
        "products": None if products is None else list(products),
        "cities": None if cities is None else list(cities),
    }
    with connection.cursor(row_factory=class_row(Board)) as cursor:
        return cursor.execute(_BOARDS, asked).fetchall()


@contextmanager
def remembered(address: str) -> Iterator[Connection]:
    """A connection on which everything is as it was at the first question; it speaks UTC."""
    with psycopg.connect(libpq_address(address)) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        connection.execute("SET LOCAL timezone = 'UTC'")
        yield connection


def past_of(
    connection: Connection, board: Board, since: datetime, until: datetime
) -> Iterator[Moment]:
    """The moments of a board from `since` to `until`, ascending; offers in the order of merchants.

    The first one is how the board stood at `since`, when it was known then. The last one is its
    last complete reading, so that the time from the last change to it counts. What stood at a
    moment stood until the next one: the history says no more.
    """
    asked = {"product": board.product, "city": board.city, "since": since, "until": until}
    standing: dict[str, MarketOffer] = {}
    moment = None
    with connection.cursor("past", row_factory=class_row(_Row)) as cursor:
        cursor.itersize = _SLICE
        cursor.execute(_PAST, asked)
        for at, rows in groupby(cursor, key=attrgetter("at")):
            for row in rows:
                standing.pop(row.merchant_id, None)
                if row.event != "gone":
                    standing[row.merchant_id] = MarketOffer.of(row)
            moment = Moment(at, tuple(standing[merchant] for merchant in sorted(standing)))
            yield moment
    read_until = connection.execute(_READ_UNTIL, asked).fetchone()
    if moment is not None and read_until and read_until[0] and moment.at < read_until[0]:
        yield Moment(read_until[0], moment.offers)
