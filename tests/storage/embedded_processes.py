"""Processes that use an embedded database, for tests that watch them live and die."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from storage.embedded import place as places
from storage.embedded import release
from storage.embedded.place import Account, Place, is_held
from storage.embedded.server import postmaster

ROOT = Path(__file__).parent.parent.parent
PACKAGES = Path(psycopg.__file__).parent.parent
#: A client that prints the address, and uses the database until its standard input is closed.
CLIENT = """
import os, sys
from pathlib import Path
from storage.embedded import DatabaseUnavailable, connect_address
try:
    print(connect_address(os.environ, Path(sys.argv[1])), flush=True)
except DatabaseUnavailable as error:
    sys.exit(str(error))
sys.stdin.read()
"""


class Client:
    """Another process that uses the database, as a crawl does."""

    def __init__(
        self,
        directory: Path,
        linger: float = 60,
        user: Account | None = None,
        before: Callable[[], None] | None = None,
    ) -> None:
        environ = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environ["KASPI_DATABASE_LINGER"] = str(linger)
        # Another user has another Python, which must find the wheel all the same.
        environ["PYTHONPATH"] = f"{ROOT}{os.pathsep}{PACKAGES}"
        python = python_of(user.name) if user else sys.executable
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [python, "-c", CLIENT, str(directory)],
            preexec_fn=before,  # noqa: PLW1509  (this process has one thread)
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env=environ,
            **(user.privileges if user else {}),
        )

    def address(self) -> str:
        assert self.process.stdout
        assert self.process.stderr
        line = self.process.stdout.readline().strip()
        return line or pytest.fail(self.process.stderr.read())

    def complaint(self) -> str:
        said, complained = self.process.communicate(timeout=60)
        assert not said
        assert self.process.returncode == 1
        return complained

    def leave(self) -> None:
        self.process.communicate(timeout=60)

    def die(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=60)


def eventually(true: Callable[[], object], seconds: float = 20) -> None:
    """Wait until it is true, or fail."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            pytest.fail("it never became true")
        time.sleep(0.02)


def keeper_of(place: Place) -> int:
    """The process that keeps the server."""
    return int(place.keeper_lock.read_text())


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def demolish(place: Place) -> None:
    """Stop everything that the test started, and leave nothing of it on the machine."""
    release()
    if place.keeper_lock.exists():
        eventually(lambda: place.keeper_lock.read_text() or not is_held(place.keeper_lock))
        if is_held(place.keeper_lock):
            os.kill(keeper_of(place), signal.SIGTERM)
        eventually(lambda: not is_held(place.keeper_lock))
    if left := postmaster(place):
        kill(left.pid)
    for rest in (place.directory, place.shared_home):
        shutil.rmtree(rest, ignore_errors=True)
    for sockets in places.SOCKETS.glob(f"kaspi-*-{place.digest}"):
        shutil.rmtree(sockets, ignore_errors=True)


def account_named(name: str) -> Account:
    entry = pwd.getpwnam(name)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def python_of(user: str) -> str:
    """A Python of at least 3.11 that this user can run."""
    entry = pwd.getpwnam(user)
    check = "import sys; assert sys.version_info >= (3, 11)"
    for python in map(str, (sys.executable, *Path("/usr/bin").glob("python3.1[1-9]"))):
        with contextlib.suppress(OSError):
            done = subprocess.run(
                [python, "-c", check], user=entry.pw_uid, cwd="/", env={}, check=False
            )
            if done.returncode == 0:
                return python
    return pytest.skip(f"{user} can run no Python 3.11 on this machine")
