"""Looks into the tables, past the code that filled them."""

from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from domain.identity import CityId, ProductId
from storage.statements import OFFER_HISTORY_COLUMNS
from tests.building import ALMATY, KETTLE, START
from tests.storage.model import Key, Standing

TABLES = (
    "products",
    "product_history",
    "product_cards",
    "product_changes",
    "boards",
    "offers",
    "offer_history",
    "offer_history_daily",
    "work_list",
)
Rows = list[dict[str, Any]]


def rows(address: str, query: str, *values: object) -> Rows:
    """What the database answers; moments are in UTC."""
    with psycopg.connect(address, options="-c timezone=UTC", row_factory=dict_row) as connection:
        return connection.execute(query.encode(), values).fetchall()


def row(address: str, query: str, *values: object) -> dict[str, Any]:
    """The only row of the answer."""
    (only,) = rows(address, query, *values)
    return only


def everything(address: str) -> dict[str, Rows]:
    """The whole contents of all tables that readings fill."""
    with psycopg.connect(address, options="-c timezone=UTC", row_factory=dict_row) as connection:
        return {
            table: connection.execute(
                SQL("SELECT * FROM {} ORDER BY 1, 2, 3").format(Identifier(table))
            ).fetchall()
            for table in TABLES
        }


def differing_columns(before: dict[str, Rows], after: dict[str, Rows]) -> set[str]:
    """Which columns differ ("boards.checked_at"), or "boards: rows" if their number does."""
    differing: set[str] = set()
    for table, old in before.items():
        if len(old) != len(after[table]):
            differing.add(f"{table}: rows")
            continue
        for one, other in zip(old, after[table], strict=True):
            differing |= {f"{table}.{name}" for name in one if one[name] != other[name]}
    return differing


def minutes_of(moment: datetime | None) -> float | None:
    """Minutes after START, as the builders count."""
    return None if moment is None else (moment - START).total_seconds() / 60


def history(address: str) -> list[tuple[float | None, str, str, int]]:
    """All rows of offer_history: minutes, event, merchant, price."""
    found = rows(
        address,
        "SELECT created_at, event::text, merchant_id, offer_history.price FROM offer_history "
        "JOIN offers ON offers.id = offer_id ORDER BY created_at, merchant_id, city_id",
    )
    return [
        (minutes_of(one["created_at"]), one["event"], one["merchant_id"], one["price"])
        for one in found
    ]


def product_history(address: str, column: str) -> list[tuple[float | None, str, Any]]:
    """All rows of product_history: minutes, event and one column."""
    found = rows(address, "SELECT * FROM product_history ORDER BY product_id, checked_at")
    return [(minutes_of(one["checked_at"]), one["event"], one[column]) for one in found]


def board_at(
    address: str, moment: datetime, product: ProductId = KETTLE, city: CityId = ALMATY
) -> Rows:
    """The board as it was at a moment, in the order in which the database gives it."""
    return rows(address, "SELECT * FROM board_at(%s, %s, %s)", product, city, moment)


def boards_at(
    database: str, asked: list[tuple[Key, datetime]]
) -> dict[tuple[Key, datetime], Standing]:
    """Many boards as they were at many moments, with one question."""
    found: dict[tuple[Key, datetime], Standing] = {each: {} for each in asked}
    columns = ("merchant_id", *OFFER_HISTORY_COLUMNS, "since")
    for one in rows(
        database,
        "SELECT asked.*, standing.* "
        "FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS asked (product, city, moment) "
        "CROSS JOIN board_at(product, city, moment) AS standing",
        [product for (product, _), _ in asked],
        [city for (_, city), _ in asked],
        [moment for _, moment in asked],
    ):
        key = (ProductId(one["product"]), CityId(one["city"]))
        state = {name: one[name] for name in columns}
        found[key, one["moment"]][state.pop("merchant_id")] = state
    return found
