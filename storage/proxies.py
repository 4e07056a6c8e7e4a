"""The table of proxies: names in the clear, addresses encrypted."""

from collections.abc import Mapping, Sequence

import psycopg

from storage.schema import libpq_address

_ADD = """
INSERT INTO proxies (name, address) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET address = excluded.address, added_at = now()
"""
_REMOVE = "DELETE FROM proxies WHERE name = ANY(%s)"
_KEPT = "SELECT name, address FROM proxies ORDER BY added_at, name"


def add(address: str, sealed: Mapping[str, bytes]) -> None:
    """Keep proxies by name; one that is known gets the new address."""
    with psycopg.connect(libpq_address(address)) as connection, connection.cursor() as cursor:
        cursor.executemany(_ADD, list(sealed.items()))


def remove(address: str, names: Sequence[str]) -> int:
    """Forget proxies. Returns how many there were."""
    with psycopg.connect(libpq_address(address)) as connection:
        return connection.execute(_REMOVE, [list(names)]).rowcount


def kept(address: str) -> dict[str, bytes]:
    """The encrypted address of each proxy, in the order in which they were added."""
    with psycopg.connect(libpq_address(address)) as connection:
        return {name: bytes(sealed) for name, sealed in connection.execute(_KEPT)}
