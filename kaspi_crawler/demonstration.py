"""The demonstration: the sandbox's shop is read twice, and what changed is told."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import attrs
import psycopg
from rich.console import Console
from rich.table import Table
from scrapy.settings import BaseSettings

from domain.site import is_replica
from kaspi_crawler.settings import DATA_DIR, EXPORTS_DIR
from storage.origin import last_site
from storage.ready import ready_address
from storage.schema import libpq_address

CITIES = "750000000,710000000"
#: Proxies of the sandbox through which the second crawl asks.
_EXITS = 3
#: The one that bears only half of what the others do, and shuts its door when it is asked more.
_WEAK_EXIT = "exit-2"
#: Seconds for which that door stays shut, and in which the second crawl could be done.
_BAN, _SECOND_CRAWL = 2, 6
#: How long the sandbox may take to open its shop, in seconds.
_OPENING = 30.0

#: What the memory holds, and what the last crawl made of it.
_FOUND = """
SELECT (SELECT count(*) FROM products) AS products,
       (SELECT count(*) FROM boards) AS boards,
       (SELECT count(*) FROM offers WHERE gone_at IS NULL) AS offers,
       (SELECT count(DISTINCT merchant_id) FROM offers) AS sellers,
       (SELECT count(*) FROM offer_history) AS history
"""
_CHANGED = """
SELECT coalesce((stored ->> 'offer_history/changed')::integer, 0) AS changed,
       coalesce((stored ->> 'offer_history/seen')::integer, 0) AS arrived,
       coalesce((stored ->> 'offer_history/returned')::integer, 0) AS returned,
       coalesce((stored ->> 'offer_history/gone')::integer, 0) AS left
FROM runs
ORDER BY started_at DESC
LIMIT 1
"""
_LARGEST_FALL = """
SELECT products.name, offers.city_id, offers.seller, before.price AS before, now.price AS now
FROM offer_history AS now
JOIN offers ON offers.id = now.offer_id
JOIN products ON products.id = offers.product_id
CROSS JOIN LATERAL (
    SELECT price FROM offer_history AS earlier
    WHERE earlier.offer_id = now.offer_id AND earlier.created_at < now.created_at
    ORDER BY earlier.created_at DESC
    LIMIT 1
) AS before
WHERE now.event = 'changed' AND now.created_at >= (SELECT max(started_at) FROM runs)
ORDER BY before.price - now.price DESC
LIMIT 1
"""


@attrs.frozen
class Route:
    """The way through the sandbox's proxies: their addresses, and seconds between two questions
    through each.
    """

    proxies: tuple[str, ...]
    delay: float

    @property
    def environment(self) -> dict[str, str]:
        """What a crawl is told of it."""
        return {"PROXIES": ",".join(self.proxies), "KASPI_DELAY": f"{self.delay:.4f}"}


@attrs.frozen
class Shop:
    """The sandbox's shop, open at an address on loopback."""

    address: str

    def product_addresses(self) -> list[str]:
        """The addresses of all cards."""
        return [product["address"] for product in self._ask("/sandbox/products")]

    def let_time_pass(self, minutes: int) -> Mapping[str, int]:
        """Let the rivals reprice for a while; what became of the boards that the demo reads."""
        cities = self._ask("/sandbox/advance", {"minutes": minutes})["cities"]
        moved: Counter[str] = Counter()
        for city in CITIES.split(","):
            moved.update(cities[city])
        return moved

    def weaken_an_exit(self, boards: int) -> Route:
        """Let one proxy bear less than it is asked; the way for so many boards."""
        delay = _SECOND_CRAWL * _EXITS / boards
        limit = {"rate": 0.5 / delay, "burst": 2, "refusal": 429}
        ban = {"ban_seconds": _BAN, "retry_after": _BAN}
        self._ask("/sandbox/faults", {"exits": {_WEAK_EXIT: limit | ban}})
        proxies = tuple(each["proxy"] for each in self._ask("/sandbox/exits") if each["proxy"])
        return Route(proxies, delay)

    def _ask(self, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.address}{path}", data=data)) as answer:  # noqa: S310
            return json.load(answer)


