"""`scrapy decide`, typed as a person types it."""

import json
import resource
from pathlib import Path

import pytest

from tests.commands.console import Console

GOOD = {
    "id": "1",
    "store": "us",
    "current": 10_000,
    "offers": [{"merchant": "A", "price": 9_500}],
    "rule": {"floor": 9_000, "ceiling": 12_000},
}


@pytest.fixture
def console(tmp_path: Path) -> Console:
    """A console that has no database, which this command does not need."""
    return Console({"DATA_DIR": str(tmp_path / "none"), "DATABASE_URL": "postgresql://nowhere:1/"})


def test_situations_become_decisions(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "situations.jsonl"
    file.write_text(json.dumps(GOOD) + "\n" + json.dumps({**GOOD, "id": "2"}), encoding="utf-8")
    done = console.run("decide", str(file))
    assert done.returncode == 0
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["id"], one["action"], one["price"]) for one in told] == [
        ("1", "set", 9_499),
        ("2", "set", 9_499),
    ]
    assert done.stderr == "2 decisions, 0 lines that could not be used\n"


def test_a_bad_line_is_told_and_the_rest_go_on(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "situations.jsonl"
    bad = {**GOOD, "id": "bad", "rule": {"floor": "9000"}}
    file.write_text("\n".join(map(json.dumps, (bad, GOOD))), encoding="utf-8")
    done = console.run("decide", str(file))
    assert done.returncode == 1
    first, second = map(json.loads, done.stdout.splitlines())
    assert first == {
        "id": "bad",
        "line": 1,
        "error": 'rule.floor: "9000" is not right; right: a whole number of tenge',
    }
    assert second["price"] == 9_499


def test_a_file_as_windows_writes_it_is_read(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "situations.jsonl"
    file.write_text(f"{json.dumps(GOOD)}\r\n\r\n", encoding="utf-8-sig", newline="")
    done = console.run("decide", str(file))
    assert (done.returncode, json.loads(done.stdout)["price"]) == (0, 9_499)
    assert done.stderr == "1 decision, 0 lines that could not be used\n"


def little_memory() -> None:
    """Room for Python and Scrapy, and not for the file."""
    resource.setrlimit(resource.RLIMIT_DATA, (220_000_000, 220_000_000))


def test_a_long_file_takes_little_memory(console: Console, tmp_path: Path) -> None:
    """Nearly 300 megabytes of situations, in a process that may not hold so much."""
    file = tmp_path / "many.jsonl"
    padded = json.dumps(GOOD).encode() + b" " * 300_000 + b"\n"
    with file.open("wb") as out:
        for _ in range(1_000):
            out.write(padded)
    done = console.run("decide", str(file), before=little_memory)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1_000


def test_the_standard_input_is_read(console: Console, tmp_path: Path) -> None:
    file, told = tmp_path / "situations.jsonl", tmp_path / "told.jsonl"
    file.write_text(json.dumps(GOOD), encoding="utf-8")
    with file.open("rb") as lines, told.open("wb") as out:
        assert console.start("decide", "-", stdin=lines, stdout=out).wait(timeout=60) == 0
    assert json.loads(told.read_bytes())["price"] == 9_499


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        pytest.param(
            [], "name one file. A right one: scrapy decide situations.jsonl", id="nothing"
        ),
        pytest.param(["a", "b"], "name one file", id="two files"),
        pytest.param(["none.jsonl"], "none.jsonl: No such file or directory", id="no such file"),
    ],
)
def test_what_cannot_be_read_is_told(console: Console, words: list[str], sentence: str) -> None:
    done = console.run("decide", *words)
    assert done.returncode == 2
    assert done.stderr.startswith(f"scrapy decide: {sentence}")
