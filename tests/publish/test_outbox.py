"""What is pending when the world moves on: by another way, in another city, in a hurry."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import psycopg
import pytest
from scrapy import Request

from domain.identity import MerchantId
from kaspi_crawler.middlewares.punctuality import Punctuality, TooLate
from storage import feeds
from storage.database import open_engine
from storage.queries import work_list_boards
from storage.writer import BatchWriter
from tests.building import ALMATY, ASTANA, KETTLE, LAMP, board, offer
from tests.pipelines.leading import OURS, Pipeline, leading


@pytest.fixture
async def pipeline(database: str, writer: BatchWriter) -> AsyncIterator[Pipeline]:
    """A kettle of ours at 10,000, for which 9,499 is pending."""
    async with leading(database, writer) as pipeline:
        await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
        yield pipeline


def do(database: str, statement: str, *values: object) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(statement.encode(), values or None)


async def test_a_pending_price_that_the_board_shows_came_by_another_way(
    pipeline: Pipeline,
) -> None:
    await pipeline.read(board(offer(OURS, 9_499), offer("1", 9_500), minutes=5))
    assert pipeline.intentions == [(9_499, "applied")]
    [held] = pipeline.rows("SELECT price FROM listings")
    assert held["price"] == 9_499


async def test_a_price_of_ours_that_just_arrived_is_no_edit_from_outside(
    pipeline: Pipeline,
) -> None:
    do(pipeline.database, "UPDATE listings SET price = 20000")
    [decided] = await pipeline.read(board(offer(OURS, 9_499), offer("1", 9_500), minutes=5))
    assert decided.listing.price == 9_499


async def test_the_remembered_price_is_that_of_the_city(pipeline: Pipeline) -> None:
    do(
        pipeline.database,
        """INSERT INTO listing_prices
           SELECT id, city, 7777 FROM listings, unnest(%s::text[]) AS city
           WHERE sku = 'kettle'""",
        [ALMATY, ASTANA],
    )
    [decided] = await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_400), minutes=5))
    assert decided.listing.price == 7_777


async def test_the_feed_says_what_is_on_its_way_through_the_cabinet(pipeline: Pipeline) -> None:
    do(
        pipeline.database,
        "UPDATE intentions SET state = 'accepted', sent_at = now(), accepted_at = now();"
        "UPDATE listings SET price = 10000, name = 'Kettle';"
        "INSERT INTO listing_points SELECT id, 'PP1', true FROM listings",
    )
    with feeds.store_feed(pipeline.database, MerchantId(OURS)) as feed:
        [told] = list(feed.offers())
    assert "9499" in repr(told)


async def test_a_board_in_a_hurry_is_read_before_all_others(
    pipeline: Pipeline, database: str
) -> None:
    await pipeline.read(board(offer("1", 100), product=LAMP, minutes=-60))
    assert await first(database) == LAMP
    do(database, "UPDATE work_list SET hurry_since = now() WHERE kaspi_id = %s", KETTLE)
    assert await first(database) == KETTLE


async def first(database: str) -> str:
    engine = open_engine(database, connections=1)
    try:
        async for product, _ in work_list_boards(engine, datetime.now(UTC)):
            return product
    finally:
        await engine.dispose()
    raise AssertionError("the work list is empty")


async def test_a_question_that_waited_too_long_does_not_leave() -> None:
    now = asyncio.get_running_loop().time()
    door = Punctuality()
    door.process_request(Request("http://127.0.0.1/"))
    door.process_request(Request("http://127.0.0.1/", meta={"leaves_by": now + 9}))
    with pytest.raises(TooLate):
        door.process_request(Request("http://127.0.0.1/", meta={"leaves_by": now - 1}))
