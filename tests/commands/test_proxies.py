"""`scrapy proxies`: the table, and how each exit fares."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet

from tests.commands.console import Console

SECRET = "s3cret"  # noqa: S105


@pytest.fixture
def proxies(console: Console, database: str) -> Console:
    """A console over an empty database, with a key."""
    return console.having(
        DATABASE_URL=database, KASPI_SECRET_KEY=Fernet.generate_key().decode(), PROXIES="table"
    )


def test_proxies_are_kept_encrypted_and_named_without_their_users(
    proxies: Console, database: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "more.txt"
    file.write_text(f"http://v:{SECRET}@10.0.0.1:3128\n# gone: 10.0.0.9:1\n10.0.0.2:3128\n")
    first = f"http://u:{SECRET}@10.0.0.1:3128"
    assert proxies.type_here("proxies", "add", first) == 0
    assert proxies.type_here("proxies", "add", f"@{file}", first) == 0
    assert proxies.type_here("proxies", "list") == 0
    assert proxies.type_here("proxies", "remove", f"u:{SECRET}@10.0.0.2:3128") == 0
    assert proxies.type_here("proxies", "remove", "10.0.0.2:3128") == 1
    assert capsys.readouterr().out.splitlines() == [
        "1 proxies were put into the table, 0 were in it",
        "2 proxies were put into the table, 1 were in it",
        *("10.0.0.1:3128", "10.0.0.1:3128#2", "10.0.0.2:3128"),
        "1 of 1 proxies were taken out of the table",
        "0 of 1 proxies were taken out of the table",
    ]
    with psycopg.connect(database) as connection:
        held = connection.execute("SELECT * FROM proxies").fetchall()
    assert len(held) == 2
    assert SECRET not in str(held)


def test_proxies_are_read_from_the_input(proxies: Console, database: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", "proxies", "add", "-"],
        input=f"# ours\nhttp://u:{SECRET}@10.0.0.1:3128\n\n",
        env=proxies.environ(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT name FROM proxies").fetchall() == [("10.0.0.1:3128",)]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        pytest.param("", "KASPI_SECRET_KEY is not set", id="no key"),
        pytest.param("easy", "KASPI_SECRET_KEY is no key", id="no key of the right form"),
        pytest.param(Fernet.generate_key().decode(), "another one", id="another key"),
    ],
)
def test_without_the_right_key_nothing_is_read(
    proxies: Console, capsys: pytest.CaptureFixture[str], key: str, said: str
) -> None:
    proxies.type_here("proxies", "add", f"u:{SECRET}@10.0.0.1:3128")
    capsys.readouterr()
    for words in (["list"], ["add", "10.0.0.3:3128"]):
        assert proxies.having(KASPI_SECRET_KEY=key).type_here("proxies", *words) == 2
        told = capsys.readouterr().err
        assert told.startswith("scrapy proxies: ")
        assert said in told
        assert SECRET not in told


def test_an_empty_table_stops_a_crawl_with_a_sentence(
    proxies: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    assert proxies.type_here("crawl", "offers", "-a", "products=102298404") == 2
    assert "the table is empty. Fill it: scrapy proxies add" in capsys.readouterr().err


def test_how_each_exit_fares_is_shown(
    proxies: Console, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert proxies.type_here("proxies", "status") == 0
    assert capsys.readouterr().out == "no exit has been used yet\n"
    with psycopg.connect(database) as connection:
        connection.execute(
            """INSERT INTO exits (host, kind, name, rest, resting_until, health, answered, refused,
                                  last_refusal, rests)
               VALUES ('kaspi.kz', 'api', '10.0.0.1:3128', '60 s', '2100-01-01 12:00+05', 44, 1234,
                       '{"captcha": 1, "forbidden": 2}', 'captcha', 3),
                      ('kaspi.kz', 'api', 'direct', '0', NULL, 100, 5, '{}', NULL, 0)"""
        )
    assert proxies.type_here("proxies", "status") == 0
    heading, first, second = capsys.readouterr().out.splitlines()
    assert heading.split("\t")[:4] == ["host", "kind", "exit", "health"]
    assert first.split("\t")[2:] == [
        *("10.0.0.1:3128", "44 %", "rests until 12:00:00 (captcha)", "1,234"),
        *("captcha 1, forbidden 2", "3", "0"),
    ]
    assert second.split("\t")[2:] == ["direct", "100 %", "asks", "5", "-", "0", "0"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param([], "say what to do: scrapy proxies add|remove|list|status", id="no verb"),
        pytest.param(["add"], "add: name proxies", id="nothing to add"),
        pytest.param(["remove"], "remove: name proxies", id="nothing to remove"),
        pytest.param(["status", "x"], "status takes no 'x'", id="too much"),
        pytest.param(["add", "socks5://10.0.0.1:1"], "SOCKS", id="SOCKS"),
    ],
)
def test_a_wrong_word_is_answered_with_a_right_one(
    proxies: Console, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert proxies.type_here("proxies", *words) == 2
    assert said in "".join(capsys.readouterr())


def test_the_doctor_looks_at_them(proxies: Console, capsys: pytest.CaptureFixture[str]) -> None:
    proxies.having(PROXIES="socks5://10.0.0.1:1").type_here("doctor", "--offline")
    assert "SOCKS" in capsys.readouterr().out
    proxies.having(PROXIES="10.0.0.1:3128").type_here("doctor", "--offline")
    assert "✓ proxies" in capsys.readouterr().out
