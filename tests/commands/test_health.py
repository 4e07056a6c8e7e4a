"""What the doctor makes of what it finds, part by part."""

import contextlib
import email.utils
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspi_crawler.health import machine, memory, storefront
from kaspi_crawler.health.verdict import State, Verdict, lines, summary
from storage.schema import NEWEST

NOW = datetime(2026, 9, 18, 7, 0, tzinfo=UTC)
ROBOTS = b"User-agent: *\nCrawl-delay: 10\nDisallow: /shop/cart/\n"
PAGE = b"<!DOCTYPE html><html lang='ru'><title>Kaspi</title></html>"


@contextmanager
def site(
    status: int = 200, body: bytes = ROBOTS, pause: float = 0, **headers: str
) -> Iterator[tuple[str, list[str]]]:
    """A server with one answer to everything: its address, and the requests that came.

    With status 0 the body is all that it says.
    """
    asked: list[str] = []

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers['User-Agent']}")
            time.sleep(pause)
            with contextlib.suppress(ConnectionError):
                if status:
                    self.send_response_only(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_words: Any) -> None:
            """The test tells."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def found(verdicts: Iterator[Verdict]) -> dict[str, Verdict]:
    return {verdict.subject: verdict for verdict in verdicts}


# --- The storefront ----------------------------------------------------------------------------


def test_it_asks_once_for_robots_as_a_browser_does() -> None:
    with site() as (address, asked):
        verdicts = found(storefront.verdicts(address + "/", 10))
    (request,) = asked
    assert request.startswith("/robots.txt Mozilla/5.0")
    assert list(verdicts) == ["storefront", "robots.txt"]
    assert {verdict.state for verdict in verdicts.values()} == {State.WELL}


@pytest.mark.parametrize(
    ("answer", "state", "said", "remedy"),
    [
        pytest.param({"status": 403}, State.WRONG, "forbidden (403)", "slowly", id="forbidden"),
        pytest.param(
            {"status": 429, "body": PAGE},
            State.WRONG,
            "too many requests (429)",
            "60 seconds",
            id="too many requests",
        ),
        pytest.param(
            {"status": 405, "body": PAGE}, State.WRONG, "(405)", "proxy", id="a data centre"
        ),
        pytest.param(
            {"body": PAGE}, State.WRONG, "html instead of json", "KASPI_URL", id="another page"
        ),
        pytest.param(
            {"body": b"<html><div class='h-captcha'></div></html>"},
            State.WRONG,
            "captcha",
            "half an hour",
            id="a captcha",
        ),
        pytest.param({"status": 502}, State.WRONG, "server error (502)", "minute", id="in trouble"),
        pytest.param(
            {"status": 404, "body": PAGE}, State.DOUBTFUL, "no robots", "names", id="no robots.txt"
        ),
        pytest.param(
            {"status": 301, "Location": "https://elsewhere.example/"},
            State.DOUBTFUL,
            "sends us to https://elsewhere.example/",
            "Set KASPI_URL",
            id="a redirection",
        ),
        pytest.param(
            {"status": 418, "body": b"{}"}, State.DOUBTFUL, "answers 418", "names", id="a teapot"
        ),
    ],
)
def test_an_answer_that_is_not_robots_is_understood(
    answer: Mapping[str, Any], state: State, said: str, remedy: str
) -> None:
    with site(**answer) as (address, asked):
        verdict = found(storefront.verdicts(address, 10))["storefront"]
    assert len(asked) == 1
    assert verdict.state is state
    assert said in verdict.said
    assert remedy in verdict.remedy


@pytest.mark.parametrize(
    ("address", "said"),
    [
        pytest.param("kaspi.kz", "'kaspi.kz' is not the address", id="no scheme"),
        pytest.param("http://127.0.0.1:1", "not reached: Connection refused", id="nobody there"),
        pytest.param("http://no-such-host.invalid", "not reached: ", id="no such name"),
        pytest.param("http://a..b", "not reached: ", id="no name at all"),
    ],
)
def test_a_storefront_that_is_not_reached_is_wrong(address: str, said: str) -> None:
    (verdict,) = storefront.verdicts(address, 10)
    assert verdict.state is State.WRONG
    assert said in verdict.said
    assert "KASPI_URL" in verdict.remedy


def test_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storefront, "PATIENCE", 0.2)
    with site(pause=1) as (address, _asked):
        (verdict,) = storefront.verdicts(address, 10)
    assert verdict.said == f"{address} is not reached: no answer within 0 s"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"", "Remote end closed connection", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-OpenSSH_9.2", id="another protocol"),
    ],
)
def test_what_speaks_no_http_is_not_reached(body: bytes, said: str) -> None:
    with site(status=0, body=body) as (address, _asked):
        (verdict,) = storefront.verdicts(address, 10)
    assert verdict.state is State.WRONG
    assert said in verdict.said


@pytest.mark.parametrize(
    ("seconds", "state", "said"),
    [
        pytest.param(0, State.WELL, "within 60 s", id="the same"),
        pytest.param(60, State.WELL, "within 60 s", id="a minute ahead"),
        pytest.param(-60, State.WELL, "within 60 s", id="a minute behind"),
        pytest.param(61, State.DOUBTFUL, "61 s ahead of", id="more than a minute ahead"),
        pytest.param(-3661, State.DOUBTFUL, "3,661 s behind", id="an hour behind"),
    ],
)
def test_clocks_may_differ_by_a_minute(seconds: int, state: State, said: str) -> None:
    verdict = storefront.clock(email.utils.format_datetime(NOW), NOW + timedelta(seconds=seconds))
    assert (verdict.state, said in verdict.said) == (state, True)


def test_a_wrong_clock_shows_in_an_answer() -> None:
    with site(Date="Fri, 18 Sep 2020 07:00:00 GMT") as (address, _asked):
        assert found(storefront.verdicts(address, 10))["clock"].state is State.DOUBTFUL


def test_a_date_that_is_none_is_not_compared() -> None:
    assert storefront.clock("yesterday", NOW).said.startswith("not compared")


@pytest.mark.parametrize(
    ("text", "delay", "is_here", "state"),
    [
        pytest.param(ROBOTS, 10, False, State.WELL, id="as slowly as it wishes"),
        pytest.param(ROBOTS, 1, False, State.DOUBTFUL, id="faster than it wishes"),
        pytest.param(ROBOTS, 0, True, State.WELL, id="on this machine nobody minds"),
        pytest.param(b"User-agent: *\nDisallow:\n", 0, False, State.WELL, id="it wishes nothing"),
        pytest.param(b"", 0, False, State.WELL, id="it says nothing"),
        pytest.param(
            b"User-agent: Googlebot\nCrawl-delay: 60\n", 0, False, State.WELL, id="others' delay"
        ),
    ],
)
def test_robots_may_wish_a_delay(text: bytes, delay: float, is_here: bool, state: State) -> None:
    verdict = storefront.robots(text.decode(), delay, is_here=is_here)
    assert verdict.state is state
    assert ("KASPI_PAGE_DELAY=10" in verdict.remedy) == (state is State.DOUBTFUL)


# --- The machine -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("running", "state"),
    [
        pytest.param((3, 11, 0), State.WELL, id="3.11"),
        pytest.param((3, 14, 2), State.WELL, id="newer"),
        pytest.param((3, 10, 14), State.WRONG, id="older"),
    ],
)
def test_python_may_be_too_old(running: tuple[int, int, int], state: State) -> None:
    assert machine.python(running).state is state


REQUIREMENTS = """\
# a remark
attrs==26.1.0 \\
    --hash=sha256:00
    # via nobody
