"""One run: one way of pricing in one market from one seed, and what came of it."""

from collections import Counter
from random import Random

import msgspec

from benchmarks.market.goods import Goods, goods
from benchmarks.market.pricing import Pricing
from domain.pricing import WHOLE
from sandbox.market.buyers import arrivals, crowd
from sandbox.market.shapes import shape
from sandbox.market.sight import DAY, PriceRule, Sight
from sandbox.market.trading import Ledger, Seller, trade

#: We look at the board every quarter of an hour.
EVERY = 15


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run.

    `profit` is whole tenge of all our shops, `scaled` the same in ten-thousandths of the usual
    price, so that dear goods do not outweigh cheap ones. `first` is in basis points of the time,
    `changes` of all our shops. The rest counts prices that should not have been set (outside the
    allowed, of these below the lowest of them, of these below cost) and sales at a loss.
    """

    profit: int
    scaled: int
    sold: int
    first: int
    changes: int
    outside: int
    below_lowest: int
    below_cost: int
    losses: int


class Watched:
    """Counts the prices that a pricer sets and should not."""

    def __init__(self, rule: PriceRule, goods: Goods, seen: Counter[str]) -> None:
        self._rule, self._plan, self._seen = rule, goods.plan, seen

    def __call__(self, sight: Sight) -> int:
        price = self._rule(sight)
        if price != sight.own and price not in self._plan.allowed:
            self._seen["outside"] += 1
            self._seen["below_lowest"] += price < self._plan.allowed.lowest
            self._seen["below_cost"] += (self._plan.profit(price) or 0) < 0
        return price


def run(name: str, pricing: Pricing, seed: int, days: int) -> Outcome:
    """Let one way of pricing work through the market of that shape and seed."""
    ware = goods(Random(f"{name}/{seed}/goods"))  # noqa: S311
    random = Random(f"{name}/{seed}/market")  # noqa: S311
    made = shape(name, random, ware.stage(days))
    seen: Counter[str] = Counter()
    shops = tuple(
        _shop(number, Watched(pricing(ware), ware, seen), ware, made.ours, days)
        for number in range(made.shops)
    )
    sellers = [*made.rivals, *shops]
    random.shuffle(sellers)
    buyers = arrivals(random, crowd(random), ware.usual, len(sellers), days)
    return _outcome(trade(sellers, buyers, days), {one.name for one in shops}, ware, seen, days)


def _shop(number: int, rule: PriceRule, ware: Goods, delivery: int, days: int) -> Seller:
    allowed = ware.plan.allowed
    first = allowed.below(ware.usual) or allowed.lowest
    return Seller(
        name="us" if number == 0 else f"us too {number}",
        rule=rule,
        first=first,
        floor=allowed.lowest,
        ceiling=allowed.highest,
        turns=range(7 + number, days * DAY, EVERY),
        days=delivery,
        owner="we",
    )


def _outcome(ledger: Ledger, ours: set[str], ware: Goods, seen: Counter[str], days: int) -> Outcome:
    earned = [ware.plan.profit(sale.price) or 0 for sale in ledger.sales if sale.seller in ours]
    return Outcome(
        profit=sum(earned),
        scaled=sum(earned) * WHOLE // ware.usual,
        sold=len(earned),
        first=sum(ledger.first[name] for name in ours) * WHOLE // (days * DAY),
        changes=sum(ledger.changes[name] for name in ours),
        outside=seen["outside"],
        below_lowest=seen["below_lowest"],
        below_cost=seen["below_cost"],
        losses=sum(profit < 0 for profit in earned),
    )
