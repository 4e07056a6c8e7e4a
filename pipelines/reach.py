"""The database as the stages reach it, and reach it again after it was away."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from scrapy.settings import BaseSettings
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import Cursor, in_transaction, open_engine
from storage.embedded import DatabaseUnavailable
from storage.patience import PASSING_ERRORS, Patience, patiently
from storage.ready import ready_address

T = TypeVar("T")


class Reach:
    """Knows where the database is, and how long a crawl waits for it."""

    _engine: AsyncEngine

    def __init__(self, settings: BaseSettings) -> None:
        self._settings = settings

    def address(self) -> str:
        """The database's address, started if need be. Raises DatabaseUnavailable, SchemaBehind."""
        return ready_address(self._settings["DATABASE_URL"], Path(self._settings["DATA_DIR"]))

    def revive(self) -> None:
        """Start the database if it is ours to start; whoever asks decides how long he waits."""
        with suppress(DatabaseUnavailable, *PASSING_ERRORS):
            self.address()

    @property
    def patience(self) -> Patience:
        """When a batch is written, and how long a lost database is waited for."""
        return Patience(
            full_at=self._settings.getint("STORE_BATCH_OFFERS"),
            linger=self._settings.getfloat("STORE_LINGER"),
            give_up_after=self._settings.getfloat("STORE_PATIENCE"),
        )

    def open(self, connections: int = 1) -> None:
        """Make `do` possible, so many times at once."""
        self._engine = open_engine(self.address(), connections)

    async def do(self, work: Callable[[Cursor], Awaitable[T]], waiting: str) -> T:
        """Do the work in one transaction, and again after errors that pass."""
        return await self.patiently(lambda: in_transaction(self._engine, work), waiting)

    async def patiently(self, attempt: Callable[[], Awaitable[T]], waiting: str) -> T:
        """Try it, and again after errors that pass."""
        return await patiently(attempt, waiting, self.patience, self.revive)

    async def close(self) -> None:
        """Let go of the database."""
        await self._engine.dispose()
