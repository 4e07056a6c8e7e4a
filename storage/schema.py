"""The schema's version: what the database has, what we need, and the way up."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import psycopg

from storage.embedded import normalised

#: The newest migration in migrations/versions; a test keeps it in step.
NEWEST = "0011"


class SchemaBehind(RuntimeError):
    """The database's tables are older or newer than this code."""


def upgrade(address: str) -> None:
    """Bring the database to the newest schema. Raises SQLAlchemy's errors when it cannot."""
    from alembic import command  # noqa: PLC0415  (half a second that only this call needs)
    from alembic.config import Config  # noqa: PLC0415

    from storage.database import sqlalchemy_url  # noqa: PLC0415

    with _on_disk(files("storage") / "migrations") as directory:
        config = Config()
        config.set_main_option("script_location", str(directory).replace("%", "%%"))
        config.attributes["url"] = sqlalchemy_url(address)
        command.upgrade(config, "head")


@contextmanager
def _on_disk(package: Traversable) -> Iterator[Path]:
    """The directory itself, or a copy of it while the block lasts, when it lies in an egg.

    Python 3.11's own `as_file` takes files alone.
    """
    if isinstance(package, Path):
        yield package
        return
    copy = Path(tempfile.mkdtemp(prefix="kaspi-migrations-"))
    try:
        _copy(package, copy)
        yield copy
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _copy(package: Traversable, directory: Path) -> None:
    for part in package.iterdir():
        if part.is_dir():
            (directory / part.name).mkdir()
            _copy(part, directory / part.name)
        elif part.name.endswith(".py"):
            (directory / part.name).write_bytes(part.read_bytes())


def revisions(address: str) -> tuple[str | None, str]:
    """The database's revision (None: no tables yet) and the newest one."""
    with psycopg.connect(libpq_address(address), connect_timeout=10) as connection:
        known = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
        if known is None or known[0] is None:
            return None, NEWEST
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return (str(row[0]) if row else None), NEWEST


def require_newest(address: str) -> None:
    """Raise SchemaBehind, with the remedy, unless the database is at the newest revision."""
    current, newest = revisions(address)
    if current != newest:
        raise SchemaBehind(
            f"the database's tables are at revision {current or 'none'}, this code needs "
            f"{newest}: run `scrapy database upgrade`"
        )


def libpq_address(address: str) -> str:
    """The address as libpq reads it, without SQLAlchemy's driver name."""
    return normalised(address)
