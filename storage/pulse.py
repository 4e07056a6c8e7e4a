"""A crawl's sign of life: a lock that dies with it, and a count that shows that it moves."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

import attrs
import psycopg

from storage.database import connect
from storage.runs import lock_of

#: Seconds between two tries to reach a database that is away.
_PAUSE = 0.5
_MOVED = """
UPDATE runs SET answers = %(answers)s, progressed_at = now()
WHERE id = %(run)s AND answers <> %(answers)s AND finished_at IS NULL
"""
_END = "SELECT close_reason FROM runs WHERE id = %s AND finished_at IS NOT NULL"


@attrs.define
class Pulse:
    """Holds the lock of a run as long as its crawl lives, also across a restart of the server.

    Every `every` seconds it writes how many `answers` came. When somebody else has given the run
    an end, `overruled` hears of it with the reason, once.
    """

    address: str
    run: UUID
    answers: Callable[[], int]
    overruled: Callable[[str], None]
    revive: Callable[[], object] = lambda: None
    every: float = 5.0
    _task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take the lock, and go on in the background. Raises psycopg.OperationalError."""
        self._task = asyncio.create_task(self._beat(await self._locked()))

    async def stop(self) -> None:
        """Let the lock go."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _beat(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while True:
            try:
                async with connection:
                    while not await self._is_over(connection):  # noqa: ASYNC110  (in the database)
                        await asyncio.sleep(self.every)
                return
            except psycopg.OperationalError:
                connection = await self._again()

    async def _again(self) -> psycopg.AsyncConnection[Any]:
        """The lock on a new connection, however long that takes: the writer decides when a
        database that stays away ends the crawl.
        """
        while True:
            await asyncio.sleep(_PAUSE)
            await asyncio.get_running_loop().run_in_executor(None, self.revive)
            with contextlib.suppress(psycopg.OperationalError):
                return await self._locked()

    async def _locked(self) -> psycopg.AsyncConnection[Any]:
        connection = await connect(self.address)
        try:
            await connection.execute("SELECT pg_advisory_lock(%s::bigint)", [lock_of(self.run)])
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _is_over(self, connection: psycopg.AsyncConnection[Any]) -> bool:
        """Say how far the crawl is, and hear whether its run was given an end."""
        await connection.execute(_MOVED, {"run": self.run, "answers": self.answers()})
        found = await connection.execute(_END, [self.run])
        row = await found.fetchone()
        if row:
            self.overruled(str(row[0]))
        return bool(row)
