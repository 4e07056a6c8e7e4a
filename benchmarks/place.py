"""Where benchmarks run: a server of answers, and databases of their own on a real PostgreSQL."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import attrs
import psycopg

from benchmarks.boards import product_ids
from benchmarks.crawl import Report
from storage import schema
from storage.embedded import connect_address

_EMPTY = """
TRUNCATE products, product_cards, product_changes, boards, offers, offer_history, work_list, runs,
    exits, proxies, alerts, timetable_ticks,
    listing_hints, listing_hint_history, found_in, found_variants, categories,
    category_counts, sitemap_categories, review_texts, reviewed_products, review_readings,
    review_rates, stores, listings, rule_changes, rule_lines, price_rules, decisions, intentions,
    listing_points, listing_prices, cabinet_accounts, change_budgets, pushes, baselines,
    baseline_prices
RESTART IDENTITY
"""


@attrs.frozen
class Server:
    """The answers' server, running."""

    address: str

    def sweep(self, changed: int, products: int) -> None:
        """Move the prices on `changed` percent of the boards."""
        self._ask(f"/control/sweep?changed={changed}&products={products}")

    def tick(self) -> None:
        """Let an hour pass in the sandbox's shop."""
        self._ask("/control/tick")

    def _ask(self, path: str) -> None:
        with urllib.request.urlopen(f"{self.address}{path}") as answer:  # noqa: S310
            answer.read()


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    """The server of answers, while the block lasts."""
    command = [sys.executable, "-m", "benchmarks.server", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield Server(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.kill()


@attrs.frozen
class Databases:
    """A PostgreSQL whose databases may be made and dropped."""

    address: str

    @contextmanager
    def fresh(self, *, ours: bool = True) -> Iterator[str]:
        """The address of an empty database, with our tables or with none."""
        name = f"benchmark_{uuid4().hex[:8]}"
        self._run(f"CREATE DATABASE {name}")
        parts = psycopg.conninfo.conninfo_to_dict(self.address)
        address = f"postgresql://{parts['user']}@/{name}?host={parts['host']}"
        try:
            if ours:
                schema.upgrade(address)
            yield address
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(statement.encode())


def databases(directory: Path) -> Databases:
    """The embedded PostgreSQL in a directory of the benchmarks' own."""
    return Databases(connect_address({**os.environ, "DATABASE_URL": ""}, directory))


def empty(address: str) -> None:
    """Forget everything that our tables hold."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(_EMPTY)
    settle(address)


def settle(address: str) -> None:
    """Let the database finish what earlier runs left to it, so that no run pays for another."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT" if _may_checkpoint(connection) else "SELECT 1")


def _may_checkpoint(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute(
        "SELECT current_setting('server_version_num')::int >= 150000"
        " AND pg_has_role('pg_checkpoint', 'member') OR usesuper"
        " FROM pg_user WHERE usename = current_user"
    ).fetchone()
    return bool(row and row[0])


@attrs.frozen(kw_only=True)
class Crawls:
    """Runs crawls in processes of their own, on files below a directory."""

    directory: Path
    server: Server
    database: str

    def products(self, ids: Sequence[str]) -> str:
        """The spiders' argument for these products."""
        path = self.directory / f"products-{len(ids)}.txt"
        path.write_text("\n".join(ids), encoding="ascii")
        return f"@{path}"

    def boards(self, spider: str, count: int, **job: Any) -> Report:
        """Crawl the first boards of the market with our settings."""
        return self.run(spider, {"products": self.products(product_ids(count))}, **job)

    def run(
        self,
        spider: str,
        arguments: Mapping[str, str],
        *,
        settings: str = "kaspi_crawler.settings",
        overrides: Mapping[str, Any] | None = None,
        profile: Path | None = None,
    ) -> Report:
        """Crawl, and say what it took. Raises CalledProcessError when the crawl fails."""
        report = self.directory / "report.json"
        report.unlink(missing_ok=True)
        job = {
            "spider": spider,
            "arguments": dict(arguments),
            "settings": settings,
            "overrides": {"LATEST_EXPORTS": False, "LOG_LEVEL": "WARNING", **(overrides or {})},
            "report": str(report),
            "profile": str(profile or ""),
        }
        command = [sys.executable, "-m", "benchmarks.crawl", json.dumps(job)]
        subprocess.run(command, env=self.environment, check=True)
        return Report(**json.loads(report.read_text(encoding="utf-8")))

    @property
    def environment(self) -> dict[str, str]:
        """The project's environment variables for these crawls."""
        return {
            **os.environ,
            "KASPI_URL": self.server.address,
            "DATABASE_URL": self.database,
            "DATA_DIR": str(self.directory / "data"),
            "EXPORTS_DIR": str(self.directory / "exports"),
        }
