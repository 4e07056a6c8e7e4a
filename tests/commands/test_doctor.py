"""`scrapy doctor` over a real set-up, sound and broken."""

import re
from pathlib import Path

import psycopg
import pytest

from tests.commands.conftest import Sandbox
from tests.commands.console import Console

SOUND = ["Python", "packages", "data", "exports", "scrapyd", "browser", "database", "tables"]
ONLINE = ["storefront", "clock", "robots.txt"]


def marks(table: str) -> dict[str, str]:
    """The mark of each subject; the last line and the remedies have none."""
    found = re.finditer(r"^([✓!✗+x]) (\S+) ", table, re.MULTILINE)
    return {each[2]: each[1] for each in found}


def test_a_sound_set_up_is_well_after_one_polite_request(
    console: Console, sandbox: Sandbox
) -> None:
    before = sandbox.visits()
    done = console.run("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert marks(done.stdout) == dict.fromkeys([*SOUND, *ONLINE], "✓")
    assert done.stdout.endswith("\nall is well\n")
    asked = {kind: count - before.get(kind, 0) for kind, count in sandbox.visits().items()}
    assert {kind: count for kind, count in asked.items() if count} == {"robots": 1}


def test_offline_it_asks_nobody(
    console: Console, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sandbox.visits()
    assert console.type_here("doctor", "--offline") == 0
    assert list(marks(capsys.readouterr().out)) == SOUND
    assert sandbox.visits() == before


def test_when_the_database_is_down_all_else_is_looked_at(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    down = console.having(DATABASE_URL="postgresql://u:secret@127.0.0.1:1/d")
    assert down.type_here("doctor") == 1
    table = capsys.readouterr().out
    sound = [subject for subject in SOUND if subject not in {"database", "tables"}]
    assert marks(table) == {**dict.fromkeys([*sound, *ONLINE], "✓"), "database": "✗"}
    assert "→ Start that server or correct DATABASE_URL" in table
    assert "secret" not in table


def test_an_embedded_database_that_cannot_start_is_told_with_its_last_words(
    console: Console, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "data").touch()
    assert console.having(DATA_DIR=str(tmp_path / "data")).type_here("doctor", "--offline") == 1
    table = capsys.readouterr().out
    assert marks(table)["data"] == "✗"
    assert marks(table)["database"] == "✗"
    assert "set DATABASE_URL to another PostgreSQL" in table


def test_older_tables_are_wrong(
    console: Console, capsys: pytest.CaptureFixture[str], empty_database: str
) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE TABLE alembic_version AS SELECT '0000' AS version_num")
    older = console.having(DATABASE_URL=empty_database)
    assert older.type_here("doctor", "--offline") == 1
    table = capsys.readouterr().out
    assert marks(table)["tables"] == "✗"
    assert "→ Run `scrapy database upgrade`." in table


def test_an_empty_database_is_well(
    console: Console, capsys: pytest.CaptureFixture[str], empty_database: str
) -> None:
    empty = console.having(DATABASE_URL=empty_database)
    assert empty.type_here("doctor", "--offline") == 0
    assert "the first crawl makes them" in capsys.readouterr().out


def test_a_terminal_without_our_letters_is_written_to_in_ascii(
    console: Console, tmp_path: Path
) -> None:
    simple = console.having(
        PYTHONIOENCODING="ascii",
        EXPORTS_DIR=str(tmp_path / "вывоз"),
        KASPI_URL="http://127.0.0.1:1",
    )
    done = simple.run("doctor")
    assert done.returncode == 1, done.stderr
    assert done.stdout.isascii()
    assert marks(done.stdout) == {**dict.fromkeys(SOUND, "+"), "storefront": "x"}
    assert "-> Check the network" in done.stdout


def test_a_misspelt_option_is_refused(console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    assert console.type_here("doctor", "--ofline") == 2
    assert capsys.readouterr().err.startswith("scrapy doctor: there is no '--ofline'")