Psycopg_Binary[c]==3.3.9 ; implementation_name != 'pypy' \\
    --hash=sha256:00
pywin32==312 ; sys_platform == 'nowhere'
"""


def test_pins_are_read_as_pip_reads_them() -> None:
    assert machine.pins(REQUIREMENTS) == {"attrs": "26.1.0", "psycopg-binary": "3.3.9"}


def test_installed_versions_are_found_and_the_missing_left_out() -> None:
    assert machine.installed(["pytest", "no-such-package"]) == {"pytest": version("pytest")}


@pytest.mark.parametrize(
    ("here", "state", "said"),
    [
        pytest.param({"a": "1", "b": "2"}, State.WELL, "2, as in requirements.txt", id="the same"),
        pytest.param({"a": "1", "b": "3"}, State.DOUBTFUL, "b is 3, tested is 2", id="another"),
        pytest.param({"b": "3"}, State.WRONG, "a is missing\nb is 3, tested is 2", id="missing"),
    ],
)
def test_only_packages_that_differ_are_named(here: dict[str, str], state: State, said: str) -> None:
    verdict = machine.compared({"a": "1", "b": "2"}, here)
    assert (verdict.state, verdict.said) == (state, said)


def test_without_requirements_there_is_nothing_to_compare(tmp_path: Path) -> None:
    assert machine.packages(tmp_path / "requirements.txt").said.startswith("not compared")


def test_a_directory_may_be_made_later(tmp_path: Path) -> None:
    verdict = machine.directory("EXPORTS_DIR", tmp_path / "a" / "b")
    assert verdict.state is State.WELL
    assert verdict.said.endswith("not made yet")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_below_a_file_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    verdict = machine.directory("EXPORTS_DIR", tmp_path / "file" / "exports")
    assert verdict.state is State.WRONG
    assert f"{tmp_path}/file: Not a directory" in verdict.said
    assert "EXPORTS_DIR" in verdict.remedy


@pytest.mark.parametrize(
    ("left", "state"),
    [
        pytest.param(999_999_999, State.DOUBTFUL, id="less than a gigabyte"),
        pytest.param(1_000_000_000, State.WELL, id="a gigabyte"),
    ],
)
def test_a_disk_may_be_nearly_full(tmp_path: Path, left: int, state: State) -> None:
    assert machine.directory("DATA_DIR", tmp_path, free=lambda _place: left).state is state


@pytest.mark.parametrize(
    ("script", "state", "said"),
    [
        pytest.param("echo Chromium 140.0", State.WELL, "Chromium 140.0 at ", id="it starts"),
        pytest.param("exit 1", State.DOUBTFUL, "does not start", id="a stub that does not"),
        pytest.param(None, State.DOUBTFUL, "there is no Chromium", id="none"),
    ],
)
def test_a_browser_is_wanted_but_not_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str | None, state: State, said: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if script:
        (tmp_path / "chromium").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tmp_path / "chromium").chmod(0o755)
    verdict = machine.browser("")
    assert verdict.state is state
    assert said in verdict.said


def test_a_browser_that_is_named_and_absent_is_wrong() -> None:
    verdict = machine.browser("/nowhere/chromium")
    assert (verdict.state, "/nowhere/chromium" in verdict.said) == (State.WRONG, True)


@pytest.mark.parametrize(
    ("text", "state", "said"),
    [
        pytest.param("[scrapyd]\nbind_address = 127.0.0.1\n", State.WELL, "scrapyd.conf", id="one"),
        pytest.param(None, State.DOUBTFUL, "No such file", id="none"),
        pytest.param("scrapyd", State.DOUBTFUL, "cannot be read", id="no such format"),
        pytest.param("[deploy]\n", State.DOUBTFUL, "no [scrapyd] section", id="of another kind"),
    ],
)
def test_scrapyd_wants_a_configuration(
    tmp_path: Path, text: str | None, state: State, said: str
) -> None:
    if text is not None:
        (tmp_path / "scrapyd.conf").write_text(text)
    verdict = machine.scrapyd(tmp_path)
    assert (verdict.state, said in verdict.said) == (state, True)


# --- The memory --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "state"),
    [
        pytest.param("18.4", State.WELL, id="the embedded one"),
        pytest.param("14.0", State.WELL, id="the oldest"),
        pytest.param("13.16 (Debian 13.16-1)", State.WRONG, id="too old"),
        pytest.param("9.6.24", State.WRONG, id="very old"),
        pytest.param("19beta1", State.WELL, id="one that is not out yet"),
    ],
)
def test_the_server_may_be_too_old(said: str, state: State) -> None:
    assert memory.server(said, 1, embedded=False).state is state


@pytest.mark.parametrize(
    ("current", "state", "remedy"),
    [
        pytest.param(NEWEST, State.WELL, "", id="the newest"),
        pytest.param(None, State.WELL, "", id="none: the first crawl makes them"),
        pytest.param("0000", State.WRONG, "scrapy database upgrade", id="older"),
        pytest.param("9999", State.WRONG, "the code up to date", id="newer than this code"),
    ],
)
def test_the_tables_must_fit_the_code(current: str | None, state: State, remedy: str) -> None:
    verdict = memory.tables(current)
    assert verdict.state is state
    assert remedy in verdict.remedy


# --- What is written down ------------------------------------------------------------------------

VERDICTS = st.builds(
    Verdict, subject=st.text(), state=st.sampled_from(State), said=st.text(), remedy=st.text()
)


def test_a_verdict_is_a_line_and_its_remedy_another() -> None:
    verdict = Verdict.wrong("database", "it is down:\nFATAL", "Start it.")
    assert list(lines(verdict, plain=False)) == [
        "✗ database      it is down:",
        "                FATAL",
        "                → Start it.",
    ]
    assert "".join(lines(verdict, plain=True)).isascii()


@given(VERDICTS)
def test_what_was_said_is_written_whole(verdict: Verdict) -> None:
    written = "\n".join(lines(verdict, plain=False))
    assert verdict.subject in written
    assert all(line in written for line in verdict.said.splitlines())
    assert verdict.remedy in written


@pytest.mark.parametrize(
    ("states", "said"),
    [
        pytest.param([State.WELL] * 3, "all is well", id="well"),
        pytest.param([State.WELL, State.DOUBTFUL], "wrong: 0, doubtful: 1, well: 1", id="a doubt"),
        pytest.param(list(State), "wrong: 1, doubtful: 1, well: 1", id="each"),
    ],
)
def test_the_last_line_counts_what_is_not_well(states: list[State], said: str) -> None:
    assert summary(states) == said
