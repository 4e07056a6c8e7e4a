"""The work list: the longest unread first, each once, in slices that nobody notices."""

from collections.abc import AsyncIterator
from typing import TypeVar

import attrs
import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity import CityId, ProductId
from storage import queries
from storage.queries import (
    WorkListSize,
    work_list_boards,
    work_list_products,
    work_list_size,
)
from storage.writer import BatchWriter
from tests.building import ALMATY, ASTANA, KETTLE, LAMP, at, board, card, missing, offer, refresh

Thing = TypeVar("Thing")
NEVER_READ = ProductId("104500900")


async def listed(things: AsyncIterator[Thing]) -> list[Thing]:
    return [thing async for thing in things]


def put_on_the_list(database: str, product: ProductId, city: CityId) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO work_list (kaspi_id, city_id) VALUES (%s, %s)", [product, city]
        )


@pytest.fixture
async def market(writer: BatchWriter, database: str) -> None:
    """The kettle read after the lamp, in two cities; and one that was only put on the list."""
    await writer.save(board(offer(), product=LAMP, minutes=1))
    await writer.save(refresh(board(offer(), minutes=2), board(offer(), city=ASTANA, minutes=5)))
    put_on_the_list(database, NEVER_READ, ALMATY)


@pytest.mark.usefixtures("market")
async def test_the_size_counts_products_and_boards(engine: AsyncEngine) -> None:
    cities = (ASTANA, ALMATY)
    whole = WorkListSize(products=3, boards=4, cities=cities)
    assert await work_list_size(engine) == whole
    assert await work_list_size(engine, (ASTANA,)) == attrs.evolve(whole, boards=1)


@pytest.mark.usefixtures("market")
async def test_a_product_that_is_gone_has_no_board_to_read(
    engine: AsyncEngine, writer: BatchWriter
) -> None:
    await writer.save(missing(minutes=9, product=KETTLE))
    size = await work_list_size(engine)
    assert size.boards == len(await listed(work_list_boards(engine, at(99)))) == 2


async def test_an_empty_list_is_empty(engine: AsyncEngine) -> None:
    assert await work_list_size(engine) == WorkListSize(products=0, boards=0, cities=())
    assert await listed(work_list_products(engine)) == []
    assert await listed(work_list_boards(engine, at(99))) == []


@pytest.mark.usefixtures("market")
async def test_boards_come_the_longest_unread_first(engine: AsyncEngine) -> None:
    assert await listed(work_list_boards(engine, at(99))) == [
        (NEVER_READ, ALMATY),
        (LAMP, ALMATY),
        (KETTLE, ALMATY),
        (KETTLE, ASTANA),
    ]


@pytest.mark.usefixtures("market")
async def test_boards_that_were_read_meanwhile_do_not_come(engine: AsyncEngine) -> None:
    assert await listed(work_list_boards(engine, at(2))) == [(NEVER_READ, ALMATY), (LAMP, ALMATY)]


@pytest.mark.usefixtures("market")
async def test_only_the_asked_cities_come(engine: AsyncEngine) -> None:
    assert await listed(work_list_boards(engine, at(99), (ASTANA,))) == [(KETTLE, ASTANA)]
    assert await listed(work_list_boards(engine, at(99), ())) == []


@pytest.mark.parametrize("slice_size", [1, 2, 3])
@pytest.mark.usefixtures("market")
async def test_slices_lose_and_double_nothing(
    engine: AsyncEngine, database: str, monkeypatch: pytest.MonkeyPatch, slice_size: int
) -> None:
    whole = await listed(work_list_boards(engine, at(99)))
    for number in range(5):
        put_on_the_list(database, ProductId(f"20450090{number}"), ALMATY)
    whole[1:1] = [(ProductId(f"20450090{number}"), ALMATY) for number in range(5)]
    monkeypatch.setattr(queries, "SLICE", slice_size)
    assert await listed(work_list_boards(engine, at(99))) == whole


async def test_a_crawl_that_reads_as_it_goes_meets_each_board_once(
    writer: BatchWriter, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "SLICE", 2)
    products = [ProductId(str(number)) for number in range(7)]
    for minute, product in enumerate(products):
        await writer.save(board(offer(), product=product, minutes=minute))
    met = []
    async for product, _city in work_list_boards(engine, before=at(100)):
        met.append(product)
        await writer.save(board(offer(), product=product, minutes=100 + len(met)))
    assert met == products


async def test_products_come_the_longest_unread_card_first(
    writer: BatchWriter, engine: AsyncEngine
) -> None:
    await writer.save(refresh(minutes=5))
    await writer.save(refresh(board(offer(), product=LAMP), card=card(9, LAMP), reviews=None))
    assert [product for product, _ in await listed(work_list_products(engine))] == [KETTLE, LAMP]
    await writer.save(board(offer(), product=NEVER_READ, minutes=20))
    assert [product for product, _ in await listed(work_list_products(engine))] == [
        NEVER_READ,
        KETTLE,
        LAMP,
    ]
    await writer.save(missing(11))
    assert [product for product, _ in await listed(work_list_products(engine))] == [
        NEVER_READ,
        LAMP,
        KETTLE,
    ]


async def test_a_product_comes_with_its_cities_the_home_city_first(
    writer: BatchWriter, engine: AsyncEngine, database: str
) -> None:
    await writer.save(refresh(home_city=ASTANA, minutes=5))
    put_on_the_list(database, KETTLE, ASTANA)
    assert await listed(work_list_products(engine)) == [(KETTLE, (ASTANA, ALMATY))]


async def test_offers_of_a_product_that_is_gone_are_not_asked_for(
    writer: BatchWriter, engine: AsyncEngine
) -> None:
    await writer.save(refresh(minutes=5))
    await writer.save(missing(11))
    assert await listed(work_list_boards(engine, at(99))) == []
