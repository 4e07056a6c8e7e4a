"""The sandbox's shop, as the demo opens it and moves its time."""

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import attrs

from domain.identity import MerchantId

CITIES = "750000000,710000000"
#: Proxies of the sandbox through which the second crawl asks.
EXITS = 3
#: The one that bears only half of what the others do, and shuts its door when it is asked more.
WEAK_EXIT = "exit-2"
#: Seconds for which that door stays shut, and in which the second crawl could be done.
BAN, _SECOND_CRAWL = 2, 6
#: The doors by which a change comes into the sandbox's book.
_CABINET, _FEED = ("single", "batch"), "pull"
#: How long the sandbox may take to open its shop, in seconds.
_OPENING = 30.0


@attrs.frozen
class Route:
    """The way through the sandbox's proxies: their addresses, seconds between two questions
    through each, and the one that bears less.
    """

    proxies: tuple[str, ...]
    delay: float
    weak: str

    @property
    def environment(self) -> dict[str, str]:
        """What a crawl is told of it."""
        return {"PROXIES": ",".join(self.proxies), "KASPI_DELAY": f"{self.delay:.4f}"}


@attrs.frozen(kw_only=True)
class Book:
    """The sandbox's own book of us, in numbers.

    `pushed` articles came through the cabinet; the next two are prices that went live, by their
    way; `refused` pushes met a limit; `wrongs` are points that were dropped, goods that were
    opened though sold out, and the like.
    """

    pushed: int
    by_cabinet: int
    by_feed: int
    refused: int
    wrongs: int


@attrs.frozen(kw_only=True)
class Account:
    """Who signs in to the sandbox's cabinet, made up by it, and for which store."""

    store: MerchantId
    email: str
    password: str = attrs.field(repr=False)


@attrs.frozen
class Shop:
    """The sandbox's shop, open at an address on loopback."""

    address: str

    @property
    def environment(self) -> dict[str, str]:
        """What our commands are told of it."""
        told = self._ask("/sandbox/seller")
        return {"KASPI_URL": self.address, "MC_URL": told["mc"], "IDMC_URL": told["idmc"]}

    def account(self) -> Account:
        """The account of the store that is ours."""
        [told] = self._ask("/sandbox/seller")["accounts"]
        [store] = told["merchants"]
        return Account(store=store, email=told["email"], password=told["password"])

    def our_products(self) -> list[str]:
        """The products that our store sells, or sold."""
        return [each["product"] for each in self._goods()]

    def our_prices(self) -> Mapping[tuple[str, str], int]:
        """What buyers truly pay us, by article and city."""
        return {
            (each["sku"], city): each["city_prices"].get(city, each["price"])
            for each in self._goods()
            for city in CITIES.split(",")
        }

    def pull_feed(self, address: str) -> str:
        """Tell the marketplace where our feed is, and let it look at once; what came of it."""
        self._ask("/sandbox/seller/feed", {"url": address})
        return str(self._ask("/sandbox/seller/feed/pull", {})["outcome"])

    def refusals(self) -> int:
        """How often the exit that bears less refused us, by its own count."""
        exits = {each["name"]: each for each in self._ask("/sandbox/exits")}
        return int(exits[WEAK_EXIT]["refused"])

    def book(self) -> Book:
        """What the marketplace's own book says of us."""
        told = self._ask("/sandbox/seller/book")
        doors = {each["id"]: each["door"] for each in self._ask("/sandbox/seller/book/changes")}
        live = {
            (each["sku"], each["city"]): doors.get(each["by"])
            for each in self._ask("/sandbox/seller/book/live")
            if each["city"] in CITIES.split(",")
        }
        ways = Counter(live.values())
        return Book(
            pushed=sum(door in _CABINET for door in doors.values()),
            by_cabinet=sum(ways[door] for door in _CABINET),
            by_feed=ways[_FEED],
            refused=sum(told["refusals"].values()),
            wrongs=sum(told["wrongs"].values()) + sum(told["effects"].values()),
        )

    def _goods(self) -> list[Any]:
        return list(self._ask("/sandbox/seller/goods")["listings"])

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
        delay = _SECOND_CRAWL * EXITS / boards
        limit = {"rate": 0.5 / delay, "burst": 2, "refusal": 429}
        ban = {"ban_seconds": BAN, "retry_after": BAN}
        self._ask("/sandbox/faults", {"exits": {WEAK_EXIT: limit | ban}})
        exits = {each["name"]: each["proxy"] for each in self._ask("/sandbox/exits")}
        proxies = tuple(filter(None, exits.values()))
        return Route(proxies, delay, urlsplit(exits[WEAK_EXIT]).netloc)

    def _ask(self, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.address}{path}", data=data)) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def open_shop(products: int) -> Iterator[Shop]:
    """Start the sandbox, and end it whatever happens."""
    with tempfile.TemporaryDirectory() as directory:
        told = Path(directory) / "address"
        command = [sys.executable, "-m", "sandbox", "--products", str(products)]
        command += ["--exits", str(EXITS)]
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
