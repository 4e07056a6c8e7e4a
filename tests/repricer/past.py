"""Pasts of boards with sensible defaults: moments by the minute, offers by merchant and price."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise
from statistics import median_low
from typing import Any

import msgspec
from hypothesis import strategies as st

from domain.identity import MerchantId
from domain.moments import almaty_date
from domain.money import Tenge
from domain.past import Moment, Outcome
from domain.pricing import Action, Decision, MarketOffer, Rule, Situation, Strategy, WhenUnbeatable
from repricer.allowed import prepare
from repricer.decision import decide
from repricer.replay import Contender, Seller, Step, replay
from repricer.tally import Judge
from tests.building import START
from tests.repricer.thinking import TARIFFS, US, rival, rule

SELLER = Seller(store=US)
#: The ways in which a rule can stand, each with what it needs.
RULES = (
    rule(strategy=Strategy.UNDERCUT, cost=Tenge(8_000)),
    rule(strategy=Strategy.MATCH, cost=Tenge(8_000), when_unbeatable=WhenUnbeatable.LOWEST),
    rule(strategy=Strategy.POSITION, position=2, cost=Tenge(8_000)),
    rule(strategy=Strategy.FOLLOW, follow=MerchantId("A"), offset=-50, cost=Tenge(8_000)),
    rule(strategy=Strategy.PREMIUM, premium=100, idle_cuts=True, cost=Tenge(8_000)),
    rule(strategy=Strategy.PROFIT, cost=Tenge(8_000)),
    rule(strategy=Strategy.HOLD, cost=Tenge(8_000)),
    Rule(cost=Tenge(6_000), zone="city", ceiling=Tenge(12_000), cooldown_minutes=45),
)


def moment(minutes: int, **prices: int) -> Moment:
    """The board so many minutes after the start; `us` is our real offer."""
    at = START + timedelta(minutes=minutes)
    return Moment(at, tuple(rival(merchant, price) for merchant, price in prices.items()))


def contenders(rules: Sequence[Rule]) -> list[Contender]:
    """The rules, called by their strategies."""
    return [Contender(rule.strategy, rule) for rule in rules]


def steps(moments: Iterable[Moment], *rules: Rule, seller: Seller = SELLER) -> list[Step]:
    """What the rules would have done."""
    return list(replay(moments, contenders(rules), seller, TARIFFS))


def changes(moments: Iterable[Moment], rule: Rule, seller: Seller = SELLER) -> list[int | None]:
    """What one rule would have set at each reading; None: nothing."""
    return [step.tried[0].change for step in steps(moments, rule, seller=seller)]


def outcomes(moments: Iterable[Moment], *rules: Rule, seller: Seller = SELLER) -> list[Outcome]:
    """What the real prices and the rules came to."""
    judge = Judge([rule.strategy for rule in rules], rules[0].shares_bp)
    for step in steps(moments, *rules, seller=seller):
        judge.add(step)
    return list(judge.outcomes())


prices = st.sampled_from([1, 8_000, 8_999, 9_000, 9_400, 9_500, 9_501, 9_999, 10_600, 13_000])
_boards = st.dictionaries(st.sampled_from(["us", "A", "B", "C"]), prices, max_size=4)


@st.composite
def pasts(draw: st.DrawFn) -> list[Moment]:
    """Boards on which anybody comes, goes and asks whatever, us included."""
    minutes, told = 0, []
    for board in draw(st.lists(_boards, min_size=2, max_size=12)):
        minutes += draw(st.sampled_from([1, 10, 60, 700]))
        told.append(moment(minutes, **board))
    return told


def lived(boards: Sequence[Moment], by: Rule, first: int) -> tuple[list[Moment], list[Decision]]:
    """What a history holds when we price live: each decision is seen at the next reading.

    `boards` are the others' offers; what is known at each is reckoned anew from all before.
    """
    told: list[Moment] = []
    decided: list[Decision] = []
    price, remembered = first, None
    for board in boards:
        told.append(Moment(board.at, (*board.offers, MarketOffer(US, price))))
        decision = decide(_known(told, remembered), prepare(by, TARIFFS, almaty_date(board.at)))
        decided.append(decision)
        if decision.action is Action.SET and decision.price is not None:
            price = remembered = decision.price
    return told, decided


def _known(told: Sequence[Moment], remembered: Tenge | None) -> Situation:
    """What the history tells at its last moment."""
    now = told[-1].at
    own = [(each.at, each.offers[-1].price) for each in told]
    moves = [(at, abs(after - before)) for (_, before), (at, after) in pairwise(own)]
    last: dict[str, tuple[Any, int]] = {}
    for each in told:
        last |= {offer.merchant: (each.at, offer.price) for offer in each.offers[:-1]}
    # Whoever stood at a reading left at the one after it.
    left = {
        who: next((each.at for each in told if each.at > at), now) for who, (at, _) in last.items()
    }
    standing = {offer.merchant for offer in told[-1].offers}
    recent = [
        price
        for who, (_, price) in sorted(last.items())
        if who in standing or left[who] > now - timedelta(days=7)
    ]
    return Situation(
        store=US,
        remembered=remembered,
        offers=told[-1].offers,
        median=Tenge(median_low(recent)) if len(recent) >= 5 else None,
        moved_today=sum(size for at, size in moves if almaty_date(at) == almaty_date(now)),
        changed_at=max((at for at, size in moves if size), default=None),
        now=now,
    )


def compared(decision: Decision | None) -> dict[str, Any]:
    """All that a decision says."""
    assert decision is not None
    return msgspec.structs.asdict(decision)
