"""The processes of a storm: a market, publishers and eyes, which may be killed and start anew."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs

ROOT = Path(__file__).resolve().parents[2]


@attrs.frozen(kw_only=True)
class Storm:
    """How long, how large, how fast.

    changes: prices that leave, unless it takes more than `longest` seconds
    stores, products: of the market
    batching: of so many stores the limit is known, and prices leave together, each 90 seconds of
        the marketplace; the others' one by one. In half of them goods have a price in each city
    speed: seconds of the marketplace in one of ours
    kill_after: so many prices after one kill comes the next
    server_kills, cuts: how often the database's server is killed, and the sandbox cut off
    """

    changes: int
    stores: int
    batching: int
    products: int
    speed: float
    longest: float
    publishers: int = 2
    kill_after: int = 800
    server_kills: int = 4
    cuts: int = 10

    def setting(self, seconds: float) -> float:
        """Seconds of the marketplace in seconds of ours."""
        return seconds / self.speed


@attrs.define
class Troupe:
    """Who plays: they may be killed, and are started anew."""

    storm: Storm
    address: str
    stores: Sequence[str]
    database: str
    key: str
    directory: Path
    killed: dict[str, int] = attrs.field(factory=dict)
    _running: dict[str, subprocess.Popen[bytes]] = attrs.field(factory=dict)

    @property
    def names(self) -> list[str]:
        """Who plays."""
        return [*(f"publisher-{number}" for number in range(self.storm.publishers)), "eyes"]

    def keep_up(self, *, without: Sequence[str] = ()) -> None:
        """Start whoever is not there."""
        for name in self.names:
            process = self._running.get(name)
            if name not in without and (process is None or process.poll() is not None):
                self._running[name] = self._start(name)

    def kill(self, name: str) -> None:
        """End one at once, as by kill -9."""
        process = self._running.pop(name, None)
        if process is None:
            return
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.count(name)

    def count(self, name: str) -> None:
        """Note that something was killed."""
        self.killed[name] = self.killed.get(name, 0) + 1

    def leave(self) -> None:
        """End all."""
        for process in self._running.values():
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        words = self._eyes() if name == "eyes" else self._publisher()
        log = (self.directory / f"{name}.log").open("ab")
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env=self._environment(),
            stdout=log,
            stderr=log,
        )

    def _eyes(self) -> list[str]:
        return [
            "benchmarks.publishing.eyes", f"--address={self.address}",
            f"--database={self.database}", f"--stores={','.join(self.stores)}",
            f"--speed={self.storm.speed}", f"--round={self.storm.setting(360)}",
        ]  # fmt: skip

    def _publisher(self) -> list[str]:
        at = self.storm.setting
        settings: dict[str, object] = {
            "PUBLISH_CHANGES": 200,
            "PUBLISH_MOST_CHANGES": 240,
            "PUBLISH_WINDOW": at(1_800),
            "PUBLISH_GAP": at(1),
            "PUBLISH_PAUSE": at(1_800),
            # The eyes read most prices back before.
            "PUBLISH_FIRST_LOOK": at(900),
            "PUBLISH_LOOK_AGAIN": at(300),
            "VERIFY_AFTER": at(1_800),
            "VERIFY_UNKNOWN_AFTER": max(at(900), 8),
            "PUBLISH_LOOK": 3,
            "PUBLISH_REST": 0.5,
            "PUBLISH_FRESH": max(at(60), 6),
            "PUBLISH_PROMPT": 2,
            "DOWNLOAD_TIMEOUT": 4,
            "RETRY_TIMES": 1,
            "LOG_LEVEL": "WARNING",
        }
        words = [f"-s{name}={value}" for name, value in settings.items()]
        return ["scrapy", "crawl", "publish", "-aminutes=600", *words]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PUBLISH": "cabinet",
            "KASPI_URL": self.address,
            "MC_URL": f"{self.address}/mc.shop",
            "IDMC_URL": f"{self.address}/idmc.shop",
            "DATABASE_URL": self.database,
            "DATA_DIR": str(self.directory / "data"),
            "EXPORTS_DIR": str(self.directory / "exports"),
            "KASPI_SECRET_KEY": self.key,
        }


@attrs.frozen
class Market:
    """The market as a process: its number, its address and its stores."""

    pid: int
    address: str
    stores: Sequence[str]

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let it answer nobody while the block lasts; what it knows stays."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)


@contextmanager
def market(storm: Storm, directory: Path) -> Iterator[Market]:
    """A market that serves while the block lasts."""
    told_at = directory / "market.json"
    process = subprocess.Popen(
        [
            sys.executable, "-m", "benchmarks.publishing.market", f"--products={storm.products}",
            f"--stores={storm.stores}", f"--speed={storm.speed}", f"--told={told_at}",
        ],
        cwd=ROOT,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not told_at.exists():
            assert process.poll() is None, "the market did not start"
            assert time.monotonic() < deadline, "the market is not ready"
            time.sleep(0.05)
        told: dict[str, Any] = json.loads(told_at.read_text(encoding="utf-8"))
        yield Market(process.pid, told["address"], told["stores"])
    finally:
        process.kill()
        process.wait()
