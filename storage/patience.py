"""How long a database that is away is waited for, and which errors say that it is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import attrs
import psycopg
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoTurn

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Errors that one reading of a batch brings about: a letter that is no letter, a price below zero,
#: a text that is too long for an index.
REFUSALS = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
    UnicodeError,
)

#: Errors after which the same batch may succeed: a lost connection, a server that restarts, two
#: crawls in each other's way, a pool whose connections all wait for a slow server.
PASSING_ERRORS = (
    psycopg.OperationalError,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    OperationalError,
    NoTurn,
    ConnectionError,
)


@attrs.frozen(kw_only=True)
class Patience:
    """When a batch is written, and how long a lost database is waited for, in seconds.

    A batch is written when it holds `full_at` offers, when no reading came for `linger` seconds,
    or when its first reading has waited for `longest_linger`.
    """

    full_at: int = 1_000
    linger: float = 0.05
    longest_linger: float = 0.5
    give_up_after: float = 120.0
    first_pause: float = 0.2
    longest_pause: float = 5.0


#: A batch soon, and two minutes for a server that restarts.
PATIENCE = Patience()


async def patiently(
    attempt: Callable[[], Awaitable[T]],
    waiting: str,
    patience: Patience = PATIENCE,
    revive: Callable[[], object] = lambda: None,
) -> T:
    """Try until it succeeds. Raises the last error when the database stays away for too long.

    `attempt` must change nothing when it is done twice. `waiting` says what waits, for the log;
    `revive` is called in a thread before each further try.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience.give_up_after
    pause = patience.first_pause
    while True:
        try:
            return await attempt()
        except REFUSALS:
            raise
        except PASSING_ERRORS as error:
            if loop.time() + pause > deadline:
                raise
            logger.warning("Database is away, %s: %s", waiting, error)
        await asyncio.sleep(pause)
        await loop.run_in_executor(None, revive)
        pause = min(2 * pause, patience.longest_pause)
