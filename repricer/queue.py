"""Which changes leave first when few may: those that bring most until they are overtaken.

A token of the change budget is spent once, so what counts is not the gain a day but what a change
brings in all: a change whose rival moves every ten minutes is soon void, one that will stand for
days earns for days. What does not get a token goes by the price feed.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from domain.pricing import WHOLE
from repricer.gain import Worth

#: How far we look ahead when nothing but pushes brings a change to the marketplace.
WITHOUT_FEED = timedelta(days=1)
#: How far when the price feed, pulled once an hour, brings it at the latest.
WITH_FEED = timedelta(hours=1)
#: As long as nothing is known of a board it is taken to change once a day.
_ASSUMED = timedelta(days=1)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


class Waiting(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A change that waits for its turn.

    `brings` is in ten-thousandths of a tenge, see `brings`; `since` is when it was decided.
    """

    id: int
    forbidden: bool
    brings: int
    since: datetime


def changes_a_day(changes: int, watched: timedelta) -> int:
    """How often a board changes, in ten-thousandths of a change a day.

    `changes` are moments at which a rival's offer changed while the board was `watched`. One
    change in one day is laid upon them, so that little knowledge says little.
    """
    return (changes + 1) * WHOLE * (_DAY // _SECOND) // ((watched + _ASSUMED) // _SECOND)


def brings(worth: Worth, changes: int, horizon: timedelta) -> int:
    """What the change will have gained when its board changes, in ten-thousandths of a tenge.

    The gain a day, for as long as the change is expected to stand: a board that changes so often
    (`changes_a_day`) stands for 1/changes of a day, whenever it is looked at. The `horizon`
    (WITH_FEED or WITHOUT_FEED) ends it, too: later than that it would be there without the push.
    """
    seconds, day = horizon // _SECOND, WHOLE * (_DAY // _SECOND)
    return worth.gain * WHOLE**2 * seconds // (changes * seconds + day)


def rank(waiting: Waiting) -> tuple[bool, int, datetime, int]:
    """What is sorted by: forbidden live prices, then what brings most, then the older one."""
    return (not waiting.forbidden, -waiting.brings, waiting.since, waiting.id)


def in_order(waiting: Iterable[Waiting]) -> list[Waiting]:
    """All that waits, the first to leave first; the order in which they are given is forgotten."""
    return sorted(waiting, key=rank)
