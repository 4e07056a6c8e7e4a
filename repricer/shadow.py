"""Who stands in our shadow: so close to us that it would come after us."""

from domain.pricing import WHOLE
from repricer.allowed import Plan


def reach(own: int, plan: Plan) -> int:
    """How far our shadow reaches from a price, in tenge; 0: the rule knows no shadow."""
    rule = plan.rule
    return max(2 * rule.step, own * rule.shadow_bp // WHOLE) if rule.shadow_bp else 0


def distance(one: int, other: int, plan: Plan) -> int:
    """How far two prices are apart, dead zones not counted: nobody stands within them."""
    low, high = min(one, other), max(one, other)
    zones = plan.costs.dead_zones if plan.costs else ()
    dead = (min(end, high) - max(begin, low) + 1 for begin, end in zones)
    return high - low - sum(prices for prices in dead if prices > 0)


def follows(level: int, own: int, plan: Plan) -> bool:
    """Whether a rival stands just below us or with us, as one does who came after us."""
    if level > own or not plan.rule.shadow_bp:
        return False
    return distance(level, own, plan) <= reach(own, plan)