@attrs.define
class Demonstration:
    """Crawls the sandbox twice, with some hours of rivals' repricing in between."""

    settings: BaseSettings
    _console: Console = attrs.Factory(Console)

    def show(self, products: int, hours: int) -> int:
        """Do it, and tell what was found. Returns the exit code of the first crawl that failed."""
        self._find_room()
        with _open_shop(products) as shop:
            self._say(f"The sandbox's shop is open at {shop.address}")
            failed = self._crawl(
                shop, "products", "Reading every card, offer and review in two cities"
            )
            moved = shop.let_time_pass(60 * hours)
            self._say(f"{hours} hours pass; rivals reprice ({_told(moved)})")
            failed = failed or self._crawl_through_exits(shop)
        if not failed:
            self._report()
        return failed

    def _find_room(self) -> None:
        """The embedded database in the usual directory, unless it holds what Kaspi itself said."""
        self.settings.set("DATABASE_URL", "", priority="cmdline")
        site = last_site(self._database())
        if site is None or is_replica(site):
            return
        for name in ("DATA_DIR", "EXPORTS_DIR"):
            self.settings.set(name, str(Path(self.settings[name]) / "demo"), priority="cmdline")
        self._say(f"Your own data is left alone: the demo's goes to {self.settings['DATA_DIR']}")

    def _database(self) -> str:
        return ready_address(self.settings["DATABASE_URL"], Path(self.settings["DATA_DIR"]))

    def _crawl_through_exits(self, shop: Shop) -> int:
        """Read the offers again, through proxies one of which is overtaxed."""
        boards = len(shop.product_addresses()) * len(CITIES.split(","))
        route = shop.weaken_an_exit(boards)
        return self._crawl(
            shop,
            "offers",
            f"Reading the offers again through {_EXITS} proxies, one of which bears less: "
            f"it bans us for {_BAN} s, rests, and is tried again",
            level="INFO",
            route=route.environment,
        )

    def _environment(self, shop: Shop) -> dict[str, str]:
        names = ("DATABASE_URL", "DATA_DIR", "EXPORTS_DIR")
        ours = {name: str(self.settings[name]) for name in names}
        return {**os.environ, **ours, "KASPI_URL": shop.address}

    def _say(self, sentence: str) -> None:
        self._console.print(f"[bold]•[/bold] {sentence}", highlight=False, soft_wrap=True)

    def _crawl(
        self,
        shop: Shop,
        spider: str,
        sentence: str,
        level: str = "WARNING",
        route: Mapping[str, str] | None = None,
    ) -> int:
        self._say(sentence)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
            listed.write("\n".join(shop.product_addresses()))
            listed.flush()
            command = [sys.executable, "-m", "scrapy", "crawl", spider, "-L", level]
            command += ["-a", f"products=@{listed.name}", "-a", f"cities={CITIES}"]
            environment = {**self._environment(shop), **(route or {"PROXIES": ""})}
            ended = subprocess.run(command, env=environment, check=False)  # noqa: S603
        return ended.returncode

    def _report(self) -> None:
        with psycopg.connect(libpq_address(self._database())) as connection:
            found, changed, fall = (
                _first(connection, query) for query in (_FOUND, _CHANGED, _LARGEST_FALL)
            )
        self._console.print(_table(found, changed, fall))
        self._console.print(
            _what_next(Path(self.settings["EXPORTS_DIR"]), self._way_in()),
            highlight=False,
            soft_wrap=True,
        )

    def _way_in(self) -> str:
        """What to type before a command so that it finds the demo's data."""
        names = {"DATA_DIR": DATA_DIR, "EXPORTS_DIR": EXPORTS_DIR}
        moved = [
            f"{name}={self.settings[name]} "
            for name, usual in names.items()
            if str(self.settings[name]) != usual
        ]
        given = ["DATABASE_URL= "] if os.environ.get("DATABASE_URL") else []
        return "".join((*given, *moved))


@contextmanager
def _open_shop(products: int) -> Iterator[Shop]:
    """Start the sandbox, and end it whatever happens."""
    with tempfile.TemporaryDirectory() as directory:
        told = Path(directory) / "address"
        command = [sys.executable, "-m", "sandbox", "--products", str(products)]
        command += ["--exits", str(_EXITS)]
        process = subprocess.Popen(  # noqa: S603
            [*command, "--port-file", str(told)], stdout=subprocess.DEVNULL
        )
        try:
            yield Shop(_read_when_there(told, process))
        finally:
            process.terminate()
            process.wait()


def _read_when_there(path: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + _OPENING
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the sandbox did not open; run `python -m sandbox` to see why")
        time.sleep(0.05)
    return path.read_text()


def _first(connection: psycopg.Connection[Any], query: str) -> dict[str, Any]:
    with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute(query).fetchone() or {}


def _told(moved: Mapping[str, int]) -> str:
    return ", ".join(
        f"{moved[name]:,} {name}" for name in ("changed", "left", "arrived", "returned")
    )


def _table(found: Mapping[str, Any], changed: Mapping[str, Any], fall: Mapping[str, Any]) -> Table:
    table = Table("", "", title="What was found, and what changed", show_header=False)
    table.columns[1].justify = "right"
    for name, meaning in (
        ("products", "products"),
        ("boards", "boards (product × city)"),
        ("offers", "offers that stand now"),
        ("sellers", "sellers met"),
        ("history", "rows of offer history"),
    ):
        table.add_row(meaning, f"{found[name]:,}")
    table.add_section()
    for name, meaning in (
        ("changed", "offers changed since the first crawl"),
        ("arrived", "sellers who were never met before"),
        ("returned", "sellers who returned"),
        ("left", "sellers who left"),
    ):
        table.add_row(meaning, f"{changed[name]:,}")
    if fall:
        table.add_section()
        table.add_row(
            f"largest fall: {fall['name']} ({fall['seller'].strip()})",
            f"{fall['before']:,} → {fall['now']:,} ₸",
        )
    return table


def _what_next(exports: Path, way_in: str) -> str:
    files = "\n".join(f"  {path}" for path in sorted(exports.glob("latest/*.json")))
    return f"""[bold]The files[/bold]
{files}
  {exports}/products/ and {exports}/offers/ — a file for each crawl
[bold]Try next[/bold]
  {way_in}.venv/bin/scrapy database psql -c "SELECT name, min_price FROM products LIMIT 5"
  {way_in}.venv/bin/scrapy export history --format xlsx --since 24h
  .venv/bin/scrapy crawl products -a products="https://kaspi.kz/shop/p/…-102298404/"
  docs/database.md — questions the database answers"""  # noqa: S608  (a command to type)
