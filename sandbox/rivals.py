"""How sellers behave: each rule answers a board with the seller's next quote, and no more."""

from abc import ABC, abstractmethod
from random import Random
from typing import ClassVar

import attrs

from domain.money import Tenge


@attrs.frozen
class Quote:
    """What one seller asks for one card in one city, and whether the goods are there at all."""

    price: Tenge
    present: bool = True
    preorder: int = 0


@attrs.frozen
class Limits:
    """What a seller allows himself: never below `floor`, and `ask` when nobody presses him."""

    floor: Tenge
    ask: Tenge

    def clamp(self, price: int) -> Tenge:
        """The allowed price that is nearest to the wish."""
        return Tenge(min(max(price, self.floor), self.ask))


@attrs.frozen
class View:
    """What a seller sees: his own quote and limits, the others' lowest price (None if he is
    alone), the hour in Almaty, and the chance that decides his whims.
    """

    mine: Quote
    limits: Limits
    lowest: int | None
    hour: int
    random: Random

    def asks(self, price: int) -> Quote:
        """My quote with the allowed price that is nearest to the wish."""
        return attrs.evolve(self.mine, price=self.limits.clamp(price))


@attrs.frozen
class Rule(ABC):
    """One way of behaving.

    `pace` is in how many ticks of a thousand the seller looks at the board; one who `comes_back`
    also looks while he has nothing to sell.
    """

    pace: ClassVar[int]
    comes_back: ClassVar[bool] = False

    @abstractmethod
    def quote(self, view: View) -> Quote:
        """The seller's next quote; it may be the same."""


@attrs.frozen
class Sleeper(Rule):
    """Never moves."""

    pace = 0

    def quote(self, view: View) -> Quote:
        return view.mine


@attrs.frozen
class Undercutter(Rule):
    """Stands `step` tenge below the leader down to his floor; now and then gives a lost war up."""

    pace = 120
    step: int

    def quote(self, view: View) -> Quote:
        if view.lowest is None:
            return view.asks(view.limits.ask)
        wish = view.lowest - self.step
        beaten = wish < view.limits.floor
        return view.asks(view.limits.ask if beaten and view.random.random() < 0.05 else wish)


@attrs.frozen
class Matcher(Rule):
    """Asks what the leader asks."""

    pace = 60

    def quote(self, view: View) -> Quote:
        return view.asks(view.limits.ask if view.lowest is None else view.lowest)


@attrs.frozen
class RandomWalker(Rule):
    """Drifts by up to three percent at a time, for no reason that a rival could learn."""

    pace = 15

    def quote(self, view: View) -> Quote:
        return view.asks(view.mine.price * view.random.randint(970, 1030) // 1000)


@attrs.frozen
class NightRaider(Rule):
    """Is seven percent cheaper between midnight and six."""

    pace = 500

    def quote(self, view: View) -> Quote:
        return view.asks(view.limits.ask * (93 if view.hour < 6 else 100) // 100)


@attrs.frozen
class Leaver(Rule):
    """Runs out of stock and returns, sometimes to order only and at another price."""

    pace = 12
    comes_back = True

    def quote(self, view: View) -> Quote:
        if view.mine.present:
            return attrs.evolve(view.mine, present=False)
        wish = view.mine.price * view.random.randint(980, 1020) // 1000
        return Quote(view.limits.clamp(wish), preorder=view.random.choice((0, 0, 0, 3)))


@attrs.frozen
class Newcomer(Rule):
    """Is not there at first, arrives late and then stays."""

    pace = 10
    comes_back = True

    def quote(self, view: View) -> Quote:
        return view.mine if view.mine.present else attrs.evolve(view.mine, present=True)


def rule(random: Random) -> Rule:
    """Deal a seller his way: two in five never move, as most real ones. Newcomers come extra."""
    lot = random.randrange(100)
    if lot < 40:
        return Sleeper()
    if lot < 60:
        return Undercutter(step=random.randint(1, 7))
    if lot < 70:
        return Matcher()
    if lot < 85:
        return RandomWalker()
    return NightRaider() if lot < 89 else Leaver()
