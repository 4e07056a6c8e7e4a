"""One engine a process: SQLAlchemy's pool over psycopg, for queries and COPY alike.

SQLAlchemy is imported where it is needed: commands that ask through psycopg alone, as the price
feed does for a million offers, do without its 20 MB and its third of a second.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict

from storage.schema import libpq_address

if TYPE_CHECKING:
    from sqlalchemy import URL
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")

Cursor = psycopg.AsyncCursor[tuple[object, ...]]

#: So long one statement of a crawl may take, in seconds; the longest take one or two.
SILENCE = 60.0
#: Whoever waits for a connection of the pool waits longer than a statement may take, with the
#: seconds in which it is called off and another connection is made.
_TURN = SILENCE + 30.0
#: What sessions are told. A server whose client went without a word, behind a network that
#: swallows packets, notices it after half a minute, and lets go of its locks.
_SESSION = (
    "-c timezone=UTC -c jit=off -c tcp_keepalives_idle=15 -c tcp_keepalives_interval=5"
    " -c tcp_keepalives_count=3 -c tcp_user_timeout=30000"
)


class _Attentive(psycopg.AsyncConnection[Any]):
    """A connection that does not wait for ever for a server that is frozen.

    Raises OperationalError, as for a server that went away.
    """

    async def wait(self, *arguments: Any, **options: Any) -> Any:
        try:
            async with asyncio.timeout(SILENCE):
                return await super().wait(*arguments, **options)
        except TimeoutError as error:
            why = f"the database did not answer within {SILENCE:g} seconds"
            raise psycopg.OperationalError(why) from error


def _options(told: str) -> dict[str, Any]:
    """How each connection of a crawl is made, with the options that its address has `told`.

    A server behind a network that swallows packets is noticed after half a minute, too.
    """
    return {
        "options": f"{told} {_SESSION}",
        "connect_timeout": 10,
        "tcp_user_timeout": 30_000,
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    }


async def connect(address: str) -> psycopg.AsyncConnection[Any]:
    """A connection beside the pool, without transactions: for locks, and for single statements.

    A statement that takes longer than SILENCE is an OperationalError.
    """
    told = conninfo_to_dict(libpq_address(address)).get("options")
    return await _Attentive.connect(
        libpq_address(address), autocommit=True, **_options(str(told or ""))
    )


def sqlalchemy_url(address: str) -> "URL":
    """The address for SQLAlchemy, whatever scheme of PostgreSQL it was written with."""
    from sqlalchemy import make_url  # noqa: PLC0415

    return make_url(address).set(drivername="postgresql+psycopg")


def open_engine(address: str, connections: int = 2, *, patient: bool = False) -> "AsyncEngine":
    """A pool for one crawl: `connections` at most; sessions speak UTC.

    A statement that takes longer than SILENCE is an OperationalError, unless the pool is `patient`.
    """
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415

    url = sqlalchemy_url(address)
    told = " ".join(url.normalized_query.get("options", ()))
    return create_async_engine(
        url.difference_update_query(["options"]),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=_TURN,
        connect_args={
            "async_creator_fn": (psycopg.AsyncConnection if patient else _Attentive).connect,
            **_options(told),
        },
    )


def said(error: BaseException) -> str:
    """What the database said, on one line, without the statement and the link to a manual."""
    # libpq continues its sentences on lines of their own, behind a tab.
    return str(getattr(error, "orig", None) or error).strip().replace("\n\t", " ")


async def psycopg_connection(
    connection: "AsyncConnection",
) -> psycopg.AsyncConnection[tuple[object, ...]]:
    """The psycopg connection beneath, for COPY in the same transaction."""
    raw = await connection.get_raw_connection()
    return cast("psycopg.AsyncConnection[tuple[object, ...]]", raw.driver_connection)


async def in_transaction(engine: "AsyncEngine", work: Callable[[Cursor], Awaitable[T]]) -> T:
    """Do the work in one transaction; a connection that broke is not used again."""
    from storage.patience import PASSING_ERRORS  # noqa: PLC0415  (which names SQLAlchemy's)

    async with engine.connect() as connection:
        try:
            async with connection.begin():
                return await work((await psycopg_connection(connection)).cursor())
        except PASSING_ERRORS:
            await connection.invalidate()
            raise
