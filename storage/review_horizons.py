"""Up to where each product's reviews were read: where the next reading may stop."""

from collections.abc import Iterable, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity import ProductId

_HORIZONS = text("SELECT kaspi_id, newest FROM review_readings WHERE kaspi_id = ANY(:products)")


async def review_horizons(
    engine: AsyncEngine, products: Iterable[ProductId]
) -> Mapping[ProductId, frozenset[str]]:
    """The ids of the newest reviews that were held when each product was last read whole.

    A product whose reviews were never read to their end is not in it.
    """
    async with engine.connect() as connection:
        found = await connection.execute(_HORIZONS, {"products": list(products)})
        return {ProductId(row[0]): frozenset(row[1]) for row in found}
