"""A real scrapyd: started, spoken to, and ended."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import attrs
import psycopg
import requests

from tests.deployment.image import command_in, said

PROJECT = "kaspi_crawler"
#: Seconds that a machine with much else to do may need.
PATIENCE = 120.0
#: Who may speak to scrapyd in these tests.
OPERATOR = {"SCRAPYD_USERNAME": "operator", "SCRAPYD_PASSWORD": "a:word/with@signs"}


@attrs.frozen
class Daemon:
    """A running scrapyd, and what its operator does with it."""

    process: subprocess.Popen[bytes]
    home: Path
    environ: dict[str, str]

    def ask(self, path: str, **form: str) -> dict[str, Any]:
        """Ask one of scrapyd's services; a form is posted."""
        address = f"http://127.0.0.1:{self.environ['SCRAPYD_HTTP_PORT']}/{path}"
        request = Request(address, data=urlencode(form).encode() or None)
        if (known := self.credentials())[0]:
            word = base64.b64encode(":".join(known).encode()).decode()
            request.add_header("Authorization", f"Basic {word}")
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return dict(json.load(answer))

    def credentials(self) -> tuple[str, str]:
        """Name and password: those that were set, or made; empty without."""
        if name := self.environ.get("SCRAPYD_USERNAME"):
            return name, self.environ["SCRAPYD_PASSWORD"]
        made = self.home / ".data/scrapyd/password"
        return ("kaspi", made.read_text("ascii").strip()) if made.exists() else ("", "")

    def crawl(self, spider: str, **arguments: str) -> str:
        """Schedule a job, wait until scrapyd says that it has finished, and return its id."""
        scheduled = self.ask("schedule.json", project=PROJECT, spider=spider, **arguments)
        job = str(scheduled["jobid"])
        until(lambda: job in self.finished(), f"{spider} has finished")
        return job

    def upload(self, version: str, egg: bytes) -> dict[str, Any]:
        """Hand an egg over, as scrapyd-deploy does."""
        answer = requests.post(
            f"http://127.0.0.1:{self.environ['SCRAPYD_HTTP_PORT']}/addversion.json",
            data={"project": PROJECT, "version": version},
            files={"egg": ("project.egg", egg)},
            auth=self.credentials(),
            timeout=PATIENCE,
        )
        return dict(answer.json())

    def finished(self) -> list[str]:
        """The ids of the finished jobs."""
        return [job["id"] for job in self.ask("listjobs.json")["finished"]]

    def log(self, spider: str, job: str) -> str:
        """What a job said."""
        path = self.home / ".data/scrapyd/logs" / PROJECT / spider / f"{job}.log"
        return path.read_text(encoding="utf-8")


def until(seen: Callable[[], bool], what: str) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if seen():
            return
        time.sleep(0.1)
    raise AssertionError(f"not within {PATIENCE} s: {what}")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def started(home: Path, command: Sequence[str] | None = None, **environ: str) -> Iterator[Daemon]:
    """The image's command, or another, run in a directory until the block ends."""
    variables = {**environment(), "SCRAPYD_HTTP_PORT": str(free_port()), **environ}
    with (home / "scrapyd.log").open("ab") as log:
        process = subprocess.Popen(
            command or command_in(said("CMD")[0]), cwd=home, env=variables, stdout=log, stderr=log
        )
    daemon = Daemon(process, home, variables)
    try:
        until(lambda: answers(daemon), "scrapyd answers")
        yield daemon
    finally:
        process.kill()
        process.wait()


def answers(daemon: Daemon) -> bool:
    """Whether scrapyd listens by now."""
    assert daemon.process.poll() is None, (daemon.home / "scrapyd.log").read_text("utf-8")
    try:
        return bool(daemon.ask("daemonstatus.json")["status"] == "ok")
    except HTTPError:
        return True
    except URLError:
        return False


def environment() -> dict[str, str]:
    """The test's own variables, without what would lead to the checkout's code or data."""
    strange = {"PYTHONPATH", "DATA_DIR", "EXPORTS_DIR", "SCRAPY_PROJECT", "SCRAPY_SETTINGS_MODULE"}
    kept = {name: value for name, value in os.environ.items() if name not in strange}
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def rows(database: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    """What the database answers."""
    with psycopg.connect(database) as connection:
        return connection.execute(query.encode(), values or None).fetchall()
