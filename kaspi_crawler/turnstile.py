"""Turns at the exits to one host: drawn from the book that all crawls share, given out in order."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import attrs
from scrapy.exceptions import IgnoreRequest

from domain.exits import Exit, Pace, Turn, choose

if TYPE_CHECKING:
    from storage.exits import ExitBook

#: Seconds after which the book is read anew: others may have woken or rested an exit.
LOOK_EVERY = 1.0
#: Seconds between two looks at whether the crawl is about to end.
_GLANCE = 0.2
#: Turns are drawn for this long ahead, in seconds, so that the database does not bind when an
#: exit may ask a hundred times a second; one at least.
_AHEAD = 0.05
#: Turns drawn at once where nothing limits an exit.
_UNLIMITED = 4
#: Seconds by which a turn may be late before it is void: a process that stood still does not
#: send all at once what it should have sent one by one.
_LATE = 0.1


class NotAsked(IgnoreRequest):
    """The crawl ended before the question had its turn."""


class Ledger:
    """What this crawl knows of the exits to a host. Changes are compared and swapped."""

    def __init__(
        self, book: "Callable[[], ExitBook]", host: str, kind: str, names: Sequence[str]
    ) -> None:
        self._book = book
        self.host, self.kind, self.names = host, kind, tuple(names)
        self.exits: dict[str, Exit] = {}
        self._rests_before: int | None = None
        self._answered: Counter[str] = Counter()
        self._moment, self._heard_at = datetime.now(UTC), 0.0
        self._one_at_a_time = asyncio.Lock()

    def now(self) -> datetime:
        """The moment by the database's clock, which all crawls share."""
        return self._moment + timedelta(seconds=_clock() - self._heard_at)

    def has_rested_since(self) -> bool:
        """Whether an exit was given a rest since this crawl began: by it, or by another one."""
        return self._rests_before != sum(each.rests for each in self.exits.values())

    def count_answer(self, name: str) -> None:
        """One more answer; written down with the next change."""
        self._answered[name] += 1

    async def take(
        self, names: Collection[str], pace: Pace, count: int, avoiding: Collection[str]
    ) -> tuple[Turn, ...]:
        """Turns at the best of the named exits; none when all of them rest."""
        async with self._one_at_a_time:
            if not self.exits or _clock() - self._heard_at > LOOK_EVERY:
                await self._look()
            while True:
                named = [self.exits[name] for name in names]
                best = choose(named, pace, self.now(), avoiding)
                if best is None:
                    return ()
                taken, turns = best.take(pace, self.now(), count)
                if await self._swap(taken):
                    return turns

    async def change(self, name: str, into: Callable[[Exit], Exit]) -> tuple[Exit, Exit]:
        """Change an exit, whoever else changes it meanwhile; how it was and how it is."""
        async with self._one_at_a_time:
            if not self.exits:
                await self._look()
            while True:
                held = self.exits[name]
                wanted = into(held)
                if wanted == held or await self._swap(wanted):
                    return held, self.exits[name]

    async def write_down(self) -> None:
        """Write the answers that were only counted so far."""
        for name in [name for name, count in self._answered.items() if count]:
            async with self._one_at_a_time:
                while self._answered[name] and not await self._swap(self.exits[name]):
                    pass

    async def _look(self) -> None:
        exits, moment = await self._book().read(self.host, self.kind, self.names)
        if len(exits) < len(self.names):
            await self._book().enter(self.host, self.kind, self.names)
            exits, moment = await self._book().read(self.host, self.kind, self.names)
        self.exits = exits
        if self._rests_before is None:
            self._rests_before = sum(each.rests for each in exits.values())
        self._moment, self._heard_at = moment or datetime.now(UTC), _clock()

    async def _swap(self, wanted: Exit) -> bool:
        """Write an exit with the answers counted since; False, with a new look, if it moved."""
        counted = self._answered[wanted.name]
        told = attrs.evolve(wanted, answered=wanted.answered + counted)
        stands = await self._book().swap(told)
        if stands is None:
            await self._look()
            return False
        self._answered[wanted.name] -= counted
        self.exits[wanted.name] = stands
        return True


@attrs.define
class _Waiter:
    avoiding: Collection[str]
    turn: asyncio.Future[Turn]


