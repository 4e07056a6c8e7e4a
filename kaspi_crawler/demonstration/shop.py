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
from urllib.request import Request, urlopen

import attrs

CITIES = "750000000,710000000"
#: Proxies of the sandbox through which the second crawl asks.
EXITS = 3
#: The one that bears only half of what the others do, and shuts its door when it is asked more.
_WEAK_EXIT = "exit-2"
#: Seconds for which that door stays shut, and in which the second crawl could be done.
BAN, _SECOND_CRAWL = 2, 6
#: How long the sandbox may take to open its shop, in seconds.
_OPENING = 30.0


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
        delay = _SECOND_CRAWL * EXITS / boards
        limit = {"rate": 0.5 / delay, "burst": 2, "refusal": 429}
        ban = {"ban_seconds": BAN, "retry_after": BAN}
        self._ask("/sandbox/faults", {"exits": {_WEAK_EXIT: limit | ban}})
        proxies = tuple(each["proxy"] for each in self._ask("/sandbox/exits") if each["proxy"])
        return Route(proxies, delay)

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
