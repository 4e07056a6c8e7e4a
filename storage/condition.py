"""How the database is: its version, size, age and tables, for a person who asks."""

from datetime import timedelta

import attrs
import psycopg

_SERVER = """
SELECT current_setting('server_version'),
       pg_database_size(current_database()),
       date_trunc('second', now() - pg_postmaster_start_time())
"""
#: Partitions are counted under the table that they belong to. Rows are the server's estimate.
_TABLES = """
SELECT coalesce(pg_partition_root(relid), relid)::regclass::text,
       sum(n_live_tup)::bigint,
       sum(pg_total_relation_size(relid))::bigint
  FROM pg_stat_user_tables
 GROUP BY 1
 ORDER BY 1
"""


@attrs.frozen(kw_only=True)
class Table:
    """One table with its partitions: the estimated rows, and bytes with indexes."""

    name: str
    rows: int
    size: int


@attrs.frozen(kw_only=True)
class Condition:
    """A database at one moment; size in bytes."""

    version: str
    size: int
    uptime: timedelta
    tables: tuple[Table, ...]


def condition(address: str) -> Condition:
    """Ask the server how it is. Raises psycopg.Error when it does not answer in 10 seconds."""
    with psycopg.connect(address, connect_timeout=10) as connection:
        answer = connection.execute(_SERVER).fetchone()
        if answer is None:
            raise psycopg.DataError("the server says nothing about itself")
        version, size, uptime = answer
        tables = tuple(
            Table(name=name, rows=rows, size=bytes_)
            for name, rows, bytes_ in connection.execute(_TABLES)
        )
    return Condition(version=version, size=size, uptime=uptime, tables=tables)
