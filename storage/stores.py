"""Our own stores: whose they are, and which others are their sisters."""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from domain.identity import MerchantId
from domain.shop import Store
from storage.schema import libpq_address

_ADD = "INSERT INTO stores (id) SELECT DISTINCT unnest(%s::text[]) ON CONFLICT DO NOTHING"
_SISTERS = """
SELECT unnest(ARRAY(
    SELECT sister.id FROM stores AS sister
    WHERE sister.owner = stores.owner AND sister.id <> stores.id) || stores.sisters)
FROM stores WHERE id = %s
"""
_PUT_STORE = """
INSERT INTO stores AS held (id, name, owner, sisters)
VALUES (%(id)s, %(name)s, coalesce(%(owner)s, ''), coalesce(%(sisters)s::text[], '{}'))
ON CONFLICT (id) DO UPDATE
SET name = coalesce(%(name)s, held.name), owner = coalesce(%(owner)s, held.owner),
    sisters = coalesce(%(sisters)s::text[], held.sisters)
"""


def add_stores(connection: psycopg.Connection[Any], stores: Sequence[str]) -> None:
    """Make known the stores that are not yet."""
    connection.execute(_ADD, [list(stores)])


def sisters(address: str, store: str) -> frozenset[MerchantId]:
    """The other stores of the same owner, and those that were listed as sisters."""
    with psycopg.connect(libpq_address(address)) as connection:
        found = connection.execute(_SISTERS, [store]).fetchall()
    return frozenset(MerchantId(sister) for (sister,) in found)


def put_stores(connection: psycopg.Connection[Any], stores: Iterable[Store]) -> None:
    """Write down what is said of stores; what is not said stays."""
    for store in stores:
        sisters = None if store.sisters is None else sorted(store.sisters)
        said = {"id": store.id, "name": store.name, "owner": store.owner, "sisters": sisters}
        connection.execute(_PUT_STORE, said)
