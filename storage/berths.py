"""Who carries a store's prices just now: one process at a time, and a killed one lets go."""

import asyncio
import logging
from hashlib import blake2b
from typing import Any

import attrs
import psycopg

from domain.identity import MerchantId
from storage.patience import PASSING_ERRORS
from storage.schema import libpq_address

logger = logging.getLogger(__name__)

_TAKE = "SELECT pg_try_advisory_lock(%s::bigint)"
_LEAVE = "SELECT pg_advisory_unlock(%s::bigint)"


@attrs.define
class Berths:
    """The berths that a process has, all on one connection to the database.

    What two processes read of a store at once they would read twice, and a price would leave by
    what one has read before the other. No guarantee of the outbox hangs on it: whoever loses the
    connection goes on with what he has begun.
    """

    address: str
    _connection: psycopg.AsyncConnection[Any] | None = attrs.field(init=False, default=None)
    _one_at_a_time: asyncio.Lock = attrs.field(init=False, factory=asyncio.Lock)

    async def take(self, store: MerchantId) -> bool:
        """Whether it is ours, until it is left; else another process carries for the store.

        Raises storage.patience.PASSING_ERRORS when the database is away.
        """
        return await self._ask(_TAKE, _number(store))

    async def leave(self, store: MerchantId) -> None:
        """Let others carry for the store."""
        try:
            await self._ask(_LEAVE, _number(store))
        except PASSING_ERRORS as error:
            logger.info("The berth of %s went with the connection: %s", store, error)

    async def close(self) -> None:
        """Leave all berths."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _ask(self, query: str, number: int) -> bool:
        async with self._one_at_a_time:
            if self._connection is None or self._connection.closed:
                self._connection = await psycopg.AsyncConnection.connect(
                    libpq_address(self.address), autocommit=True, connect_timeout=10
                )
            row = await (await self._connection.execute(query, [number])).fetchone()
            return bool(row and row[0])


def _number(store: MerchantId) -> int:
    """The advisory lock of a store's berth."""
    digest = blake2b(f"berth {store}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
