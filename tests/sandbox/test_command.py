"""`python -m sandbox` as people start it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from sandbox.faults import KINDS

START = ["--products", "3", "--start", "2026-09-18T07:00:00+00:00"]


@contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A sandbox process that does not outlive the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_says_its_address_serves_and_ends_cleanly(tmp_path: Path, ending: int) -> None:
    told = tmp_path / "address"
    with started(*START, "--port-file", str(told)) as process:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        address = told.read_text(encoding="utf-8")
        assert line == f"sandbox ready at {address}"
        with urlopen(f"{address}/robots.txt", timeout=5) as answer:  # noqa: S310
            assert answer.status == 200
        process.send_signal(ending)
        assert process.wait(timeout=10) == 0
    assert os.listdir(tmp_path) == ["address"]  # noqa: PTH208


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--host", "0.0.0.0"], "this machine alone", id="an open address"),  # noqa: S104
        pytest.param(["--products", "0"], "not a number of cards", id="no cards"),
        pytest.param(["--speed", "-1"], "not a speed", id="time backwards"),
        pytest.param(["--start", "noon"], "write 2026-09-18T19:00:00+00:00", id="no moment"),
        pytest.param(["--start", "2026-09-18T19:00:00"], "without a zone", id="no zone"),
        pytest.param(["--exits", "-1"], "not a number of exits", id="fewer exits than none"),
        pytest.param(["--exit-credentials", "me"], "write user:password", id="half credentials"),
        pytest.param(["--shop", "nobody"], "nobody sells nothing", id="a shop that sells nothing"),
        pytest.param(["--seller", "/nowhere.json"], "cannot be read", id="no file of switches"),
        pytest.param(
            ["--seller", "pyproject.toml"], "is no set of switches", id="a file of no switches"
        ),
        pytest.param(["--faults", "/nowhere.json"], "cannot be read", id="no file of faults"),
        pytest.param(
            ["--faults", "pyproject.toml"], "is no set of faults", id="a file of no faults"
        ),
    ],
)
def test_what_it_cannot_do_it_refuses_with_a_sentence(words: list[str], said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "sandbox", "--products", "1", *words],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_opens_exits_and_begins_with_the_faults_of_a_file(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('{"exits": {"exit-2": {"state": "slow"}}}', encoding="utf-8")
    with started(*START, "--exits", "2", "--faults", str(faults)) as process:
        assert process.stdout is not None
        process.stdout.readline()
        told = process.stdout.readline().split()[-1]
        with urlopen(told, timeout=5) as answer:  # noqa: S310
            exits = json.load(answer)
    assert [one["name"] for one in exits] == ["exit-1", "exit-2"]
    assert [one["profile"]["state"] for one in exits] == ["alive", "slow"]
    assert all(one["proxy"].startswith("http://127.0.0.1:") for one in exits)


def test_it_opens_the_cabinet_of_the_shops_that_are_said(tmp_path: Path) -> None:
    switches = tmp_path / "seller.json"
    switches.write_text('{"mail_code": true}', encoding="utf-8")
    shops = ["--shop", "Zerde", "--shop", "Tulpar,Samal", "--seller", str(switches)]
    with started("--start", START[-1], "--products", "40", *shops) as process:
        assert process.stdout is not None
        process.stdout.readline()
        door = process.stdout.readline().split()[-1]
        with urlopen(door, timeout=5) as answer:  # noqa: S310
            told = json.load(answer)
        with urlopen(f"{door}/switches", timeout=5) as answer:  # noqa: S310
            assert json.load(answer)["set"]["mail_code"] is True
    assert [one["merchants"] for one in told["accounts"]] == [["Zerde"], ["Tulpar", "Samal"]]
    assert len({one["email"] for one in told["accounts"]}) == 2


def test_the_help_names_every_switch() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "sandbox", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for word in (*KINDS, "/sandbox/faults", "/sandbox/exits", "ban_after", "--exit-credentials"):
        assert word in told


def test_the_same_words_make_the_same_market() -> None:
    answers = []
    for _ in range(2):
        with started(*START) as process:
            assert process.stdout is not None
            address = process.stdout.readline().split()[-1]
            with urlopen(f"{address}/sandbox/products", timeout=5) as answer:  # noqa: S310
                answers.append(answer.read().replace(address.encode(), b""))
    assert answers[0] == answers[1]


def test_a_small_sandbox_is_ready_soon() -> None:
    before = time.monotonic()
    with started("--products", "320") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("sandbox ready")
    assert time.monotonic() - before < 20
