"""A seller's own orders, as a file of moments, products and cities; no buyer is named in it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from domain.identity import CityId, ProductId
from kaspi_crawler import arguments
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.csv_lines import csv_lines
from kaspi_crawler.spoken_moments import spoken_moment
from partners.kaspi.storefront import product_id

#: The moments of the orders of each board.
Orders = Mapping[tuple[ProductId, CityId], Sequence[datetime]]

_RIGHT = "A right one: 102298404,almaty,2026-09-18T14:30"


def own_orders(path: Path, verb: str) -> Orders:
    """The orders by board. Raises OSError, and BadArgument for a line that says something else."""
    orders: dict[tuple[ProductId, CityId], list[datetime]] = defaultdict(list)
    now = datetime.now(UTC)
    for number, told in csv_lines(path, verb):
        try:
            product, city, moment = told[:3]
            board = product_id(product), arguments.cities(city)[0]
            orders[board].append(spoken_moment("moment", moment, now))
        except (ValueError, IndexError) as error:
            raise BadArgument(
                f"{verb}: {path}, line {number}: {','.join(told)!r} is not product,city,moment "
                f"({error}). {_RIGHT}"
            ) from None
    if not orders:
        raise BadArgument(f"{verb}: {path} holds no order. {_RIGHT}")
    return orders
