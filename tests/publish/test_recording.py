"""Stage 800 over a real database: boards and pages of the cabinet close what was sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import attrs
import psycopg
import pytest
from scrapy.exceptions import DropItem
from scrapy.settings import Settings

from domain.cabinet import CabinetOffer, Point, ShopPage
from domain.identity import MerchantId, ProductId
from domain.money import Tenge
from domain.readings import Finding
from kaspi_crawler import settings as project
from pipelines.record import Record
from storage import arrivals
from storage.database import Cursor
from storage.writer import BatchWriter
from tests.building import ALMATY, KETTLE, LAMP, board, incomplete, offer
from tests.pipelines.leading import OURS, Pipeline, Stats, leading

#: Sent one minute after the board at noon.
_SEND = """
UPDATE intentions
SET state = 'accepted', sent_at = '2026-09-18 07:01+00', accepted_at = '2026-09-18 07:01+00'
"""


@attrs.define
class Desk:
    """The stages that decide, and the one that records."""

    pipeline: Pipeline
    record: Record
    stats: Stats

    async def read(self, reading: Finding) -> None:
        await self.pipeline.read(reading)
        await self.record.process_item(reading)

    def states(self) -> list[dict[str, Any]]:
        return self.pipeline.rows("SELECT price, state, outcome FROM intentions ORDER BY id")


@asynccontextmanager
async def at_desk(database: str, writer: BatchWriter) -> AsyncIterator[Desk]:
    settings = Settings()
    settings.setmodule(project)
    settings.set("DATABASE_URL", database)
    stats = Stats()
    crawler: Any = SimpleNamespace(settings=settings, stats=stats)
    async with leading(database, writer) as pipeline:
        record = Record(crawler)
        record.open_spider()
        await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
        with psycopg.connect(database) as connection:
            connection.execute(_SEND)
        yield Desk(pipeline, record, stats)
        await record.close_spider()


@pytest.fixture
async def desk(database: str, writer: BatchWriter) -> AsyncIterator[Desk]:
    """A kettle of ours for which 9,499 was sent at 12:01."""
    async with at_desk(database, writer) as desk:
        yield desk


async def test_a_board_that_shows_our_price_applies_it_with_its_latency(desk: Desk) -> None:
    await desk.read(board(offer(OURS, 9_499), offer("1", 9_500), minutes=10))
    [told] = desk.pipeline.rows(
        "SELECT state, extract(epoch FROM closed_at - accepted_at)::integer AS took FROM intentions"
    )
    assert (told["state"], told["took"]) == ("applied", 540)
    [held] = desk.pipeline.rows("SELECT price FROM listings WHERE sku = 'kettle'")
    assert held["price"] == 9_499
    assert desk.stats["publish/applied"] == 1


async def test_a_board_that_comes_while_others_ask_what_is_under_way_is_judged_too(
    desk: Desk,
) -> None:
    """The first boards of a crawl come together, before it is known what to look for."""
    shown = board(offer(OURS, 9_499), offer("1", 9_500), minutes=10)
    await asyncio.gather(
        desk.record.process_item(board(offer("1", 500), product=LAMP, minutes=10)),
        desk.record.process_item(shown),
    )
    assert desk.states()[0]["state"] == "applied"


async def test_a_database_that_is_away_is_waited_for_by_all_boards_together(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or ten boards would wait ten times as long as one, also when the crawl ends."""
    asked = []

    async def away(cursor: Cursor) -> frozenset[ProductId]:
        asked.append(cursor)
        raise psycopg.OperationalError("away")

    desk.record._crawler.settings.set("STORE_PATIENCE", 0)
    shown = board(offer(OURS, 9_499), offer("1", 9_500), minutes=10)
    with monkeypatch.context() as while_away:
        while_away.setattr(arrivals, "products_under_way", away)
        lost = [desk.record.process_item(shown) for _ in range(5)]
        came = await asyncio.gather(*lost, return_exceptions=True)
    assert {type(one) for one in came} == {DropItem}
    assert len(asked) == 1
    await desk.record.process_item(shown)
    assert desk.states()[0]["state"] == "applied", "and the next board asks anew"


async def test_the_old_price_is_waited_for_and_then_unverified(desk: Desk) -> None:
    await desk.read(board(offer(OURS, 10_000), offer("1", 9_500), minutes=20))
    assert desk.states()[0]["state"] == "accepted"
    await desk.read(board(offer(OURS, 10_000), offer("1", 9_500), minutes=31))
    assert desk.states() == [{"price": 9_499, "state": "unverified", "outcome": "not_applied"}]


async def test_another_price_is_an_edit_from_outside(desk: Desk) -> None:
    await desk.read(board(offer(OURS, 9_900), offer("1", 9_500), minutes=5))
    assert desk.states()[0]["outcome"] == "changed_outside"


async def test_a_board_that_is_not_whole_says_nothing(desk: Desk) -> None:
    await desk.read(incomplete(offer(OURS, 9_900), total=9, minutes=5))
    assert desk.states()[0]["state"] == "accepted"


async def test_a_board_read_before_it_was_sent_says_nothing(desk: Desk) -> None:
    await desk.record.process_item(board(offer(OURS, 9_900), minutes=0.5))
    assert desk.states()[0]["state"] == "accepted"


async def test_not_to_be_on_the_board_is_waited_for(desk: Desk) -> None:
    await desk.read(board(offer("1", 9_500), minutes=5))
    assert desk.states()[0]["state"] == "accepted"
    await desk.read(board(offer("1", 9_500), minutes=45))
    assert desk.states()[0]["outcome"] == "not_offered"


@pytest.mark.parametrize(
    ("changed", "state", "outcome"),
    [
        pytest.param({}, "applied", None, id="our price"),
        pytest.param(
            {"on_sale": False, "errors": ("NO_AVAILABILITIES",)},
            "unverified",
            "vanished",
            id="off sale",
        ),
    ],
)
async def test_a_page_of_the_cabinet_closes_it(
    desk: Desk, changed: dict[str, Any], state: str, outcome: str | None
) -> None:
    shown = CabinetOffer(
        store=MerchantId(OURS),
        sku="kettle",
        kaspi_id=ProductId(KETTLE),
        title=None,
        model=None,
        brand=None,
        price=Tenge(9_499),
        city_prices={ALMATY: Tenge(9_499)},
        prices={},
        points=(Point(id="700_PP1", available=True),),
        on_sale=True,
        errors=(),
        updated_at=None,
        archived_at=None,
    )
    page = ShopPage(
        store=MerchantId(OURS),
        page=0,
        on_sale=True,
        offers=(attrs.evolve(shown, **changed),),
        checked_at=board(minutes=11).checked_at,
    )
    await desk.record.process_item(page)
    assert desk.states() == [{"price": 9_499, "state": state, "outcome": outcome}]
