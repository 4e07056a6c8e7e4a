"""A sandbox over real sockets, and a memory that two crawls have filled."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import attrs
import psycopg
import pytest
from psycopg.rows import dict_row

from domain.shop import RuleLine
from storage import rules
from storage.embedded import connect_address
from storage.embedded.place import place_at
from tests.commands.console import ROOT, Console
from tests.storage.embedded_processes import demolish, eventually

CITIES = ("750000000", "710000000")
CARDS = 20

ONE_OFFER = (
    "INSERT INTO products (kaspi_id, home_city_id, first_seen_at) VALUES ('1045', '75', now())",
    """INSERT INTO boards (product_id, city_id, first_seen_at, checked_at)
       SELECT id, '75', now(), now() FROM products""",
    """INSERT INTO offers
           (product_id, city_id, merchant_id, seller, price, first_seen_at, changed_at)
       SELECT id, '75', '101', 'Лавка', 120, now(), now() FROM products""",
)
_OURS = """
SELECT merchant_id, kaspi_id, min(price) * 8 / 10
FROM offers JOIN products ON products.id = product_id
WHERE merchant_id = (
    SELECT merchant_id FROM offers GROUP BY merchant_id ORDER BY count(*) DESC, 1 LIMIT 1)
GROUP BY merchant_id, kaspi_id
"""


@attrs.frozen
class Sandbox:
    """The sandbox's shop at an address on loopback."""

    address: str

    def ask(self, path: str, body: object = None) -> Any:
        """An answer of its switches."""
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.address}/sandbox/{path}", data=data), timeout=20) as answer:  # noqa: S310
            return json.load(answer)

    def visits(self) -> dict[str, int]:
        """How many requests of each kind came, its own switches aside."""
        kinds: dict[str, int] = self.ask("requests")["kinds"]
        return {kind: count for kind, count in kinds.items() if kind != "sandbox"}


@attrs.frozen(kw_only=True)
class Memory:
    """A database that was filled by a crawl, then by another one after some hours."""

    console: Console
    address: str
    products: tuple[str, ...]
    between: datetime
    first_board: list[dict[str, Any]]

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """What the database answers."""
        with psycopg.connect(self.address, row_factory=dict_row) as connection:
            return connection.execute(query.encode(), values).fetchall()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A shop of 20 cards whose time moves only when told."""
    told = tmp_path_factory.mktemp("sandbox") / "address"
    command = [sys.executable, "-m", "sandbox", "--products", str(CARDS), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--port-file", str(told)], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        eventually(told.exists, seconds=60)
        yield Sandbox(told.read_text(encoding="utf-8"))
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def directory() -> Iterator[Path]:
    """A directory that the embedded server's user may enter."""
    parent = Path(tempfile.mkdtemp(prefix="kaspi-commands-"))
    parent.chmod(0o755)
    yield parent
    demolish(place_at(parent / "data"))
    shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture(scope="session")
def memory(sandbox: Sandbox, directory: Path) -> Memory:
    """What an embedded database holds after two crawls."""
    chromium = directory / "chromium"
    chromium.write_text("#!/bin/sh\necho Chromium 140\n", encoding="utf-8")
    chromium.chmod(0o755)
    console = Console(
        {
            "CHROMIUM": str(chromium),
            "DATA_DIR": str(directory / "data"),
            "EXPORTS_DIR": str(directory / "exports"),
            "KASPI_URL": sandbox.address,
            "DATABASE_URL": "",
            "KASPI_DATABASE_LINGER": "20",
        }
    )
    products = tuple(product["id"] for product in sandbox.ask("products"))
    what = ("-a", f"products={','.join(products)}", "-a", f"cities={','.join(CITIES)}")
    _crawl(console, "products", *what)
    # As long as this process uses the server, it stays.
    address = connect_address({**os.environ, "DATABASE_URL": ""}, directory / "data")
    standing = "SELECT city_id, merchant_id, price FROM offers WHERE gone_at IS NULL"
    with psycopg.connect(address, row_factory=dict_row) as connection:
        first_board = connection.execute(standing).fetchall()
    _list_ours(address)
    between = datetime.now(UTC)
    time.sleep(0.01)
    sandbox.ask("advance", {"minutes": 12 * 60})
    _crawl(console, "offers", *what)
    return Memory(
        console=console,
        address=address,
        products=products,
        between=between,
        first_board=first_board,
    )


def _list_ours(address: str) -> None:
    """Let the merchant with the most offers be ours, with a floor for each of his cards."""
    with psycopg.connect(address) as connection:
        found = connection.execute(_OURS).fetchall()
    said = [
        RuleLine(store=store, sku=f"sku-{product}", kaspi_id=product, said={"floor": price})
        for store, product, price in found
    ]
    rules.apply(address, said, "rules.csv")


@pytest.fixture
def console(memory: Memory, tmp_path: Path) -> Console:
    """A console over the filled database, with an empty directory for exports."""
    return memory.console.having(EXPORTS_DIR=str(tmp_path / "exports"))


@pytest.fixture
def lone_offer(database: str) -> str:
    """The address of a database of one offer, without a history."""
    with psycopg.connect(database) as connection:
        for statement in ONE_OFFER:
            connection.execute(statement.encode())
    return database


def _crawl(console: Console, *words: str) -> None:
    done = console.run("crawl", *words)
    assert done.returncode == 0, done.stderr
