"""One postmaster: find it, start it, ask it, stop it."""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from storage.embedded.binaries import Installation
from storage.embedded.cluster import ENVIRONMENT, ROLE
from storage.embedded.place import (
    PAUSE,
    Account,
    Place,
    is_private,
    socket_directory,
)

#: PostgreSQL names its socket after the port, although no port is ever opened.
SOCKET = ".s.PGSQL.5432"
#: How long a start may take, in seconds: recovering 1 GB of changes is the slowest.
PATIENCE = 120
#: What a server says that cannot start yet: orphaned backends are still there, or the server
#: of a directory that was removed, which notices that itself within a minute.
NOT_YET = ("pre-existing shared memory block", f'{SOCKET}.lock" already exists')


class Postmaster(NamedTuple):
    """What a running server wrote into postmaster.pid."""

    pid: int
    sockets: Path
    ready: bool

    def answers(self, cluster: Path) -> bool:
        """Whether it accepts connections on a socket that nobody else could have made."""
        return (
            self.ready
            and is_private(self.sockets, cluster.stat().st_uid)
            and listens(self.sockets / SOCKET)
        )


def postmaster(place: Place) -> Postmaster | None:
    """The server that the cluster says it has, alive or not.

    Line 1 of postmaster.pid is the process, 5 the socket's directory, 8 the state
    (PostgreSQL 10 and newer).
    """
    try:
        lines = (place.cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
        return None
    sockets = Path(lines[4]) if len(lines) > 4 else Path()
    return Postmaster(pid, sockets, len(lines) > 7 and lines[7].strip() == "ready")


def listens(path: Path) -> bool:
    """Whether anybody accepts connections at this socket."""
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(5)
        try:
            wire.connect(str(path))
        except OSError:
            return False
    return True


def running(place: Place) -> Postmaster | None:
    """The server, if it accepts connections now."""
    found = postmaster(place)
    return found if found and found.answers(place.cluster) else None


def is_ours(pid: int, cluster: Path) -> bool:
    """Whether this process was started as the postmaster of this directory and still lives.

    Its number alone may be a stranger's by now; its own directory may be moved or removed.
    """
    return str(cluster.resolve()) in _command_of(pid)


def _command_of(pid: int) -> list[str]:
    """The words that a process was started with; none for a dead one that nobody buried."""
    if Path("/proc/self").exists():
        with contextlib.suppress(OSError):
            return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).split("\0")
        return []
    seen = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    # There the words come without borders: the directory's is between -D and the first -c.
    return [seen.stdout.partition(" -D ")[2].partition(" -c ")[0]]


def launch(place: Place, installation: Installation, account: Account) -> subprocess.Popen[bytes]:
    """Start a postmaster in a session of its own, out of reach of a terminal's Ctrl-C."""
    sockets = socket_directory(place, account)
    _forget_the_dead(place, sockets)
    with place.keeper_log.open("ab") as log:
        return subprocess.Popen(  # noqa: S603
            _command(place, installation, sockets),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
            **account.privileges,
        )


def _command(place: Place, installation: Installation, sockets: Path) -> list[str]:
    must_hold = {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
    }
    options = [part for name, value in must_hold.items() for part in ("-c", f"{name}={value}")]
    return [
        str(installation.programs / "postgres"),
        "-D",
        str(place.cluster.resolve()),
        *options,
    ]


def _forget_the_dead(place: Place, sockets: Path) -> None:
    """Drop the lock files of a server that is gone, also when its number is still taken.

    PostgreSQL drops them itself if the number is free. After a reboot a stranger may have it,
    and where nobody buries dead children (a container) the server's own corpse keeps it.
    It still refuses to start while a backend of the dead server holds its shared memory.
    """
    for left in (place.cluster / "postmaster.pid", sockets / f"{SOCKET}.lock"):
        with contextlib.suppress(FileNotFoundError, ValueError):
            pid = int(left.read_text(encoding="utf-8").partition("\n")[0])
            if not is_ours(pid, place.cluster):
                left.unlink(missing_ok=True)


def stop(place: Place) -> None:
    """Stop the server at once but cleanly, and wait until it is gone."""
    found = postmaster(place)
    if found is None or not is_ours(found.pid, place.cluster):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGINT)
    deadline = time.monotonic() + PATIENCE
    while is_ours(found.pid, place.cluster) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    with contextlib.suppress(OSError):
        found.sockets.rmdir()


def last_words(place: Place, lines: int = 8) -> str:
    """The end of the server's own log and of the keeper's, for an error's text."""
    logs = [place.keeper_log]
    with contextlib.suppress(OSError):
        logs += sorted((place.cluster / "log").glob("*.log"), key=lambda log: log.stat().st_mtime)
    said: list[str] = []
    for log in logs[:1] + logs[1:][-1:]:
        with contextlib.suppress(OSError):
            said += log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    return "\n".join(said)


def ask(sockets: Path, question: str) -> str:
    """The first value that the database answers, over the wire protocol 3.0.

    Spoken here in thirty lines so that the keeper stays small and starts in 50 ms.
    Raises ConnectionError with the server's words, or OSError.
    """
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(30)
        wire.connect(str(sockets / SOCKET))
        wire.sendall(_greeting() + _message(b"Q", question.encode() + b"\0") + _message(b"X"))
        with wire.makefile("rb") as stream:
            for kind, body in _messages(stream):
                if kind == b"E":
                    raise ConnectionError(_reason(body))
                if kind == b"D":
                    return body[6:].decode()
    raise ConnectionError("the server closed the connection")


def _greeting() -> bytes:
    names = f"user\0{ROLE}\0database\0{ROLE}\0application_name\0keeper\0\0".encode()
    return struct.pack("!II", len(names) + 8, 3 << 16) + names


def _message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _messages(stream: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    while len(head := stream.read(5)) == 5:
        kind, size = struct.unpack("!cI", head)
        yield kind, stream.read(size - 4)


def _reason(body: bytes) -> str:
    """The sentence (field M) of an ErrorResponse."""
    fields = (field.decode(errors="replace") for field in body.split(b"\0"))
    return next((field[1:] for field in fields if field.startswith("M")), "no reason given")
