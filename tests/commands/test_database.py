"""`scrapy database`, typed as a person types it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from storage.embedded.place import Place, place_at
from storage.embedded.server import running
from tests.storage.embedded_processes import ROOT, demolish, eventually

#: What the command is called with; the embedded server stays until the tests are done.
LINGER = "60"


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """The data directory of one embedded database for this module."""
    parent = Path(tempfile.mkdtemp(prefix="kaspi-test-"))
    parent.chmod(0o755)
    place = place_at(parent / "данные")
    yield place
    demolish(place)
    shutil.rmtree(parent, ignore_errors=True)


def environ(place: Place, **more: str) -> dict[str, str]:
    wanted = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    ours = {"DATA_DIR": str(place.directory), "KASPI_DATABASE_LINGER": LINGER}
    return {**wanted, **ours, **more}


def database(place: Place, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Type `scrapy database` and these words in the project's directory."""
    return subprocess.run(
        [sys.executable, "-m", "scrapy", "database", *words],
        cwd=ROOT,
        env=environ(place, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_address_is_all_that_url_prints(place: Place) -> None:
    done = database(place, "url")
    assert done.returncode == 0, done.stderr
    (address,) = done.stdout.splitlines()
    with psycopg.connect(address) as connection:
        assert connection.execute("select current_database()").fetchone() == ("kaspi",)


def test_a_given_address_is_printed_and_nothing_is_started(tmp_path: Path) -> None:
    nowhere = place_at(tmp_path)
    done = database(nowhere, "url", DATABASE_URL="postgresql+psycopg://u:p@host/d")
    assert done.stdout == "postgresql://u:p@host/d\n"
    assert not list(tmp_path.iterdir())


def test_the_command_line_has_the_last_word_on_the_address(tmp_path: Path) -> None:
    done = database(place_at(tmp_path), "-s", "DATABASE_URL=postgres://u@other/d", "url")
    assert done.stdout == "postgresql://u@other/d\n"


@pytest.mark.parametrize(
    ("words", "printed", "code"),
    [
        pytest.param(["-Atc", "select 6 * 7"], "42\n", 0, id="a question is answered"),
        pytest.param(["-At", "-c", "select 1", "-c", "select 2"], "1\n2\n", 0, id="so are two"),
        pytest.param(["-Atc", "selec"], "", 1, id="the exit code is psql's own"),
        pytest.param(
            ["-v", "ON_ERROR_STOP=1", "-c", r"\i /nowhere"], "", 1, id="psql's variables are set"
        ),
        pytest.param(["-V"], "psql (PostgreSQL)", 0, id="options are psql's, not Scrapy's"),
    ],
)
def test_psql_gets_what_stands_behind_it(
    place: Place, words: list[str], printed: str, code: int
) -> None:
    done = database(place, "psql", *words)
    assert (done.stdout[: len(printed)], done.returncode) == (printed, code), done.stderr


def test_psql_reads_its_standard_input(place: Place) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", "database", "psql", "-At"],
        cwd=ROOT,
        env=environ(place),
        input="select 'Алматы';\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "Алматы\n"


def test_a_password_is_not_shown_to_the_machines_other_users(place: Place, tmp_path: Path) -> None:
    address = database(place, "url").stdout.strip().replace("kaspi@", "kaspi:secret@")
    question = "\\! ps -o args= -p $PPID; echo $PGPASSWORD"
    done = database(place, "psql", "-c", question, DATABASE_URL=address)
    line, password = done.stdout.splitlines()
    assert "psql" in line
    assert "secret" not in line
    assert password == "secret"  # noqa: S105


def test_an_interrupt_is_psqls_business(place: Place) -> None:
    session = subprocess.Popen(
        [sys.executable, "-m", "scrapy", "database", "psql", "-At"],
        cwd=ROOT,
        env=environ(place),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert session.stdin
    assert session.stdout
    session.stdin.write("select 'go';\nselect pg_sleep(50);\nselect 'still here';\n")
    session.stdin.flush()
    assert session.stdout.readline() == "go\n"
    time.sleep(0.3)
    os.killpg(session.pid, signal.SIGINT)
    said, complained = session.communicate(timeout=20)
    assert "still here" not in said, "psql ends a script that is interrupted"
    assert "Traceback" not in complained


def test_upgrade_makes_the_tables_and_status_shows_them(place: Place) -> None:
    before = database(place, "status")
    assert "run `scrapy database upgrade`" in before.stdout
    upgraded = database(place, "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    assert "before: none" in upgraded.stdout
    assert "already" in database(place, "upgrade").stdout
    after = database(place, "status").stdout
    assert "the newest" in after
    assert "PostgreSQL" in after
    assert [line for line in after.splitlines() if line.split()[:2] == ["table", "offers"]]


@pytest.mark.parametrize("verb", ["status", "upgrade", "psql"])
@pytest.mark.parametrize(
    ("address", "said"),
    [
        pytest.param("mysql://u:secret@h/d", "no PostgreSQL address", id="another database"),
        pytest.param("postgres://u:secret@127.0.0.1:1/d", "Connection refused", id="nobody there"),
        pytest.param("postgres://u:secret@h:port/d", "port in DATABASE_URL", id="a bad port"),
        pytest.param("postgres://u:secret@h/d?wrong=1", '"wrong"', id="an unknown parameter"),
    ],
)
def test_an_expected_failure_is_a_sentence(
    tmp_path: Path, verb: str, address: str, said: str
) -> None:
    done = database(place_at(tmp_path), verb, DATABASE_URL=address)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param([], "url|psql|status|upgrade", id="no verb"),
        pytest.param(["drop"], "url|psql|status|upgrade", id="an unknown verb"),
        pytest.param(["url", "--all"], "url takes no '--all'", id="too many words"),
    ],
)
def test_a_wrong_word_is_answered_with_the_right_ones(
    tmp_path: Path, words: list[str], said: str
) -> None:
    done = database(place_at(tmp_path), *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_the_server_stays_while_psql_runs(place: Place) -> None:
    demolish(place)
    fresh = place_at(place.directory)
    session = subprocess.Popen(
        [sys.executable, "-m", "scrapy", "database", "psql", "-At"],
        cwd=ROOT,
        env=environ(fresh, KASPI_DATABASE_LINGER="0.1"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    eventually(lambda: running(fresh))
    time.sleep(1.5)
    said, _ = session.communicate("select 'here';\n", timeout=30)
    assert said == "here\n"
