"""What a sale costs, and what is left of it, at any price.

Everything is counted exactly, in ten-thousandths of a tenge: a price times basis points is a whole
number of them, and so is a fee in tenge with VAT in basis points. Only what is shown is rounded,
down, so that a profit is never promised that does not come.
"""

from functools import lru_cache

import msgspec

from domain.intervals import Intervals
from domain.money import DEAREST
from domain.pricing import WHOLE, Rule
from repricer.tariffs import Tariff, overridden, rates

#: (from this price on, the fee in ten-thousandths of a tenge), ascending, the first from 1.
Steps = tuple[tuple[int, int], ...]
_NO_FEE: Steps = ((1, 0),)


class Costs(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one sale costs. `outlay` is None when the purchase cost is not known.

    outlay: purchase and packaging, in tenge
    taken_bp: commission, payment fee and tax, in basis points of the price
    steps: the delivery fee with VAT
    """

    outlay: int | None
    taken_bp: int
    steps: Steps = _NO_FEE

    def left(self, price: int) -> int:
        """Ten-thousandths of a tenge left of the price; the outlay is not yet counted."""
        fee = 0
        for begins, dearer in self.steps:
            if price < begins:
                break
            fee = dearer
        return price * (WHOLE - self.taken_bp) - fee

    def profit(self, price: int) -> int | None:
        """Whole tenge earned by a sale at this price, rounded down; None without a known cost."""
        return None if self.outlay is None else self.left(price) // WHOLE - self.outlay

    @property
    def worthwhile(self) -> Intervals:
        """Prices that leave more than every lower price does: all but the dead zones."""
        return Intervals.of((first, last) for first, last, _ in _rises(self.taken_bp, self.steps))

    @property
    def dead_zones(self) -> Intervals:
        """Prices at which some lower price leaves as much or more."""
        return _falls(self.taken_bp, self.steps)

    def allowed(self, margin: int, margin_bp: int, low: int, high: int) -> Intervals:
        """Worthwhile prices from low to high that earn both margins.

        margin is in tenge, margin_bp in basis points of the price. Without a known cost every
        worthwhile price is taken to earn them.
        """
        slope = WHOLE - self.taken_bp
        needed = 0 if self.outlay is None else (self.outlay + margin) * WHOLE
        needed_bp = 0 if self.outlay is None else self.outlay * WHOLE
        slope_bp = slope if self.outlay is None else slope - margin_bp
        if slope_bp <= 0:
            return Intervals()
        pairs = []
        for first, last, fee in _rises(self.taken_bp, self.steps):
            begins = max(first, low)
            if self.outlay is not None:
                begins = max(begins, -(-(needed + fee) // slope), -(-(needed_bp + fee) // slope_bp))
            pairs.append((begins, min(last, high)))
        return Intervals.of(pairs)


@lru_cache(maxsize=4096)
def _rises(taken_bp: int, steps: Steps) -> tuple[tuple[int, int, int], ...]:
    """(first price, last price, fee) of each stretch where every price leaves a new record.

    Between two steps what is left grows evenly, so each stretch ends where a step comes and
    begins as soon as what is left has made up for the step.
    """
    slope, record, found = WHOLE - taken_bp, None, []
    if slope <= 0:
        return ()
    ends = (*(begins - 1 for begins, _ in steps[1:]), int(DEAREST))
    for (begins, fee), last in zip(steps, ends, strict=True):
        # The first price with price * slope - fee > record.
        first = begins if record is None else max(begins, (record + fee) // slope + 1)
        if first <= last:
            found.append((first, last, fee))
            record = last * slope - fee
    return tuple(found)


@lru_cache(maxsize=4096)
def _falls(taken_bp: int, steps: Steps) -> Intervals:
    """What the rises leave out."""
    rises = Intervals.of((first, last) for first, last, _ in _rises(taken_bp, steps))
    return Intervals.of([(1, int(DEAREST))]).subtract(rises)


def costs(rule: Rule, tariff: Tariff | None) -> Costs | None:
    """The costs of one listing; None when neither a cost nor a tariff is to be counted."""
    if tariff is None and rule.cost is None:
        return None
    taken, steps = (0, _NO_FEE) if tariff is None else overridden(tariff, rule)
    outlay = None if rule.cost is None else rule.cost + rule.packaging
    return Costs(outlay=outlay, taken_bp=taken, steps=steps)


class Bill(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is taken of one sale, item by item, in ten-thousandths of a tenge."""

    price: int
    commission: int = 0
    payment: int = 0
    tax: int = 0
    delivery: int = 0
    packaging: int = 0
    cost: int

    @property
    def left(self) -> int:
        """What the seller keeps, in ten-thousandths of a tenge."""
        taken = self.commission + self.payment + self.tax + self.delivery
        return self.price - taken - self.packaging - self.cost


def bill(rule: Rule, tariff: Tariff | None, price: int) -> Bill | None:
    """The bill of a sale at this price; None without a known cost."""
    counted = costs(rule, tariff)
    if counted is None or rule.cost is None:
        return None
    commission, payment, tax = (0, 0, 0) if tariff is None else rates(tariff, rule)
    return Bill(
        price=price * WHOLE,
        commission=price * commission,
        payment=price * payment,
        tax=price * tax,
        delivery=price * (WHOLE - counted.taken_bp) - counted.left(price),
        packaging=rule.packaging * WHOLE,
        cost=rule.cost * WHOLE,
    )
