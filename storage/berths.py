"""Who carries a store's prices just now: one process at a time, and a killed one lets go."""

import asyncio
import logging
from hashlib import blake2b
from typing import Any

import attrs
import psycopg

from domain.identity import MerchantId
from storage.database import connect
from storage.patience import PASSING_ERRORS

logger = logging.getLogger(__name__)

_TAKE = "SELECT pg_try_advisory_lock(%s::bigint)"
_LEAVE = "SELECT pg_advisory_unlock(%s::bigint)"


@attrs.define
class Berths:
    """The berths that a process has, all on one connection to the database.

    What two processes read of a store at once they would read twice, and a price would leave by
    what one has read before the other. No guarantee of the outbox hangs on it: whoever loses the
    connection goes on with what he has begun. The server lets go of all berths when the process
    ends, and half a minute after the network between them was cut without a word.
    """

    address: str
    _connection: psycopg.AsyncConnection[Any] | None = attrs.field(init=False, default=None)
    _one_at_a_time: asyncio.Lock = attrs.field(init=False, factory=asyncio.Lock)

    async def take(self, store: MerchantId) -> bool:
        """Whether it is ours, until it is left; else another process carries for the store.

        Raises storage.patience.PASSING_ERRORS when the database is away.
        """
        async with self._one_at_a_time:
            if self._connection is None or self._connection.closed:
                self._connection = await connect(self.address)
            return await self._ask(self._connection, _TAKE, store)

    async def leave(self, store: MerchantId) -> None:
        """Let others carry for the store; a connection that is lost has let go already."""
        async with self._one_at_a_time:
            if self._connection is None or self._connection.closed:
                return
            try:
                await self._ask(self._connection, _LEAVE, store)
            except PASSING_ERRORS as error:
                logger.info("The berth of %s went with the connection: %s", store, error)

    async def close(self) -> None:
        """Leave all berths."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _ask(
        self, connection: psycopg.AsyncConnection[Any], query: str, store: MerchantId
    ) -> bool:
        try:
            row = await (await connection.execute(query, [_number(store)])).fetchone()
        except PASSING_ERRORS:
            await connection.close()  # or nobody knew whether the server has done it
            raise
        return bool(row and row[0])


def _number(store: MerchantId) -> int:
    """The advisory lock of a store's berth."""
    digest = blake2b(f"berth {store}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
