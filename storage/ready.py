"""The database as a crawl needs it: up, and with the newest tables."""

import os
from pathlib import Path

import psycopg

from storage import schema
from storage.database import said
from storage.embedded import DatabaseUnavailable, connect_address


def ready_address(database_url: str, data_directory: Path) -> str:
    """The address of the database, started if it is ours to start.

    An empty database gets its tables; an older one does not get them behind its owner's back.
    Raises DatabaseUnavailable or SchemaBehind, each with what to do.
    """
    environ = {**os.environ, "DATABASE_URL": database_url}
    address = connect_address(environ, data_directory)
    try:
        if schema.revisions(address)[0] is None:
            schema.upgrade(address)
        schema.require_newest(address)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(
            f"the database does not answer: {said(error).rstrip('.?')}. Check DATABASE_URL, or "
            "unset it to use the embedded database"
        ) from error
    return address
