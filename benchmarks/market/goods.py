"""What is sold in a market: goods with a cost, real fees, and the limits that follow from them."""

from random import Random

import msgspec
from msgspec.structs import replace

from domain.money import Tenge
from domain.pricing import WHOLE, Rule
from repricer.allowed import Plan, prepare
from repricer.costs import costs
from repricer.tariffs import packaged
from sandbox.market.shapes import Stage

#: About where goods are priced: by the steps of the delivery fee, and where no step is near.
AROUND = ((2_900, 3_400), (4_700, 5_900), (9_300, 11_500), (14_000, 20_000), (20_000, 60_000))
#: All of ours may go from the floor to the ceiling at once.
MOST_AT_ONCE = 6_000


class Goods(msgspec.Struct, frozen=True):
    """One card of ours: the usual price of it, and the rule with cost, fees and limits.

    `plan` is the rule made ready: its allowed prices judge everybody who prices for us.
    """

    usual: int
    rule: Rule
    plan: Plan

    def stage(self, days: int) -> Stage:
        """The market around these goods."""
        allowed = self.plan.allowed
        return Stage(usual=self.usual, lowest=allowed.lowest, ceiling=allowed.highest, days=days)


def goods(random: Random) -> Goods:
    """Any goods that earn 8 to 18 % at the usual price, at which 2 to 6 % are wanted at least."""
    usual = random.randint(*random.choice(AROUND))
    fees = Rule(
        zone=random.choice(("city", "country")),
        weight=random.choice((300, 1_000, 1_000, 7_000, 20_000)),
        max_change_bp=MOST_AT_ONCE,
    )
    counted = costs(fees, packaged().on(None))
    assert counted is not None
    cost = counted.left(usual) // WHOLE - usual * random.randint(800, 1_800) // WHOLE
    rule = replace(
        fees,
        cost=Tenge(cost),
        margin_bp=random.randint(200, 600),
        ceiling=Tenge(usual * random.randint(108, 125) // 100),
    )
    plan = prepare(rule, packaged(), None)
    return Goods(usual, rule, plan)
