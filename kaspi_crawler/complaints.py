"""What may go wrong while the code is right, and the one sentence that says so."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from kaspi_crawler.arguments import BadArgument
from partners.kaspi.storefront import NotAnAddress

#: The exit code of a command that could not do its work and said why.
SAID_WHY = 2
#: The exit code of a program that was stopped from its terminal, as shells have it.
STOPPED = 130
#: The exit code of a program whose reader is gone, as shells have it.
NOBODY_READS = 141


@contextmanager
def in_a_sentence(command: str) -> Iterator[None]:
    """End the program with exit code 2 and a sentence when something expected goes wrong.

    Expected are arguments that cannot be used, a database that is away or behind, and what the
    operating system refuses. All else is a fault of ours, and keeps its traceback.
    """
    try:
        yield
    except BrokenPipeError:
        # The reader has seen enough (`| head`): end silently, as every program does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(NOBODY_READS) from None
    except KeyboardInterrupt:
        raise SystemExit(_say(command, "stopped", STOPPED)) from None
    except _expected() as error:
        raise SystemExit(_say(command, sentence(error), SAID_WHY)) from None


def sentence(error: BaseException) -> str:
    """What went wrong, in its own words, without a statement or the link to a manual."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    from storage.database import said  # noqa: PLC0415  (a third of a second that only this needs)

    return said(error)


def _say(command: str, said: str, code: int) -> int:
    sys.stderr.write(f"scrapy {command}: {said}\n")
    return code


def _expected() -> tuple[type[Exception], ...]:
    """Imported when something has gone wrong: half a second that nobody pays otherwise."""
    import psycopg  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from storage.embedded import DatabaseUnavailable  # noqa: PLC0415
    from storage.origin import ForeignData  # noqa: PLC0415
    from storage.retention import TooBusy  # noqa: PLC0415
    from storage.schema import SchemaBehind  # noqa: PLC0415
    from storage.sealed import NoKey  # noqa: PLC0415

    ours = (BadArgument, NotAnAddress, DatabaseUnavailable, SchemaBehind, ForeignData, TooBusy)
    secrets = (NoKey,)
    return (*ours, *secrets, psycopg.Error, SQLAlchemyError, CommandError, OSError)
