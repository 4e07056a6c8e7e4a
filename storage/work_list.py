"""The work list as people keep it: what is put on it, taken off it, and stands there."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from uuid import uuid4

import attrs
import psycopg
from psycopg.rows import class_row

from domain.identity import CityId, ProductId
from storage.schema import libpq_address

_ADD = """
INSERT INTO work_list (kaspi_id, city_id)
SELECT DISTINCT kaspi_id, city_id
FROM unnest(%s::text[], %s::text[]) AS wanted (kaspi_id, city_id)
ON CONFLICT DO NOTHING
"""
_REMOVE = """
DELETE FROM work_list
WHERE kaspi_id = ANY(%(products)s)
    AND (%(cities)s::text[] IS NULL OR city_id = ANY(%(cities)s))
"""
_LISTED = """
SELECT work_list.kaspi_id, work_list.city_id, work_list.added_at, products.name,
       nullif(boards.checked_at, '-infinity') AS checked_at, products.gone_at
FROM work_list
LEFT JOIN products USING (kaspi_id)
LEFT JOIN boards ON boards.product_id = products.id AND boards.city_id = work_list.city_id
WHERE %(cities)s::text[] IS NULL OR work_list.city_id = ANY(%(cities)s)
ORDER BY work_list.kaspi_id, work_list.city_id
"""
#: Rows that travel at once.
_SLICE = 2_000


@attrs.frozen(kw_only=True)
class Listed:
    """A board of the work list. `name`: None until the card was read. `checked_at`: the last
    reading of the board; `gone_at`: since when the product is no longer sold.
    """

    kaspi_id: ProductId
    city_id: CityId
    added_at: datetime
    name: str | None
    checked_at: datetime | None
    gone_at: datetime | None


def add(address: str, boards: Iterable[tuple[ProductId, CityId]]) -> int:
    """Put boards on the list. Returns how many were not on it yet."""
    columns = list(zip(*boards, strict=True))
    if not columns:
        return 0
    with psycopg.connect(libpq_address(address)) as connection:
        return connection.execute(_ADD, list(map(list, columns))).rowcount


def remove(
    address: str, products: Sequence[ProductId], cities: Sequence[CityId] | None = None
) -> int:
    """Take products off the list, in some cities or in all. Returns how many boards that were."""
    asked = {"products": list(products), "cities": None if cities is None else list(cities)}
    with psycopg.connect(libpq_address(address)) as connection:
        return connection.execute(_REMOVE, asked).rowcount


def listed(address: str, cities: Sequence[CityId] | None = None) -> Iterator[Listed]:
    """The boards of the list, in some cities or in all, by product and city.

    They are fetched in slices while they are read.
    """
    with (
        psycopg.connect(libpq_address(address)) as connection,
        connection.cursor(f"work_list_{uuid4().hex}", row_factory=class_row(Listed)) as cursor,
    ):
        cursor.itersize = _SLICE
        yield from cursor.execute(_LISTED, {"cities": None if cities is None else list(cities)})
