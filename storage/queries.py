"""What others ask the memory: the work list."""

from collections.abc import AsyncIterator
from datetime import datetime

import attrs
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity import CityId, ProductId

#: Rows fetched at once: memory stays flat, whatever the size of the table. Each slice sorts the
#: whole list (0.2 s for 150,000 boards), because an index of the moments would be written anew
#: with every reading.
SLICE = 10_000

_WORK_LIST_SIZE = text("""
SELECT count(DISTINCT kaspi_id),
       count(*) FILTER (WHERE products.gone_at IS NULL AND (:any_city OR city_id = ANY(:cities))),
       array(SELECT DISTINCT city_id FROM work_list ORDER BY city_id)
FROM work_list
LEFT JOIN products USING (kaspi_id)
""")

_WORK_LIST_PRODUCTS = text("""
SELECT work_list.kaspi_id,
       array_agg(city_id ORDER BY city_id IS DISTINCT FROM products.home_city_id, city_id)
FROM work_list
LEFT JOIN products USING (kaspi_id)
GROUP BY work_list.kaspi_id, products.card_checked_at, products.home_city_id
ORDER BY products.card_checked_at NULLS FIRST, work_list.kaspi_id
""")

#: The moment travels as text: a board that was never read has one that Python cannot say.
WORK_LIST_BOARDS = text("""
SELECT kaspi_id, city_id, CAST(checked_at AS text)
FROM (
    SELECT work_list.kaspi_id, work_list.city_id,
           CASE WHEN hurry_since > boards.checked_at THEN '-infinity'
                ELSE coalesce(boards.checked_at, '-infinity') END AS checked_at
    FROM work_list
    LEFT JOIN products USING (kaspi_id)
    LEFT JOIN boards ON boards.product_id = products.id AND boards.city_id = work_list.city_id
    WHERE products.gone_at IS NULL
) AS board
WHERE checked_at < :before
    AND (checked_at, kaspi_id, city_id) > (CAST(:moment AS timestamptz), :product, :city)
    AND (:any_city OR city_id = ANY(:cities))
ORDER BY checked_at, kaspi_id, city_id
LIMIT :slice
""")


@attrs.frozen
class WorkListSize:
    """How much there is to read: products, boards of those that are not gone, and all cities."""

    products: int
    boards: int
    cities: tuple[CityId, ...]


async def work_list_size(
    engine: AsyncEngine, cities: tuple[CityId, ...] | None = None
) -> WorkListSize:
    """Count the work list; the boards in these cities, if some were chosen."""
    asked = {"any_city": cities is None, "cities": list(cities or ())}
    async with engine.connect() as connection:
        row = (await connection.execute(_WORK_LIST_SIZE, asked)).one()
    cities = tuple(map(CityId, row[2]))
    return WorkListSize(products=row[0], boards=row[1], cities=cities)


async def work_list_products(
    engine: AsyncEngine,
) -> AsyncIterator[tuple[ProductId, tuple[CityId, ...]]]:
    """The products of the work list with their cities, the home city first.

    The longest unread card comes first; products that are gone come, too: they may return.
    """
    async with engine.connect() as connection:
        found = await connection.execute(_WORK_LIST_PRODUCTS)
    for row in found:
        yield ProductId(row[0]), tuple(map(CityId, row[1]))


async def work_list_boards(
    engine: AsyncEngine, before: datetime, cities: tuple[CityId, ...] | None = None
) -> AsyncIterator[tuple[ProductId, CityId]]:
    """The boards of the work list last read before a moment, the longest unread first."""
    asked: dict[str, object] = {
        "before": before,
        "any_city": cities is None,
        "cities": list(cities or ()),
        "slice": SLICE,
    }
    last: tuple[str, str, str] = ("-infinity", "", "")
    while True:
        asked |= zip(("moment", "product", "city"), last, strict=True)
        async with engine.connect() as connection:
            found = await connection.execute(WORK_LIST_BOARDS, asked)
            rows: list[tuple[str, str, str]] = [(row[0], row[1], row[2]) for row in found]
        for kaspi_id, city_id, _moment in rows:
            yield ProductId(kaspi_id), CityId(city_id)
        if len(rows) < SLICE:
            return
        last = (rows[-1][2], rows[-1][0], rows[-1][1])
