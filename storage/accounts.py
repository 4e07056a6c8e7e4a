"""Accounts of the merchant cabinet: what opens it, and its sessions, both encrypted."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import attrs
import psycopg
from psycopg.rows import class_row

from domain.identity import MerchantId
from storage.database import connect
from storage.schema import libpq_address
from storage.sealed import seal, unseal
from storage.stores import add_stores

_ADD = """
INSERT INTO cabinet_accounts AS held (store_id, credentials) VALUES (%(store)s, %(credentials)s)
ON CONFLICT (store_id) DO UPDATE
SET credentials = excluded.credentials, session = NULL, signed_in_at = NULL, failed_at = NULL,
    failure = NULL, rests_until = NULL
"""
_FORGET = "UPDATE cabinet_accounts SET credentials = NULL WHERE store_id = %s"
_REMOVE = "DELETE FROM cabinet_accounts WHERE store_id = ANY(%s)"
_WAKE = """
UPDATE cabinet_accounts SET failed_at = NULL, failure = NULL, rests_until = NULL
WHERE store_id = ANY(%s)
"""
_KEPT = """
SELECT store_id AS store, stores.name, credentials, session, signed_in_at, failed_at, failure,
       rests_until, greatest(rests_until - now(), interval '0') AS rest
FROM cabinet_accounts
JOIN stores ON stores.id = store_id
ORDER BY store_id
"""
_SIGNED_IN = """
UPDATE cabinet_accounts
SET session = %s, signed_in_at = now(), failed_at = NULL, failure = NULL, rests_until = NULL
WHERE store_id = ANY(%s)
"""
_FAILED = """
UPDATE cabinet_accounts
SET session = NULL, signed_in_at = NULL, failed_at = now(), failure = %(failure)s,
    rests_until = now() + %(rest)s
WHERE store_id = ANY(%(stores)s)
"""
_TRY_LOCK = "SELECT pg_try_advisory_lock(%s::bigint)"
#: Seconds between two looks at whether another process has ended its sign-in.
_GLANCE = 0.2


@attrs.frozen(kw_only=True)
class Kept:
    """What is kept of a store's account. `credentials` and `session` are encrypted.

    The marketplace wants no sign-in until `rests_until`: `rest` from now, or nothing.
    """

    store: MerchantId
    name: str | None
    credentials: str | None = attrs.field(repr=False)
    session: str | None = attrs.field(repr=False)
    signed_in_at: datetime | None
    failed_at: datetime | None
    failure: str | None
    rests_until: datetime | None
    rest: timedelta

    def opened(self, key: str) -> str | None:
        """What opens the cabinet, decrypted. Raises NoKey."""
        return None if self.credentials is None else unseal(self.credentials.encode(), key)

    def cookies(self, key: str) -> str | None:
        """The session's cookies, decrypted. Raises NoKey."""
        return None if self.session is None else unseal(self.session.encode(), key)


def add(address: str, store: MerchantId, credentials: str, key: str) -> None:
    """Keep what opens a store's cabinet; what was known of an older account is forgotten.

    Raises NoKey.
    """
    sealed = seal(credentials, key).decode()
    with psycopg.connect(libpq_address(address)) as connection:
        add_stores(connection, [store])
        connection.execute(_ADD, {"store": store, "credentials": sealed})


def forget_credentials(address: str, store: MerchantId) -> None:
    """Keep the session alone."""
    with psycopg.connect(libpq_address(address)) as connection:
        connection.execute(_FORGET, [store])


def remove(address: str, stores: Sequence[MerchantId]) -> int:
    """Forget accounts with their sessions. Returns how many there were."""
    with psycopg.connect(libpq_address(address)) as connection:
        return connection.execute(_REMOVE, [list(stores)]).rowcount


def wake(address: str, stores: Sequence[MerchantId]) -> None:
    """Let a sign-in be tried again at once."""
    with psycopg.connect(libpq_address(address)) as connection:
        connection.execute(_WAKE, [list(stores)])


def kept(address: str) -> list[Kept]:
    """Every account, by store."""
    with (
        psycopg.connect(libpq_address(address)) as connection,
        connection.cursor(row_factory=class_row(Kept)) as cursor,
    ):
        return cursor.execute(_KEPT).fetchall()


@attrs.frozen(kw_only=True)
class AccountBook:
    """The accounts as a crawl reads and writes them. Everything raises psycopg.OperationalError."""

    address: str
    key: str = attrs.field(repr=False)

    async def read(self) -> dict[MerchantId, Kept]:
        """Every account by its store."""
        async with await connect(self.address) as connection:
            cursor = connection.cursor(row_factory=class_row(Kept))
            await cursor.execute(_KEPT)
            return {one.store: one for one in await cursor.fetchall()}

    async def signed_in(self, stores: Sequence[MerchantId], cookies: str) -> None:
        """Keep a session that these stores share. Raises NoKey."""
        sealed = seal(cookies, self.key).decode()
        async with await connect(self.address) as connection:
            await connection.execute(_SIGNED_IN, [sealed, list(stores)])

    async def failed(self, stores: Sequence[MerchantId], failure: str, rest: timedelta) -> None:
        """Write down that a sign-in came to nothing, and for how long none is wanted."""
        told = {"stores": list(stores), "failure": failure, "rest": rest}
        async with await connect(self.address) as connection:
            await connection.execute(_FAILED, told)

    @asynccontextmanager
    async def one_at_a_time(
        self, account: str, is_closing: Callable[[], bool]
    ) -> AsyncIterator[bool]:
        """Within it nobody else signs in to the account, in any process; a killed one lets go.

        Yields False, without the right to sign in, when the crawl ends before others are through.
        """
        number = _number(account)
        async with await connect(self.address) as connection:
            while not await _has(connection, number):
                if is_closing():
                    yield False
                    return
                await asyncio.sleep(_GLANCE)
            yield True


def _number(account: str) -> int:
    """The advisory lock of an account: 64 bits that tell nothing of its name."""
    digest = blake2b(f"cabinet {account}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


async def _has(connection: psycopg.AsyncConnection[Any], number: int) -> bool:
    row = await (await connection.execute(_TRY_LOCK, [number])).fetchone()
    return bool(row and row[0])
