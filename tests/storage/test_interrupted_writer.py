"""The database dies under the writer: what was acknowledged is there, and nothing is twice."""

import asyncio
import os
import random
import shutil
import signal
import tempfile
from collections.abc import Awaitable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity import ProductId
from domain.offers import OfferBoard
from storage.database import open_engine
from storage.embedded import connect_address
from storage.embedded.place import Place, place_at
from storage.embedded.server import postmaster
from storage.patience import Patience
from storage.schema import upgrade
from storage.writer import BatchWriter
from tests.building import board, offer
from tests.storage.embedded_processes import demolish
from tests.storage.looking import rows

PRODUCTS = 12
PATIENCE = Patience(full_at=20, linger=0.005, give_up_after=60, first_pause=0.05, longest_pause=0.5)
END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
)


def reading(product: int, step: int) -> OfferBoard:
    """Two sellers who change their prices at every step."""
    return board(
        offer("1", 1_000_000 + step),
        offer("2", 2_000_000 + step),
        product=ProductId(str(product)),
        minutes=step,
    )


async def crawl(writer: BatchWriter, product: int, over: asyncio.Event) -> int:
    """Read one board again and again; returns the last step, all of which are acknowledged."""
    step = 0
    await writer.save(reading(product, step))
    while step < 3 or not over.is_set():
        step += 1
        await writer.save(reading(product, step))
    return step


async def crawl_through(writer: BatchWriter, trouble: Awaitable[None]) -> list[int]:
    """Crawl all products until the trouble is over."""
    over = asyncio.Event()
    crawls = [asyncio.create_task(crawl(writer, product, over)) for product in range(PRODUCTS)]
    await trouble
    over.set()
    steps = await asyncio.gather(*crawls)
    await writer.close()
    return steps


def check(address: str, steps: list[int]) -> None:
    """Each acknowledged step is one row of history an offer, with no gap and no double."""
    for product, step in enumerate(steps):
        told = rows(
            address,
            "SELECT merchant_id, array_agg(offer_history.price ORDER BY created_at) AS prices "
            "FROM offer_history JOIN offers ON offers.id = offer_id "
            "JOIN products ON products.id = offers.product_id "
            "WHERE kaspi_id = %s GROUP BY merchant_id ORDER BY merchant_id",
            str(product),
        )
        wanted = list(range(step + 1))
        assert [[price % 1_000_000 for price in one["prices"]] for one in told] == [wanted, wanted]


async def test_connections_that_are_cut_again_and_again_cost_nothing(
    engine: AsyncEngine, database: str
) -> None:
    chance = random.Random(7)  # noqa: S311  (the same troubles in every run)

    async def cut() -> None:
        for _ in range(15):
            await asyncio.sleep(chance.uniform(0.02, 0.3))
            await asyncio.to_thread(rows, database, END_OTHERS)

    steps = await crawl_through(BatchWriter(engine, PATIENCE), cut())
    check(database, steps)


@pytest.fixture
def place() -> Iterator[Place]:
    """An embedded database that may be killed."""
    parent = Path(tempfile.mkdtemp(prefix="kaspi-tests-"))
    parent.chmod(0o755)
    place = place_at(parent / "data")
    yield place
    demolish(place)
    shutil.rmtree(parent, ignore_errors=True)


async def test_a_server_that_is_killed_loses_nothing_that_was_acknowledged(place: Place) -> None:
    chance = random.Random(7)  # noqa: S311  (the same troubles in every run)
    environ = {**os.environ, "DATABASE_URL": "", "KASPI_DATABASE_LINGER": "5"}

    def reach() -> str:
        return connect_address(environ, place.directory)

    address = reach()
    upgrade(address)

    async def kill() -> None:
        for _ in range(3):
            await asyncio.sleep(chance.uniform(0.2, 1.0))
            server = postmaster(place)
            assert server
            os.kill(server.pid, signal.SIGKILL)
            await asyncio.to_thread(reach)

    engine = open_engine(address)
    steps = await crawl_through(BatchWriter(engine, PATIENCE, revive=reach), kill())
    await engine.dispose()
    check(address, steps)
