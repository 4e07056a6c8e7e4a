"""Pasts of boards with sensible defaults: moments by the minute, offers by merchant and price."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from domain.past import Moment, Outcome
from domain.pricing import MarketOffer, Rule
from repricer.replay import Contender, Seller, Step, replay
from repricer.tally import Judge
from tests.building import START
from tests.repricer.thinking import TARIFFS, US, rival

SELLER = Seller(store=US)


def moment(minutes: int, **prices: int) -> Moment:
    """The board so many minutes after the start; `us` is our real offer."""
    at = START + timedelta(minutes=minutes)
    return Moment(at, tuple(rival(merchant, price) for merchant, price in prices.items()))


def steps(moments: Iterable[Moment], *rules: Rule, seller: Seller = SELLER, **_: Any) -> list[Step]:
    """What the rules would have done."""
    contenders = [Contender(rule.strategy, rule) for rule in rules]
    return list(replay(moments, contenders, seller, TARIFFS))


def outcomes(moments: Iterable[Moment], *rules: Rule, seller: Seller = SELLER) -> list[Outcome]:
    """What the real prices and the rules came to."""
    judge = Judge([rule.strategy for rule in rules], rules[0].shares_bp)
    for step in steps(moments, *rules, seller=seller):
        judge.add(step)
    return list(judge.outcomes())


def offers_of(moment: Moment) -> tuple[MarketOffer, ...]:
    """Everybody's offers."""
    return moment.offers
