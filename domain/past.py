"""A board's past, and what a price did on it: by our own hand, or as a rule would have had it."""

from datetime import datetime
from typing import Self

import msgspec

from domain.identity import CityId, ProductId
from domain.pricing import MarketOffer


class Moment(msgspec.Struct, frozen=True, gc=False):
    """Everybody's offers on one board, as they stood from this moment until the next one."""

    at: datetime
    offers: tuple[MarketOffer, ...]


class Board(msgspec.Struct, frozen=True, gc=False):
    """A product's board in one city; the name is None until the card was read."""

    product: ProductId
    city: CityId
    name: str | None = None


class Range(msgspec.Struct, frozen=True, gc=False):
    """Whole tenge as we assume that buyers choose, and the least and the most otherwise."""

    middle: int
    low: int
    high: int

    @classmethod
    def of(cls, amounts: tuple[int, ...]) -> Self:
        """The range of these amounts, of which the first is the assumed one."""
        return cls(amounts[0], min(amounts), max(amounts))


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What came of one way of pricing while our offer stood on the board.

    name: the way, for people
    listings: how many boards are counted together
    seconds: how long we stood there, summed over the boards
    changes, reviews: prices set, and times that a person would have been asked first
    outside: changes to a price that the rule does not allow
    first_bp: the share of the time in which everybody else was dearer, in basis points
    place: the mean place in hundredths, whoever asks the same before us
    price: the mean price in tenge
    profits: tenge of a hundred buyers of the product (of several boards the average), by each way
        in which buyers may choose, the assumed one first; None where no cost is known
    gains: the profits less those of the real prices, in the same order
    """

    name: str
    listings: int = 1
    seconds: int
    changes: int
    reviews: int
    outside: int
    first_bp: int
    place: int
    price: int
    profits: tuple[int, ...] | None
    gains: tuple[int, ...] | None

    @property
    def profit(self) -> Range | None:
        """The profit as a range."""
        return None if self.profits is None else Range.of(self.profits)

    @property
    def gain(self) -> Range | None:
        """What was earned more than by the real prices, as a range."""
        return None if self.gains is None else Range.of(self.gains)


class Point(msgspec.Struct, frozen=True, gc=False):
    """From this moment on a price stood at this place, until the next point."""

    at: datetime
    price: int
    place: int


class Trace(msgspec.Struct, frozen=True, gc=False):
    """How a price moved: a point for each change of it or of its place, and one at the end."""

    name: str
    points: tuple[Point, ...]


class Replayed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One board replayed: the real prices first, then each way that was tried.

    `cheapest` is the price of the cheapest of the others, as points without a place of ours.
    """

    board: Board
    outcomes: tuple[Outcome, ...]
    traces: tuple[Trace, ...] = ()
    cheapest: tuple[tuple[datetime, int], ...] = ()
