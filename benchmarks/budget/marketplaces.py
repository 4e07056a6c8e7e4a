"""Marketplaces with a limit of their own, which they do not tell; whoever passes it is blocked.

Each is a rule that several sources report or that limiters commonly have. None of them is known
to be Kaspi's.
"""

from collections import deque
from datetime import datetime, timedelta
from typing import Protocol

import attrs

WINDOW = timedelta(minutes=30)
BLOCK = timedelta(minutes=30)


class Limiter(Protocol):
    """What decides whether a push is still within the limit."""

    def allows(self, at: datetime, changes: int) -> bool:
        """Count the push, unless it is one too many."""


@attrs.define
class Unlimited:
    """Everything is allowed."""

    def allows(self, at: datetime, changes: int) -> bool:  # noqa: ARG002
        return True


@attrs.define
class Rolling:
    """At most so many changes, or pushes, within any stretch of time."""

    limit: int
    window: timedelta = WINDOW
    counts_pushes: bool = False
    _counted: deque[tuple[datetime, int]] = attrs.field(factory=deque, init=False)
    _sum: int = attrs.field(default=0, init=False)

    def allows(self, at: datetime, changes: int) -> bool:
        counts = 1 if self.counts_pushes else changes
        while self._counted and self._counted[0][0] <= at - self.window:
            self._sum -= self._counted.popleft()[1]
        if self._sum + counts > self.limit:
            return False
        self._counted.append((at, counts))
        self._sum += counts
        return True


@attrs.define
class Fixed:
    """At most so many changes from one full half-hour to the next."""

    limit: int
    window: timedelta = WINDOW
    _number: int = attrs.field(default=-1, init=False)
    _sum: int = attrs.field(default=0, init=False)

    def allows(self, at: datetime, changes: int) -> bool:
        number = int(at.timestamp() // self.window.total_seconds())
        if number != self._number:
            self._number, self._sum = number, 0
        if self._sum + changes > self.limit:
            return False
        self._sum += changes
        return True


@attrs.define
class Bucket:
    """Pushes at one an `every`, with so many saved up for a burst."""

    every: timedelta
    burst: int = 1
    _ahead: datetime | None = attrs.field(default=None, init=False)

    def allows(self, at: datetime, changes: int) -> bool:  # noqa: ARG002
        ahead = max(self._ahead or at, at)
        if ahead - at > self.every * (self.burst - 1):
            return False
        self._ahead = ahead + self.every
        return True


@attrs.define
class Marketplace:
    """A limiter, the block that follows a push too many, and a ledger of both."""

    limiter: Limiter
    block: timedelta = BLOCK
    blocked_until: datetime | None = None
    accepted: int = 0
    blocks: int = 0
    pushed_while_blocked: int = 0

    def push(self, at: datetime, changes: int) -> bool:
        """Whether the push is accepted."""
        if self.blocked_until is not None and at < self.blocked_until:
            self.pushed_while_blocked += 1
            return False
        if not self.limiter.allows(at, changes):
            self.blocked_until = at + self.block
            self.blocks += 1
            return False
        self.accepted += changes
        return True
