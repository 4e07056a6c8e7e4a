"""The promises, each over very many situations: a million of them when there is time."""

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random

import msgspec
import pytest

from domain.identity import MerchantId
from domain.moments import almaty_date
from domain.pricing import Action, Decision, MarketOffer, NoRival, Reason, Rule, Situation
from repricer.allowed import Plan, prepare
from repricer.decision import decide
from tests.repricer.fuzzing import cases
from tests.repricer.thinking import TARIFFS, applied

FEW, MANY = 50_000, 1_000_000
COUNTS = [FEW, pytest.param(MANY, marks=pytest.mark.long)]
Case = tuple[Situation, Plan, Decision]


def thought(count: int, seed: int) -> Iterator[Case]:
    for situation, rule in cases(seed, count):
        plan = planned(situation, rule)
        yield situation, plan, decide(situation, plan)


def planned(situation: Situation, rule: Rule) -> Plan:
    assert situation.now is not None
    return prepare(rule.at_age(situation.stock_age_days), TARIFFS, almaty_date(situation.now))


def gist(decision: Decision) -> tuple[object, ...]:
    """What the market and the owner see of a decision."""
    rival = None if decision.rival is None else decision.rival.merchant
    return decision.action, decision.price, decision.reason, rival


# --- Reckoned anew, from the tables' numbers and nothing of the engine's -------------------------

#: Fee without VAT up to a price, then by weight in kilograms.
FEES = {
    "city": ((999, 49), (2_999, 149), (4_999, 199), (9_999, 699)),
    "country": ((999, 49), (2_999, 149), (4_999, 199), (9_999, 799)),
}
HEAVY = {
    "city": ((5, 1_099), (15, 1_349), (30, 2_299), (60, 2_899), (100, 4_149), (10**9, 6_449)),
    "country": ((5, 1_299), (15, 1_699), (30, 3_599), (60, 5_649), (100, 8_549), (10**9, 11_999)),
}
COMMISSION = {None: 1_250, "Украшения": 1_550, "Продукты питания": 730}


def left(rule: Rule, price: int) -> int:
    """What a sale leaves in ten-thousandths of a tenge, before the purchase cost."""
    if not rule.uses_tariffs:
        return price * 10_000
    fee = next((fee for up_to, fee in FEES[rule.zone] if price <= up_to), None)
    if fee is None:
        fee = next(fee for up_to, fee in HEAVY[rule.zone] if rule.weight <= up_to * 1_000)
    taken = COMMISSION[rule.category] + 95 + 400
    return price * (10_000 - taken) - fee * 11_600


def must_not_be(rule: Rule, price: int) -> str | None:
    """Why this price may never be set, reckoned from the definitions."""
    if rule.floor is not None and price < rule.floor:
        return "below the floor"
    if rule.ceiling is not None and price > rule.ceiling:
        return "above the ceiling"
    ours = left(rule, price)
    if rule.cost is not None:
        profit = ours - (rule.cost + rule.packaging) * 10_000
        if profit < rule.margin * 10_000 or profit < price * rule.margin_bp:
            return "below the margin"
    # What is left rises between steps, so a better lower price would be the last before a step.
    if any(left(rule, step - 1) >= ours for step in (1_000, 3_000, 5_000, 10_000) if step <= price):
        return "in a dead zone"
    return None


# --- The promises ----------------------------------------------------------------------------


def never_outside_the_allowed_set(situation: Situation, plan: Plan, decision: Decision) -> None:
    if decision.price is not None:
        assert any(low <= decision.price <= high for low, high in decision.pairs)
        assert must_not_be(plan.rule, decision.price) is None


def deciding_twice_changes_nothing(situation: Situation, plan: Plan, decision: Decision) -> None:
    again = decide(applied(situation, decision), plan)
    assert again.action is (Action.HOLD if decision.action is Action.SET else decision.action)
    assert again.price == (None if decision.action is Action.SET else decision.price)


def no_cut_without_a_gain(situation: Situation, plan: Plan, decision: Decision) -> None:
    before, price = decision.before, decision.price
    if decision.action is not Action.SET or before is None or price is None or price >= before:
        return
    if plan.rule.ceiling is not None and before > plan.rule.ceiling:
        return  # the owner's ceiling is no matter of gain
    passed = any(price < level <= before or price <= level < before for level in decision.levels)
    earned = left(plan.rule, price) // 10_000 - left(plan.rule, before) // 10_000
    assert passed or earned >= 1
    if decision.profit is not None and decision.profit_before is not None:
        assert decision.profit - decision.profit_before == earned


def order_does_not_matter(situation: Situation, plan: Plan, decision: Decision) -> None:
    shuffled = list(situation.offers)
    Random(len(shuffled)).shuffle(shuffled)  # noqa: S311
    turned = msgspec.structs.replace(situation, offers=tuple(shuffled))
    assert gist(decide(turned, plan)) == gist(decision)


def who_is_no_rival_changes_nothing(situation: Situation, plan: Plan, decision: Decision) -> None:
    strangers = tuple(offer for offer, why in decision.dropped if why is not NoRival.OURSELVES)
    if strangers:
        without = tuple(offer for offer in situation.offers if offer not in strangers)
        alone = msgspec.structs.replace(situation, offers=without)
        assert gist(decide(alone, plan)) == gist(decision)
    sister = MarketOffer(MerchantId("s1"), (decision.before or 5_000) - 1, delivery_days=0)
    joined = msgspec.structs.replace(
        situation,
        offers=(*(offer for offer in situation.offers if offer.merchant != "s1"), sister),
    )
    assert gist(decide(joined, plan)) == gist(decision)


PROMISES: list[Callable[[Situation, Plan, Decision], None]] = [
    never_outside_the_allowed_set,
    deciding_twice_changes_nothing,
    no_cut_without_a_gain,
    order_does_not_matter,
    who_is_no_rival_changes_nothing,
]


@pytest.mark.parametrize("count", COUNTS)
def test_the_promises_hold(count: int) -> None:
    for situation, plan, decision in thought(count, seed=count):
        for promise in PROMISES:
            try:
                promise(situation, plan, decision)
            except AssertionError as broken:
                raise AssertionError(
                    f"{promise.__name__} is broken by\n{situation}\n{plan.rule}\n{decision}"
                ) from broken


def test_the_situations_reach_every_reason() -> None:
    seen = Counter(decision.reason for _, _, decision in thought(20_000, seed=1))
    unreachable = {Reason.NO_TARIFF, Reason.RULE_OFF}  # their tests stand elsewhere
    assert set(Reason) - set(seen) == unreachable


def test_the_allowed_prices_are_exactly_those_that_may_be() -> None:
    """Price by price, where the fees step and the set begins and ends."""
    for situation, rule in cases(7, 400):
        plan = planned(situation, rule)
        if plan.refusal in {Reason.NO_FLOOR_NO_COST, Reason.CEILING_BELOW_FLOOR}:
            continue
        for price in range(1, 16_000, 7):
            assert (price in plan.allowed) == (must_not_be(plan.rule, price) is None)
