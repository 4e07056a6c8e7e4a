"""Strategies: where a rule wants to stand. They propose; the limits have the last word.

A proposal is made of the rivals and the allowed prices. Our own price enters only where we stay
as we are, so that a price once taken proposes itself again.
"""

from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from domain.pricing import (
    WHOLE,
    Constraint,
    MarketOffer,
    Reason,
    Rule,
    Strategy,
    WhenAlone,
    WhenTied,
    WhenUnbeatable,
)
from repricer.allowed import Plan
from repricer.rivals import Market


class Proposal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A price that a strategy wishes, always an allowed one; None: stay without a price.

    `passes_by`: it leaves rivals before us whom we did not try to beat, or could not.
    `stays`: it is no new wish, only where we stand (or the nearest allowed price to it).
    """

    price: int | None
    reason: Reason
    rival: MarketOffer | None = None
    constraints: tuple[Constraint, ...] = ()
    passes_by: bool = False
    stays: bool = False


def propose(market: Market, plan: Plan) -> Proposal:
    """What the rule's strategy wishes."""
    strategy = plan.rule.strategy
    if strategy is Strategy.HOLD:
        return Proposal(price=None, reason=Reason.TOLD_TO_HOLD, stays=True)
    if not market.rivals:
        return _alone(market, plan)
    return _STRATEGIES[strategy](market, plan)


def stay(own: int | None, plan: Plan, reason: Reason, *constraints: Constraint) -> Proposal:
    """Stay where we are; where that is not allowed, at the nearest price that is.

    From a gap the way leads down: there the lower price earns as much or more.
    """
    if own is None or own in plan.allowed:
        return Proposal(price=own, reason=reason, constraints=constraints, stays=True)
    nearest = plan.allowed.below(own)
    bound = plan.binding(own)
    return Proposal(
        price=plan.allowed.lowest if nearest is None else nearest,
        reason=Reason.INTO_ALLOWED,
        constraints=(*constraints, bound) if bound else constraints,
        stays=True,
    )


def to_ceiling(market: Market, plan: Plan, reason: Reason, otherwise: Reason) -> Proposal:
    """As dear as is allowed; where the owner set no ceiling, as we are."""
    ceiling = plan.ceiling
    if ceiling is None:
        return stay(market.own, plan, otherwise)
    constraints = [Constraint.CEILING]
    if plan.rule.ceiling != ceiling:
        constraints.append(Constraint.DEAD_ZONE)
    return Proposal(
        price=ceiling, reason=reason, constraints=tuple(constraints), passes_by=bool(market.rivals)
    )


def _alone(market: Market, plan: Plan) -> Proposal:
    if plan.rule.when_alone is WhenAlone.HOLD:
        return stay(market.own, plan, Reason.ALONE)
    return to_ceiling(market, plan, Reason.ALONE_CEILING, Reason.ALONE)


def _undercut(market: Market, plan: Plan) -> Proposal:
    """One step under the cheapest rival whom an allowed price beats."""
    return _before(market, plan, 0, Reason.UNDERCUT)


def _position(market: Market, plan: Plan) -> Proposal:
    """One step under the rival who holds our place; with fewer rivals, behind them all."""
    place = plan.rule.position - 1
    if place >= len(market.rivals):
        behind = to_ceiling(market, plan, Reason.BEHIND_ALL, Reason.AT_TARGET)
        return replace(behind, passes_by=False)
    return _before(market, plan, place, Reason.POSITION)


def _before(market: Market, plan: Plan, wanted: int, reason: Reason) -> Proposal:
    """One step under the wanted rival, or under the next one whom an allowed price beats."""
    rule, own = plan.rule, market.own
    for place in range(wanted, len(market.rivals)):
        rival, level = market.rivals[place], market.levels[place]
        wish = level - _step(rule, level)
        price = plan.allowed.below(wish)
        if price is None:
            continue
        if rule.when_tied is WhenTied.MATCH and own == level and own in plan.allowed:
            return Proposal(price=own, reason=Reason.AT_TARGET, rival=rival, stays=True)
        if place > wanted:
            why, bounds = Reason.NEXT_FEASIBLE, [plan.lowest_is]
        else:
            raised = reason is Reason.UNDERCUT and own is not None and own < price
            why, bounds = Reason.RAISE_TO_NEXT if raised else reason, []
        if bound := plan.binding(wish):
            bounds.append(bound)
        return Proposal(
            price=price,
            reason=why,
            rival=rival,
            constraints=tuple(bounds),
            passes_by=place > wanted,
        )
    return _unbeatable(market, plan)


