"""Which share of the buyers each place gets, learned from own orders and the boards then."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs

from domain.identity import MerchantId
from domain.moments import ALMATY
from domain.past import Board
from domain.pricing import ASSUMED_SHARES_BP
from kaspi_crawler.replays.calibrated import (
    ASSUMED_ORDERS,
    Shares,
    Stood,
    calibrated,
    hours_of,
    stood,
)
from kaspi_crawler.replays.own_orders import Orders
from storage.past import Connection, past_of

_DAY = timedelta(days=1)
_PLACES = len(ASSUMED_SHARES_BP)


@attrs.frozen
class Learned:
    """The shares, the hours in each place, all orders, and those of which nothing is known."""

    shares: Shares
    hours: tuple[float, ...]
    orders: int
    unknown: int

    @property
    def is_something(self) -> bool:
        """Whether any order says something; else the shares are the assumed ones."""
        return any(self.shares.orders)

    @property
    def said(self) -> str:
        """A line a place, separated by tabs, and the words for a rule."""
        lines = ["place\thours\torders\tshare, %\tfrom\tto"]
        shares = self.shares
        rows = zip(
            self.hours, shares.orders, shares.shares_bp, shares.low_bp, shares.high_bp, strict=True
        )
        for place, (hours, orders, share, low, high) in enumerate(rows, start=1):
            lines.append(
                f"{place}{'+' if place == _PLACES else ''}\t{hours:.0f}\t{orders}"
                f"\t{share / 100:.1f}\t{low / 100:.1f}\t{high / 100:.1f}"
            )
        told = ", ".join(map(str, shares.shares_bp))
        return "\n".join([*lines, "", f"shares_bp: {told}", ""])

    @property
    def remarks(self) -> str:
        """How far the shares can be trusted, or why there are none."""
        if not any(self.hours):
            return (
                "nothing was learned: the merchant stands on no board that was read on those days. "
                "Is it the right one, and were boards read while the orders came?\n"
            )
        if not self.is_something:
            return (
                f"nothing was learned: {self.orders} orders say nothing. Of {self.unknown} it is "
                f"not known where we stood then; {self.orders - self.unknown} came on boards on "
                "which we stood in one place all the time\n"
            )
        told = (
            f"{sum(self.shares.orders)} orders say something: they came on boards on which we "
            f"stood in several places. The assumed shares count as {ASSUMED_ORDERS} orders more\n"
        )
        if self.unknown:
            told += f"{self.unknown} orders say nothing: where we stood then is not known\n"
        return told


def learned_shares(
    connection: Connection, boards: Sequence[Board], merchant: MerchantId, orders: Orders
) -> Learned:
    """Learn from a merchant's boards, from the day of the first order to that of the last.

    Boards without an order say nothing of the shares; the hours are those of all boards.
    """
    moments = [moment for came in orders.values() for moment in came]
    since, until = _midnight(min(moments)), _midnight(max(moments) + _DAY)
    hours = hours_of(moments)
    observed: list[Stood] = []
    unknown = len(moments)
    for board in boards:
        came = orders.get((board.product, board.city), ())
        past = past_of(connection, board, since, until)
        here, strangers = stood(past, merchant, came, hours, _PLACES)
        observed.append(here)
        unknown -= len(came) - strangers
    spent = [sum(board.time[place] for board in observed) for place in range(_PLACES)]
    return Learned(calibrated(observed, ASSUMED_SHARES_BP), tuple(spent), len(moments), unknown)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(ALMATY).replace(hour=0, minute=0, second=0, microsecond=0)
