"""Turns are given out in order, and whoever waits for one costs nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import attrs

from domain.exits import Exit, Pace, Turn
from kaspi_crawler.turnstile import Ledger, Turnstile
from storage.exits import ExitBook

FAST = Pace(interval=timedelta(milliseconds=1))


class Shelf:
    """A book of exits in memory, with nobody else who writes."""

    def __init__(self, *exits: Exit) -> None:
        self.exits = {each.name: each for each in exits}

    async def read(self, *_: Any) -> tuple[dict[str, Exit], datetime]:
        """The exits as they are."""
        return dict(self.exits), datetime.now(UTC)

    async def swap(self, changed: Exit) -> Exit:
        """Write an exit."""
        self.exits[changed.name] = attrs.evolve(changed, version=changed.version + 1)
        return self.exits[changed.name]


class CountingLedger(Ledger):
    """A ledger that counts how often it is asked for turns."""

    asked = 0

    async def take(
        self, names: Collection[str], pace: Pace, count: int, avoiding: Collection[str]
    ) -> tuple[Turn, ...]:
        self.asked += 1
        return await super().take(names, pace, count, avoiding)


async def at_once(ask: Callable[[], Awaitable[tuple[Turn, ...]]]) -> tuple[Turn, ...]:
    return await ask()


def exit_(name: str, **known: Any) -> Exit:
    ready = datetime.now(UTC) - timedelta(minutes=1)
    return Exit(name=name, host="kaspi.kz", kind="api", next_at=ready, **known)


def resting(name: str) -> Exit:
    rest = timedelta(minutes=1)
    return exit_(name, rest=rest, resting_until=datetime.now(UTC) + rest, rests=1)


def turnstile(exits: Sequence[Exit]) -> tuple[Turnstile, CountingLedger]:
    names = tuple(each.name for each in exits)
    shelf = cast("ExitBook", Shelf(*exits))
    ledger = CountingLedger(lambda: shelf, "kaspi.kz", "api", names)
    stile = Turnstile(
        ledger=ledger,
        pace=FAST,
        names=names,
        abreast=1,
        longest=30,
        patiently=at_once,
        is_closing=lambda: False,
        all_rest=lambda _stile: None,
    )
    return stile, ledger


async def test_while_one_exit_is_full_and_the_others_rest_nobody_asks_again_and_again() -> None:
    stile, ledger = turnstile([exit_("full"), resting("tired")])
    first = await stile.turn()
    second = asyncio.create_task(stile.turn())
    await asyncio.sleep(0.3)
    assert first.exit == "full"
    assert (second.done(), ledger.asked) == (False, 2)
    stile.done(first)
    assert (await asyncio.wait_for(second, 0.3)).exit == "full"
