"""Situations with sensible defaults, and what becomes of them when a decision is applied."""

from typing import Any

import msgspec

from domain.identity import MerchantId
from domain.money import Tenge
from domain.pricing import Action, Decision, MarketOffer, Rule, Situation
from repricer.allowed import Plan, prepare
from repricer.decision import decide
from repricer.tariffs import packaged

US = MerchantId("us")
TARIFFS = packaged()


def rival(merchant: str, price: int, **more: Any) -> MarketOffer:
    """An offer of somebody else, or of ours when the merchant is called so."""
    return MarketOffer(MerchantId(merchant), price, **more)


def situation(own: int | None, *offers: MarketOffer, **more: Any) -> Situation:
    """Our listing at that price among these offers."""
    current = None if own is None else Tenge(own)
    given: dict[str, Any] = {"store": US, "current": current, "offers": offers, **more}
    return Situation(**given)


def rule(**more: Any) -> Rule:
    """A rule without fees, from 9,000 to 12,000 unless told otherwise."""
    given: dict[str, Any] = {"floor": Tenge(9_000), "ceiling": Tenge(12_000), "uses_tariffs": False}
    return Rule(**{**given, **more})


def plan(rule: Rule) -> Plan:
    """The rule made ready, by the newest tariffs."""
    return prepare(rule, TARIFFS, None)


def decided(own: int | None, *offers: MarketOffer, by: Rule | None = None, **more: Any) -> Decision:
    """The decision of a rule on a situation."""
    return decide(situation(own, *offers, **more), plan(rule() if by is None else by))


def said(decision: Decision) -> str:
    """A decision as the golden tables write it: 9499, hold, review 6499."""
    if decision.action is Action.SET:
        return str(decision.price)
    return f"{decision.action} {decision.price or ''}".strip()


def applied(situation: Situation, decision: Decision) -> Situation:
    """The same situation when what was decided has been done: our price, and nothing else."""
    if decision.action is not Action.SET or decision.price is None:
        return situation
    price = decision.price
    return msgspec.structs.replace(
        situation,
        current=price,
        remembered=price,
        changed_for=decision.reason,
        offers=tuple(
            msgspec.structs.replace(offer, price=price)
            if offer.merchant == situation.store
            else offer
            for offer in situation.offers
        ),
    )
