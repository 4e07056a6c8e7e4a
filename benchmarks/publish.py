"""Prices leave through a storm: `python -m benchmarks.publish`, or `make bench-publish`.

Real: two publishers as processes (`scrapy crawl publish`), the sandbox's cabinet over sockets, its
sign-in, PostgreSQL, kill -9. Not real: the sandbox's clock, which runs many times as fast with all
limits and delays in proportion; and the crawl, in whose place a process reads the sandbox's truth
and decides by chance.
"""

import argparse
import asyncio
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
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
from benchmarks.publishing.troupe import ROOT, Market, Storm, Troupe, market
from benchmarks.publishing.weather import IN_ORDER, Goods, Weather, persistently
from domain.budget import Budget
from domain.identity import MerchantId
from kaspi_crawler.cabinet.doors import told
from partners.kaspi.cabinet_login import Account
from storage import accounts, budgets
from storage.database import Cursor, in_transaction, open_engine

WHOLE = Storm(
    changes=100_000, stores=40, batching=34, products=240, speed=30, longest=4 * 3600,
)  # fmt: skip
QUICK = Storm(
    changes=3_000, stores=24, batching=18, products=120, speed=60, longest=90,
    kill_after=500, server_kills=2, cuts=2,
)  # fmt: skip
SMALL = Storm(
    changes=100, stores=3, batching=2, products=30, speed=120, longest=25,
    kill_after=30, server_kills=1, cuts=1,
)  # fmt: skip
#: Seconds between two looks at how far a storm is.
_MOMENT = 0.5


def stocked(storm: Storm, place: Market) -> Goods:
    """The goods of all stores, by store; some stores' have a price in every city."""
    for store in place.stores[: storm.batching // 2]:
        _price_everywhere(place.address, store)
    return {store: _goods(place.address, store) for store in place.stores}


def open_shops(storm: Storm, place: Market, database: str, key: str) -> None:
    """Let each store have an account, and some a budget of their own."""
    for one in ask(place.address, "seller")["accounts"]:
        account = told(Account(email=one["email"], password=PASSWORD))
        for store in one["merchants"]:
            accounts.add(database, MerchantId(store), account, key)
    asyncio.run(_let_wait(storm, database, place.stores[: storm.batching]))


def _goods(address: str, store: str) -> list[Any]:
    found = ask(address, f"seller/goods?merchant={store}")["listings"]
    return [item for item in found if any(city in item["city_prices"] for city in CITIES)]


def _price_everywhere(address: str, store: str) -> None:
    """Give each of a store's goods a price of its own in each city."""
    for item in _goods(address, store):
        prices = {city: item["city_prices"].get(city, item["price"]) for city in CITIES}
        ask(address, f"seller/edit?merchant={store}", {"sku": item["sku"], "cityPrices": prices})


async def _let_wait(storm: Storm, database: str, stores: Sequence[str]) -> None:
    """Let stores whose limit is known push so seldom that many prices share a push."""
    engine = open_engine(database, connections=1)
    patient = Budget(
        limit=240,
        most=240,
        proven=240,
        gap=timedelta(seconds=storm.setting(90)),
        window=timedelta(seconds=storm.setting(1_800)),
        pause=timedelta(seconds=storm.setting(1_800)),
    )

    async def enter(cursor: Cursor) -> None:
        for store in stores:
            await budgets.purse(cursor, MerchantId(store), patient)

    await in_transaction(engine, enter)
    await engine.dispose()


def rage(storm: Storm, weather: Weather, console: Console) -> float:
    """The storm itself; the seconds that it took."""
    troupe = weather.troupe
    began = next_words = time.monotonic()
    sent = 0
    while sent < storm.changes and time.monotonic() - began < storm.longest:
        troupe.keep_up()
        weather.pass_over(sent)
        time.sleep(_MOMENT)
        sent = persistently(lambda: sent_so_far(troupe.database))
        if time.monotonic() >= next_words:
            console.print(f"{time.monotonic() - began:6.0f} s  {sent:,} prices sent", style="dim")
            next_words = time.monotonic() + 10
    return time.monotonic() - began


def settle(storm: Storm, weather: Weather) -> None:
    """Let nothing new be decided, and wait until all that was sent is known."""
    troupe = weather.troupe
    troupe.kill("eyes")
    weather.calm()
    deadline = time.monotonic() + storm.setting(2 * 1_800) + 15
    persistently(lambda: _pause_all(troupe.database))
    while time.monotonic() < deadline:
        troupe.keep_up(without=["eyes"])
        if not persistently(lambda: _under_way(troupe.database)):
            return
        time.sleep(0.5)


def _pause_all(database: str) -> None:
    """What is pending would go on being sent: it stays where it is."""
    with psycopg.connect(database) as connection:
        connection.execute(IN_ORDER)
        connection.execute(b"UPDATE listings SET paused_at = now(), paused_why = 'the end'")


def _under_way(database: str) -> int:
    query = b"SELECT count(*) FROM intentions WHERE state IN ('sending', 'accepted')"
    with psycopg.connect(database) as connection:
        row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0


def blow(storm: Storm, console: Console) -> tuple[Audit, Weather, float]:
    """One storm from its beginning to its audit."""
    cluster = ROOT / ".data" / "storm"
    with tempfile.TemporaryDirectory(prefix="storm-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        (directory / "data").mkdir()
        with market(storm, directory) as place, databases(cluster).fresh() as database:
            key = Fernet.generate_key().decode()
            goods = stocked(storm, place)
            troupe = Troupe(storm, place.address, place.stores, database, key, directory)
            weather = Weather(troupe, place, goods, cluster, Random(7))  # noqa: S311
            weather.first_rules()
            open_shops(storm, place, database, key)
            weather.begin()
            try:
                took = rage(storm, weather, console)
                settle(storm, weather)
                overdue = storm.setting(2 * 1_800) + 15
                return audit(place.address, database, overdue, weather.rules), weather, took
            finally:
                troupe.leave()
                if os.environ.get("KEEP_LOGS"):
                    for log in directory.glob("*.log"):
                        Path(os.environ["KEEP_LOGS"], log.name).write_bytes(log.read_bytes())


def show(found: Audit, weather: Weather, took: float, console: Console) -> None:
    """The counts."""
    troupe = weather.troupe
    storm = troupe.storm
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
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = used.ru_utime + used.ru_stime
    console.print(f"{seconds:.0f} s of a processor, without PostgreSQL's")
    console.print(f"the sandbox was cut off {weather.cuts} times")
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
    # Whoever ends it ends its processes, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    console = Console()
    found, weather, took = blow(storm, console)
    show(found, weather, took, console)
    return 0 if found.is_clean and found.sent else 1


if __name__ == "__main__":
    sys.exit(main())
