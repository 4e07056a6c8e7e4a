"""The batch writer: readings go in, and come back when they are committed."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime

import attrs
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.readings import Finding, ProductRefresh
from storage import statements
from storage.database import Cursor, psycopg_connection
from storage.merge import merge
from storage.partitions import following, make_partitions, month_of
from storage.patience import PASSING_ERRORS, PATIENCE, REFUSALS, Patience, patiently
from storage.rows import Batch, Key, keys_of, weight


class NotStored(Exception):
    """A reading that the database does not take; the rest of its batch is stored."""


@attrs.define
class _Waiting:
    reading: Finding
    committed: asyncio.Future[None]

    def tell(self, error: BaseException | None = None) -> None:
        """Say what became of the reading, unless the one who asked has gone."""
        if self.committed.done():
            return
        if error:
            self.committed.set_exception(error)
        else:
            self.committed.set_result(None)


class BatchWriter:
    """Gathers readings into batches and writes each batch in one transaction.

    Batches are written one at a time, when Patience says. `counts` tells what was remembered:
    rows of history by table and event.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        patience: Patience = PATIENCE,
        revive: Callable[[], object] = lambda: None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._engine = engine
        self._patience = patience
        self._revive = revive
        self._waiting: deque[_Waiting] = deque()
        self._weight = 0
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()
        self._months: set[datetime] = set()
        self._prepared: object = None
        self._closing = False
        self._task = asyncio.create_task(self._write_batches())

    async def save(self, reading: Finding) -> None:
        """Return when the reading is committed.

        Raises NotStored for a reading that the database refuses, that is older than what is
        held, or that tells of an unknown product that nobody sells (of a refresh, the parts that
        are news are stored); the database's error when it stays away for longer than our
        patience; and RuntimeError after close().
        """
        if self._closing:
            raise RuntimeError("the writer is closed")
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(reading, committed))
        self._weight += weight(reading)
        self._arrived.set()
        if self._weight >= self._patience.full_at:
            self._full.set()
        await committed

    async def close(self) -> None:
        """Write what still waits, then stop."""
        self._closing = True
        self._arrived.set()
        self._full.set()
        await asyncio.wait([self._task])

    async def _write_batches(self) -> None:
        while self._waiting or not self._closing:
            await self._arrived.wait()
            await self._linger()
            if batch := self._take():
                await self._settle(batch)

    async def _linger(self) -> None:
        """Wait for company: a large batch costs hardly more than a small one."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience.longest_linger
        before = 0
        while before < len(self._waiting) and loop.time() < deadline:
            before = len(self._waiting)
            try:
                await asyncio.wait_for(self._full.wait(), self._patience.linger)
            except TimeoutError:
                continue
            return

    def _take(self) -> list[_Waiting]:
        """The oldest readings, up to a full batch and to the first that repeats another's key."""
        taken: list[_Waiting] = []
        held: set[object] = set()
        heavy = 0
        while self._waiting and heavy < self._patience.full_at:
            keys = keys_of(self._waiting[0].reading)
            if not held.isdisjoint(keys):
                break
            held.update(keys)
            taken.append(self._waiting.popleft())
            heavy += weight(taken[-1].reading)
        self._weight -= heavy
        if not self._waiting and not self._closing:
            self._arrived.clear()
        if self._weight < self._patience.full_at and not self._closing:
            self._full.clear()
        return taken

    async def _settle(self, batch: list[_Waiting]) -> None:
        """Write the batch; halve it as long as the database refuses it, to save the rest."""
        try:
            refused = await self._write_patiently([waiting.reading for waiting in batch])
        except REFUSALS as error:
            if len(batch) == 1:
                batch[0].tell(NotStored(f"refused by the database: {error}"))
                return
            middle = len(batch) // 2
            await self._settle(batch[:middle])
            await self._settle(batch[middle:])
        except Exception as error:  # noqa: BLE001  (every waiting reading must hear of it)
            for waiting in batch:
                waiting.tell(error)
        else:
            for waiting in batch:
                waiting.tell(_refusal(waiting.reading, refused) if refused else None)

    async def _write_patiently(self, readings: list[Finding]) -> frozenset[Key]:
        """Write the batch, and again after errors that pass: writing twice changes nothing."""
        return await patiently(
            lambda: self._write(Batch.of(readings)),
            f"{len(readings)} readings wait",
            self._patience,
            self._revive,
        )

    async def _write(self, batch: Batch) -> frozenset[Key]:
        """One transaction. Returns the keys of what was not stored."""
        async with self._engine.connect() as connection:
            try:
                await self._prepare_session(connection)
                await self._prepare_months(connection, batch)
                async with connection.begin():
                    merged = await merge(await _cursor(connection), batch)
            except PASSING_ERRORS:
                await connection.invalidate()
                raise
        self.counts.update(merged.history)
        return merged.refused

    async def _prepare_session(self, connection: AsyncConnection) -> None:
        """Make the temporary tables, unless this connection to the server has them."""
        session = await psycopg_connection(connection)
        if session is not self._prepared:
            async with connection.begin():
                await session.execute(statements.PREPARE_SESSION)
            self._prepared = session

    async def _prepare_months(self, connection: AsyncConnection, batch: Batch) -> None:
        """Make the partitions that the batch needs, and the one after, unless they were made."""
        months = {month_of(board.checked_at) for board in batch.boards.values()}
        if not months <= self._months:
            async with connection.begin():
                await make_partitions(
                    await _cursor(connection), months | set(map(following, months))
                )
            self._months |= months


async def _cursor(connection: AsyncConnection) -> Cursor:
    return (await psycopg_connection(connection)).cursor()


def _refusal(reading: Finding, refused: frozenset[Key]) -> NotStored | None:
    """Why a reading was not stored; a refresh was, as far as it was news."""
    if isinstance(reading, ProductRefresh) or refused.isdisjoint(keys_of(reading)):
        return None
    return NotStored(
        "a newer reading is held, or nothing is known of the product and nobody sells or rates it: "
        "`scrapy crawl products` reads its page"
    )
