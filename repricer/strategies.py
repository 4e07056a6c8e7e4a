"""Strategies: where a rule wants to stand. They propose; the limits have the last word.

A proposal is made of the rivals and the allowed prices. Our own price enters only where we stay
as we are, so that a price once taken proposes itself again.
"""

from bisect import bisect_left, bisect_right
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
from repricer.shadow import follows
from repricer.shares import share


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
            bounds = [plan.lowest_is] if place > 0 else []
            if bound := plan.binding(wish):
                bounds.append(bound)
            return Proposal(
                price=price,
                reason=reason if place == 0 else Reason.NEXT_FEASIBLE,
                rival=rival,
                constraints=tuple(bounds),
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
    best = _best_stand(market, plan)
    if best is None:
        return _unbeatable(market, plan)
    _, price, rival = best
    reason = _why_there(market, plan, price)
    return Proposal(
        price=price,
        reason=reason,
        rival=rival if reason is Reason.PROFIT else _first_from(market, price),
        passes_by=market.place(price) > 1,
    )


#: What a stand may earn, its price, and whom it is under; None: it is behind them all.
_Stand = tuple[int, int, MarketOffer | None]


def _best_stand(market: Market, plan: Plan) -> _Stand | None:
    """The stand that may earn the most; of equals the dearest. None: no stand is allowed.

    From the cheapest rival on, until even the dearest price with the most buyers of the places
    that are left could not earn as much.
    """
    spared, best = _spared(market, plan), None
    dearest = market.levels[-1] if plan.ceiling is None else plan.ceiling
    most = plan.profit(plan.allowed.below(dearest)) or 0
    for rival, level in zip(market.rivals, market.levels, strict=True):
        wish = level - _step(plan.rule, level)
        price = plan.allowed.below(wish)
        if best and price and _at_most(market, plan, price, most) < best[0]:
            return best
        if not spared or not _passes_only(spared, market, wish):
            best = _better(best, market, plan, price, rival)
        if market.meets:
            best = _better(best, market, plan, plan.allowed.below(level), rival)
    return _better(best, market, plan, plan.ceiling, None)


def _better(
    best: _Stand | None,
    market: Market,
    plan: Plan,
    price: int | None,
    rival: MarketOffer | None,
) -> _Stand | None:
    if price is None:
        return best
    worth = _worth(market, plan, price)
    return (worth, price, rival) if best is None or worth >= best[0] else best


def _worth(market: Market, plan: Plan, price: int) -> int:
    """What a price may earn, to be compared with other prices on the same board.

    Among equals we share places.
    """
    rule, place = plan.rule, market.place(price)
    buyers = share(rule.shares_bp, place)
    # Only where somebody asks the same are the two places different.
    is_tied = place > 1 and market.levels[place - 2] == price
    buyers += share(rule.shares_bp, market.shared_place(price)) if is_tied else buyers
    return _thinned(market, rule, price, buyers * (plan.profit(price) or 0))


def _at_most(market: Market, plan: Plan, price: int, profit: int) -> int:
    """What no stand from this price on can exceed, none of which earns more than this a sale."""
    shares = plan.rule.shares_bp
    left = shares[min(market.place(price), len(shares)) - 1 :]
    return _thinned(market, plan.rule, price, 2 * max(left) * profit)


def _thinned(market: Market, rule: Rule, price: int, worth: int) -> int:
    """With an elasticity, buyers get fewer as the price rises above the cheapest.

    In whole numbers, so that it is the same everywhere.
    """
    power = rule.elasticity
    return worth * WHOLE * market.levels[0] ** power // price**power if power else worth


def _passes_only(spared: set[int], market: Market, wish: int) -> bool:
    """Whether a cut to this price passes somebody, and nobody but these."""
    levels, own = market.levels, market.own or 0
    passed = levels[bisect_right(levels, wish) : bisect_right(levels, own)]
    return bool(passed) and spared.issuperset(passed)


def _spared(market: Market, plan: Plan) -> set[int]:
    """The levels of those whose place we would rather share than pass them.

    Whoever came after us would come again. We meet it at its own price, which most bots leave
    alone, and then nobody cuts any more. Who goes below our meeting refuses, and is passed. Where
    we may not stand nobody came after us: we have to leave anyway.
    """
    own, why = market.own, market.standing_for
    if own is None or not market.meets or own not in plan.allowed:
        return set()
    close = _followers(own, market, plan)
    is_tied = own in close
    if is_tied and not (why is None or why is Reason.MEET):
        close.remove(own)
    refused = why is Reason.UNDERCUT_AGAIN or (why is Reason.MEET and not is_tied)
    return close & {own} if refused else close


def _followers(own: int, market: Market, plan: Plan) -> set[int]:
    """The levels just below us and with us."""
    found = set()
    for level in reversed(market.levels[: bisect_right(market.levels, own)]):
        if not follows(level, own, plan):
            break
        found.add(level)
    return found


def is_at_war(market: Market, plan: Plan) -> bool:
    """Whether somebody came after us and stands just below us, or with us."""
    own = market.own
    return own is not None and bool(_followers(own, market, plan))


def _why_there(market: Market, plan: Plan, price: int) -> Reason:
    """Why a place was chosen: to meet a rival, to pass one who refused that, or for the profit."""
    own = market.own
    if not market.meets or own is None:
        return Reason.PROFIT
    if price in market.levels:
        return Reason.MEET
    passed = [level for level in market.levels if price < level <= own]
    is_war = (
        own in plan.allowed and bool(passed) and all(follows(level, own, plan) for level in passed)
    )
    return Reason.UNDERCUT_AGAIN if is_war else Reason.PROFIT


def _first_from(market: Market, price: int) -> MarketOffer | None:
    """The cheapest rival who asks this or more."""
    return next(iter(market.rivals[bisect_left(market.levels, price) :]), None)


_STRATEGIES: Mapping[Strategy, Callable[[Market, Plan], Proposal]] = {
    Strategy.UNDERCUT: _undercut,
    Strategy.MATCH: _match,
    Strategy.POSITION: _position,
    Strategy.FOLLOW: _follow,
    Strategy.PREMIUM: _premium,
    Strategy.PROFIT: _profit,
}
