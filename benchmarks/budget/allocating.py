"""What the allocator captures, against first come first served and against an oracle.

The oracle knows all that will ever happen. What it can gain is bounded from above, not searched
for: every schedule within the limit sends at most so many changes from one half-hour to the next,
each change once, and at best at the beginning of a half-hour or when it is read. The best such
schedule is a linear program, and any prices of the half-hours' tokens give a bound of it (its
dual); the prices are moved until the bound is low. No schedule gains more, and few can as much.
"""

import heapq
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import attrs

from benchmarks.budget.opportunities import SECONDS, Change
from domain.budget import Budget, Push, wait
from repricer.gain import WITH_FEED, WITHOUT_FEED, Worth, brings

BEGIN = datetime(2026, 11, 2, 6, tzinfo=UTC)
#: Changes in 30 minutes.
LIMIT = 250
_WINDOW = 1_800.0

#: What a change is worth in the eyes of a policy: its place in the queue, the smaller the earlier.
Policy = Callable[[int, Change], tuple[object, ...]]


def first_come(number: int, change: Change) -> tuple[object, ...]:
    """In the order in which the changes were decided."""
    return (change.read_at, number)


def by_gain(number: int, change: Change) -> tuple[object, ...]:
    """The greatest gain a day first, however long it may last."""
    return (-change.gain, number)


def ours(number: int, change: Change) -> tuple[object, ...]:
    """As the outbox hands them out: what brings most first, then the older."""
    return _ranked(number, change, change.gain, change.estimated, WITHOUT_FEED)


def ours_with_feed(number: int, change: Change) -> tuple[object, ...]:
    """Ours when the feed takes the rest within the hour."""
    return _ranked(number, change, change.gain, change.estimated, WITH_FEED)


def demand_unknown(number: int, change: Change) -> tuple[object, ...]:
    """Ours when nobody knows how well a product sells: one sale a day of each is assumed."""
    return _ranked(number, change, change.guess, change.estimated, WITHOUT_FEED)


def rates_known(number: int, change: Change) -> tuple[object, ...]:
    """Ours when the true rate of each board is known, though not its chances."""
    return _ranked(number, change, change.gain, change.true, WITHOUT_FEED)


def _ranked(
    number: int, change: Change, gain: int, changes: int, horizon: timedelta
) -> tuple[object, ...]:
    return (-brings(Worth(forbidden=False, gain=gain), changes, horizon), change.read_at, number)


@attrs.frozen
class Captured:
    """Tenge gained, pushes, and how many of them were void already."""

    gained: float
    sent: int
    void: int


@attrs.define
class Desk:
    """The changes that wait: at most one a listing, the newest."""

    policy: Policy
    coming: Sequence[Change]
    _read: int = 0
    _heap: list[tuple[tuple[object, ...], int]] = attrs.field(factory=list)
    _newest: dict[int, int] = attrs.field(factory=dict)

    def read(self, until: float) -> None:
        """Take in what was read until then; it replaces what its listing asked for before."""
        while self._read < len(self.coming) and self.coming[self._read].read_at <= until:
            change = self.coming[self._read]
            self._newest[change.listing] = self._read
            heapq.heappush(self._heap, (self.policy(self._read, change), self._read))
            self._read += 1

    @property
    def next_reading(self) -> float:
        """When the next change will be read."""
        return self.coming[self._read].read_at if self._read < len(self.coming) else SECONDS

    def __len__(self) -> int:
        return len(self._newest)

    def take(self) -> Change:
        """The first of those that wait."""
        while True:
            _, number = heapq.heappop(self._heap)
            change = self.coming[number]
            if self._newest.get(change.listing) == number:
                del self._newest[change.listing]
                return change

    def take_all(self) -> list[Change]:
        """All that wait, for the feed."""
        return [self.take() for _ in range(len(self))]


def carried_out(
    coming: Sequence[Change], policy: Policy, feed_every: float | None = None
) -> Captured:
    """Send changes through the budget, the first in the queue each time.

    With a feed all that waits at each pull is carried out then.
    """
    budget, desk, pushes = Budget(limit=LIMIT, grows=False), Desk(policy, coming), list[Push]()
    now, turn, gained, void = 0.0, 0.0, 0.0, 0
    sent, pull = 0, feed_every or SECONDS
    while now < SECONDS:
        desk.read(now)
        if now >= pull:
            gained += sum(change.earned(now) for change in desk.take_all())
            pull += feed_every or SECONDS
        if now < turn or not desk:
            now = min(pull, max(turn, now if desk else desk.next_reading))
            continue
        change, moment = desk.take(), BEGIN + timedelta(seconds=now)
        gained, sent, void = gained + change.earned(now), sent + 1, void + (change.ends <= now)
        pushes = [push for push in pushes if push.at > moment - budget.window]
        pushes.append(Push(moment))
        turn = now + wait(budget, pushes, moment, len(desk)).total_seconds()
    return Captured(gained, sent, void)


def by_feed_alone(coming: Sequence[Change], feed_every: float) -> float:
    """Tenge gained when nothing is pushed, and all waits for the next pull."""
    pulls = ((change, -(-change.read_at // feed_every) * feed_every) for change in coming)
    return sum(change.earned(pull) for change, pull in pulls)


def bound(coming: Sequence[Change], rounds: int = 24) -> float:
    """Tenge that no schedule can gain more than, however much it knows."""
    windows = int(SECONDS / _WINDOW)
    table = [_worths(change, windows) for change in coming if change.gain > 0]
    best = sorted((worths[0] for _, worths in table if worths), reverse=True)
    price = best[LIMIT * windows] if len(best) > LIMIT * windows else 0.0
    step = max(price, best[len(best) // 4])
    prices, lowest = [price] * windows, float("inf")
    for number in range(rounds):
        total, used = LIMIT * sum(prices), [0] * windows
        for first, worths in table:
            most, window = max(
                (
                    (worth - prices[first + ahead], first + ahead)
                    for ahead, worth in enumerate(worths)
                ),
                default=(0.0, 0),
            )
            if most > 0:
                total += most
                used[window] += 1
        lowest = min(lowest, total)
        pace = 0.6 * step / (1 + number / 2)
        prices = [
            max(0.0, price + pace * (count - LIMIT) / LIMIT)
            for price, count in zip(prices, used, strict=True)
        ]
    return lowest


def _worths(change: Change, windows: int) -> tuple[int, list[float]]:
    """The half-hour in which the change is read, and what it earns in each from then on."""
    first = int(change.read_at / _WINDOW)
    last = min(windows - 1, int(change.ends / _WINDOW))
    return first, [change.earned(window * _WINDOW) for window in range(first, last + 1)]
