"""The past of a board, as it streams out of a real PostgreSQL."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity import MerchantId, ProductId
from domain.money import Tenge
from domain.past import Board, Moment
from domain.pricing import MarketOffer
from domain.readings import ProductReading
from storage.past import boards_of, past_of, remembered
from storage.retention import roll_up
from storage.writer import BatchWriter
from tests.building import (
    ALMATY,
    ASTANA,
    KETTLE,
    LAMP,
    START,
    at,
    board,
    incomplete,
    offer,
    refresh,
)
from tests.storage.looking import boards_at
from tests.storage.stories import stories, tell

EVER = datetime(1, 1, 1, tzinfo=UTC)
LATER = START + timedelta(days=300)
HERE = Board(KETTLE, ALMATY)
US = MerchantId("us")


def past(
    database: str, since: datetime = EVER, until: datetime = LATER, of: Board = HERE
) -> list[Moment]:
    with remembered(database) as connection:
        return list(past_of(connection, of, since, until))


def told(moments: Iterable[Moment]) -> list[tuple[int, dict[str, int]]]:
    """Minutes and prices by merchant."""
    return [
        (
            (moment.at - START) // timedelta(minutes=1),
            {offer.merchant: offer.price for offer in moment.offers},
        )
        for moment in moments
    ]


async def fill(writer: BatchWriter) -> None:
    """A board on which 102 goes and comes back, while 101 changes its price twice."""
    await writer.save(board(offer("101", 100), offer("102", 90)))
    await writer.save(board(offer("101", 95), offer("102", 90), minutes=10))
    await writer.save(board(offer("101", 95), minutes=20))
    await writer.save(board(offer("101", 95), offer("102", 91), minutes=30))
    await writer.save(board(offer("101", 99), offer("102", 91), minutes=40))
    await writer.save(board(offer("101", 99), offer("102", 91), minutes=50))


WHOLE = [
    (0, {"101": 100, "102": 90}),
    (10, {"101": 95, "102": 90}),
    (20, {"101": 95}),
    (30, {"101": 95, "102": 91}),
    (40, {"101": 99, "102": 91}),
    (50, {"101": 99, "102": 91}),
]


async def test_each_change_is_a_moment_and_the_last_reading_is_the_end(
    writer: BatchWriter, database: str
) -> None:
    await fill(writer)
    assert told(past(database)) == WHOLE


async def test_a_past_begins_with_how_the_board_stood(writer: BatchWriter, database: str) -> None:
    await fill(writer)
    between = past(database, at(15), at(35))
    assert told(between) == [(15, WHOLE[1][1]), *WHOLE[2:4], (35, WHOLE[3][1])]
    assert told(past(database, at(20), at(30))) == WHOLE[2:4]


async def test_before_the_first_reading_nothing_is_known(
    writer: BatchWriter, database: str
) -> None:
    await fill(writer)
    assert past(database, at(-60), at(-30)) == []
    assert told(past(database, at(-60), at(5))) == [WHOLE[0], (5, WHOLE[0][1])]


async def test_an_offer_comes_with_all_that_a_rule_may_look_at(
    writer: BatchWriter, database: str
) -> None:
    more = {"price_minus_bonus": Tenge(9_500), "preorder_days": 3, "delivery_days": 2}
    await writer.save(board(offer("101", 10_000, **more)))
    (moment,) = past(database)
    assert moment.offers == (
        MarketOffer(
            MerchantId("101"), 10_000, price_minus_bonus=9_500, delivery_days=2, rating=480,
            reviews=250, preorder_days=3,
        ),
    )  # fmt: skip


async def test_an_incomplete_reading_does_not_say_who_left(
    writer: BatchWriter, database: str
) -> None:
    await writer.save(board(offer("101", 100), offer("102", 90)))
    await writer.save(incomplete(offer("101", 80), total=2, minutes=10))
    assert told(past(database)) == [WHOLE[0], (10, {"101": 80, "102": 90})]


async def test_boards_stay_apart(writer: BatchWriter, database: str) -> None:
    await fill(writer)
    await writer.save(board(offer("101", 50), city=ASTANA))
    await writer.save(board(offer("101", 60), product=LAMP))
    assert told(past(database)) == WHOLE
    assert told(past(database, of=Board(KETTLE, ASTANA))) == [(0, {"101": 50})]
    assert past(database, of=Board(ProductId("0"), ALMATY)) == []


async def test_boards_are_found_by_who_stood_on_them(writer: BatchWriter, database: str) -> None:
    await fill(writer)
    await writer.save(refresh(boards=(), reviews=None))
    await writer.save(board(offer("103", 50), city=ASTANA))
    await writer.save(board(offer("102", 60), product=LAMP))
    await writer.save(board(minutes=60, product=LAMP))
    with remembered(database) as connection:
        stood = boards_of(connection, MerchantId("102"))
        assert stood == [Board(KETTLE, ALMATY, "Чайник Tulpar T-200 белый"), Board(LAMP, ALMATY)]
        assert boards_of(connection, MerchantId("102"), [LAMP]) == stood[1:]
        assert boards_of(connection, MerchantId("102"), None, [ASTANA]) == []
        assert boards_of(connection, MerchantId("104")) == []


async def test_what_was_rolled_up_is_gone_and_the_rest_goes_on(
    engine: AsyncEngine, writer: BatchWriter, database: str
) -> None:
    october = datetime(2026, 10, 1, tzinfo=UTC)
    late = (october - START) // timedelta(minutes=1)
    await fill(writer)
    await writer.save(board(offer("101", 70), offer("102", 91), minutes=late + 5))
    await roll_up(engine, october)
    kept = [(late, WHOLE[-1][1]), (late + 5, {"101": 70, "102": 91})]
    assert told(past(database)) == kept
    assert told(past(database, october)) == kept


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=stories())
async def test_every_moment_is_the_board_as_it_stood(
    writer: BatchWriter, database: str, story: list[list[ProductReading]]
) -> None:
    memory = await tell(writer, story)
    found = {
        (key, each.at): {offer.merchant: offer.price for offer in each.offers}
        for key in memory.boards
        for each in past(database, of=Board(*key))
    }
    standing = boards_at(database, list(found))
    assert found == {
        asked: {merchant: state["price"] for merchant, state in board.items()}
        for asked, board in standing.items()
    }