@attrs.define(kw_only=True)
class Turnstile:
    """Gives out turns, one after another, to those who wait.

    `abreast` questions may be under way through an exit at once, each for `longest` seconds at
    most. `is_closing` says whether the crawl ends, `all_rest` is told when there is no exit.
    """

    ledger: Ledger
    pace: Pace
    names: tuple[str, ...]
    abreast: int
    longest: float
    patiently: Callable[[Callable[[], Awaitable[tuple[Turn, ...]]]], Awaitable[tuple[Turn, ...]]]
    is_closing: Callable[[], bool]
    all_rest: Callable[["Turnstile"], None]
    _waiting: deque[_Waiter] = attrs.field(factory=deque, init=False)
    _under_way: list[tuple[Turn, float]] = attrs.field(factory=list, init=False)
    _room: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _work: asyncio.Task[None] | None = attrs.field(default=None, init=False)

    async def turn(self, avoiding: Collection[str] = ()) -> Turn:
        """Wait for a turn; avoided exits come last. Raises NotAsked when the crawl ends before."""
        waiter = _Waiter(avoiding, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._serve())
        return await waiter.turn

    def done(self, turn: Turn) -> None:
        """The question of this turn is no longer under way."""
        for each in self._under_way:
            if each[0] == turn:
                self._under_way.remove(each)
                self._room.set()
                return

    async def _serve(self) -> None:
        try:
            while self._waiting:
                await self._give_out()
        except Exception as error:  # noqa: BLE001  (all who wait must hear of it)
            while self._waiting:
                _tell(self._waiting.popleft(), error)

    async def _give_out(self) -> None:
        """Draw turns for the first in the queue, and give each out at its moment."""
        if self.is_closing():
            raise NotAsked("the crawl ends")
        roomy = self._roomy()
        if not roomy:
            self._room.clear()
            await _within(self._room.wait(), _GLANCE)
            return
        avoiding = self._waiting[0].avoiding
        turns = await self.patiently(
            lambda: self.ledger.take(roomy, self.pace, self._count(), avoiding)
        )
        if not turns:
            self.all_rest(self)
            self._room.clear()  # an exit that does not rest may have room again before
            await _within(self._room.wait(), self._nap(roomy))
        for turn in turns:
            if not await self._has_come(turn):
                await self.ledger.change(turn.exit, partial(Exit.let_go, turn=turn))
                return
            self._hand_over(turn)

    def _roomy(self) -> list[str]:
        """The exits that bear one more question at once."""
        now = _clock()
        self._under_way = [each for each in self._under_way if each[1] > now]
        full = Counter(turn.exit for turn, _ in self._under_way)
        return [name for name in self.names if full[name] < self.abreast]

    def _count(self) -> int:
        interval = self.pace.interval.total_seconds()
        ahead = int(_AHEAD / interval) if interval else _UNLIMITED
        return max(1, min(ahead, len(self._waiting), self.abreast))

    def _nap(self, names: Collection[str]) -> float:
        """Seconds until one of these wakes, or until the next look at the book."""
        now = self.ledger.now()
        wakes = min(self.ledger.exits[name].awake_at(now) for name in names)
        return max(0.001, min((wakes - now).total_seconds(), LOOK_EVERY))

    async def _has_come(self, turn: Turn) -> bool:
        """Wait for the turn's moment; False when it is void by then."""
        while (left := (turn.moment - self.ledger.now()).total_seconds()) > 0:
            if self.is_closing():
                return False
            await asyncio.sleep(min(left, _GLANCE))
        late = -left > max(_LATE, self.pace.interval.total_seconds())
        return not late and turn.rests == self.ledger.exits[turn.exit].rests

    def _hand_over(self, turn: Turn) -> None:
        """Give the turn to the first who does not avoid its exit, or else to the first."""
        wanting = [waiter for waiter in self._waiting if not waiter.turn.done()]
        others = [waiter for waiter in wanting if turn.exit not in waiter.avoiding]
        self._waiting = deque(wanting)
        if not wanting:
            return
        chosen = (others or wanting)[0]
        self._waiting.remove(chosen)
        self._under_way.append((turn, _clock() + self.longest))
        chosen.turn.set_result(turn)


def _tell(waiter: _Waiter, error: Exception) -> None:
    if not waiter.turn.done():
        waiter.turn.set_exception(error)


def _clock() -> float:
    return asyncio.get_running_loop().time()


async def _within(waiting: Awaitable[object], seconds: float) -> None:
    try:
        await asyncio.wait_for(waiting, seconds)
    except TimeoutError:
        return
