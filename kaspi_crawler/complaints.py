"""What may go wrong while the code is right, and the one sentence that says so."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.said import Language
from partners.kaspi.storefront import NotAnAddress

#: The exit code of a command that could not do its work and said why.
SAID_WHY = 2
#: The exit code of a program that was stopped from its terminal, as shells have it.
STOPPED = 130
#: The exit code of a program whose reader is gone, as shells have it.
NOBODY_READS = 141
#: What the operating system says of files, in Russian.
_OF_FILES: Mapping[type[BaseException], str] = {
    FileNotFoundError: "такого файла нет",
    PermissionError: "нет доступа",
    IsADirectoryError: "это папка, а не файл",
    NotADirectoryError: "на пути к файлу не папка",
}


@contextmanager
def in_a_sentence(command: str, language: str = Language.ENGLISH) -> Iterator[None]:
    """End the program with exit code 2 and a sentence when something expected goes wrong.

    The sentence is in the language, if it has it: what goes wrong below is told in English.

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
        raise SystemExit(_say(command, sentence(error, Language(language)), SAID_WHY)) from None


def sentence(error: BaseException, language: Language = Language.ENGLISH) -> str:
    """What went wrong, in its own words, without a statement or the link to a manual."""
    if isinstance(error, BadArgument):
        return error.why.in_(language)
    if language is Language.RUSSIAN and type(error) in _OF_FILES:
        return f"{error.filename}: {_OF_FILES[type(error)]}"  # type: ignore[attr-defined]
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
    from storage.runs import SpentJob  # noqa: PLC0415
    from storage.schema import SchemaBehind  # noqa: PLC0415
    from storage.sealed import NoKey  # noqa: PLC0415
    from storage.timetable import AlreadyKept, EntryExists, NoSuchEntry  # noqa: PLC0415

    ours = (BadArgument, NotAnAddress, DatabaseUnavailable, SchemaBehind, ForeignData, TooBusy)
    secrets = (NoKey,)
    jobs = (SpentJob, NoSuchEntry, EntryExists, AlreadyKept)
    return (*ours, *secrets, *jobs, psycopg.Error, SQLAlchemyError, CommandError, OSError)
