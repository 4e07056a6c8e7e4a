"""The address of the database: the one that is given, else an embedded PostgreSQL that is shared.

Every process that uses the embedded server holds a lock which the kernel frees on any death;
a detached keeper starts the server and stops it when the lock has been free for a while.
"""

import contextlib
import fcntl
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from storage.embedded.cluster import ROLE
from storage.embedded.place import (
    PAUSE,
    DatabaseUnavailable,
    Place,
    holding,
    is_held,
    is_same_file,
    not_usable,
    open_owned,
    place_at,
    wait_for_lock,
)
from storage.embedded.server import PATIENCE, last_words, running

__all__ = ["DatabaseUnavailable", "connect_address", "is_embedded", "normalised", "release"]

_SCHEME = re.compile(r"postgres(?:ql)?(?:\+\w+)?://")
#: After so many keepers that died without a word there is no use in summoning another.
SILENT_KEEPERS = 4
_held: dict[Place, int] = {}
_one_at_a_time = threading.Lock()


def is_embedded(environ: Mapping[str, str]) -> bool:
    """Whether no DATABASE_URL is given, so that the embedded server is the database."""
    return not environ.get("DATABASE_URL", "").strip()


def connect_address(environ: Mapping[str, str], data_directory: Path) -> str:
    """The database's address, as libpq and SQLAlchemy read it (postgresql://…).

    DATABASE_URL if it is set; else the embedded server below the data directory, which is
    started if nobody did before, and stays at least as long as this process lives.
    Finding a running server costs less than 1 ms; the first start makes the cluster.

    Raises DatabaseUnavailable.
    """
    if not is_embedded(environ):
        return normalised(environ["DATABASE_URL"].strip())
    place = place_at(data_directory)
    try:
        with _one_at_a_time:
            return _embedded_address(place, environ)
    except OSError as error:
        raise not_usable(place.directory, error) from error


def normalised(address: str) -> str:
    """A PostgreSQL address without the name of a driver.

    Raises DatabaseUnavailable for any other address; its text repeats no password.
    """
    if not (scheme := _SCHEME.match(address)):
        raise DatabaseUnavailable(
            f"DATABASE_URL is no PostgreSQL address{_scheme_of(address)};"
            " it looks like postgresql://user:password@host:5432/database"
        )
    plain = f"postgresql://{address[scheme.end() :]}"
    try:
        _ = urlsplit(plain).port
    except ValueError:
        # The error's own text may quote the beginning of a password.
        raise DatabaseUnavailable(
            "the port in DATABASE_URL is no number from 0 to 65535; in a password write / # ? @ as"
            " %2F %23 %3F %40"
        ) from None
    return plain


def _scheme_of(address: str) -> str:
    """What may be quoted of an address that is not ours: no more than its scheme."""
    scheme, separator, _ = address.partition("://")
    return f" ({scheme!r}…)" if separator else ""


def release() -> None:
    """Stop counting this process as a user: the keeper may then stop the server."""
    with _one_at_a_time:
        while _held:
            os.close(_held.popitem()[1])


def _embedded_address(place: Place, environ: Mapping[str, str]) -> str:
    deadline = time.monotonic() + PATIENCE
    _become_user(place, deadline)
    silent = 0
    while time.monotonic() < deadline and silent < SILENT_KEEPERS:
        if is_held(place.keeper_lock):
            if server := running(place):
                return f"postgresql://{ROLE}@/{ROLE}?host={server.sockets}"
            time.sleep(PAUSE)
            continue
        with holding(place.start_lock, fcntl.LOCK_EX, deadline - time.monotonic()) as first:
            if first is not None and not is_held(place.keeper_lock):
                silent += not _summon_keeper(place, environ, deadline)
    raise DatabaseUnavailable(
        f"the embedded PostgreSQL in {place.cluster} did not start;"
        f" its last words were:\n{last_words(place)}"
    )


def _become_user(place: Place, deadline: float) -> None:
    if place in _held and not is_same_file(_held[place], place.users_lock):
        os.close(_held.pop(place))
    if place not in _held:
        # The keeper holds this lock alone only for a moment, or while it stops the server.
        users = wait_for_lock(place.users_lock, fcntl.LOCK_SH, deadline)
        if users is None:
            raise DatabaseUnavailable(
                f"{place.users_lock} is held: the embedded PostgreSQL in {place.cluster} is being"
                f" stopped for more than {PATIENCE} seconds; see {place.keeper_log}"
            )
        _held[place] = users
    os.utime(_held[place])


def _summon_keeper(place: Place, environ: Mapping[str, str], deadline: float) -> str:
    """Start a keeper and wait for its word, which is empty when it died without one.

    Raises DatabaseUnavailable if it is a complaint.
    """
    log = open_owned(place.keeper_log, os.O_WRONLY | os.O_APPEND)
    try:
        parent = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", "storage.embedded.keeper", str(place.directory)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            env={**environ, "PYTHONPATH": _python_path(environ)},
            start_new_session=True,
        )
    finally:
        os.close(log)
    word = _hear(parent, deadline)
    if word not in ("ready", ""):
        raise DatabaseUnavailable(word)
    return word


def _hear(parent: subprocess.Popen[bytes], deadline: float) -> str:
    """What the keeper says before it closes its output: its parent is gone long before."""
    try:
        said, _ = parent.communicate(timeout=max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        # Not until its output ends: a keeper that hangs may hold it open in a process of its own.
        with contextlib.suppress(ProcessLookupError):
            parent.kill()
        if parent.stdout is not None:
            parent.stdout.close()
        parent.wait()
        return ""
    return said.decode()


def _python_path(environ: Mapping[str, str]) -> str:
    """Where this very package lies (a checkout, an installed copy or an egg), then the rest."""
    here = str(Path(__file__).parent.parent.parent)
    return os.pathsep.join(filter(None, [here, environ.get("PYTHONPATH", "")]))
