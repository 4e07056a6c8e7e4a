"""What analysts take home: the rows of each export, streamed from the database."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import attrs
import psycopg
from psycopg.rows import dict_row

from domain.identity import CityId, ProductId
from storage.files import FORMATS, Row, whole_file, write_json
from storage.schema import libpq_address

Connection = psycopg.Connection[dict[str, Any]]

#: Rows that travel at once from the server.
_SLICE = 2_000

_PRODUCTS = """
SELECT kaspi_id, name, brand, description, category, category_id, categories, image_url,
       specifications, variants, home_city_id, min_price, max_price, rate, review_amount,
       rating_amount, seller_amount, price_before_discount, discount_percent, link, rung,
       first_seen_at, checked_at, gone_at
FROM products
WHERE (%(products)s::text[] IS NULL OR kaspi_id = ANY(%(products)s))
    AND (%(cities)s::text[] IS NULL OR home_city_id = ANY(%(cities)s))
    AND (%(since)s::timestamptz IS NULL OR EXISTS (
        SELECT FROM product_history
        WHERE product_history.product_id = products.id
            AND product_history.checked_at >= %(since)s))
ORDER BY id
"""

_OFFERS = """
SELECT products.kaspi_id, products.name, offers.city_id, offers.merchant_id, offers.seller,
       offers.merchant_sku, offers.price, offers.price_minus_bonus,
       offers.price_before_discount, offers.discount_percent, offers.merchant_rating,
       offers.merchant_reviews, offers.purchase_count, offers.title, offers.preorder_days,
       offers.delivery_type, offers.delivery_duration, offers.delivery_days,
       offers.kaspi_delivery, offers.delivery_at, offers.pickup_at, offers.postomat_at,
       offers.handed_over_at, offers.available_at, offers.located_in_point,
       offers.delivery_points, offers.pickup_points, offers.delivery_options,
       offers.first_seen_at, offers.changed_at,
       coalesce(offers.last_seen_at, boards.completed_at, boards.checked_at) AS last_seen_at,
       offers.gone_at
FROM offers
JOIN products ON products.id = offers.product_id
JOIN boards USING (product_id, city_id)
WHERE (%(products)s::text[] IS NULL OR products.kaspi_id = ANY(%(products)s))
    AND (%(cities)s::text[] IS NULL OR offers.city_id = ANY(%(cities)s))
    AND CASE WHEN %(since)s::timestamptz IS NULL THEN offers.gone_at IS NULL
        ELSE greatest(offers.changed_at, offers.gone_at) >= %(since)s END
ORDER BY offers.product_id, offers.city_id, offers.price, offers.merchant_id
"""

_HISTORY = """
SELECT products.kaspi_id, products.name, offers.city_id, offers.merchant_id,
       offer_history.seller,
       offer_history.event::text AS event, offer_history.price,
       offer_history.price_minus_bonus, offer_history.price_before_discount,
       offer_history.discount_percent, offer_history.preorder_days,
       offer_history.delivery_type, offer_history.delivery_duration,
       offer_history.delivery_days, offer_history.kaspi_delivery,
       offer_history.merchant_rating, offer_history.merchant_reviews,
       offer_history.created_at
FROM offer_history
JOIN offers ON offers.id = offer_history.offer_id
JOIN products ON products.id = offers.product_id
WHERE (%(products)s::text[] IS NULL OR products.kaspi_id = ANY(%(products)s))
    AND (%(cities)s::text[] IS NULL OR offers.city_id = ANY(%(cities)s))
    AND (%(since)s::timestamptz IS NULL OR offer_history.created_at >= %(since)s)
ORDER BY offer_history.created_at, offers.id
"""

_BOARD = """
SELECT products.kaspi_id, products.name, boards.city_id, standing.*
FROM boards
JOIN products ON products.id = boards.product_id
CROSS JOIN LATERAL board_at(products.kaspi_id, boards.city_id, %(at)s) AS standing
WHERE (%(products)s::text[] IS NULL OR products.kaspi_id = ANY(%(products)s))
    AND (%(cities)s::text[] IS NULL OR boards.city_id = ANY(%(cities)s))
ORDER BY boards.product_id, boards.city_id, standing.price, standing.merchant_id
"""

_DECISIONS = """
SELECT listings.store_id, listings.sku, listings.kaspi_id,
       coalesce(listings.name, products.name) AS name, decisions.city_id, decisions.action,
       decisions.before, decisions.price, decisions.profit_before, decisions.profit,
       decisions.place, decisions.reason, decisions.rival, btrim(offers.seller) AS rival_name,
       decisions.rival_price, intentions.state AS intention, decisions.board_at,
       decisions.decided_at
