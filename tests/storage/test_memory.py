"""Whatever is read in whatever order, the memory answers like one that forgets nothing."""

from itertools import pairwise

from hypothesis import HealthCheck, given, settings

from domain.identity import ProductId
from domain.readings import ProductReading
from storage.statements import (
    PASSING_OFFER_COLUMNS,
    REMEMBERED_OFFER_COLUMNS,
    REMEMBERED_PRODUCT_COLUMNS,
)
from storage.writer import BatchWriter
from tests.storage.looking import boards_at, rows
from tests.storage.model import Board, Key, Memory
from tests.storage.stories import stories, tell


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=stories())
async def test_the_memory_answers_like_one_that_forgets_nothing(
    writer: BatchWriter, database: str, story: list[list[ProductReading]]
) -> None:
    memory = await tell(writer, story)
    check_every_moment(database, memory)
    for key, each in memory.boards.items():
        check_board(database, key, each)
    for product in memory.homes:
        check_product(database, memory, product)


def check_every_moment(database: str, memory: Memory) -> None:
    asked = list(memory.moments())
    assert boards_at(database, asked) == {
        (key, moment): memory.boards[key].at(moment) for key, moment in asked
    }


def check_board(database: str, key: Key, told: Board) -> None:
    held = rows(
        database,
        "SELECT boards.* FROM boards JOIN products ON products.id = product_id "
        "WHERE kaspi_id = %s AND city_id = %s",
        *key,
    )
    if told.latest is None:
        assert held == []
        return
    complete = told.latest_complete
    figures = (complete.min_price, complete.max_price, len(complete.offers)) if complete else None
    (one,) = held
    assert one["checked_at"] == told.latest.checked_at
    assert (one["total"], one["complete"]) == (told.latest.total, told.latest.complete)
    assert one["completed_at"] == (complete.checked_at if complete else None)
    assert (one["min_price"], one["max_price"], one["seller_amount"]) == (
        figures or (None, None, None)
    )
    check_offers(database, key, told)


def check_offers(database: str, key: Key, told: Board) -> None:
    held = rows(
        database,
        "SELECT offers.* FROM offers JOIN products ON products.id = product_id "
        "WHERE kaspi_id = %s AND city_id = %s",
        *key,
    )
    names = REMEMBERED_OFFER_COLUMNS + PASSING_OFFER_COLUMNS
    assert {
        one["merchant_id"]: (one["gone_at"] is None, *(one[name] for name in names)) for one in held
    } == {
        merchant: (merchant in told.standing, *(getattr(offer, name) for name in names))
        for merchant, offer in told.offers.items()
    }


def check_product(database: str, memory: Memory, product: ProductId) -> None:
    (held,) = rows(database, "SELECT * FROM products WHERE kaspi_id = %s", product)
    assert (held["min_price"], held["max_price"], held["seller_amount"]) == memory.figures(product)
    assert held["home_city_id"] == memory.homes[product]
    assert held["gone_at"] == memory.gone[product]
    past = rows(
        database,
        "SELECT * FROM product_history WHERE product_id = %s ORDER BY checked_at",
        held["id"],
    )
    assert {name: past[-1][name] for name in REMEMBERED_PRODUCT_COLUMNS} == {
        name: held[name] for name in REMEMBERED_PRODUCT_COLUMNS
    }
    for one, other in pairwise(past):
        if other["event"] == "changed" and one["event"] != "gone":
            assert any(one[name] != other[name] for name in REMEMBERED_PRODUCT_COLUMNS)
