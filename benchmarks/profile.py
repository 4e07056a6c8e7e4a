"""Where the time goes: the offers crawl by function, the cold start by import."""

import pstats
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.place import Crawls

if TYPE_CHECKING:
    from benchmarks.sections import Bench

_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| \s*([\w.]+)")
_ROOT = Path(__file__).resolve().parent.parent
#: Whose code it is, by what its path holds; the first that fits.
_OWNERS = (
    ("pages", "/kaspi_crawler/pages/"),
    ("spider", "/kaspi_crawler/"),
    ("stages", "/pipelines/"),
    ("storage", "/storage/"),
    ("domain", "/domain/"),
    ("partners", "/partners/"),
    ("SQLAlchemy and psycopg", "/sqlalchemy/"),
    ("SQLAlchemy and psycopg", "/psycopg"),
    ("SQLAlchemy and psycopg", "/greenlet"),
    ("Scrapy", "/scrapy/"),
    ("Scrapy", "/pydispatch/"),
    ("Scrapy", "/w3lib/"),
    ("Twisted", "/twisted/"),
    ("asyncio", "/asyncio/"),
)


def profile(bench: "Bench", console: Console) -> None:
    """Print both summaries."""
    count = bench.scale.boards
    with bench.crawls() as crawls:
        crawls.server.sweep(0, count)
        crawls.boards("offers", count)
        crawls.server.sweep(5, count)
        console.print(_by_owner(crawls, count))
        console.print(_by_import(crawls))


def _by_owner(crawls: Crawls, count: int) -> Table:
    """Time within functions, by room and library; cProfile makes Python's calls look dearer."""
    path = crawls.directory / "crawl.profile"
    crawls.boards("offers", count, profile=path)
    stats = pstats.Stats(str(path)).stats  # type: ignore[attr-defined]
    owners: Counter[str] = Counter()
    for (file, _line, function), (_calls, _all, own, _total, _callers) in stats.items():
        owners[_owner(file, function)] += own
    table = Table(title=f"offers crawl, {count} boards, 5 % changed: time within functions")
    table.add_column("whose")
    table.add_column("share", justify="right")
    for owner, seconds in owners.most_common(12):
        table.add_row(owner, f"{seconds / owners.total():.1%}")
    return table


def _owner(file: str, function: str) -> str:
    for owner, part in _OWNERS:
        if part in file:
            return owner
    if file == "~":
        return "built-in functions" if "run_forever" not in function else "waiting"
    return "else"


def _by_import(crawls: Crawls) -> Table:
    """What a cold start imports, by top-level package."""
    command = [sys.executable, "-X", "importtime", "-m", "scrapy", "crawl", "products"]
    told = subprocess.run(
        [*command, "-a", "products=123"],
        env=crawls.environment,
        cwd=_ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    packages: Counter[str] = Counter()
    for microseconds, module in _IMPORT.findall(told.stderr):
        packages[module.partition(".")[0]] += int(microseconds)
    table = Table(title="imports of a cold start")
    table.add_column("package")
    table.add_column("ms", justify="right")
    for package, microseconds in packages.most_common(20):
        table.add_row(package, f"{microseconds / 1000:.0f}")
    return table
