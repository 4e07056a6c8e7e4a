"""The prices that a rule allows: a set of intervals, made before anybody looks at a rival."""

from datetime import date

import msgspec

from domain.intervals import Intervals
from domain.money import DEAREST
from domain.pricing import WHOLE, Constraint, Reason, Rule
from repricer.costs import Costs, costs
from repricer.rivals import Screen, screen
from repricer.tariffs import Tariffs


class Plan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A rule made ready for decisions: its costs, its allowed prices.

    `refusal` says why no price is allowed, and then `allowed` is empty.
    """

    rule: Rule
    costs: Costs | None
    allowed: Intervals
    screen: Screen
    refusal: Reason | None = None

    @property
    def ceiling(self) -> int | None:
        """The highest allowed price, None when the owner set no ceiling."""
        return None if self.rule.ceiling is None else self.allowed.highest

    @property
    def lowest_is(self) -> Constraint:
        """What makes the lowest allowed price the lowest."""
        floor = self.rule.floor
        if self.costs is None or self.allowed.lowest == floor:
            return Constraint.FLOOR
        is_dead = floor is not None and floor in self.costs.dead_zones
        return Constraint.DEAD_ZONE if is_dead else Constraint.MARGIN

    def profit(self, price: int | None) -> int | None:
        """Whole tenge earned at this price, None where that cannot be known."""
        return None if price is None or self.costs is None else self.costs.profit(price)

    def gain(self, before: int, after: int) -> int:
        """Whole tenge that a sale earns more after a change; for that no cost need be known."""
        if self.costs is None:
            return after - before
        return self.costs.left(after) // WHOLE - self.costs.left(before) // WHOLE

    def binding(self, wish: int) -> Constraint | None:
        """What forbids the price that the strategy wished for, None when it is allowed."""
        if wish in self.allowed:
            return None
        if wish < self.allowed.lowest:
            return self.lowest_is
        ceiling = self.rule.ceiling
        return (
            Constraint.CEILING if ceiling is not None and wish > ceiling else Constraint.DEAD_ZONE
        )


def prepare(rule: Rule, tariffs: Tariffs, day: date | None) -> Plan:
    """Make a rule ready for the decisions of one day (None: the newest tariffs)."""
    tariff = tariffs.on(day) if rule.uses_tariffs else None
    floor = rule.floor if rule.floor is not None and rule.floor > 0 else None
    if floor is None and rule.cost is None:
        return _refused(rule, None, Reason.NO_FLOOR_NO_COST)
    if rule.uses_tariffs and tariff is None:
        return _refused(rule, None, Reason.NO_TARIFF)
    counted = costs(rule, tariff)
    if floor is not None and rule.ceiling is not None and rule.ceiling < floor:
        return _refused(rule, counted, Reason.CEILING_BELOW_FLOOR)
    low, high = floor or 1, rule.ceiling or int(DEAREST)
    if counted is None:
        allowed = Intervals(((low, high),))
    else:
        allowed = counted.allowed(rule.margin, rule.margin_bp, low, high)
    if not allowed:
        return _refused(rule, counted, Reason.NO_ALLOWED_PRICE)
    return Plan(rule=rule, costs=counted, allowed=allowed, screen=screen(rule))


def _refused(rule: Rule, counted: Costs | None, why: Reason) -> Plan:
    return Plan(rule=rule, costs=counted, allowed=Intervals(), screen=screen(rule), refusal=why)
