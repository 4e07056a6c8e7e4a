"""The work list: read once and whole, though the database may be away meanwhile."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import psycopg
import pytest
from scrapy.utils.test import get_crawler

from kaspi_crawler.spiders.offers import OffersSpider
from kaspi_crawler.work_list import boards_to_read, products_to_read
from storage import queries
from tests.crawl.crawling import Workplace
from tests.crawl.outage import away
from tests.crawl.remembered import rows

PRODUCTS = [f"10450{number:04}" for number in range(12)]
CITIES = ("710000000", "750000000")


@pytest.fixture
def listing(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """A place with a work list of 24 boards, which travels in slices of five."""
    monkeypatch.setattr(queries, "SLICE", 5)
    with psycopg.connect(workplace.database) as connection:
        for product in PRODUCTS:
            for city in CITIES:
                connection.execute(
                    "INSERT INTO work_list (kaspi_id, city_id) VALUES (%s, %s)", [product, city]
                )
    return workplace


def spider(workplace: Workplace, **told: str) -> OffersSpider:
    settings = {**workplace.environment, "STORE_PATIENCE": 20}
    return OffersSpider.from_crawler(get_crawler(OffersSpider, settings), **told)


async def test_every_board_is_listed_once(listing: Workplace) -> None:
    reader = spider(listing)
    boards = Counter([board async for board in boards_to_read(reader)])
    assert boards == Counter((product, city) for product in PRODUCTS for city in CITIES)
    assert reader.expected == 24


async def test_every_product_is_listed_once(listing: Workplace) -> None:
    reader = spider(listing)
    assert [product async for product in products_to_read(reader)] == PRODUCTS
    assert reader.expected == 12


async def test_chosen_cities_are_the_only_ones(listing: Workplace) -> None:
    reader = spider(listing, cities="almaty")
    boards = [board async for board in boards_to_read(reader)]
    assert boards == [(product, "750000000") for product in PRODUCTS]
    assert reader.expected == 12


async def test_where_nothing_is_watched_the_cities_of_the_list_are_named(
    listing: Workplace, caplog: pytest.LogCaptureFixture
) -> None:
    reader = spider(listing, cities="511010000")
    assert [board async for board in boards_to_read(reader)] == []
    assert f"in 511010000. Its cities: {', '.join(CITIES)}" in caplog.text


async def test_what_a_spider_is_told_comes_before_any_list(listing: Workplace) -> None:
    reader = spider(listing, products="102298404", cities="almaty,astana")
    boards = [board async for board in boards_to_read(reader)]
    assert boards == [("102298404", "750000000"), ("102298404", "710000000")]


async def test_a_restarted_database_interrupts_no_list(listing: Workplace) -> None:
    """Its connections are cut between two slices, and come up again."""
    boards = boards_to_read(spider(listing))
    first = [await anext(boards) for _ in range(3)]
    cut(listing)
    rest = [board async for board in boards]
    assert Counter(first + rest) == Counter(
        (product, city) for product in PRODUCTS for city in CITIES
    )


def cut(workplace: Workplace) -> None:
    rows(
        workplace.database,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


async def test_a_database_that_is_away_between_two_slices_is_waited_for(
    listing: Workplace, server: str
) -> None:
    boards = boards_to_read(spider(listing))
    first = [await anext(boards) for _ in range(3)]

    async def finish(rest: AsyncIterator[object]) -> list[object]:
        return [board async for board in rest]

    with away(listing, server):
        rest = asyncio.create_task(finish(boards))
        await asyncio.sleep(0.5)
        assert not rest.done()
    assert len({*first, *await rest}) == 24


async def test_a_database_that_stays_away_is_given_up(listing: Workplace, server: str) -> None:
    reader = spider(listing)
    reader.settings.frozen = False
    reader.settings.set("STORE_PATIENCE", 0.1)
    boards = boards_to_read(reader)
    await anext(boards)
    with away(listing, server), pytest.raises(Exception, match="not currently accepting"):
        _ = [board async for board in boards]
