"""How often rivals change a board: each reading that shows it counts once, and fades."""

import importlib
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import psycopg
import pytest

from domain.identity import MerchantId
from domain.offers import Offer, OfferBoard
from domain.shop import RuleLine
from storage import listings, rules
from storage.database import in_transaction, open_engine
from storage.writer import BatchWriter
from tests.building import ALMATY, KETTLE, board, incomplete, offer
from tests.storage.looking import row

OURS, SISTER = "700", "701"
THREE_DAYS = 3 * 24 * 60


def ours(price: int, **more: Any) -> Offer:
    return offer(OURS, price, **more)


@pytest.fixture
def database(database: str) -> str:
    """A store of ours that sells the kettle, and a sister that is not kept here."""
    line = RuleLine(
        store=MerchantId(OURS), sku="kettle", said={"floor": 9_000, "ceiling": 12_000},
        kaspi_id=KETTLE,
    )  # fmt: skip
    rules.apply(database, [line], "rules.csv")
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE stores SET sisters = %s", [[SISTER]])
    return database


FIRST = board(ours(9_900), offer(SISTER, 9_800), offer("1", 9_700), offer("2", 9_600))


@pytest.mark.parametrize(
    ("then", "counted"),
    [
        pytest.param([], 0, id="a first reading is no change"),
        pytest.param([attrs.evolve(FIRST)], 0, id="nothing changed"),
        pytest.param(
            [board(ours(9_900), offer(SISTER, 9_800), offer("1", 9_500), offer("2", 9_600))],
            1,
            id="a rival asks another price",
        ),
        pytest.param(
            [board(ours(9_900), offer(SISTER, 9_800), offer("1", 9_500), offer("2", 9_400))],
            1,
            id="two rivals in one reading are one change",
        ),
        pytest.param(
            [
                board(
                    ours(9_900), offer(SISTER, 9_800), offer("2", 9_600),
                    offer("1", 9_700, price_minus_bonus=9_200),
                )
            ],
            1,
            id="a rival gives a bonus",
        ),
        pytest.param(
            [board(ours(9_800), offer(SISTER, 9_700), offer("1", 9_700), offer("2", 9_600))],
            0,
            id="we and our sister ask another price",
        ),
        pytest.param(
            [
                board(
                    ours(9_900), offer(SISTER, 9_800), offer("2", 9_600),
                    offer("1", 9_700, merchant_reviews=251, delivery_duration="TODAY"),
                )
            ],
            0,
            id="a rival brings sooner, for the same price",
        ),
        pytest.param(
            [board(ours(9_900), offer(SISTER, 9_800), offer("2", 9_600)), FIRST],
            2,
            id="a rival leaves and returns",
        ),
        pytest.param(
            [board(ours(9_900), offer(SISTER, 9_800), *FIRST.offers[2:], offer("3", 9_950))],
            1,
            id="a rival comes",
        ),
        pytest.param(
            [incomplete(offer("1", 9_700), total=4)], 0, id="of whom is not read nothing is known"
        ),
    ],
)  # fmt: skip
async def test_what_counts(
    database: str, writer: BatchWriter, then: list[OfferBoard], counted: int
) -> None:
    for number, reading in enumerate([FIRST, *then]):
        moment = FIRST.checked_at + timedelta(milliseconds=number)
        await writer.save(attrs.evolve(reading, checked_at=moment))
    assert changes(database) == counted * 10_000


async def test_what_was_counted_is_halved_in_three_days(database: str, writer: BatchWriter) -> None:
    for price, minutes in ((9_700, 0), (9_600, 60), (9_500, 60 + THREE_DAYS)):
        await writer.save(board(ours(9_900), offer("1", price), minutes=minutes))
    assert changes(database) == 15_000


async def test_the_watched_time_fades_like_the_changes(database: str, writer: BatchWriter) -> None:
    """A board that changes every six hours is seen to, after two days as after twelve."""
    seen = []
    for number in range(49):
        reading = board(ours(9_900), offer("1", 9_000 + number), minutes=360 * number)
        await writer.save(reading)
        if number in {0, 8, 48}:
            [listed] = await on_board(database, reading)
            seen.append((listed.changes, listed.watched))
    assert seen[0] == (0, timedelta(0))
    for changed, watched in seen[1:]:
        assert changed / 10_000 == pytest.approx(watched / timedelta(hours=6), rel=0.04)
    assert timedelta(days=1.5) < seen[1][1] < timedelta(days=2)
    assert timedelta(days=4) < seen[2][1] < timedelta(days=4.5)


async def test_an_upgrade_counts_what_history_tells(database: str, writer: BatchWriter) -> None:
    first = datetime.now(UTC) - timedelta(days=9)
    for day, price in enumerate((9_700, 9_600, 9_600, 9_500, 9_400)):
        reading = board(
            ours(9_900 - day), offer("1", price, delivery_days=day), offer("2", price),
            checked_at=first + timedelta(days=2 * day),
        )  # fmt: skip
        await writer.save(reading)
    kept = row(database, "SELECT * FROM boards")
    told = upgraded(database)
    left = 0.5 ** ((told["changes_at"] - kept["changes_at"]) / timedelta(days=3))
    assert told["changes"] == pytest.approx(kept["changes"] * left, rel=0.001)
    assert 10_000 < told["changes"] < 30_000


async def test_an_upgrade_does_not_count_what_moved_no_price(
    database: str, writer: BatchWriter
) -> None:
    """Of each offer the three weeks show one change: it brings sooner, for the same price."""
    now = datetime.now(UTC)
    for days, brings in ((30, "TOMORROW"), (2, "TODAY")):
        rivals = [offer(str(number), 9_700, delivery_duration=brings) for number in range(1, 5)]
        moment = now - timedelta(days=days)
        await writer.save(board(ours(9_900), *rivals, checked_at=moment))
    recent = "SELECT count(*) FROM offer_history WHERE event = 'changed'"
    assert row(database, recent)["count"] == 4
    assert upgraded(database)["changes"] == 0


def upgraded(database: str) -> dict[str, Any]:
    """The board as the migration counts its changes."""
    migration = importlib.import_module("storage.migrations.versions.0011_restless_boards")
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE boards SET changes = 0, changes_at = NULL")
        connection.execute(migration.COUNTED)
    return row(database, "SELECT * FROM boards")


def changes(database: str) -> int:
    found: int = row(database, "SELECT * FROM boards")["changes"]
    return found


async def on_board(database: str, reading: OfferBoard) -> list[Any]:
    engine = open_engine(database, connections=1)
    asked = [(KETTLE, ALMATY, reading.checked_at)]
    try:
        return await in_transaction(engine, lambda cursor: listings.on_boards(cursor, asked))
    finally:
        await engine.dispose()
