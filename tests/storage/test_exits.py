"""The book of exits: who writes names the version that he read."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise

import attrs
import psycopg
import pytest

from domain.exits import Exit, Pace
from storage.exits import ExitBook, listed
from storage.schema import libpq_address

NAMES = ("direct", "203.0.113.7:8080")
PACE = Pace(interval=timedelta(milliseconds=10), burst=1)


@pytest.fixture
async def book(database: str) -> AsyncIterator[ExitBook]:
    book = ExitBook(database)
    await book.enter("kaspi.kz", "api", NAMES)
    yield book
    await book.close()


async def test_an_exit_is_entered_once_and_kept(book: ExitBook) -> None:
    await book.enter("kaspi.kz", "api", NAMES)
    exits, now = await book.read("kaspi.kz", "api", NAMES)
    assert sorted(exits) == sorted(NAMES)
    assert now is not None
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)
    assert (await book.read("kaspi.kz", "page", NAMES)) == ({}, None)


async def test_everything_known_of_an_exit_comes_back(book: ExitBook, database: str) -> None:
    exits, now = await book.read("kaspi.kz", "api", NAMES)
    assert now
    changed = attrs.evolve(
        exits["direct"],
        next_at=now,
        rest=timedelta(seconds=61.5),
        resting_until=now,
        trial_until=now,
        vain=2,
        doubts=1,
        health=44,
        answered=10**10,
        refused={"forbidden": 3, "captcha": 1},
        last_refusal="captcha",
        rests=4,
        trials=5,
    )
    stands = await book.swap(changed)
    assert stands == attrs.evolve(changed, version=1)
    assert {each.name: each for each in listed(database)}["direct"] == stands


async def test_who_read_before_another_wrote_must_read_again(book: ExitBook) -> None:
    exits, _ = await book.read("kaspi.kz", "api", NAMES)
    held = exits["direct"]
    assert await book.swap(attrs.evolve(held, health=50))
    assert await book.swap(attrs.evolve(held, health=60)) is None
    exits, _ = await book.read("kaspi.kz", "api", NAMES)
    assert exits["direct"].health == 50


async def test_many_who_draw_at_once_never_get_the_same_turn(book: ExitBook, database: str) -> None:
    books = [book, *(ExitBook(database) for _ in range(3))]

    async def draw(mine: ExitBook) -> list[datetime]:
        moments: list[datetime] = []
        while len(moments) < 15:
            exits, now = await mine.read("kaspi.kz", "api", NAMES[:1])
            assert now
            taken, turns = exits["direct"].take(PACE, now)
            if await mine.swap(taken):
                moments += [turn.moment for turn in turns]
        return moments

    drawn = sorted(chain.from_iterable(await asyncio.gather(*map(draw, books))))
    assert len(drawn) == 60
    assert min(later - earlier for earlier, later in pairwise(drawn)) >= PACE.interval
    for each in books[1:]:
        await each.close()


def test_a_name_with_a_password_is_refused_by_the_table(database: str) -> None:
    with (
        psycopg.connect(libpq_address(database)) as connection,
        pytest.raises(psycopg.errors.CheckViolation),
    ):
        connection.execute("INSERT INTO exits (host, kind, name) VALUES ('h', 'api', 'u:p@h:1')")


def test_an_exit_has_the_columns_of_its_table(database: str) -> None:
    with psycopg.connect(libpq_address(database)) as connection:
        found = connection.execute("SELECT * FROM exits").description
    assert found
    assert {column.name for column in found} == {field.name for field in attrs.fields(Exit)}
