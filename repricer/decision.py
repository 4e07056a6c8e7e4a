"""The decision: one price, one reason, and the numbers behind it. Pure: no clock, no chance."""

from msgspec.structs import replace

from domain.money import Tenge
from domain.pricing import WHOLE, Action, Constraint, Decision, Doing, Reason, Situation
from repricer.allowed import Plan
from repricer.limits import Verdict, is_anomaly, judge, reviewed
from repricer.rivals import Market, meet
from repricer.strategies import Proposal, is_at_war, propose, to_ceiling
from repricer.windows import doing_at


def decide(situation: Situation, plan: Plan) -> Decision:
    """Choose our price for one listing: always inside the allowed prices, or not at all."""
    market = meet(situation, plan.rule, plan.screen)
    return _answer(situation, plan, market, _verdict(situation, plan, market))


def _verdict(situation: Situation, plan: Plan, market: Market) -> Verdict:
    if why := _off(situation, plan):
        return Verdict(Action.OFF, Proposal(price=None, reason=why))
    if plan.refusal:
        return Verdict(Action.HOLD, Proposal(price=None, reason=plan.refusal))
    doing, why = doing_at(plan.rule.windows, situation.now), Reason.WINDOW_CEILING
    if doing is Doing.RESET:
        doing, why = Doing.CEILING if is_at_war(market, plan) else Doing.HOLD, Reason.RESET
    if doing is Doing.CEILING:
        wish = to_ceiling(market, plan, why, Reason.OUTSIDE_WINDOW)
        proposal = replace(wish, passes_by=False)
    else:
        proposal = _scarce(situation, plan, propose(market, plan))
    if is_anomaly(situation, plan.rule, market.own):
        return reviewed(proposal, Reason.ANOMALY, Constraint.ANOMALY)
    if doing is Doing.HOLD:
        bounds = (Constraint.WINDOW,)
        held = Proposal(price=None, reason=Reason.OUTSIDE_WINDOW, constraints=bounds)
        return Verdict(Action.HOLD, held)
    return judge(situation, plan, market, proposal)


def _off(situation: Situation, plan: Plan) -> Reason | None:
    if not plan.rule.on:
        return Reason.RULE_OFF
    if situation.stock is not None and situation.stock <= 0:
        return Reason.OUT_OF_STOCK
    return None if situation.offered else Reason.NOT_OFFERED


def _scarce(situation: Situation, plan: Plan, proposal: Proposal) -> Proposal:
    """The last pieces are sold dearer: at most so much above what the strategy wishes."""
    rule, stock = plan.rule, situation.stock
    if proposal.price is None or proposal.stays or not rule.is_scarce(stock):
        return proposal
    wish = proposal.price + -(-proposal.price * rule.stock_low_raise_bp // WHOLE)
    price = plan.allowed.below(wish)
    if price is None or price <= proposal.price:
        return proposal
    return replace(
        proposal,
        price=price,
        reason=Reason.LOW_STOCK,
        constraints=(*proposal.constraints, Constraint.STOCK),
    )


def _answer(situation: Situation, plan: Plan, market: Market, verdict: Verdict) -> Decision:
    own, proposal = market.own, verdict.proposal
    wish = None if proposal.price is None else Tenge(proposal.price)
    action = verdict.action
    is_new = wish is not None and (action is Action.SET or action is Action.REVIEW)
    stands = wish if is_new else own
    return Decision(
        id=situation.id,
        action=action,
        price=wish if is_new else None,
        wish=None if is_new or wish == own else wish,
        reason=proposal.reason,
        rival=proposal.rival,
        before=None if own is None else Tenge(own),
        profit=plan.profit(stands),
        profit_before=plan.profit(own),
        place=None if stands is None else market.place(stands),
        place_before=None if own is None else market.place(own),
        pairs=plan.allowed.pairs,
        constraints=proposal.constraints,
        rivals=market.rivals,
        levels=market.levels,
        dropped=market.dropped,
    )