FROM decisions
JOIN listings ON listings.id = decisions.listing_id
LEFT JOIN products USING (kaspi_id)
LEFT JOIN offers ON offers.product_id = products.id AND offers.city_id = decisions.city_id
    AND offers.merchant_id = decisions.rival
LEFT JOIN intentions ON intentions.decision_id = decisions.id
WHERE (%(products)s::text[] IS NULL OR listings.kaspi_id = ANY(%(products)s))
    AND (%(cities)s::text[] IS NULL OR decisions.city_id = ANY(%(cities)s))
    AND CASE WHEN %(since)s::timestamptz IS NOT NULL THEN decisions.board_at >= %(since)s
        ELSE NOT EXISTS (
            SELECT FROM decisions AS later
            WHERE later.listing_id = decisions.listing_id AND later.city_id = decisions.city_id
                AND later.board_at > decisions.board_at) END
ORDER BY decisions.board_at, decisions.id
"""

#: What can be exported, and the statement that selects it.
STATEMENTS = {
    "products": _PRODUCTS,
    "offers": _OFFERS,
    "history": _HISTORY,
    "board": _BOARD,
    "decisions": _DECISIONS,
}


@attrs.frozen(kw_only=True)
class Selection:
    """Which rows: None means all.

    `since`: products and offers that changed since then, history from then on.
    `at`: the moment of which `board` tells, now by default.
    """

    products: tuple[ProductId, ...] | None = None
    cities: tuple[CityId, ...] | None = None
    since: datetime | None = None
    at: datetime | None = None

    def _parameters(self) -> Mapping[str, Any]:
        return {
            "products": None if self.products is None else list(self.products),
            "cities": None if self.cities is None else list(self.cities),
            "since": self.since,
            "at": self.at or "infinity",
        }


@contextmanager
def selected(
    address: str, what: str, selection: Selection
) -> Iterator[tuple[tuple[str, ...], Iterator[Row]]]:
    """The columns and the rows of an export, fetched in slices while they are read."""
    with _snapshot(address) as connection, _streamed(connection, what, selection) as told:
        yield told


@contextmanager
def _snapshot(address: str) -> Iterator[Connection]:
    """A connection on which everything is as it was at the first question; it speaks UTC."""
    with psycopg.connect(libpq_address(address), row_factory=dict_row) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.execute("SET LOCAL timezone = 'UTC'")
        yield connection


@contextmanager
def _streamed(
    connection: Connection, what: str, selection: Selection
) -> Iterator[tuple[tuple[str, ...], Iterator[Row]]]:
    with connection.cursor(f"export_{uuid4().hex}") as cursor:
        cursor.itersize = _SLICE
        cursor.execute(STATEMENTS[what], selection._parameters())
        columns = tuple(column.name for column in cursor.description or ())
        yield columns, iter(cursor)


def _unheard(_count: int) -> None:
    """Nobody watches."""


def export(
    address: str,
    what: str,
    form: str,
    path: Path,
    selection: Selection,
    *,
    heard: Callable[[int], None] = _unheard,
) -> int:
    """Write an export to a file, whole or not at all. Returns the number of rows."""
    with whole_file(path) as file:
        return export_into(file, address, what, form, selection, heard=heard)


def export_into(
    file: IO[bytes],
    address: str,
    what: str,
    form: str,
    selection: Selection,
    *,
    heard: Callable[[int], None] = _unheard,
) -> int:
    """Write an export into an open file. Returns the number of rows.

    `heard` is told now and then how many rows are written so far.
    """
    with selected(address, what, selection) as (columns, rows):
        counted = _Counted(rows, heard)
        FORMATS[form](file, columns, counted)
    heard(counted.count)
    return counted.count


def write_latest(address: str, directory: Path) -> None:
    """Replace products.json and offers.json, each as one whole, by what is held at one moment."""
    with _snapshot(address) as connection:
        for what in ("products", "offers"):
            with (
                _streamed(connection, what, Selection()) as (columns, rows),
                whole_file(directory / f"{what}.json") as file,
            ):
                write_json(file, columns, rows)


class _Counted:
    """Rows that are counted as they go by."""

    def __init__(self, rows: Iterator[Row], heard: Callable[[int], None]) -> None:
        self._rows = rows
        self._heard = heard
        self.count = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.count += 1
            if self.count % _SLICE == 0:
                self._heard(self.count)
            yield row
