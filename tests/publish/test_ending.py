"""Stage 700 in this process: what goes wrong in it ends no more than it must."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from scrapy.settings import Settings

from domain.identity import MerchantId
from kaspi_crawler import settings as project
from pipelines.carrier import Carrier, Turn
from pipelines.publish import Publish
from storage import departures
from tests.pipelines.leading import Stats

OURS, OTHER = MerchantId("30000001"), MerchantId("30000002")
#: Whoever is connected to the test's database beside the one who asks.
_CONNECTED = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
AND backend_type = 'client backend'
"""


@pytest.fixture
def stage(database: str) -> Publish:
    settings = Settings()
    settings.setmodule(project)
    settings.setdict({"DATABASE_URL": database, "PUBLISH": "cabinet", "STORE_PATIENCE": 5})
    crawler: Any = SimpleNamespace(settings=settings, stats=Stats())
    return Publish(crawler)


async def _eventually_alone(database: str) -> bool:
    """Whether all connections of the stage are gone; a server takes a moment for it."""
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        for _ in range(100):
            [connected] = await (await connection.execute(_CONNECTED)).fetchone() or [0]
            if not connected:
                return True
            await asyncio.sleep(0.02)
    return False


async def test_a_carrier_with_an_error_of_ours_does_not_end_the_others(
    stage: Publish, database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    carried = asyncio.Event()

    async def stores(_: object) -> list[MerchantId]:
        return [OURS, OTHER]

    async def turn(carrier: Carrier) -> Turn:
        if carrier.store == OURS:
            raise LookupError("an error of ours")
        carried.set()
        return Turn(pause=stage._terms.look)

    monkeypatch.setattr(departures, "stores", stores)
    monkeypatch.setattr(Carrier, "turn", turn)
    stage.open_spider()
    await asyncio.wait_for(carried.wait(), 20)
    await stage.close_spider()
    [told] = [one.message for one in caplog.records if one.levelno == logging.ERROR]
    assert told.startswith(f"Nothing more is sent for {OURS}")
    assert await _eventually_alone(database)


async def test_an_error_of_ours_leaves_nothing_open(
    stage: Publish, database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looked = asyncio.Event()

    async def stores(_: object) -> list[MerchantId]:
        looked.set()
        raise LookupError("an error of ours")

    monkeypatch.setattr(departures, "stores", stores)
    stage.open_spider()
    await asyncio.wait_for(looked.wait(), 20)
    await stage.close_spider()
    assert "Nothing more is sent for further stores" in caplog.text
    assert await _eventually_alone(database)


async def test_a_database_that_stayed_away_is_asked_again(
    stage: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stores that have something to send are looked for as long as the crawl lasts."""
    tries, again = [psycopg.OperationalError("away")], asyncio.Event()

    async def stores(_: object) -> list[MerchantId]:
        if tries:
            raise tries.pop()
        again.set()
        return []

    monkeypatch.setattr(departures, "stores", stores)
    stage._crawler.settings.set("STORE_PATIENCE", 0)
    stage._crawler.settings.set("PUBLISH_REST", 0.01)
    stage = Publish(stage._crawler)
    stage.open_spider()
    await asyncio.wait_for(again.wait(), 20)
    await stage.close_spider()
