"""What carrying out a decision is worth: its gain a day, and what it brings until it is overtaken.

Both are estimates for one purpose, to send the better change first when few may be sent. They
never decide on a price. A token of the change budget is spent once, so what counts in the end is
what a change brings in all: a change whose rival moves every ten minutes is soon void, one that
will stand for days earns for days. What does not get a token goes by the price feed.
"""

from bisect import bisect_left, bisect_right
from datetime import timedelta

import msgspec

from domain.pricing import WHOLE, Action, Decision
from repricer.allowed import Plan
from repricer.shares import share

#: Sales of a product a day, in ten-thousandths, until its demand is known: one.
ASSUMED_DEMAND = 10_000
#: Where no cost is known: how much of what the lowest allowed price leaves went into the goods.
ASSUMED_COST_BP = 8_000
#: How far we look ahead when nothing but pushes brings a change to the marketplace.
WITHOUT_FEED = timedelta(days=1)
#: How far when the price feed, pulled once an hour, brings it at the latest.
WITH_FEED = timedelta(hours=1)
#: As long as nothing is known of a board it is taken to change once a day.
_ASSUMED = timedelta(days=1)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


class Worth(msgspec.Struct, frozen=True, gc=False):
    """What a change is worth. A `forbidden` live price comes before all gains (tenge a day)."""

    forbidden: bool
    gain: int


def worth(decision: Decision, plan: Plan, demand: int | None = None) -> Worth:
    """What is gained a day when the decided price replaces the live one, rounded down.

    A day's earnings are the sales of the product (`demand`, in ten-thousandths; None: one a day
    is assumed) times the share of its buyers that our place gets by the rule, times what a sale
    earns. The gain is the difference that the change makes; it may be negative, where a rule
    asks for what these assumptions would not. Without a live price all earnings are gained.

    Whoever asks the same shares the places with us, half and half. Where no cost is known, a sale
    earns what is left of its price above four fifths of what the lowest allowed price leaves.
    A live price outside the allowed ones is `forbidden`. What sets no price is worth nothing.
    """
    if decision.action is not Action.SET or decision.price is None:
        return Worth(forbidden=False, gain=0)
    sold = ASSUMED_DEMAND if demand is None else demand
    more = _weighed(decision, plan, decision.price)
    if decision.before is not None:
        more -= _weighed(decision, plan, decision.before)
    return Worth(forbidden=_is_forbidden(decision), gain=sold * more // WHOLE**2)


def changes_a_day(changes: int, watched: timedelta) -> int:
    """How often a board changes, in ten-thousandths of a change a day.

    `changes`, in ten-thousandths, are moments at which a rival changed the board while it was
    `watched`; where those that lie back count less, so does the time. One change in one day is
    laid upon them, so that little knowledge says little.
    """
    return (changes + WHOLE) * (_DAY // _SECOND) // ((watched + _ASSUMED) // _SECOND)


def brings(worth: Worth, changes: int, horizon: timedelta) -> int:
    """What the change will have gained when its board changes, in ten-thousandths of a tenge.

    The gain a day, for as long as the change is expected to stand: a board that changes so often
    (`changes_a_day`) stands for 1/changes of a day, whenever it is looked at. The `horizon`
    (WITH_FEED or WITHOUT_FEED) ends it, too: later than that it would be there without the push.
    """
    seconds, day = horizon // _SECOND, WHOLE * (_DAY // _SECOND)
    return worth.gain * WHOLE**2 * seconds // (changes * seconds + day)


def _is_forbidden(decision: Decision) -> bool:
    before = decision.before
    return before is not None and not any(low <= before <= high for low, high in decision.pairs)


def _weighed(decision: Decision, plan: Plan, price: int) -> int:
    """Basis points of the buyers times what a sale earns at this price."""
    return _share(decision, plan, price) * _earned(plan, price)


def _share(decision: Decision, plan: Plan, price: int) -> int:
    """The share of the buyers at this price, the mean of the places that are shared."""
    first, last = bisect_left(decision.levels, price), bisect_right(decision.levels, price)
    places = range(first + 1, last + 2)
    return sum(share(plan.rule.shares_bp, place) for place in places) // len(places)


def _earned(plan: Plan, price: int) -> int:
    """Whole tenge that a sale earns, by the known cost or an assumed one."""
    profit = plan.profit(price)
    if profit is not None:
        return profit
    return _left(plan, price) - _left(plan, plan.allowed.lowest) * ASSUMED_COST_BP // WHOLE


def _left(plan: Plan, price: int) -> int:
    """Whole tenge left of the price when fees are paid."""
    return price if plan.costs is None else plan.costs.left(price) // WHOLE
