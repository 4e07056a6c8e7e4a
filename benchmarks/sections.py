"""What is measured, a function a question. Each returns its lines of the report."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import attrs

from benchmarks import decisions, extraction, intentions, store
from benchmarks.boards import FULL, LEAN, OFFERS, sizes
from benchmarks.budget import report as budget
from benchmarks.crawl import Report
from benchmarks.measure import Line, in_turns, ratio
from benchmarks.place import Crawls, Databases, empty, serving, settle
from sandbox.world import world

_ROOT = Path(__file__).resolve().parent.parent


@attrs.frozen(kw_only=True)
class Scale:
    """How much of everything: repeats, boards of a crawl, products of a refresh."""

    repeats: int = 3
    boards: int = 3_000
    orm_boards: int = 600
    products: int = 600
    original_products: int = 10
    stored_boards: int = 2_000
    many_boards: int = 10_000
    starts: int = 5
    decisions: int = 100_000
    budget_seeds: int = 5
    budget_hours: int = 9


QUICK = Scale(
    repeats=1,
    boards=300,
    orm_boards=100,
    products=20,
    original_products=2,
    stored_boards=400,
    many_boards=1_000,
    starts=1,
    decisions=10_000,
    budget_seeds=1,
    budget_hours=4,
)


@attrs.frozen(kw_only=True)
class Bench:
    """Where and how much."""

    scale: Scale
    directory: Path
    databases: Databases

    @contextmanager
    def crawls(self, *options: str) -> Iterator[Crawls]:
        """A server of answers and an empty database, for crawls."""
        with serving(*options) as server, self.databases.fresh() as database:
            yield Crawls(directory=self.directory, server=server, database=database)

    def offers(self) -> list[Line]:
        """The offers crawl, against asking alone."""
        return [*self._offers(LEAN, self.scale.repeats), *self._offers(FULL, 1)]

    def _offers(self, shape: str, repeats: int) -> list[Line]:
        count = self.scale.boards
        section = f"offers crawl ÷ bare Scrapy ({sizes()[shape] / 1000:.1f} KB boards)"
        sweeps: dict[str, list[tuple[Report, Report]]] = {}
        with self.crawls("--shape", shape) as crawls:
            for _ in range(repeats):
                empty(crawls.database)
                for name, changed in (
                    ("first sighting", 100),
                    ("5 % of boards changed", 5),
                    ("unchanged", 0),
                ):
                    crawls.server.sweep(changed, count)
                    pair = (crawls.boards("offers", count), crawls.boards("bare", count))
                    sweeps.setdefault(name, []).append(pair)
                settle(crawls.database)
        return [_crawl_line(section, name, pairs, 0.85) for name, pairs in sweeps.items()]

    def defaults(self) -> list[Line]:
        """The offers crawl, against Scrapy's defaults with an ORM commit a product."""
        count, pairs = self.scale.orm_boards, []
        with self.crawls() as crawls, self.databases.fresh(ours=False) as shelf:
            theirs = {"BENCHMARK_DATABASE": shelf, "KASPI_URL": crawls.server.address}

            def default_crawl() -> Report:
                return crawls.boards("defaults", count, settings="", overrides=theirs)

            crawls.server.sweep(0, self.scale.boards)
            crawls.boards("offers", self.scale.boards)
            default_crawl()
            for _ in range(self.scale.repeats):
                crawls.server.sweep(5, self.scale.boards)
                pairs.append((crawls.boards("offers", self.scale.boards), default_crawl()))
        return [
            _crawl_line(
                "offers crawl ÷ Scrapy's defaults, ORM", "5 % of boards changed", pairs, 4.5
            )
        ]

    def refresh(self) -> list[Line]:
        """A full refresh, against the original parser's way of working."""
        ids = list(world(products=self.scale.products).cards)
        few = ids[: self.scale.original_products]
        with (
            self.crawls("--shop", str(self.scale.products)) as crawls,
            self.databases.fresh(ours=False) as shelf,
        ):

            def ours() -> float:
                report = crawls.run("products", {"products": crawls.products(ids)})
                return report.items / report.seconds

            def theirs() -> float:
                crawls.server.tick()
                return len(few) / _original(crawls.server.address, shelf, [str(id_) for id_ in few])

            theirs(), ours()  # the first sighting
            figures = in_turns({"theirs": theirs, "ours": ours}, self.scale.repeats)
        return [
            Line.of_rates(
                "full refresh ÷ the original parser's way",
                "page, offers, reviews; prices moved",
                figures["ours"],
                figures["theirs"],
                unit="products/s",
                goal=20,
            )
        ]

    def extraction(self) -> list[Line]:
        """Reading a page, against BeautifulSoup."""
        return extraction.extraction(self.scale.repeats)

    def decisions(self) -> list[Line]:
        """Deciding prices, on one core."""
        return decisions.decisions(self.scale.decisions)

    def intentions(self) -> list[Line]:
        """From a board with a listing of ours to the outbox."""
        with self.crawls() as crawls:
            return intentions.intentions(crawls, self.scale.boards, self.scale.repeats)

    def budget(self) -> list[Line]:
        """Spending and learning the change budget, in simulations."""
        lines = budget.allocator(self.scale.budget_seeds)
        return [*lines, *budget.learning(self.scale.budget_hours)]

    def store(self) -> list[Line]:
        """The store, against bare COPY."""
        count, readings = self.scale.stored_boards, store.Readings()
        figures: dict[str, list[float]] = {}
        with self.databases.fresh() as database:
            store.prepare_bare(database)
            for _ in range(self.scale.repeats):
                empty(database)
                for name, changed in (
                    ("first sighting (two tables)", 100),
                    ("5 % of boards changed", 5),
                    ("20 % of boards changed", 20),
                    ("unchanged", 0),
                ):
                    boards = readings.sweep(changed, count)
                    figures.setdefault("COPY", []).append(store.copied(database, boards))
                    figures.setdefault(name, []).append(store.stored(database, boards))
        every = figures.pop("COPY")
        return [
            Line.of_rates(
                "store ÷ bare COPY into two like tables",
                name,
                rates,
                every[place :: len(figures)],
                unit="rows/s",
                goal=0.7,
            )
            for place, (name, rates) in enumerate(figures.items())
        ]

    def memory(self) -> list[Line]:
        """Memory over many boards."""
        count = self.scale.many_boards
        with self.crawls() as crawls:
            crawls.server.sweep(0, 0)
            memory = crawls.boards("offers", count).memory
        warm, highest = memory[len(memory) // 5], max(memory)
        return [
            Line(
                section="memory of the offers crawl (goal: flat, below 150 MB)",
                name=f"{count:,} boards, {count * OFFERS:,} offers",
                ours=f"{highest:.0f} MB at most",
                theirs=f"{warm:.0f} MB after a fifth",
                ratio=150 / highest,
                goal=1.0,
                remark=f"grew by {memory[-1] - warm:+.0f} MB from then to the end",
            )
        ]

    def cold_start(self) -> list[Line]:
        """One product, from the command to the files."""
        product = next(iter(world(products=20).cards))
        with self.crawls("--shop", "20") as crawls:
            command = [
                sys.executable,
                "-m",
                "scrapy",
                "crawl",
                "products",
                "-a",
                f"products={product}",
            ]
            environment = {**crawls.environment, "PYTHONPYCACHEPREFIX": str(self.directory / "pyc")}
            environment.pop("PYTHONDONTWRITEBYTECODE", None)

            def start() -> float:
                began = time.perf_counter()
                subprocess.run(command, env=environment, cwd=_ROOT, check=True, capture_output=True)
                return time.perf_counter() - began

            start()
            seconds = [start() for _ in range(self.scale.starts)]
        return [
            Line(
                section="scrapy crawl products, one product (goal: 1.5 s)",
                name="from the command to its end",
                ours=f"{median(seconds):.2f} s",
                ratio=1.5 / median(seconds),
                goal=1.0,
                remark=f"fastest {min(seconds):.2f} s",
            )
        ]


def _crawl_line(section: str, name: str, pairs: list[tuple[Report, Report]], goal: float) -> Line:
    ours = [report.responses / report.seconds for report, _ in pairs]
    theirs = [report.responses / report.seconds for _, report in pairs]
    our_cpu = [report.responses / report.cpu for report, _ in pairs]
    their_cpu = [report.responses / report.cpu for _, report in pairs]
    return Line.of_rates(
        section,
        name,
        ours,
        theirs,
        unit="boards/s",
        goal=goal,
        remark=f"by CPU time {ratio(our_cpu, their_cpu):.2f}",
    )


def _original(address: str, database: str, products: list[str]) -> float:
    command = [sys.executable, "-m", "benchmarks.original", json.dumps({"products": products})]
    environment = {**os.environ, "KASPI_URL": address, "DATABASE_URL": database}
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(told.stdout)
