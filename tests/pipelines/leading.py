"""Leads readings through the stages that decide, over a real database."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import psycopg
from psycopg.rows import dict_row
from scrapy.settings import Settings

from domain.identity import CityId, MerchantId
from domain.readings import Finding
from domain.shop import Decided, Repriced, RuleLine
from pipelines.intend import Intend
from pipelines.reprice import Reprice
from storage import rules
from storage.writer import BatchWriter
from tests.building import KETTLE, LAMP, board

OURS, SISTER = "700", "701"


class Stats(Counter[str]):
    """Counts as a crawler's statistics do."""

    def inc_value(self, name: str, count: int = 1) -> None:
        self[name] += count

    def set_value(self, name: str, value: int) -> None:
        self[name] = value


class Pipeline:
    """The store's writer and both stages, as a crawl leads a reading through them."""

    def __init__(self, database: str, writer: BatchWriter) -> None:
        self.stats, self.database, self._writer = Stats(), database, writer
        settings = Settings({"DATABASE_URL": database, "DATA_DIR": "unused", "STORE_PATIENCE": 5})
        crawler: Any = SimpleNamespace(settings=settings, stats=self.stats)
        self._reprice, self._intend = Reprice(crawler), Intend(crawler)

    async def open(self) -> None:
        await self._reprice.open_spider()
        self._intend.open_spider()

    async def close(self) -> None:
        await self._reprice.close_spider()
        await self._intend.close_spider()

    async def read(self, reading: Finding) -> tuple[Decided, ...]:
        """Lead the reading through all stages; what was decided."""
        await self._writer.save(reading)
        repriced = await self._reprice.process_item(reading)
        assert await self._intend.process_item(repriced) is reading
        return repriced.decided if isinstance(repriced, Repriced) else ()

    async def write(self, *decided: Decided) -> None:
        """Lead decisions through the last stage alone."""
        await self._intend.process_item(Repriced(reading=board(), decided=decided))

    def rows(self, query: str) -> list[dict[str, Any]]:
        with psycopg.connect(self.database, row_factory=dict_row) as connection:
            return connection.execute(query).fetchall()

    @property
    def intentions(self) -> list[tuple[int, str]]:
        """Price and state of each, the oldest first."""
        found = self.rows("SELECT price, state FROM intentions ORDER BY id")
        return [(row["price"], row["state"]) for row in found]

    @property
    def decisions(self) -> list[tuple[str, int | None, str]]:
        """Action, price and reason of each, the oldest first."""
        found = self.rows("SELECT action, price, reason FROM decisions ORDER BY id")
        return [(row["action"], row["price"], row["reason"]) for row in found]


def line(
    sku: str = "kettle", store: str = OURS, city: CityId | None = None, **said: Any
) -> RuleLine:
    product = {"kettle": KETTLE, "lamp": LAMP}[sku]
    return RuleLine(store=MerchantId(store), sku=sku, city=city, said=said, kaspi_id=product)


def have(database: str, *lines: RuleLine, **more: Any) -> None:
    rules.apply(database, lines, "rules.csv", **more)


@asynccontextmanager
async def leading(database: str, writer: BatchWriter) -> AsyncIterator[Pipeline]:
    """A kettle of ours, not below 9,000, and the stages that decide on it."""
    have(database, line(floor=9_000, ceiling=12_000))
    pipeline = Pipeline(database, writer)
    await pipeline.open()
    yield pipeline
    await pipeline.close()
