"""Which share of the buyers each place gets, as a seller's own orders say.

An order names no place, but the history knows where our offer stood when it came, and how long it
stood in each place. How much a product sells is not asked: only orders of the same board are
compared, so a board on which we stood in one place all the time says nothing of the shares. The
maximum of that likelihood is found by Hunter's iteration (minorization, 2004) for
choices in proportion to strengths.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from math import ceil, floor

import msgspec

from domain.identity import MerchantId
from domain.moments import ALMATY
from domain.past import Moment
from domain.pricing import WHOLE
from domain.sales import chance
from repricer.replay import own_offer

#: Orders that the assumed curve is worth: few orders of our own move it little.
ASSUMED_ORDERS = 20
#: Orders that each hour of the day is taken to have had: a night without orders is not empty.
_ORDERS_AN_HOUR = 1
_HOUR = timedelta(hours=1)
_ROUNDS = 2_000
_CLOSE = 1e-9


class Stood(msgspec.Struct, frozen=True, gc=False):
    """On one board: the time in each place, and the orders that came there; by place from 1 on."""

    time: tuple[float, ...]
    orders: tuple[int, ...]


class Shares(msgspec.Struct, frozen=True, gc=False):
    """What the orders say: shares in basis points, WHOLE in all, and between which each may lie.

    `orders` are those that say something, by place: of boards on which we stood in several.
    """

    shares_bp: tuple[int, ...]
    low_bp: tuple[int, ...]
    high_bp: tuple[int, ...]
    orders: tuple[int, ...]


def hours_of(orders: Iterable[datetime]) -> tuple[float, ...]:
    """How much of a day's buying each hour of Almaty's day has; 1 is an hour like the average."""
    counts = [_ORDERS_AN_HOUR] * 24
    for order in orders:
        counts[order.astimezone(ALMATY).hour] += 1
    return tuple(24 * count / sum(counts) for count in counts)


def stood(
    moments: Iterable[Moment],
    store: MerchantId,
    orders: Sequence[datetime],
    hours: Sequence[float],
    places: int,
) -> tuple[Stood, int]:
    """Where we stood on a board, and how many of its orders came while we were not known there.

    Time is weighted by `hours`: a place that we hold at night, when nobody buys, is not a bad one.
    Whoever asks the same stands before us. Places beyond the last count as the last.
    """
    time, came = [0.0] * places, [0] * places
    waiting = sorted(orders)
    for begins, ends, place in _places(moments, store, places):
        time[place] += _weighed(begins, ends, hours)
        came[place] += bisect_left(waiting, ends) - bisect_left(waiting, begins)
    return Stood(tuple(time), tuple(came)), len(waiting) - sum(came)


def _places(
    moments: Iterable[Moment], store: MerchantId, places: int
) -> Iterator[tuple[datetime, datetime, int]]:
    """From when to when our offer stood in which place; the first is 0."""
    last = None
    for moment in moments:
        if last is not None and (ours := own_offer(last, store)) is not None:
            before = sum(
                offer.price <= ours.price for offer in last.offers if offer.merchant != store
            )
            yield last.at, moment.at, min(before, places - 1)
        last = moment


def _weighed(begins: datetime, ends: datetime, hours: Sequence[float]) -> float:
    """Hours from one moment to another, each by how much is bought in it."""
    begins, ends = begins.astimezone(ALMATY), ends.astimezone(ALMATY)
    whole_days = max(0, (ends - begins).days)
    weighed, at = whole_days * sum(hours), begins + timedelta(days=whole_days)
    while at < ends:
        until = min(ends, at.replace(minute=0, second=0, microsecond=0) + _HOUR)
        weighed += hours[at.hour] * ((until - at) / _HOUR)
        at = until
    return weighed


def calibrated(boards: Iterable[Stood], assumed_bp: Sequence[int]) -> Shares:
    """The shares that explain the orders best, the assumed ones counting as ASSUMED_ORDERS.

    Only how the places compare is learned: their sum is WHOLE, as before. The interval is what
    chance alone may do to so many orders (four of five such counts).
    """
    telling = [board for board in boards if _tells(board)]
    orders = tuple(map(sum, zip(*(board.orders for board in telling), strict=True)))
    orders = orders or (0,) * len(assumed_bp)
    whole = sum(assumed_bp)
    assumed = [ASSUMED_ORDERS * share / whole for share in assumed_bp]
    came = [own + prior for own, prior in zip(orders, assumed, strict=True)]
    shares = [share / whole for share in assumed_bp]
    for _ in range(_ROUNDS):
        newer = _better(shares, came, telling)
        moved = max(abs(new - old) for new, old in zip(newer, shares, strict=True))
        shares = newer
        if moved < _CLOSE:
            break
    return Shares(
        _whole(shares),
        *_between(shares, came),
        orders,
    )


def _tells(board: Stood) -> bool:
    """Whether orders came there while we stood in several places."""
    return any(board.orders) and sum(time > 0 for time in board.time) > 1


def _better(shares: Sequence[float], came: Sequence[float], boards: Sequence[Stood]) -> list[float]:
    """One round: orders of each place by the orders that equal places would have had."""
    # A board of the assumed orders on which we stood in all places equally long.
    equal = [ASSUMED_ORDERS / sum(shares)] * len(shares)
    for board in boards:
        strength = sum(map(float.__mul__, board.time, shares))
        if strength:
            for place, time in enumerate(board.time):
                equal[place] += sum(board.orders) * time / strength
    raw = [orders / wanted for orders, wanted in zip(came, equal, strict=True)]
    return [share / sum(raw) for share in raw]


def _between(
    shares: Sequence[float], came: Sequence[float]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    low, high = [], []
    for share, orders in zip(shares, came, strict=True):
        fewest, most = chance(round(orders))
        low.append(share * float(fewest) / orders)
        high.append(min(1.0, share * float(most) / orders))
    return tuple(floor(one * WHOLE) for one in low), tuple(ceil(one * WHOLE) for one in high)


def _whole(shares: Sequence[float]) -> tuple[int, ...]:
    """Shares of one in basis points, WHOLE in all: the largest remainders are rounded up."""
    points = [floor(share * WHOLE) for share in shares]
    missing = WHOLE - sum(points)
    by_remainder = sorted(range(len(points)), key=lambda at: points[at] - shares[at] * WHOLE)
    for at in by_remainder[:missing]:
        points[at] += 1
    return tuple(points)
