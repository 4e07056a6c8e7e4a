"""Limits have the last word: a proposal passes all of them, or is held or shown to a person.

A change that is too big is never cut to size: a person sees it whole.
"""

from bisect import bisect_left, bisect_right
from datetime import timedelta

import msgspec
from msgspec.structs import replace

from domain.pricing import WHOLE, Action, Constraint, MarketOffer, Reason, Rule, Situation
from repricer.allowed import Plan
from repricer.rivals import Market
from repricer.shadow import distance, follows, reach
from repricer.strategies import Proposal, stay


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What becomes of a proposal."""

    action: Action
    proposal: Proposal


def judge(situation: Situation, plan: Plan, market: Market, proposal: Proposal) -> Verdict:
    """Let the proposal pass, hold the price, or call a person."""
    own = market.own
    if own is None:
        return Verdict(Action.HOLD if proposal.price is None else Action.SET, proposal)
    proposal = _out_of_the_shadow(own, plan, market, proposal)
    price = proposal.price
    if price is None or price == own:
        return _held(proposal, proposal.reason if proposal.stays else Reason.AT_TARGET)
    if not _is_forbidden(own, plan):
        if _is_younger(situation, plan.rule.cooldown_minutes):
            return _held(proposal, Reason.COOLDOWN, Constraint.COOLDOWN)
        if rival := _waits_for(situation, plan, market, price):
            held = replace(proposal, rival=rival)
            return _held(held, Reason.PATIENCE, Constraint.PATIENCE)
        if not _gains(own, price, plan, market):
            return _held(proposal, Reason.NO_GAIN, Constraint.GAIN)
    return _sized(situation, plan.rule, own, price, proposal)


def is_anomaly(situation: Situation, rule: Rule, live: int | None) -> bool:
    """Whether our live price is so far from what we set that somebody else must have set it."""
    remembered = situation.current if situation.remembered is None else situation.remembered
    if remembered is None or live is None:
        return False
    return abs(live - remembered) * WHOLE > remembered * rule.anomaly_bp


def reviewed(proposal: Proposal, reason: Reason, constraint: Constraint) -> Verdict:
    """A person is to look at the proposal."""
    bounds = (*proposal.constraints, constraint)
    return Verdict(Action.REVIEW, replace(proposal, reason=reason, constraints=bounds))


def _held(proposal: Proposal, reason: Reason, *constraints: Constraint) -> Verdict:
    bounds = (*proposal.constraints, *constraints)
    return Verdict(Action.HOLD, replace(proposal, reason=reason, constraints=bounds))


def _is_forbidden(own: int, plan: Plan) -> bool:
    """Whether our price breaks the floor, the margin or the ceiling: then nothing may wait."""
    ceiling = plan.rule.ceiling
    return own < plan.allowed.lowest or (ceiling is not None and own > ceiling)


def _out_of_the_shadow(own: int, plan: Plan, market: Market, proposal: Proposal) -> Proposal:
    """Do not raise past a rival who stands close to us: it would follow, and all begin anew.

    Two who undercut each other end where one can go no lower, with the other just below. Were
    the first to leave for a higher place, the second would come after it, and both would walk
    down again, for ever.
    """
    if not proposal.passes_by or proposal.price is None:
        return proposal
    staying = stay(own, plan, Reason.SHADOWED, Constraint.SHADOW)
    here = staying.price
    if here is None or proposal.price <= here:
        return proposal
    if not plan.rule.shadow_bp:
        return proposal
    for rival, level in zip(market.rivals, market.levels, strict=True):
        if level <= proposal.price and distance(here, level, plan) <= reach(here, plan):
            return replace(staying, rival=rival)
    return proposal


def _is_younger(situation: Situation, minutes: int) -> bool:
    """Whether our last change was made less than so many minutes ago."""
    if not minutes or situation.now is None or situation.changed_at is None:
        return False
    return situation.now - situation.changed_at < timedelta(minutes=minutes)


def _waits_for(situation: Situation, plan: Plan, market: Market, price: int) -> MarketOffer | None:
    """The cheapest whom the cut would pass, when all of them came after us and it is too soon.

    They would come again: in such a war a cut is worth the minutes until then.
    """
    own = market.own
    if own is None or price >= own:
        return None
    if not _is_younger(situation, plan.rule.patience_minutes):
        return None
    passed = slice(bisect_left(market.levels, price), bisect_right(market.levels, own))
    if all(follows(level, own, plan) for level in market.levels[passed]):
        return next(iter(market.rivals[passed]), None)
    return None


def _gains(own: int, price: int, plan: Plan, market: Market) -> bool:
    """Whether the change is worth making: a better place by a cut, or enough money."""
    rule = plan.rule
    if price > own:
        return plan.gain(own, price) >= rule.min_gain
    return (
        market.place(price) < market.place(own)
        or market.shared_place(price) < market.shared_place(own)
        or rule.idle_cuts
        or plan.gain(own, price) >= max(1, rule.min_gain)
    )


def _sized(situation: Situation, rule: Rule, own: int, price: int, proposal: Proposal) -> Verdict:
    moved = abs(price - own)
    if moved * WHOLE > own * rule.max_change_bp:
        return reviewed(proposal, Reason.MAX_CHANGE, Constraint.MAX_CHANGE)
    if (moved + situation.moved_today) * WHOLE > own * rule.max_change_day_bp:
        return reviewed(proposal, Reason.MAX_CHANGE_DAY, Constraint.MAX_CHANGE_DAY)
    return Verdict(Action.SET, proposal)
