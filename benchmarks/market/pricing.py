"""Whoever prices for us in a market: the engine by a rule of ours, or a public rule."""

from collections.abc import Callable
from datetime import datetime, timedelta

import attrs
from msgspec.structs import replace

from benchmarks.market.goods import Goods
from domain.identity import MerchantId
from domain.moments import ALMATY
from domain.money import Tenge
from domain.pricing import Action, MarketOffer, Reason, Rule, Situation, Strategy
from repricer.allowed import Plan, prepare
from repricer.decision import decide
from repricer.tariffs import packaged
from sandbox.market.sight import DAY, PriceRule, Sight

#: A Monday's midnight, from which a market counts its minutes.
START = datetime(2026, 3, 2, tzinfo=ALMATY)
US = MerchantId("us")
#: What a store may change a day, and among how many listings it shares that.
A_DAY, LISTINGS = 12_000, 5_000

#: Makes a pricer of one shop in a market of these goods.
Pricing = Callable[[Goods], PriceRule]


@attrs.define
class Engine:
    """Ours, with what the outbox remembers: how far we went today and when we last changed."""

    plan: Plan
    day: int = 0
    moved: int = 0
    changed_at: datetime | None = None
    changed_for: Reason | None = None

    def __call__(self, sight: Sight) -> int:
        """Decide; what a person would have to look at stays as it is."""
        if sight.minute // DAY != self.day:
            self.day, self.moved = sight.minute // DAY, 0
        now = START + timedelta(minutes=sight.minute)
        decision = decide(self._situation(sight, now), self.plan)
        if decision.action is not Action.SET or decision.price is None:
            return sight.own
        self.moved += abs(decision.price - sight.own)
        self.changed_at, self.changed_for = now, decision.reason
        return decision.price

    def _situation(self, sight: Sight, now: datetime) -> Situation:
        everybody = (*sight.offers, *sight.sisters)
        return Situation(
            store=US,
            current=Tenge(sight.own),
            offers=tuple(
                [MarketOffer(MerchantId(o.name), o.price, None, o.days) for o in everybody]
            ),
            sisters=frozenset([MerchantId(o.name) for o in sight.sisters]),
            moved_today=self.moved,
            changed_at=self.changed_at,
            changed_for=self.changed_for,
            now=now,
        )


def engine(**said: object) -> Pricing:
    """Our engine by a rule: what the goods say, and this."""

    def made(goods: Goods) -> Engine:
        rule: Rule = replace(goods.rule, **said)
        return Engine(prepare(rule, packaged(), None))

    return made


def follower() -> Pricing:
    """Our engine that stands a tenge under whichever rival it saw first."""

    def made(goods: Goods) -> PriceRule:
        engines: list[Engine] = []

        def priced(sight: Sight) -> int:
            if not engines and sight.offers:
                followed = MerchantId(sight.offers[0].name)
                rule = replace(goods.rule, strategy=Strategy.FOLLOW, follow=followed, offset=-1)
                engines.append(Engine(prepare(rule, packaged(), None)))
            return engines[0](sight) if engines else sight.own

        return priced

    return made


def public(rule: PriceRule) -> Pricing:
    """A public rule in our place."""
    return lambda goods: rule  # noqa: ARG005


@attrs.define
class Rationed:
    """Somebody who may change no more than his share of what a store may change a day."""

    rule: PriceRule
    credit: int = DAY * A_DAY
    since: int = 0

    def __call__(self, sight: Sight) -> int:
        """What the rule says, when there is a change left."""
        self.credit = min(DAY * A_DAY, self.credit + (sight.minute - self.since) * A_DAY)
        self.since = sight.minute
        price = self.rule(sight)
        if price == sight.own or self.credit < DAY * LISTINGS:
            return sight.own
        self.credit -= DAY * LISTINGS
        return price


def rationed(pricing: Pricing) -> Pricing:
    """The same with its share of a store's changes."""
    return lambda goods: Rationed(pricing(goods))
