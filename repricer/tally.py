"""What a way of pricing comes to: time, places and profit, added up exactly and rounded once.

A profit is weighted by time: for as long as nothing moves, a hundred buyers of the product bring
the share of our place times what a sale at our price earns. Time is counted in microseconds and
shares in basis points, so that all sums are whole numbers.
"""

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from domain.past import Outcome
from domain.pricing import WHOLE
from repricer.allowed import Plan
from repricer.replay import Span, Stand, Step
from repricer.shares import flatter, share, steeper

#: What the real prices are called among the ways that were tried.
REAL = "real"
_MOMENT = timedelta(microseconds=1)
_SECOND = 1_000_000
#: Of a hundred buyers a share of one basis point is the hundredth part of one.
_A_BUYER = 100


class View(msgspec.Struct, frozen=True, gc=False):
    """One way in which buyers may choose: by place, and whom they take of two who ask the same."""

    shares_bp: tuple[int, ...]
    takes_us: bool = False

    def buyers(self, span: Span) -> int:
        """The share of the buyers that the span's place gets, in basis points."""
        return share(self.shares_bp, span.shared if self.takes_us else span.place)


def views(shares_bp: tuple[int, ...]) -> tuple[View, ...]:
    """The assumed way first, then the others between which the truth is thought to lie."""
    steep, flat = steeper(shares_bp), flatter(shares_bp)
    return (
        View(shares_bp),
        *(View(curve, takes_us) for curve in (steep, flat) for takes_us in (False, True)),
    )


class Tally:
    """Adds up what one way of pricing did."""

    def __init__(self, name: str, shares_bp: tuple[int, ...]) -> None:
        self.name = name
        self._views = views(shares_bp)
        self.worths: list[int] | None = [0] * len(self._views)
        self._time = self._first = self._places = self._prices = 0
        self._changes = self._reviews = self._outside = 0

    def add(self, stand: Stand) -> None:
        """Count what it did from one moment to the next."""
        if stand.change is not None:
            self._changes += 1
            self._outside += stand.change not in stand.plan.allowed
        self._reviews += stand.asks
        for span in stand.spans:
            self._lasts(span, stand.plan)

    def _lasts(self, span: Span, plan: Plan) -> None:
        time = (span.ends - span.begins) // _MOMENT
        self._time += time
        self._first += time * (span.place == 1)
        self._places += time * span.place
        self._prices += time * span.price
        profit = plan.profit(span.price)
        if profit is None or self.worths is None:
            self.worths = None
            return
        for number, view in enumerate(self._views):
            self.worths[number] += time * view.buyers(span) * profit

    def outcome(self, real: "Tally") -> Outcome:
        """What it came to, beside the real prices of the same time."""
        time = max(1, self._time)
        worths, theirs = self.worths, real.worths
        gains = None
        if worths is not None and theirs is not None:
            gains = [mine - other for mine, other in zip(worths, theirs, strict=True)]
        return Outcome(
            name=self.name,
            seconds=self._time // _SECOND,
            changes=self._changes,
            reviews=self._reviews,
            outside=self._outside,
            first_bp=self._first * WHOLE // time,
            place=self._places * 100 // time,
            price=self._prices // time,
            profits=_for_a_hundred(worths, time),
            gains=_for_a_hundred(gains, time),
        )


def _for_a_hundred(worths: list[int] | None, time: int) -> tuple[int, ...] | None:
    return None if worths is None else tuple(worth // (time * _A_BUYER) for worth in worths)


class Judge:
    """Adds up what each way did, step by step: the real prices first, then what was tried."""

    def __init__(self, names: Sequence[str], shares_bp: tuple[int, ...]) -> None:
        self._real = Tally(REAL, shares_bp)
        self._tried = [Tally(name, shares_bp) for name in names]

    def add(self, step: Step) -> None:
        """Count one step of a replay."""
        self._real.add(step.real)
        for tally, stand in zip(self._tried, step.tried, strict=True):
            tally.add(stand)

    def outcomes(self) -> tuple[Outcome, ...]:
        """What each way came to so far."""
        return tuple(tally.outcome(self._real) for tally in (self._real, *self._tried))


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """One way of pricing over several boards: what a hundred buyers of one bring on average.

    Raises ValueError without any.
    """
    if not outcomes:
        raise ValueError("nothing was replayed: there is no outcome to add up")
    seconds = sum(outcome.seconds for outcome in outcomes)

    def mean(figures: list[int]) -> int:
        weighed = zip(outcomes, figures, strict=True)
        return sum(outcome.seconds * figure for outcome, figure in weighed) // max(1, seconds)

    return Outcome(
        name=outcomes[0].name,
        listings=len(outcomes),
        seconds=seconds,
        changes=sum(outcome.changes for outcome in outcomes),
        reviews=sum(outcome.reviews for outcome in outcomes),
        outside=sum(outcome.outside for outcome in outcomes),
        first_bp=mean([outcome.first_bp for outcome in outcomes]),
        place=mean([outcome.place for outcome in outcomes]),
        price=mean([outcome.price for outcome in outcomes]),
        profits=_average([outcome.profits for outcome in outcomes]),
        gains=_average([outcome.gains for outcome in outcomes]),
    )


def _average(parts: list[tuple[int, ...] | None]) -> tuple[int, ...] | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return tuple(sum(amounts) // len(known) for amounts in zip(*known, strict=True))
