"""A price feed of a million offers: written and validated as it streams, and in how much memory.

`python -m benchmarks.feed WAY OFFERS FILE` is one run in a process of its own, so that its memory
is its own; it tells its figures as JSON.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import cast

import attrs
from lxml import etree

from benchmarks.measure import Line, in_turns
from domain.identity import MerchantId
from domain.money import Tenge
from domain.price_feed import FeedOffer, FeedPoint, FeedShop
from partners.kaspi import price_feed

#: What issue 5 asks for.
GOAL, MEMORY_GOAL = 100_000, 100
_NAMESPACE = "{kaspiShopping}"


@attrs.frozen(kw_only=True)
class Figures:
    """Offers a second by the clock and by the CPU, and the most memory in MB."""

    rate: float
    cpu_rate: float
    memory: float


def offers(count: int) -> Iterator[FeedOffer]:
    """Offers at two points, made one by one, as they come from a database (storage/feeds.py)."""
    for number in range(count):
        yield FeedOffer(
            sku=f"{100_000_000 + number}",
            model=f"Чайник электрический {number} 1,7 л & подставка",
            brand="Tefal",
            points=_points(number % 100),
            price=Tenge(5_000 + number % 50_000),
        )


@lru_cache
def _points(stock: int) -> tuple[FeedPoint, ...]:
    return (
        FeedPoint("30000001_PP1", available=True, stock=stock),
        FeedPoint("30000001_PP2", available=False),
    )


def _write(count: int, path: Path) -> None:
    shop = FeedShop(merchant=MerchantId("30000001"), company="Лавка", date="2026-08-13 12:00")
    with path.open("w+b") as file:
        price_feed.write(file, shop, offers(count))


def _check(count: int, path: Path) -> None:
    with path.open("rb") as file:
        assert price_feed.check(file) == count


def _read(count: int, path: Path) -> None:
    with path.open("rb") as file:
        assert sum(1 for _ in price_feed.read(file)[1]) == count


def _plain(count: int, path: Path) -> None:
    """Plain lxml: written by xmlfile, then validated by iterparse with the same schema."""
    with etree.xmlfile(str(path), encoding="utf-8") as file:
        file.write_declaration()
        with file.element("kaspi_catalog", nsmap={None: "kaspiShopping"}):
            for name, text in (("company", "Лавка"), ("merchantid", "30000001")):
                with file.element(name):
                    file.write(text)
            with file.element("offers"):
                for offer in offers(count):
                    _plain_offer(file, offer)
    _plain_check(count, path)


def _plain_offer(file: "etree._IncrementalFileWriter", offer: FeedOffer) -> None:
    with file.element("offer", sku=offer.sku):
        for name, text in (("model", offer.model), ("brand", offer.brand)):
            with file.element(name):
                file.write(text)
        with file.element("availabilities"):
            for point in offer.points:
                said = {"available": "yes" if point.available else "no", "storeId": point.point}
                if point.stock is not None:
                    said["stockCount"] = str(point.stock)
                with file.element("availability", said):
                    pass
        with file.element("price"):
            file.write(str(offer.price))


def _plain_check(count: int, path: Path) -> None:
    text = (files("partners.kaspi") / "price_feed.xsd").read_bytes()
    schema = etree.XMLSchema(etree.fromstring(text))
    seen = 0
    for _, element in etree.iterparse(str(path), tag=f"{_NAMESPACE}offer", schema=schema):
        seen += 1
        element.clear()
        parent = cast("etree._Element", element.getparent())
        while element.getprevious() is not None:
            del parent[0]
    assert seen == count


_WAYS: dict[str, Callable[[int, Path], None]] = {
    "write": _write,
    "check": _check,
    "read": _read,
    "plain": _plain,
}


def measured(way: str, count: int, path: Path) -> Figures:
    """One way in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.feed", way, str(count), str(path)]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    return Figures(**json.loads(told.stdout))


def feed(count: int, plain_count: int, repeats: int, directory: Path) -> list[Line]:
    """Our way with all offers, plain lxml with as many as it is given: its memory grows."""
    path = directory / "feed.xml"
    figures: dict[str, list[Figures]] = {"write": [], "check": [], "read": [], "plain": []}

    def run(way: str) -> float:
        many = plain_count if way == "plain" else count
        place = path.with_suffix(".plain") if way == "plain" else path
        figures[way].append(measured(way, many, place))
        return figures[way][-1].cpu_rate

    rates = in_turns({way: lambda way=way: run(way) for way in figures}, repeats)  # type: ignore[misc]
    section = f"price feed of {count:,} offers (goal: {GOAL:,}/s in {MEMORY_GOAL} MB)"
    names = {
        "write": "written, and validated as it is",
        "check": "validated alone",
        "read": "validated and read",
    }
    lines = []
    for way, name in names.items():
        memory = max(each.memory for each in figures[way])
        clock = max(each.rate for each in figures[way])
        lines.append(
            Line.of_rates(
                section,
                f"{name} ÷ plain lxml, written and validated",
                rates[way],
                rates["plain"],
                unit="offers/s CPU",
                remark=f"{clock:,.0f}/s by the clock, {memory:.0f} MB at most",
            )
        )
    plain = max(each.memory for each in figures["plain"])
    best, most = max(rates["write"]), max(each.memory for each in figures["write"])
    lines.append(
        Line(
            section=section,
            name="memory of writing ÷ its goal",
            ours=f"{most:.0f} MB",
            theirs=f"{plain:.0f} MB for {plain_count:,}",
            ratio=MEMORY_GOAL / most,
            goal=1.0,
        )
    )
    lines.append(
        Line(
            section=section,
            name="rate of writing ÷ its goal",
            ours=f"{best:,.0f} offers/s CPU",
            ratio=best / GOAL,
            goal=1.0,
        )
    )
    return lines


def _most_memory() -> float:
    """In MB; getrusage would tell that of the process that began this one."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found, "memory is measured on Linux"
    return int(found[1]) / 1024


def main() -> None:
    """One run."""
    way, count, path = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    began, cpu = time.perf_counter(), time.process_time()
    _WAYS[way](count, path)
    told = Figures(
        rate=count / (time.perf_counter() - began),
        cpu_rate=count / (time.process_time() - cpu),
        memory=_most_memory(),
    )
    print(json.dumps(attrs.asdict(told)))


if __name__ == "__main__":
    main()
