"""Everything that a timetable needs, as processes that can be killed: sandbox, scrapyd, keeper."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import psycopg
from psycopg.rows import dict_row

from storage.embedded import connect_address
from storage.embedded.place import Place, place_at
from storage.embedded.server import postmaster
from storage.timetable import history
from tests.deployment.daemon import PATIENCE, environment, free_port, until
from tests.deployment.image import copy_into
from tests.storage.embedded_processes import demolish, kill

#: A timetable in a hurry: the waits of the settings, made short.
HURRY = {
    "TIMETABLE_LOOKS": "* * * * * */1",
    "TIMETABLE_POLL": "0.3",
    "TIMETABLE_GRACE": "3",
    "TIMETABLE_PAUSE": "0.3",
    "TIMETABLE_ATTEMPTS": "40",
}
_STRANGE = ("DATABASE_URL", "SCRAPYD_USERNAME", "SCRAPYD_PASSWORD", "SCRAPYD_URL")
_ADD = """
INSERT INTO timetable (name, spider, arguments, settings, schedule, lateness, since)
VALUES (%s, %s, %s, %s, %s, %s, now())
"""


@attrs.define
class Station:
    """A directory with the project's files, its embedded database, a scrapyd and a keeper."""

    home: Path
    environ: dict[str, str]
    hurry: Mapping[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = attrs.field(factory=dict)

    @property
    def place(self) -> Place:
        """Where the embedded database is."""
        return place_at(self.home / ".data")

    def address(self) -> str:
        """The address of the database, which is brought up if it is down."""
        return connect_address({**self.environ, "DATABASE_URL": ""}, self.home / ".data")

    def start(self, name: str) -> None:
        """Start scrapyd ("daemon") or the keeper ("timetable")."""
        words = {"daemon": ["daemon"], "timetable": ["timetable", "run", *self._settings()]}[name]
        with (self.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "scrapy", *words],
                cwd=self.home,
                env=self.environ,
                stdout=log,
                stderr=log,
            )

    def _settings(self) -> Iterator[str]:
        for name, value in self.hurry.items():
            yield from ("-s", f"{name}={value}")

    def kill(self, name: str) -> None:
        """Kill -9 a process that we started and wait for it."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def end(self, name: str) -> int:
        """Ask a process to end, and wait until it does; its exit code."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(PATIENCE)

    def kill_database(self) -> None:
        """Kill -9 the postmaster; who keeps it brings it up again."""
        if server := postmaster(self.place):
            kill(server.pid)

    def kill_crawl(self) -> None:
        """Kill -9 a crawl: one that has begun if there is one, else one that is about to."""
        with contextlib.suppress(psycopg.OperationalError):
            begun = self.rows("SELECT job_id FROM runs WHERE finished_at IS NULL ORDER BY random()")
            for pid in self.crawls():
                if any(f"_job={run['job_id']}".encode() in _words(pid) for run in begun):
                    return kill(pid)
        for pid in self.crawls()[:1]:
            kill(pid)
        return None

    def crawls(self) -> list[int]:
        """The processes of crawls that were started in this directory."""
        return [pid for pid in _processes(self.home) if _is_crawl(pid)]

    def type(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Type `scrapy …` in the directory."""
        return subprocess.run(
            [sys.executable, "-m", "scrapy", *words],
            cwd=self.home,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def add(
        self,
        name: str,
        spider: str = "offers",
        schedule: str = "0 0 1 1 *",
        lateness: str = "1 hour",
        settings: Mapping[str, str] | None = None,
        **arguments: str,
    ) -> None:
        """Add an entry; the default schedule is New Year's midnight: by hand alone."""
        row = (name, spider, json.dumps(arguments), json.dumps(dict(settings or {})))
        with psycopg.connect(self.address()) as connection:
            connection.execute(_ADD, (*row, schedule, lateness))

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """What the database answers."""
        with psycopg.connect(self.address(), row_factory=dict_row) as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def done(self) -> int:
        """How many ticks have their outcome; 0 while the database does not answer."""
        with contextlib.suppress(psycopg.OperationalError):
            ticks = history(self.address(), count=1_000)
            return sum(tick.closed_at is not None for tick in ticks)
        return 0

    def is_idle(self) -> bool:
        """Whether every tick has its outcome."""
        with contextlib.suppress(psycopg.OperationalError):
            return all(tick.closed_at for tick in history(self.address(), count=1_000))
        return False

    def said(self, name: str) -> str:
        """What a process has said so far."""
        return (self.home / f"{name}.log").read_text(encoding="utf-8")


@contextmanager
def station(shop: str, **hurry: str) -> Iterator[Station]:
    """A station over a sandbox; nothing of it is left when the block ends."""
    home = Path(tempfile.mkdtemp(prefix="kaspi-timetable-"))
    home.chmod(0o755)
    copy_into(home)
    environ = environment()
    # The files were copied without what Python made of them: it may do that once, not each time.
    for name in (*_STRANGE, "PYTHONDONTWRITEBYTECODE"):
        environ.pop(name, None)
    environ |= {
        "KASPI_URL": shop,
        "KASPI_DATABASE_LINGER": "20",
        "SCRAPYD_HTTP_PORT": str(free_port()),
    }
    open_station = Station(home, environ, {**HURRY, **hurry})
    try:
        open_station.address()
        assert open_station.type("timetable", "list").returncode == 0
        open_station.rows("UPDATE timetable SET paused = true RETURNING name")
        yield open_station
    finally:
        for name in list(open_station.processes):
            open_station.kill(name)
        for pid in _processes(home):
            if _is_crawl(pid):
                kill(pid)
        until(lambda: not open_station.crawls(), "all crawls are gone")
        demolish(open_station.place)
        shutil.rmtree(home, ignore_errors=True)


def _processes(home: Path) -> list[int]:
    """The processes that stand in this directory (Linux)."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "cwd").readlink() == home:
                found.append(int(entry.name))
    return sorted(found)


def _is_crawl(pid: int) -> bool:
    return {b"scrapyd.runner", b"crawl"} <= set(_words(pid))


def _words(pid: int) -> list[bytes]:
    """What a process was started with; nothing for one that is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return []
