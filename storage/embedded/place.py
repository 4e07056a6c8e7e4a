"""Where an embedded database keeps its cluster, locks and socket, and who runs its server."""

import contextlib
import fcntl
import hashlib
import os
import pwd
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypedDict

#: Clusters that the server's user could not reach below the project, one directory each.
SHARED_HOME = Path("/var/lib/kaspi-crawler")
#: Sockets live here because their whole path must fit 103 bytes (macOS; Linux allows 107).
SOCKETS = Path("/tmp")  # noqa: S108  (the directory below it is verified before each use)
#: How often a waiting process looks again, in seconds.
PAUSE = 0.02


class DatabaseUnavailable(Exception):
    """No database can be reached: the text says what is wrong, where, and what to do."""


class Privileges(TypedDict, total=False):
    """What subprocess needs to become another user: empty when nothing has to change."""

    user: int
    group: int
    extra_groups: list[int]


class Account(NamedTuple):
    """The operating system's user that runs the server: never root, PostgreSQL refuses it."""

    name: str
    uid: int
    gid: int

    @property
    def privileges(self) -> Privileges:
        """Arguments for subprocess that drop from root to this user."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


class Place(NamedTuple):
    """The paths of one embedded database."""

    directory: Path

    @property
    def cluster(self) -> Path:
        """The data directory of PostgreSQL, or a symbolic link to it."""
        return self.directory / "postgres"

    @property
    def users_lock(self) -> Path:
        """Held shared by every process that uses the server."""
        return self.directory / "users.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the one keeper, and says the number of its process."""
        return self.directory / "keeper.lock"

    @property
    def start_lock(self) -> Path:
        """Held by the one process that summons a keeper."""
        return self.directory / "start.lock"

    @property
    def keeper_log(self) -> Path:
        """What the keeper and a server that could not start had to say."""
        return self.directory / "keeper.log"

    @property
    def digest(self) -> str:
        """A short name for this directory, the same on every run."""
        return hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:12]

    @property
    def shared_home(self) -> Path:
        """The cluster's home when the server's user cannot reach the project."""
        return SHARED_HOME / self.digest

    def exists(self) -> bool:
        """Whether a whole cluster is there."""
        return (self.cluster / "PG_VERSION").is_file()

    def account(self) -> Account:
        """Who runs the server: the cluster's owner, else we ourselves, else a substitute for root.

        Raises DatabaseUnavailable when that user has no name on this machine.
        """
        if self.exists():
            return _account_of(self.cluster.stat().st_uid)
        if os.geteuid() != 0:
            return _account_of(os.geteuid())
        owner = self.directory.stat().st_uid
        try:
            return _account_of(owner) if owner else _substitute()
        except DatabaseUnavailable:
            # A mounted directory may belong to a user of another machine.
            return _substitute()


def place_at(data_directory: Path) -> Place:
    """Make the data directory if it is absent. Raises DatabaseUnavailable if that fails."""
    directory = data_directory.expanduser().resolve()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_usable(directory, error) from error
    return Place(directory)


def not_usable(directory: Path, error: OSError) -> DatabaseUnavailable:
    """The sentence for a directory that the operating system will not let us use."""
    return DatabaseUnavailable(
        f"the embedded database cannot use {error.filename or directory}: {error.strerror or error}"
        "; make it writable for this user, or set DATA_DIR to another directory"
        " or DATABASE_URL to another PostgreSQL"
    )


def _account_of(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError as error:
        raise DatabaseUnavailable(
            f"user {uid} has no name on this machine, so PostgreSQL cannot run as this user;"
            " add it to /etc/passwd or set DATABASE_URL to another PostgreSQL"
        ) from error
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _substitute() -> Account:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise DatabaseUnavailable(
        "PostgreSQL refuses to run as root and there is no user named postgres or nobody;"
        " add one, run as an ordinary user, or set DATABASE_URL to another PostgreSQL"
    )


def open_owned(path: Path, flags: int) -> int:
    """Open a private file of the data directory, so that the directory's owner can too.

    Root may be the first to come into the project of an ordinary user.
    """
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0 and (owner := path.parent.stat()).st_uid:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def try_lock(path: Path, kind: int) -> int | None:
    """Take a lock (fcntl.LOCK_SH or LOCK_EX) without waiting; the kernel frees it on any death."""
    descriptor = open_owned(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def wait_for_lock(path: Path, kind: int, deadline: float) -> int | None:
    """Take a lock before the deadline (a time.monotonic value), or return None."""
    while (descriptor := try_lock(path, kind)) is None and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return descriptor


@contextlib.contextmanager
def holding(path: Path, kind: int, seconds: float) -> Iterator[int | None]:
    """Hold a lock for a while, or None if it could not be had within so many seconds."""
    descriptor = wait_for_lock(path, kind, time.monotonic() + seconds)
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def is_same_file(descriptor: int, path: Path) -> bool:
    """Whether an open file is still what the path leads to: directories get removed."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def is_held(path: Path) -> bool:
    """Whether another process holds this lock exclusively."""
    descriptor = try_lock(path, fcntl.LOCK_SH)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def socket_directory(place: Place, account: Account) -> Path:
    """The private directory of the server's socket, made if absent.

    Raises DatabaseUnavailable when somebody else was there first.
    """
    directory = SOCKETS / f"kaspi-{account.uid}-{place.digest}"
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise not_usable(directory, error) from error
    if os.geteuid() == 0 and directory.lstat().st_uid == 0:
        os.chown(directory, account.uid, account.gid, follow_symlinks=False)
    if not is_private(directory, account.uid):
        raise DatabaseUnavailable(
            f"{directory} should be a private directory of {account.name} but is not:"
            " look who made it, then remove it"
        )
    return directory


def is_private(directory: Path, uid: int) -> bool:
    """Whether this is a real directory that only this user can enter."""
    try:
        seen = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(seen.st_mode) and seen.st_uid == uid and not seen.st_mode & 0o077
