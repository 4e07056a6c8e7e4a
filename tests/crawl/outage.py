"""A database that lets nobody in for a while, as when its server restarts."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from tests.crawl.crawling import Workplace


@contextmanager
def away(workplace: Workplace, server: str) -> Iterator[None]:
    """While the block lasts, the server lets nobody into this database."""
    name = workplace.database.split("?", maxsplit=1)[0].rsplit("/", maxsplit=1)[1]
    with psycopg.connect(server, autocommit=True) as connection:
        allow = SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        connection.execute(allow.format(Identifier(name), Literal(False)))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        try:
            yield
        finally:
            connection.execute(allow.format(Identifier(name), Literal(True)))
