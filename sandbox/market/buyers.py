"""Buyers: when they come, what they can pay, how far they look, and what they take.

Nobody here knows a share by place: what each place gets follows from what the buyers prefer. All
of it is assumed, none is measured on orders: see docs/market.md.
"""

from collections.abc import Sequence
from random import Random

import attrs
import msgspec

from sandbox.market.sight import DAY

#: How many of a day's buyers come in each hour in Almaty, from midnight on; the weight is free.
HOURS = (3, 2, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 8, 8, 8, 8, 8, 8, 9, 10, 11, 11, 9, 5)
#: A whole, in basis points.
WHOLE = 10_000


class Buyer(msgspec.Struct, frozen=True, gc=False):
    """One who comes at `minute`, looks at so many of the cheapest offers and takes one or none.

    Tenge: `budget` is the most that is paid, `day` what a day of waiting is worth, `tastes` what
    each seller's name is worth less than the best one's, by the seller's place in the market.
    """

    minute: int
    budget: int
    looks: int
    day: int
    tastes: tuple[int, ...]

    def choose(self, board: Sequence[tuple[int, int, int]]) -> int | None:
        """Whose offer is taken, of (price, seller, days), the cheapest first; None: nobody's."""
        best, least = None, 0
        for price, seller, days in board[: self.looks]:
            if price > self.budget:
                break
            burden = price + days * self.day + self.tastes[seller]
            if best is None or burden < least:
                best, least = seller, burden
        return best


@attrs.frozen(kw_only=True)
class Crowd:
    """How the buyers of one card are, as basis points of the usual price unless said otherwise.

    `a_day` come. Of all, `hasty` take the first offer unseen and `loyal` go to one seller by name.
    The others look at two to `looks` offers, find a day of waiting worth up to `day`, and have
    tastes up to `taste`. Budgets lie evenly between the two ends: demand falls as prices rise.
    """

    a_day: int
    hasty: int
    loyal: int
    looks: int
    day: int
    taste: int
    budgets: tuple[int, int]


def crowd(random: Random) -> Crowd:
    """Any crowd: none of these figures is known, so each market has its own."""
    return Crowd(
        a_day=random.randint(12, 40),
        hasty=random.randint(2_500, 6_500),
        loyal=random.randint(300, 1_500),
        looks=random.randint(3, 8),
        day=random.randint(20, 120),
        taste=random.randint(50, 400),
        budgets=(random.randint(8_000, 9_000), random.randint(12_500, 16_000)),
    )


def arrivals(
    random: Random, crowd: Crowd, usual: int, sellers: int, days: int
) -> tuple[Buyer, ...]:
    """All buyers of so many days in the order of their coming; `usual` is the usual price."""
    comings = sorted(
        day * DAY + random.choices(range(24), HOURS)[0] * 60 + random.randrange(60)
        for day in range(days)
        for _ in range(random.randint(crowd.a_day * 7 // 10, crowd.a_day * 13 // 10))
    )
    return tuple(_buyer(random, crowd, usual, sellers, minute) for minute in comings)


def _buyer(random: Random, crowd: Crowd, usual: int, sellers: int, minute: int) -> Buyer:
    kind = random.randrange(WHOLE)
    budget = usual * random.randint(*crowd.budgets) // WHOLE
    if kind < crowd.loyal:
        friend = random.randrange(sellers)
        tastes = tuple([0 if seller == friend else usual for seller in range(sellers)])
        return Buyer(minute, budget, sellers, 0, tastes)
    return Buyer(
        minute,
        budget,
        looks=1 if kind < crowd.loyal + crowd.hasty else random.randint(2, crowd.looks),
        day=usual * random.randint(0, crowd.day) // WHOLE,
        tastes=tuple([usual * random.randint(0, crowd.taste) // WHOLE for _ in range(sellers)]),
    )
