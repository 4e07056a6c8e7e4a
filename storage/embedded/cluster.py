"""Make a new embedded cluster: whole or not at all, and opening nothing to anybody else."""

import locale
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from storage.embedded.binaries import Installation
from storage.embedded.place import SHARED_HOME, Account, DatabaseUnavailable, Place

#: Both the role and the database that the project works with.
ROLE = "kaspi"
#: An analyst may change these in postgresql.conf; what must hold is given at each start instead.
SETTINGS = """
# kaspi-crawler: a crawl's memory on a small machine, safe against power loss.
shared_buffers = 128MB
max_connections = 50
max_wal_size = 1GB
wal_compression = on
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = warning
log_destination = 'stderr'
logging_collector = on
log_directory = 'log'
log_filename = 'server-%a.log'
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
"""
#: The owner of one database who may also make databases for tests and see what the server does.
BIRTH = f"""\
CREATE ROLE {ROLE} LOGIN CREATEDB
GRANT pg_monitor TO {ROLE}
CREATE DATABASE {ROLE} OWNER {ROLE}
"""
#: Character classes for full-text search come from here: "C" would not know Cyrillic letters.
CHARACTER_TYPES = ("C.UTF-8", "en_US.UTF-8")
#: Programs of PostgreSQL speak English to us, whatever the user's language.
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC"}
UNFINISHED = ".unfinished-"


def create(place: Place, installation: Installation, account: Account) -> None:
    """Make the cluster beside its home and move it there when it is whole.

    A kill at any moment leaves at most a directory that the next start sweeps away.
    Raises DatabaseUnavailable or OSError.
    """
    home = _home(place, account)
    home.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{home.name}{UNFINISHED}", dir=home.parent))
    try:
        if account.privileges:
            shutil.chown(unfinished, account.uid, account.gid)
        _initialise(unfinished, installation, account)
        _install(unfinished, home)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    if home != place.cluster:
        place.cluster.unlink(missing_ok=True)
        place.cluster.symlink_to(home)


def _home(place: Place, account: Account) -> Path:
    """Below the project if the server's user can get there, else in a directory of its own."""
    if not account.privileges or can_enter(place.directory, account):
        return place.cluster
    return place.shared_home


def can_enter(directory: Path, account: Account) -> bool:
    """Whether the user can walk to this directory: asked of the kernel, not of mode bits."""
    question = ["test", "-x", str(directory)]
    return not subprocess.run(question, cwd="/", check=False, **account.privileges).returncode  # noqa: S603


def sweep(place: Place) -> None:
    """Remove what killed keepers left half made; an orphaned initdb in there fails and ends."""
    for home in (place.cluster, place.shared_home):
        for rest in home.parent.glob(f"{home.name}{UNFINISHED}*"):
            shutil.rmtree(rest, ignore_errors=True)


def _install(unfinished: Path, home: Path) -> None:
    """Give the new cluster its name.

    One whose data directory was removed from under it, and that no server uses, is set aside.
    """
    orphan = home.parent == SHARED_HOME and (home / "PG_VERSION").is_file()
    if orphan and not (home / "postmaster.pid").exists():
        home.rename(home.with_name(f"{home.name}.removed-{time.time_ns()}"))
    try:
        unfinished.rename(home)
    except OSError as error:
        raise DatabaseUnavailable(
            f"{home} is in the way of a new database and is no PostgreSQL cluster"
            f" ({error.strerror}); move it away"
        ) from error


def _initialise(cluster: Path, installation: Installation, account: Account) -> None:
    initdb = [str(installation.programs / "initdb"), "--pgdata", str(cluster)]
    options = ["--username=postgres", "--auth=peer", "--encoding=UTF8", "--data-checksums"]
    _run([*initdb, *options, *_locale(installation.major)], account)
    with (cluster / "postgresql.conf").open("a", encoding="utf-8") as configuration:
        configuration.write(SETTINGS)
    (cluster / "pg_hba.conf").write_text("local all all peer map=kaspi\n", encoding="utf-8")
    (cluster / "pg_ident.conf").write_text(_identities(account), encoding="utf-8")
    single = [str(installation.programs / "postgres"), "--single", "-D", str(cluster)]
    # The collector would hide what goes wrong here in a file.
    said = _run([*single, "-c", "logging_collector=off", "postgres"], account, BIRTH)
    if "ERROR:" in said:
        raise DatabaseUnavailable(f"the new database in {cluster} could not be filled: {said}")


def _locale(major: int) -> list[str]:
    """Sorting by code point, the same on every machine; Cyrillic letters known as letters."""
    kind = next(filter(_known, CHARACTER_TYPES), "C")
    options = ["--locale=C", f"--lc-ctype={kind}"]
    if major < 17:
        return options
    return [*options, "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


def _known(name: str) -> bool:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, name)
    except locale.Error:
        return False
    locale.setlocale(locale.LC_CTYPE, before)
    return True


def _identities(account: Account) -> str:
    """Who may come in as whom: the server's own user and root, nobody else."""
    people = sorted({account.name, "root"})
    return "".join(f'kaspi "{person}" {role}\n' for person in people for role in ("postgres", ROLE))


def _run(command: Sequence[str], account: Account, given: str = "") -> str:
    """Run a program of PostgreSQL as the server's user; returns everything it said."""
    done = subprocess.run(  # noqa: S603
        command,
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        env=ENVIRONMENT,
        check=False,
        **account.privileges,
    )
    if done.returncode:
        raise DatabaseUnavailable(f"{command[0]} failed: {done.stdout.strip()[-2000:]}")
    return done.stdout
