"""The change budget of a store: how many price changes may leave, and when; learned from blocks.

Nothing about the marketplace's limits on changes is official. Two that were reported are 250
changes in any 30 minutes, and two pushes a second; whoever goes beyond is refused (429) and
blocked for half an hour (docs/budget.md). So we begin below both, and believe what happens.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from heapq import nlargest
from operator import attrgetter

import attrs
from attrs import validators

from domain.moments import utc

#: Blocks after which nothing is tried out any more.
_ENOUGH = 2
#: What may leave is strikingly little below this part of what a store begins with.
_STRIKING = 10
#: The gap is so many times longer after a block that the pace explains.
_SLOWER = 4
#: A limit that is counted in seconds or minutes shows itself within the first minute of pushes, or
#: within a few where they follow as closely as they may: a pace close to ours is met by chance.
_MINUTE, _MINUTES = timedelta(minutes=1), timedelta(minutes=3)
#: The last push came so many gaps ago, its answer's time with them: nothing held it up.
_CLOSELY = 3
#: No marketplace's word is taken for a longer stop: a person would have to be asked.
_LONGEST_STOP = timedelta(days=1)
#: Pushes that may follow each other closely where changes are spread over the window.
_TOGETHER = 4
_NOTHING = timedelta(0)

_at = attrgetter("at")


def _positive(budget: "Budget", attribute: "attrs.Attribute[timedelta]", value: timedelta) -> None:
    if value <= _NOTHING:
        raise ValueError(f"{attribute.name} of {budget.__class__.__name__} is {value}: more than 0")


@attrs.frozen
class Push:
    """One push that left us, with so many changes in it: a batch of k counts k.

    `at` is the last moment at which the marketplace can have counted it: when its answer came,
    and until then when we shall give up waiting for one, which lies ahead. Counted so, no delay
    on the way brings two pushes closer together there than they are here.
    Raises ValueError for a moment without a zone, or no change at all.
    """

    at: datetime = attrs.field(converter=utc)
    changes: int = attrs.field(default=1, validator=validators.ge(1))


@attrs.frozen(kw_only=True)
class Budget:
    """What one store may send, as far as it is known.

    limit: changes within any `window`; it grows while `grows`, up to `most`
    gap: between the answer to one push and the next push
    pause: how long nothing is sent after a block, unless the marketplace asks for more
    proven: the most changes that were accepted within one window
    blocks: how many blocks have taught us something
    slowed_at: how many changes had been accepted when the pace was last made slower
    probed_at: since when this limit is tried
    blocked_until: nothing leaves before
    Raises ValueError for a limit of nothing, one above `most`, or a time that is not positive.
    """

    limit: int = attrs.field(default=200, validator=validators.ge(1))
    gap: timedelta = attrs.field(default=timedelta(milliseconds=1_000), validator=_positive)
    window: timedelta = attrs.field(default=timedelta(minutes=30), validator=_positive)
    pause: timedelta = attrs.field(default=timedelta(seconds=1_800), validator=_positive)
    most: int = 1_800
    grows: bool = True
    proven: int = 0
    blocks: int = 0
    slowed_at: int | None = None
    probed_at: datetime | None = attrs.field(default=None, converter=attrs.converters.optional(utc))
    blocked_until: datetime | None = attrs.field(
        default=None, converter=attrs.converters.optional(utc)
    )

    def __attrs_post_init__(self) -> None:
        if self.limit > self.most:
            raise ValueError(f"a limit of {self.limit} is above the most ever tried, {self.most}")


def spent(budget: Budget, pushes: Sequence[Push], now: datetime) -> int:
    """Changes that still count within the window that ends now."""
    begins = now - budget.window
    return sum([push.changes for push in pushes if push.at > begins])


def wait(budget: Budget, pushes: Sequence[Push], now: datetime, waiting: int = 0) -> timedelta:
    """How long nothing may be sent; zero: something may leave now.

    `pushes` are all of the last window, by every process. `waiting` is how many changes wait:
    when they are more than half of what is free they are spread evenly over the window, so that
    one which comes later and is worth more finds its turn. 0 asks for the limits alone, for
    changes that cannot wait.
    """
    used = spent(budget, pushes, now)
    ready = now if used < budget.limit else _free_at(budget, pushes, now)
    if budget.blocked_until is not None:
        ready = max(ready, budget.blocked_until)
    if pushes:
        ready = max(ready, max(push.at for push in pushes) + budget.gap)
        if _is_scarce(budget, used, waiting):
            ready = max(ready, _spread_until(budget, pushes))
    return ready - now


def may_send(budget: Budget, pushes: Sequence[Push], now: datetime, waiting: int = 0) -> int:
    """How many changes one push may carry now; 0: none, `wait` says for how long.

    Beyond what is proven a push is small, so that a refusal tells the limit closely.
    """
    if wait(budget, pushes, now, waiting) > _NOTHING:
        return 0
    used = spent(budget, pushes, now)
    free = budget.limit - used
    known = budget.proven - used
    most = known if known > 0 else max(1, budget.limit // 50)
    if _is_scarce(budget, used, waiting):
        most = min(most, max(1, -(-budget.gap // _spread(budget))))
    return min(free, most)


def after_push(budget: Budget, pushes: Sequence[Push], now: datetime) -> Budget:
    """What is known after a push was accepted; `pushes` hold it already.

    When nearly the whole limit was used, and it was tried for a window's length without a block,
    it grows by a tenth, at most once in a window: from 200 to 250 in an hour and a half of full
    use, to 1,800 in half a day.
    """
    used = spent(budget, pushes, now)
    proven, probed_at = max(budget.proven, used), budget.probed_at or now
    known = attrs.evolve(budget, proven=proven, probed_at=probed_at)
    is_used_up = used >= budget.limit - budget.limit // 20
    if not budget.grows or not is_used_up or now - probed_at < budget.window:
        return known
    limit = min(budget.limit + max(1, budget.limit // 10), budget.most)
    return attrs.evolve(known, limit=limit, probed_at=now)


def after_block(
    budget: Budget,
    pushes: Sequence[Push],
    now: datetime,
    retry_after: timedelta | None = None,
) -> Budget:
    """What is known after a push was refused at this moment; `pushes` are the accepted ones.

    Nothing leaves for the pause, or for as long as the marketplace asks if that is longer (a day
    at most). The limit is put below what had been accepted, for good, unless the pace explains
    the refusal: then pushes become much slower. Where a limit that had been put so was too
    high, both are done. Nothing is proven any more, so that pushes are small again and a limit
    that is counted otherwise is met closely. A refusal within a block, or when nothing of ours
    counts any more, teaches nothing else: somebody else's changes were one too many.
    """
    stop = max(budget.pause, min(retry_after or _NOTHING, _LONGEST_STOP))
    is_blocked = budget.blocked_until is not None and now < budget.blocked_until
    until = max(now + stop, budget.blocked_until or now)
    stopped = attrs.evolve(budget, blocked_until=until, proven=0)
    accepted = spent(budget, pushes, now)
    if is_blocked or not accepted:
        return stopped
    blocks = budget.blocks + 1
    learnt = attrs.evolve(stopped, blocks=blocks, grows=budget.grows and blocks < _ENOUGH)
    if _is_the_pace(budget, pushes, now):
        gap = _slower(budget, pushes, now)
        return attrs.evolve(learnt, gap=gap, slowed_at=accepted)
    limit = min(budget.limit, max(1, accepted - max(1, accepted // 25)))
    return attrs.evolve(
        learnt,
        limit=limit,
        gap=budget.gap if budget.grows else budget.gap * _SLOWER,
        grows=False,
    )


def reset(start: Budget, blocked_until: datetime | None) -> Budget:
    """Begin to learn anew from what the settings say; a block that lasts goes on.

    For a person who knows that the limits have changed, or that somebody else's changes were the
    reason: another program that has been switched off, a day of work by hand in the cabinet.
    """
    return attrs.evolve(start, blocked_until=blocked_until)


def at_best(budget: Budget) -> int:
    """How much may leave within a window: so many changes, or so many pushes by the gap."""
    return min(budget.limit, -(-budget.window // budget.gap))


def is_strikingly_low(budget: Budget, start: Budget) -> bool:
    """Whether so little may leave, beside what a store begins with, as to be looked at.

    Most likely somebody else's changes were counted with ours. Where one push of ours came through
    before each block, the gap alone tells of it.
    """
    begun = at_best(start)
    is_seldom = budget.window * _STRIKING < budget.gap * begun
    return is_seldom or budget.limit * _STRIKING < begun


def _free_at(budget: Budget, pushes: Sequence[Push], now: datetime) -> datetime:
    """When one more change fits into the window."""
    over, free_at = spent(budget, pushes, now) - budget.limit + 1, now
    counting = (push for push in pushes if push.at > now - budget.window)
    for push in sorted(counting, key=_at):
        if over <= 0:
            break
        over -= push.changes
        free_at = push.at + budget.window
    return free_at


def _is_scarce(budget: Budget, used: int, waiting: int) -> bool:
    """Whether more waits than may soon be sent."""
    return waiting > 0 and waiting > (budget.limit - used) // 2


def _spread(budget: Budget) -> timedelta:
    """The time for each change when they are spread evenly.

    Over nine tenths of the window: the rest goes by until answers come.
    """
    return budget.window * 9 // (10 * budget.limit)


def _spread_until(budget: Budget, pushes: Sequence[Push]) -> datetime:
    """When the last pushes have had their time; of a great limit four share theirs.

    So the time until an answer comes, which nobody knows before, takes little away.
    """
    together = max(1, min(_TOGETHER, budget.limit // 30))
    lately = nlargest(together, pushes, key=_at)
    first = lately[-1].at
    if len(lately) < together:
        return first
    return first + sum(push.changes for push in lately) * _spread(budget)


def _slower(budget: Budget, pushes: Sequence[Push], now: datetime) -> timedelta:
    """A gap four times as long, and twice what was kept where changes were spread."""
    kept = min(now - max(push.at for push in pushes), _spread(budget))
    return max(budget.gap * _SLOWER, 2 * kept)


def _is_the_pace(budget: Budget, pushes: Sequence[Push], now: datetime) -> bool:
    """Whether pushes came too fast, rather than too many in the window.

    It is first suspected where everything had come within the last minute, or few minutes of close
    pushes, or where close pushes are refused far below a limit that was learnt; and nobody allows
    only one push in half an hour. Once pushes are slower it is the pace again if more got
    through than the time before, and still much less than the limit.
    """
    accepted = spent(budget, pushes, now)
    if sum(push.at > now - budget.window for push in pushes) == 1:
        return True
    is_far_below = accepted < budget.limit - budget.limit // 10
    if budget.slowed_at is not None:
        return budget.slowed_at < accepted and is_far_below
    is_close = now - max(push.at for push in pushes) < budget.gap * _CLOSELY
    lately = _MINUTES if is_close else _MINUTE
    is_new = accepted == sum(push.changes for push in pushes if push.at > now - lately)
    return is_new or (is_close and is_far_below and not budget.grows)
