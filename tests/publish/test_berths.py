"""One process at a time carries for a store, and a killed one lets go."""

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest

from domain.identity import MerchantId
from storage import berths as berths_module
from storage import database as database_module
from storage.berths import Berths

OURS, OTHER = MerchantId("30000001"), MerchantId("30000002")
Story = Callable[[Berths, Berths], Awaitable[list[bool]]]


async def _taken_once(first: Berths, second: Berths) -> list[bool]:
    return [await first.take(OURS), await second.take(OURS)]


async def _left(first: Berths, second: Berths) -> list[bool]:
    await first.take(OURS)
    await first.leave(OURS)
    return [await second.take(OURS)]


async def _of_two_stores(first: Berths, second: Berths) -> list[bool]:
    return [await first.take(OURS), await second.take(OTHER)]


async def _closed(first: Berths, second: Berths) -> list[bool]:
    await first.take(OURS)
    await first.close()
    return [await second.take(OURS)]


async def _broken(first: Berths, second: Berths) -> list[bool]:
    await first.take(OURS)
    with psycopg.connect(first.address, autocommit=True) as connection:
        connection.execute(_END_ALL)
    await first.leave(OURS)
    return [await second.take(OURS), await first.take(OURS), await first.take(OTHER)]


_END_ALL = """
SELECT pg_terminate_backend(pid, 5_000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%advisory_lock%'
"""


@pytest.mark.parametrize(
    ("story", "had"),
    [
        pytest.param(_taken_once, [True, False], id="who comes second does not get it"),
        pytest.param(_left, [True], id="what is left is another's"),
        pytest.param(_of_two_stores, [True, True], id="each store has its own"),
        pytest.param(_closed, [True], id="who ends leaves all"),
        pytest.param(
            _broken, [True, False, True], id="a lost connection lets go, and is made anew"
        ),
    ],
)
def test_a_berth_is_one_processs(database: str, story: Story, had: list[bool]) -> None:
    async def play() -> list[bool]:
        first, second = Berths(database), Berths(database)
        try:
            return await story(first, second)
        finally:
            await first.close()
            await second.close()

    assert asyncio.run(play()) == had


async def test_a_server_that_does_not_answer_holds_up_nobody(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it is asked to let go: the connection goes, and the berth with it."""
    monkeypatch.setattr(database_module, "SILENCE", 0.2)
    monkeypatch.setattr(berths_module, "_LEAVE", "SELECT pg_sleep(3) IS NULL AND %s::bigint > 0")
    first, second = Berths(database), Berths(database)
    assert await first.take(OURS)
    await first.leave(OURS)
    assert await second.take(OURS)
    await asyncio.gather(first.close(), second.close())
