"""The keeper: starts or adopts the embedded server, and stops it when nobody uses it."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from storage.embedded.binaries import choose, installations, reachable_by
from storage.embedded.cluster import create, sweep
from storage.embedded.place import (
    PAUSE,
    DatabaseUnavailable,
    Place,
    holding,
    is_same_file,
    not_usable,
    try_lock,
)
from storage.embedded.server import (
    NOT_YET,
    PATIENCE,
    Postmaster,
    ask,
    is_ours,
    last_words,
    launch,
    postmaster,
    running,
    stop,
)

#: Seconds that the server stays after its last user; KASPI_DATABASE_LINGER overrides.
LINGER = 30.0
#: Seconds between two looks at the server and its users, at most and at least.
TICKS = (1.0, 0.1)
#: A keeper.log longer than this starts anew, in bytes.
LONGEST_LOG = 1_000_000
OTHERS = (
    "select count(*) from pg_stat_activity"
    " where backend_type = 'client backend' and pid <> pg_backend_pid()"
)


def keep(place: Place, linger: float) -> None:
    """Keep the server of this place until nobody uses it; at most one keeper does.

    Raises DatabaseUnavailable, before announcing anything, when the server cannot start.
    """
    # A client that looks whether a keeper lives holds the lock for some microseconds.
    with holding(place.keeper_lock, fcntl.LOCK_EX, seconds=1) as lock:
        if lock is None:
            return
        place.keeper_lock.write_text(f"{os.getpid()}\n", encoding="ascii")
        keeper = Keeper(place, lock, linger)
        signal.signal(signal.SIGTERM, keeper.ask_to_stop)
        keeper.start()
        _announce("ready")
        keeper.note("the server is up")
        keeper.watch()
        keeper.note("the server is stopped")


class Keeper:
    """The one who watches a server and its users."""

    def __init__(self, place: Place, lock: int, linger: float) -> None:
        self.place = place
        self.lock = lock
        self.linger = linger
        self.tick = max(min(linger, TICKS[0]), TICKS[1])
        self.child: subprocess.Popen[bytes] | None = None
        self.server: Postmaster | None = None
        self.busy = time.time()
        self.asked = False

    def start(self) -> None:
        """Start or adopt the server. Raises DatabaseUnavailable."""
        self.child = bring_up(self.place)
        self.server = postmaster(self.place)

    def ask_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Take a signal as a wish: the server is stopped in order at the next tick."""
        self.asked = True

    def watch(self) -> None:
        """Return when the server is stopped: unused, asked for, or its directory removed."""
        while self._pause():
            if not is_same_file(self.lock, self.place.keeper_lock):
                self.note("the directory was removed: the server goes too")
                return self._abandon()
            users = try_lock(self.place.users_lock, fcntl.LOCK_EX)
            if users is None:
                self._serve()
                continue
            try:
                if self._is_idle(users):
                    # Whoever comes now waits for the lock, and finds no keeper when we are gone.
                    return stop(self.place)
            finally:
                os.close(users)
        return stop(self.place)

    def note(self, event: str) -> None:
        """Write a line into the keeper's log."""
        sys.stderr.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} keeper {os.getpid()}: {event}\n")
        sys.stderr.flush()

    def _pause(self) -> bool:
        """Wait one tick, or less when our child dies; False when somebody asked us to stop."""
        if self.child is None or self.child.poll() is not None:
            time.sleep(self.tick)
        else:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(self.tick)
        return not self.asked

    def _serve(self) -> None:
        """The server is in use, so it has to be there."""
        self.busy = time.time()
        if not running(self.place):
            self.note("the server is gone while it is used: starting it again")
            self.start()

    def _is_idle(self, users: int) -> bool:
        """Whether nobody came for a while, and nobody is connected without our lock."""
        # Every user touches the lock's file when it comes, even between two looks of ours.
        if time.time() - max(self.busy, os.fstat(users).st_mtime) < self.linger:
            return False
        if others(self.place):
            self.busy = time.time()
            return False
        return True

    def _abandon(self) -> None:
        """Stop a server whose files are gone, before another one takes its socket's place."""
        with contextlib.suppress(ProcessLookupError):
            if self.server and is_ours(self.server.pid, self.place.cluster):
                os.kill(self.server.pid, signal.SIGQUIT)


def bring_up(place: Place) -> subprocess.Popen[bytes] | None:
    """Start the server, or adopt one that runs; returns the process if it is our child.

    Raises DatabaseUnavailable with the last lines of the logs.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = postmaster(place)
        if found and is_ours(found.pid, place.cluster):
            if _comes_up(place, None, deadline):
                return None
            continue
        child = _start(place)
        if _comes_up(place, child, deadline):
            return child
        if child.poll() is not None and not _has_owner(place) and not _is_worth_waiting(place):
            break
        time.sleep(0.2)
    raise DatabaseUnavailable(
        f"the embedded PostgreSQL in {place.cluster} does not start;"
        f" mend the cause or set DATABASE_URL to another PostgreSQL:\n{last_words(place)}"
    )


def _start(place: Place) -> subprocess.Popen[bytes]:
    sweep(place)
    account = place.account()
    major = None
    if place.exists():
        major = int((place.cluster / "PG_VERSION").read_text(encoding="utf-8"))
    installation = choose(installations(), major, place.cluster)
    if account.privileges:
        installation = reachable_by(installation, account)
    if major is None:
        create(place, installation, account)
    return launch(place, installation, account)


def _is_worth_waiting(place: Place) -> bool:
    """Whether the server could not start only because another one has not ended yet."""
    said = last_words(place)
    return any(sign in said for sign in NOT_YET)


def _has_owner(place: Place) -> bool:
    found = postmaster(place)
    return found is not None and is_ours(found.pid, place.cluster)


def _comes_up(place: Place, child: subprocess.Popen[bytes] | None, deadline: float) -> bool:
    """Wait until a connection really works, the process is gone, or time is up."""
    while time.monotonic() < deadline:
        found = running(place)
        if found and _works(found):
            return True
        if child is not None and child.poll() is not None:
            return False
        if child is None and not _has_owner(place):
            return False
        time.sleep(PAUSE)
    return False


def _works(server: Postmaster) -> bool:
    try:
        return ask(server.sockets, "select 1") == "1"
    except OSError:
        return False


def others(place: Place) -> int:
    """How many connections there are without our lock, such as a psql started by hand."""
    found = running(place)
    if found is None:
        return 0
    try:
        return int(ask(found.sockets, OTHERS))
    except OSError:
        return 0


def _announce(word: str) -> None:
    """Tell the process that summoned us, once; from now on we have no standard output."""
    with contextlib.suppress(BrokenPipeError):
        os.write(1, word.encode())
    os.dup2(2, 1)


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Become a process without parent or terminal, and keep the server of a directory."""
    if os.fork():
        return 0
    os.setsid()
    os.umask(0o022)
    place = Place(Path(arguments[0]))
    if place.keeper_log.stat().st_size > LONGEST_LOG:
        os.truncate(2, 0)
    try:
        keep(place, float(environ.get("KASPI_DATABASE_LINGER") or LINGER))
    except (DatabaseUnavailable, OSError) as error:
        trouble = not_usable(place.directory, error) if isinstance(error, OSError) else error
        sys.stderr.write(f"{trouble}\n")
        _announce(str(trouble))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