def _step(rule: Rule, level: int) -> int:
    """How far under a rival: tenge or basis points of its price, whichever is more."""
    return max(rule.step, -(-level * rule.step_bp // WHOLE)) if rule.step_bp else rule.step


def _unbeatable(market: Market, plan: Plan) -> Proposal:
    """No rival can be beaten at an allowed price: the rule's choice."""
    choice, bound = plan.rule.when_unbeatable, plan.lowest_is
    if choice is WhenUnbeatable.CEILING:
        return to_ceiling(market, plan, Reason.UNBEATABLE_CEILING, Reason.UNBEATABLE)
    if choice is WhenUnbeatable.LOWEST:
        return Proposal(
            price=plan.allowed.lowest,
            reason=Reason.UNBEATABLE_LOWEST,
            constraints=(bound,),
            passes_by=True,
        )
    return replace(stay(market.own, plan, Reason.UNBEATABLE, bound), rival=market.rivals[0])


def _match(market: Market, plan: Plan) -> Proposal:
    """The price of the cheapest rival whom an allowed price reaches."""
    return _beside(market, plan, 0, Reason.MATCH)


def _premium(market: Market, plan: Plan) -> Proposal:
    """So much above the cheapest rival."""
    return _beside(market, plan, plan.rule.premium, Reason.PREMIUM)


def _beside(market: Market, plan: Plan, offset: int, reason: Reason) -> Proposal:
    for place, (rival, level) in enumerate(zip(market.rivals, market.levels, strict=True)):
        wish = level + offset
        price = plan.allowed.below(wish)
        if price is not None:
            bound = plan.binding(wish)
            return Proposal(
                price=price,
                reason=reason if place == 0 else Reason.NEXT_FEASIBLE,
                rival=rival,
                constraints=(bound,) if bound else (),
                passes_by=place > 0,
            )
    return _unbeatable(market, plan)


def _follow(market: Market, plan: Plan) -> Proposal:
    """At a set distance from one merchant, whatever the others do."""
    rule = plan.rule
    for rival, level in zip(market.rivals, market.levels, strict=True):
        if rival.merchant == rule.follow:
            wish = level + rule.offset
            price = plan.allowed.below(wish)
            if price is None:
                return replace(_unbeatable(market, plan), rival=rival)
            bound = plan.binding(wish)
            bounds = (bound,) if bound else ()
            return Proposal(price=price, reason=Reason.FOLLOW, rival=rival, constraints=bounds)
    return stay(market.own, plan, Reason.NOBODY_TO_FOLLOW)


def _profit(market: Market, plan: Plan) -> Proposal:
    """The place whose share of buyers times the profit of a sale is the most.

    Without a known cost there is no profit to compare, and the rule undercuts.
    """
    if plan.costs is None or plan.costs.outlay is None:
        return _undercut(market, plan)
    best, best_worth = None, None
    for wish, rival in _stands(market, plan):
        price = plan.allowed.below(wish)
        if price is None:
            continue
        worth = _share(plan.rule, market.place(price)) * (plan.profit(price) or 0)
        if best_worth is None or worth >= best_worth:
            best, best_worth = (price, rival), worth
    if best is None:
        return _unbeatable(market, plan)
    price, rival = best
    return Proposal(
        price=price, reason=Reason.PROFIT, rival=rival, passes_by=market.place(price) > 1
    )


def _stands(market: Market, plan: Plan) -> list[tuple[int, MarketOffer | None]]:
    """One step under each rival, and behind them all at the ceiling."""
    rule = plan.rule
    stands: list[tuple[int, MarketOffer | None]] = [
        (level - _step(rule, level), rival)
        for rival, level in zip(market.rivals, market.levels, strict=True)
    ]
    if plan.ceiling is not None:
        stands.append((plan.ceiling, None))
    return stands


def _share(rule: Rule, place: int) -> int:
    return rule.shares_bp[min(place, len(rule.shares_bp)) - 1]


_STRATEGIES: Mapping[Strategy, Callable[[Market, Plan], Proposal]] = {
    Strategy.UNDERCUT: _undercut,
    Strategy.MATCH: _match,
    Strategy.POSITION: _position,
    Strategy.FOLLOW: _follow,
    Strategy.PREMIUM: _premium,
    Strategy.PROFIT: _profit,
}
