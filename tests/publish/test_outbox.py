"""What is pending: in which order it leaves, and when the world moves on meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import psycopg
import pytest
from scrapy import Request

from domain.budget import Budget
from domain.identity import MerchantId
from domain.pricing import Action
from kaspi_crawler.middlewares.punctuality import Punctuality, TooLate
from storage import departures, feeds
from storage.database import in_transaction, open_engine
from storage.queries import work_list_boards
from storage.writer import BatchWriter
from tests.building import ALMATY, ASTANA, KETTLE, LAMP, board, offer
from tests.pipelines.leading import OURS, Pipeline, have, leading, line


@pytest.fixture
async def pipeline(database: str, writer: BatchWriter) -> AsyncIterator[Pipeline]:
    """A kettle of ours at 10,000, for which 9,499 is pending."""
    async with leading(database, writer) as pipeline:
        await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
        yield pipeline


def do(database: str, statement: str, *values: object) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(statement.encode(), values or None)


async def leaving(database: str) -> list[str]:
    """The articles that wait, the first to leave first."""
    engine, store = open_engine(database, connections=1), MerchantId(OURS)
    try:
        found = await in_transaction(
            engine, lambda cursor: departures.queue(cursor, store, 10_000, 9, Budget())
        )
    finally:
        await engine.dispose()
    return [one.sku for one in found.intentions]


#: Whether its live price is forbidden, what it brings, and how many minutes ago it was decided.
Waiting = tuple[bool, int, int]


@pytest.mark.parametrize(
    ("kettle", "lamp", "first"),
    [
        pytest.param((False, 5, 0), (False, 9, 0), "lamp", id="what brings more"),
        pytest.param((False, 900, 9), (True, -4, 0), "lamp", id="a forbidden live price first"),
        pytest.param((True, 3, 9), (True, 7, 0), "lamp", id="of forbidden ones what brings more"),
        pytest.param((False, 5, 1), (False, 5, 9), "lamp", id="the older of equals"),
        pytest.param((False, 5, 0), (False, 5, 0), "kettle", id="the first of twins"),
        pytest.param((False, -5, 0), (False, 0, 0), "lamp", id="what costs something last"),
    ],
)
async def test_the_order_in_which_prices_leave(
    pipeline: Pipeline, kettle: Waiting, lamp: Waiting, first: str
) -> None:
    await also_sell_a_lamp(pipeline)
    for sku, (forbidden, brings, age) in (("kettle", kettle), ("lamp", lamp)):
        do(
            pipeline.database,
            """UPDATE intentions
               SET forbidden = %s, brings = %s,
                   made_at = timestamptz '2026-09-18' - %s * interval '1 minute'
               FROM listings WHERE listings.id = listing_id AND sku = %s""",
            *(forbidden, brings, age, sku),
        )
    found = await leaving(pipeline.database)
    assert (found[0], sorted(found)) == (first, ["kettle", "lamp"])


async def also_sell_a_lamp(pipeline: Pipeline) -> None:
    """The lamp stands as the kettle does, to a tenge."""
    have(pipeline.database, line("lamp", floor=9_000, ceiling=12_000))
    await pipeline.close()
    await pipeline.open()
    await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500), product=LAMP))


async def test_of_equal_gains_that_on_the_quieter_board_leaves_first(pipeline: Pipeline) -> None:
    await also_sell_a_lamp(pipeline)
    for number, minutes in enumerate(range(30, 330, 30)):
        restless = offer("2", 20_000 + number)
        await pipeline.read(
            board(offer(OURS, 10_000), offer("1", 9_500), restless, minutes=minutes)
        )
    quiet = board(offer(OURS, 10_000), offer("1", 9_500), product=LAMP, minutes=300)
    await pipeline.read(quiet)
    assert await leaving(pipeline.database) == ["lamp", "kettle"]


async def test_what_waits_moves_when_its_board_becomes_quiet(pipeline: Pipeline) -> None:
    [row] = pipeline.rows("SELECT brings FROM intentions")
    for minutes in (5, 9 * 24 * 60):
        await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500), minutes=minutes))
    [later] = pipeline.rows("SELECT brings FROM intentions")
    assert later["brings"] > row["brings"] * 3 // 2 > 0


async def test_a_pending_price_that_the_board_shows_came_by_another_way(
    pipeline: Pipeline,
) -> None:
    await pipeline.read(board(offer(OURS, 9_499), offer("1", 9_500), minutes=5))
    assert pipeline.intentions == [(9_499, "applied")]
    [held] = pipeline.rows("SELECT price FROM listings")
    assert held["price"] == 9_499


async def test_a_price_that_only_our_memory_holds_is_not_applied(pipeline: Pipeline) -> None:
    """Seen once, then overruled; the board without us shows no price of ours at all."""
    for minutes, price in ((5, 9_499), (10, 10_000)):
        await pipeline.read(board(offer(OURS, price), offer("1", 9_500), minutes=minutes))
    assert pipeline.intentions == [(9_499, "applied"), (9_499, "pending")]
    [decided] = await pipeline.read(board(offer("1", 9_500), minutes=15))
    assert (decided.decision.action, decided.decision.before) == (Action.OFF, 9_499)
    assert pipeline.intentions == [(9_499, "applied"), (9_499, "withdrawn")]


async def test_the_last_price_of_an_offer_that_is_gone_did_not_arrive(pipeline: Pipeline) -> None:
    do(pipeline.database, "UPDATE listings SET price = 9800; UPDATE intentions SET price = 10000")
    [decided] = await pipeline.read(board(offer("1", 9_500), minutes=5))
    assert (decided.listing.price, pipeline.intentions) == (9_800, [(10_000, "withdrawn")])


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
