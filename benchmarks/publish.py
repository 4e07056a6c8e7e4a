"""Prices leave through a storm: `python -m benchmarks.publish`, or `make bench-publish`.

Real: two publishers as processes (`scrapy crawl publish`), the sandbox's cabinet over sockets, its
sign-in, PostgreSQL, kill -9. Not real: the sandbox's clock, which runs many times as fast with all
limits and delays in proportion; and the crawl, in whose place a process reads the sandbox's truth
and decides by chance.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import attrs
import psycopg
from cryptography.fernet import Fernet
from rich.console import Console
from rich.table import Table

from benchmarks.place import databases
from benchmarks.publishing.audit import Audit, audit, sent_so_far
from benchmarks.publishing.eyes import CITIES, ask
from benchmarks.publishing.market import PASSWORD
from domain.identity import MerchantId, ProductId
from domain.shop import RuleLine
from kaspi_crawler.cabinet.doors import told
from partners.kaspi.cabinet_login import Account
from storage import accounts, rules

ROOT = Path(__file__).resolve().parent.parent
#: As everybody locks listings: whoever does it in another order meets the others halfway.
_IN_ORDER = b"SELECT FROM listings ORDER BY id FOR UPDATE"
#: Shares of answers that are bad, on all paths of the seller's side.
_BAD = {
    "no_certificate": 0.004,
    "html_for_json": 0.004,
    "reset": 0.003,
    "reset_midway": 0.004,
    "truncated": 0.003,
    "broken_off": 0.003,
    "hanging": 0.0005,
    "signed_out": 0.001,
}
#: Blocks that come for no reason of ours: what the budget learns from them is not true, so few.
_BLOCKS = [
    {"kind": "too_many_requests", "path": "pricefeed", "after": after} for after in (400, 900)
]


@attrs.frozen(kw_only=True)
class Storm:
    """How long, how large, how fast; `longest` is in seconds."""

    changes: int
    stores: int
    products: int
    speed: float
    longest: float
    publishers: int = 2
    kill_every: float = 9.0

    def setting(self, seconds: float) -> float:
        """Seconds of the marketplace in seconds of ours."""
        return seconds / self.speed


WHOLE = Storm(changes=100_000, stores=20, products=120, speed=60, longest=4 * 3600)
QUICK = Storm(changes=3_000, stores=8, products=60, speed=120, longest=30, kill_every=6)
SMALL = Storm(changes=120, stores=3, products=30, speed=120, longest=18, kill_every=5)


@attrs.define
class Troupe:
    """The processes of a storm: they may be killed, and are started anew."""

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
            f"--speed={self.storm.speed}",
        ]  # fmt: skip

    def _publisher(self) -> list[str]:
        at = self.storm.setting
        settings: dict[str, object] = {
            "PUBLISH_CHANGES": 200,
            "PUBLISH_MOST_CHANGES": 240,
            "PUBLISH_WINDOW": at(1_800),
            "PUBLISH_GAP": at(1),
            "PUBLISH_PAUSE": at(1_800),
            "PUBLISH_FIRST_LOOK": at(600),
            "PUBLISH_LOOK_AGAIN": at(300),
            "VERIFY_AFTER": at(1_800),
            "VERIFY_UNKNOWN_AFTER": max(at(900), 8),
            "PUBLISH_LOOK": 0.2,
            "PUBLISH_REST": 0.5,
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


@contextmanager
def market(storm: Storm, directory: Path) -> Iterator[dict[str, Any]]:
    """The market as a process: its address and its stores."""
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
        yield json.loads(told_at.read_text(encoding="utf-8"))
    finally:
        process.kill()
        process.wait()


def open_shops(database: str, address: str, stores: Sequence[str], key: str) -> None:
    """Let each store have an account, and each of its goods a rule: half to twice its price."""
    accounts_of = {
        merchant: one["email"]
        for one in ask(address, "seller")["accounts"]
        for merchant in one["merchants"]
    }
    for store in stores:
        goods = ask(address, f"seller/goods?merchant={store}")["listings"]
        lines = [
            RuleLine(
                store=MerchantId(store),
                sku=item["sku"],
                kaspi_id=ProductId(item["product"]),
                said={
                    "floor": min(item["city_prices"].values()) * 6 // 10,
                    "ceiling": max(item["city_prices"].values()) * 2,
                },
            )
            for item in goods
            if any(city in item["city_prices"] for city in CITIES)
        ]
        rules.apply(database, lines, "storm.csv")
        account = Account(email=accounts_of[store], password=PASSWORD)
        accounts.add(database, MerchantId(store), told(account), key)


def meddle(address: str, stores: Sequence[str], random: Random) -> None:
    """What others do meanwhile: prices, also forbidden ones, points that close and open, stock."""
    store = random.choice(stores)
    goods = ask(address, f"seller/goods?merchant={store}")["listings"]
    for item in random.sample(goods, min(3, len(goods))):
        edit: dict[str, Any] = {"sku": item["sku"]}
        what = random.random()
        if what < 0.4 and item["city_prices"]:
            city = random.choice(list(item["city_prices"]))
            factor = random.choice((0.3, 0.9, 1.1, 3))
            edit["cityPrices"] = {city: max(1, int(item["city_prices"][city] * factor))}
        else:
            place = random.choice(item["places"])
            stock = random.choice((0, 5, 40)) if place["specified"] else None
            is_open = random.random() < 0.7
            edit["points"] = {place["store_id"]: {"available": is_open, "stockCount": stock}}
        ask(address, f"seller/edit?merchant={store}", edit)


def look_after(database: str) -> None:
    """What a person does meanwhile: articles that were paused are looked at, and resumed."""
    with suppress(psycopg.errors.DeadlockDetected), psycopg.connect(database) as connection:
        connection.execute(_IN_ORDER)
        connection.execute(b"UPDATE listings SET paused_at = NULL, paused_why = NULL")


def rage(storm: Storm, troupe: Troupe, console: Console) -> float:
    """The storm itself; the seconds that it took."""
    random = Random(7)  # noqa: S311
    began = time.monotonic()
    next_kill, next_words = began + storm.kill_every, began
    sent = 0
    while sent < storm.changes and time.monotonic() - began < storm.longest:
        troupe.keep_up()
        meddle(troupe.address, troupe.stores, random)
        if time.monotonic() >= next_kill:
            troupe.kill(random.choice(troupe.names))
            next_kill = time.monotonic() + storm.kill_every * (0.5 + random.random())
            look_after(troupe.database)
            if random.random() < 0.3:
                ask(troupe.address, "seller/expire", {})
        time.sleep(0.3)
        sent = sent_so_far(troupe.database)
        if time.monotonic() >= next_words:
            console.print(f"{time.monotonic() - began:6.0f} s  {sent:,} prices sent", style="dim")
            next_words = time.monotonic() + 10
    return time.monotonic() - began


def settle(storm: Storm, troupe: Troupe) -> None:
    """Let nothing new be decided, and wait until all that was sent is known."""
    troupe.kill("eyes")
    ask(troupe.address, "faults", {})
    deadline = time.monotonic() + storm.setting(2 * 1_800) + 15
    with psycopg.connect(troupe.database, autocommit=True) as connection:
        query = b"SELECT count(*) FROM intentions WHERE state IN ('sending', 'accepted')"
        # What is pending would go on being sent: it stays where it is.
        with connection.transaction():
            connection.execute(_IN_ORDER)
            connection.execute(b"UPDATE listings SET paused_at = now(), paused_why = 'the end'")
        while time.monotonic() < deadline:
            troupe.keep_up(without=["eyes"])
            row = connection.execute(query).fetchone()
            if row is None or not row[0]:
                return
            time.sleep(0.5)


def blow(storm: Storm, console: Console) -> tuple[Audit, Troupe, float]:
    """One storm from its beginning to its audit."""
    with tempfile.TemporaryDirectory(prefix="storm-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        (directory / "data").mkdir()
        with (
            market(storm, directory) as place,
            databases(ROOT / ".data" / "benchmarks").fresh() as database,
        ):
            address, stores = place["address"], place["stores"]
            key = Fernet.generate_key().decode()
            open_shops(database, address, stores, key)
            ask(address, "faults", {"random": _BAD, "script": _BLOCKS, "hang_seconds": 6})
            troupe = Troupe(storm, address, stores, database, key, directory)
            try:
                took = rage(storm, troupe, console)
                settle(storm, troupe)
                return audit(address, database, storm.setting(2 * 1_800) + 15), troupe, took
            finally:
                troupe.leave()
                if os.environ.get("KEEP_LOGS"):
                    for log in directory.glob("*.log"):
                        Path(os.environ["KEEP_LOGS"], log.name).write_bytes(log.read_bytes())


def show(found: Audit, storm: Storm, troupe: Troupe, took: float, console: Console) -> None:
    """The counts."""
    table = Table(title=f"{found.sent:,} prices sent by {storm.publishers} publishers")
    table.add_column("by the sandbox's own book")
    table.add_column("count", justify="right")
    for name, count in found.violations.items():
        table.add_row(name, f"{count:,}", style="bold red" if count else None)
    table.add_section()
    for name, count in {**found.notes, **found.states}.items():
        table.add_row(name, f"{count:,}", style="dim")
    console.print(table)
    killed = ", ".join(f"{name} {count}" for name, count in sorted(troupe.killed.items()))
    fates = ", ".join(f"{name} {count:,}" for name, count in found.book["fates"].items())
    console.print(f"{took:.0f} s, {found.sent / took:.0f} prices a second; killed: {killed}")
    accepted, refusals = found.book["changes"], found.book["refusals"]
    console.print(f"accepted by the sandbox: {accepted:,} ({fates}); refusals: {refusals}")
    console.print(
        f"The sandbox's clock ran {storm.speed:g} times as fast, all limits in proportion; what "
        "was read and decided came from a process in the crawl's place."
    )


def main() -> int:
    """Run it. Exit code 1: something was violated, or too little was sent."""
    parser = argparse.ArgumentParser(description="Prices leave through a storm.")
    parser.add_argument("--quick", action="store_true", help="a minute instead of an hour")
    parser.add_argument("--changes", type=int, help="how many prices leave")
    parser.add_argument("--longest", type=float, help="seconds after which it ends anyway")
    options = parser.parse_args()
    storm = QUICK if options.quick else WHOLE
    storm = attrs.evolve(
        storm, changes=options.changes or storm.changes, longest=options.longest or storm.longest
    )
    console = Console()
    found, troupe, took = blow(storm, console)
    show(found, storm, troupe, took, console)
    return 0 if found.is_clean and found.sent else 1


if __name__ == "__main__":
    sys.exit(main())
