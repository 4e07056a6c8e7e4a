"""Forgetting old months: what may go, what must stay, and who may not be disturbed."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.moments import almaty_date
from domain.readings import ProductReading
from storage.partitions import following, month_of
from storage.patience import Patience
from storage.retention import RolledUp, kept_from, roll_up
from storage.writer import BatchWriter
from tests.building import ASTANA, START, board, offer
from tests.storage.looking import board_at, boards_at, everything, history, rows
from tests.storage.model import TICK, Memory
from tests.storage.stories import stories, tell

OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)


def minutes_to(moment: datetime) -> float:
    """What the builders call this moment."""
    return (moment - START).total_seconds() / 60


def months(database: str) -> list[str]:
    held = rows(
        database,
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits "
        "WHERE inhparent = 'offer_history'::regclass ORDER BY 1",
    )
    return [one["name"].removeprefix("offer_history_") for one in held]


def daily(database: str) -> list[tuple[date, int, int, int, str, int]]:
    return [
        (
            one["day"],
            one["min_price"],
            one["max_price"],
            one["last_price"],
            one["last_event"],
            one["changes"],
        )
        for one in rows(database, "SELECT * FROM offer_history_daily ORDER BY day, min_price")
    ]


@pytest.mark.parametrize(
    ("now", "kept", "wanted"),
    [
        pytest.param("2026-11-21", 1, "2026-10-01", id="this month and the one before"),
        pytest.param("2026-11-21", 6, "2026-05-01", id="half a year"),
        pytest.param("2026-11-30", 11, "2025-12-01", id="past the turn of the year"),
        pytest.param("2026-12-01", 24, "2024-12-01", id="two years"),
    ],
)
def test_months_are_kept_whole(now: str, kept: int, wanted: str) -> None:
    assert kept_from(
        datetime.fromisoformat(now).replace(tzinfo=UTC), kept
    ) == datetime.fromisoformat(wanted).replace(tzinfo=UTC)


def test_the_turn_of_the_month_is_that_of_utc() -> None:
    early_in_almaty = datetime.fromisoformat("2026-12-01T03:00:00+05:00")
    assert kept_from(early_in_almaty, 1) == OCTOBER


def test_nothing_may_not_be_kept() -> None:
    with pytest.raises(ValueError, match="0 months are too few"):
        kept_from(START, 0)


async def test_history_is_cut_only_between_months(engine: AsyncEngine) -> None:
    with pytest.raises(ValueError, match="not the start of a month in UTC"):
        await roll_up(engine, START)


async def test_an_empty_history_has_nothing_to_forget(engine: AsyncEngine) -> None:
    assert await roll_up(engine, OCTOBER) == RolledUp()


async def test_one_who_stands_is_carried_and_one_who_left_is_not(
    writer: BatchWriter, engine: AsyncEngine, database: str
) -> None:
    await writer.save(board(offer("1", 100), offer("2", 200)))
    await writer.save(board(offer("1", 90), offer("2", 200), minutes=1))
    await writer.save(board(offer("1", 90), minutes=2))
    done = await roll_up(engine, OCTOBER)
    assert done == RolledUp(
        months=(datetime(2026, 9, 1, tzinfo=UTC),), changes=4, days=2, carried=1
    )
    assert history(database) == [(minutes_to(OCTOBER), "carried", "1", 90)]
    assert daily(database) == [
        (START.date(), 90, 100, 90, "changed", 2),
        (START.date(), 200, 200, 200, "gone", 2),
    ]
    assert months(database) == ["2026_10"]
    (standing,) = board_at(database, OCTOBER)
    assert (standing["price"], standing["since"]) == (90, OCTOBER)


async def test_one_who_changed_at_the_very_turn_needs_no_carrying(
    writer: BatchWriter, engine: AsyncEngine, database: str
) -> None:
    await writer.save(board(offer("1", 100)))
    await writer.save(board(offer("1", 90), minutes=minutes_to(OCTOBER)))
    assert (await roll_up(engine, OCTOBER)).carried == 0
    assert [event for _, event, *_ in history(database)] == ["changed"]


async def test_a_day_that_lies_in_two_months_is_one_row(
    writer: BatchWriter, engine: AsyncEngine, database: str
) -> None:
    """Until 5 in the morning of Almaty it is still the month before in UTC."""
    last_night, this_morning = OCTOBER - timedelta(hours=4), OCTOBER + timedelta(hours=3)
    for price, moment in ((100, last_night), (80, OCTOBER), (120, this_morning)):
        await writer.save(board(offer("1", price), minutes=minutes_to(moment)))
    await roll_up(engine, NOVEMBER)
    assert daily(database) == [(date(2026, 10, 1), 80, 120, 120, "changed", 3)]


async def test_a_day_of_departure_alone_tells_the_last_price(
    writer: BatchWriter, engine: AsyncEngine, database: str
) -> None:
    await writer.save(board(offer("1", 100)))
    await writer.save(board(minutes=24 * 60))
    await roll_up(engine, OCTOBER)
    assert daily(database)[1] == (date(2026, 9, 19), 100, 100, 100, "gone", 1)


async def test_a_departure_is_no_price_of_its_day(
    writer: BatchWriter, engine: AsyncEngine, database: str
) -> None:
    await writer.save(board(offer("1", 100)))
    await writer.save(board(minutes=24 * 60))
    await writer.save(board(offer("1", 130), minutes=24 * 60 + 5))
    await roll_up(engine, OCTOBER)
    assert daily(database)[1] == (date(2026, 9, 19), 130, 130, 130, "returned", 2)


async def test_what_was_carried_is_carried_on_and_is_no_change(
    writer: BatchWriter, engine: AsyncEngine, database: str
) -> None:
    await writer.save(board(offer("1", 100)))
    await roll_up(engine, OCTOBER)
    done = await roll_up(engine, NOVEMBER)
    assert (done.changes, done.days, done.carried) == (0, 0, 1)
    assert len(daily(database)) == 1
    assert history(database) == [(minutes_to(NOVEMBER), "carried", "1", 100)]


async def test_forgetting_twice_changes_nothing(
    writer: BatchWriter, engine: AsyncEngine, database: str
) -> None:
    await writer.save(board(offer("1", 100)))
    await roll_up(engine, OCTOBER)
    before = everything(database)
    assert await roll_up(engine, OCTOBER) == RolledUp()
    assert everything(database) == before


async def test_two_who_forget_at_once_take_turns(
    writer: BatchWriter, engine: AsyncEngine, database: str
) -> None:
    for week in range(12):
        await writer.save(board(offer("1", 100 + week), minutes=week * 7 * 24 * 60))
    both = await asyncio.gather(roll_up(engine, NOVEMBER), roll_up(engine, NOVEMBER))
    assert sum(done.changes for done in both) == 7
    assert len(daily(database)) == 7


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=stories(), cut=st.integers(0, 4), one_by_one=st.booleans())
async def test_whatever_happened_the_kept_history_stays_exact(
    engine: AsyncEngine,
    database: str,
    story: list[list[ProductReading]],
    cut: int,
    one_by_one: bool,
) -> None:
    writer = BatchWriter(engine, Patience(linger=0.001, give_up_after=5.0))
    memory = await tell(writer, story)
    await writer.close()
    cuts = [month_of(START)]
    for _ in range(cut):
        cuts.append(following(cuts[-1]))
    wanted = wanted_days(database, cuts[-1])
    for keep_from in cuts if one_by_one else cuts[-1:]:
        await roll_up(engine, keep_from)
    check_kept(database, memory, cuts[-1])
    assert held_days(database) == wanted
    forget_everything(database)


def check_kept(database: str, memory: Memory, keep_from: datetime) -> None:
    """Every board at every moment since is as it was, only its age may be forgotten."""
    known = [(key, moment) for key, moment in memory.moments() if moment >= keep_from]
    asked = [
        *known,
        *((key, keep_from + tick) for key in memory.boards for tick in (0 * TICK, TICK)),
    ]
    told = boards_at(database, asked)
    for key, moment in asked:
        wanted = memory.boards[key].at(moment)
        assert {m: without_age(state) for m, state in told[key, moment].items()} == {
            m: without_age(state) for m, state in wanted.items()
        }
        for merchant, state in told[key, moment].items():
            assert wanted[merchant]["since"] <= state["since"] <= moment


def without_age(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name != "since"}


Days = dict[tuple[int, date], tuple[int, int, int, str, int]]


def wanted_days(database: str, before: datetime) -> Days:
    """The days of the history before a moment, reckoned one change at a time."""
    days: dict[tuple[int, date], list[dict[str, Any]]] = defaultdict(list)
    for one in rows(
        database, "SELECT * FROM offer_history WHERE created_at < %s ORDER BY created_at", before
    ):
        days[one["offer_id"], almaty_date(one["created_at"])].append(one)
    return {key: _day(changes) for key, changes in days.items()}


def _day(changes: Iterable[dict[str, Any]]) -> tuple[int, int, int, str, int]:
    *_, last = changes = list(changes)
    prices = [one["price"] for one in changes if one["event"] != "gone"] or [last["price"]]
    return min(prices), max(prices), last["price"], last["event"], len(changes)


def held_days(database: str) -> Days:
    return {
        (one["offer_id"], one["day"]): (
            one["min_price"],
            one["max_price"],
            one["last_price"],
            one["last_event"],
            one["changes"],
        )
        for one in rows(database, "SELECT * FROM offer_history_daily")
    }


def forget_everything(database: str) -> None:
    """Make room for the next story, whose months lie in the past again."""
    with psycopg.connect(database) as connection:
        connection.execute("TRUNCATE products, product_cards, product_changes, boards, offers")
        connection.execute("TRUNCATE offer_history, offer_history_daily, work_list")


async def test_a_kill_in_the_middle_leaves_the_month_whole(
    writer: BatchWriter, engine: AsyncEngine, database: str
) -> None:
    await writer.save(board(offer("1", 100)))
    await writer.save(board(offer("1", 90), minutes=minutes_to(OCTOBER) + 5))
    before = everything(database)
    with psycopg.connect(database) as reader:
        reader.execute("SELECT count(*) FROM offer_history")
        forgetting = asyncio.create_task(roll_up(engine, OCTOBER))
        await asyncio.sleep(0.5)
        assert not forgetting.done()
        with psycopg.connect(database, autocommit=True) as killer:
            killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN "
                "(SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 7355610)"
            )
        with pytest.raises((psycopg.OperationalError, DBAPIError)):
            await forgetting
    assert everything(database) == before
    assert (await roll_up(engine, OCTOBER)).changes == 1


async def test_a_long_reader_is_waited_for_while_crawls_go_on(
    writer: BatchWriter, engine: AsyncEngine, database: str
) -> None:
    await writer.save(board(offer("1", 100)))
    with psycopg.connect(database) as reader:
        reader.execute("SELECT count(*) FROM offer_history")
        forgetting = asyncio.create_task(roll_up(engine, OCTOBER))
        for step in range(1, 6):
            await asyncio.sleep(0.3)
            crawled = board(offer("1", 100 + step), city=ASTANA, minutes=90 * 24 * 60 + step)
            await asyncio.wait_for(writer.save(crawled), 5)
        assert not forgetting.done()
    assert (await asyncio.wait_for(forgetting, 20)).carried == 1
