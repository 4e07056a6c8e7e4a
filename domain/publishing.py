"""A price on its way out: whether it may leave, and whether it arrived."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import attrs

from domain.cabinet import CabinetOffer, Refusal
from domain.identity import CityId, MerchantId
from domain.money import Tenge
from domain.shop import ListingId

#: The marketplace's word for goods that no point has.
NO_AVAILABILITIES = "NO_AVAILABILITIES"


class Outcome(StrEnum):
    """Why an intention ended as it did; docs/publishing-cabinet.md says each in a sentence."""

    # refused by ourselves: nothing left
    NOT_IN_CABINET = "not_in_cabinet"
    REMOVED = "removed"
    SOLD_OUT = "sold_out"
    PAUSED = "paused"
    RULE_CHANGED = "rule_changed"
    BELOW_LEAST = "below_least"
    ENDANGERED = "endangered"
    CHANGED_BEFORE = "changed_before"
    NOT_SENT = "not_sent"
    # refused by the marketplace: it was not queued
    BLOCKED = "blocked"
    SESSION_GONE = "session_gone"
    FORBIDDEN = "forbidden"
    REJECTED = "rejected"
    # may or may not have been queued
    NO_ANSWER = "no_answer"
    # what was read back
    ALREADY_THERE = "already_there"
    NOT_APPLIED = "not_applied"
    NOT_READ = "not_read"
    CHANGED_OUTSIDE = "changed_outside"
    NOT_OFFERED = "not_offered"
    VANISHED = "vanished"


#: What the cabinet said, when it is certain that nothing was queued. Of every other answer
#: (a page, an error of the server, none at all) nobody knows.
NOT_QUEUED: Mapping[Refusal, Outcome] = {
    Refusal.BLOCKED: Outcome.BLOCKED,
    Refusal.SESSION_GONE: Outcome.SESSION_GONE,
    Refusal.FORBIDDEN: Outcome.FORBIDDEN,
    Refusal.REJECTED: Outcome.REJECTED,
}


@attrs.frozen(kw_only=True)
class Intention:
    """A price that waits to be sent.

    `before` is our price when it was decided, `known` the last one of ours that was read back.
    `least` is the lowest price that the rule in force allows, and `bounds` are the lowest and the
    highest one of each of the listing's rules by city, "" for all others; `watched` are the cities
    in which the listing is decided on. `forbidden`: our live price is outside the allowed ones, so
    that this one does not wait. `paused`: no price of the listing is to be sent.
    """

    id: int
    listing: ListingId
    store: MerchantId
    sku: str
    city: CityId
    price: Tenge
    before: Tenge | None
    known: Tenge | None = None
    least: Tenge
    bounds: Mapping[str, tuple[Tenge, Tenge | None]]
    watched: frozenset[CityId] = frozenset()
    forbidden: bool = False
    paused: bool = False

    def keeps(self, price: Tenge, city: str) -> bool:
        """Whether a price lies within the listing's rule in a city; where none speaks, any does."""
        least, ceiling = self.bounds.get(city, self.bounds.get("", (Tenge(0), None)))
        return price >= least and (ceiling is None or price <= ceiling)

    def bears(self, price: Tenge, city: CityId) -> bool:
        """Whether the listing's rule bears a price in a city; where none speaks, any.

        Above the ceiling it is borne in cities that nobody decides on: there it would stay, and
        with it all other prices of the listing.
        """
        bounds = self.bounds.get(city, self.bounds.get(""))
        if bounds is None:
            return True
        least, ceiling = bounds
        is_too_dear = ceiling is not None and price > ceiling and city in self.watched
        return price >= least and not is_too_dear


def obstacle(intention: Intention, offer: CabinetOffer | None) -> Outcome | None:
    """Why a price may not leave, by what the cabinet shows just now; None: it may.

    ALREADY_THERE is none: the price holds, so that there is nothing to send.
    """
    if intention.paused:
        return Outcome.PAUSED
    if gone := _nothing_to_price(offer):
        return gone
    if intention.price < intention.least:
        return Outcome.BELOW_LEAST
    live = None if offer is None else offer.price_in(intention.city)
    if live == intention.price:
        return Outcome.ALREADY_THERE
    expected = {intention.before, intention.known}
    is_strange = intention.before is not None and live not in expected
    return Outcome.CHANGED_BEFORE if is_strange else None


def _nothing_to_price(offer: CabinetOffer | None) -> Outcome | None:
    if offer is None:
        return Outcome.NOT_IN_CABINET
    if not offer.on_sale:
        return Outcome.REMOVED
    return None if offer.has_goods else Outcome.SOLD_OUT


def endangered(
    intention: Intention,
    offer: CabinetOffer,
    prices: Mapping[CityId, Tenge],
    base: Tenge | None = None,
) -> str | None:
    """A city that would get a price by our hand which its rule does not bear.

    A push names all prices of the listing that were set, and `base`, the one for all cities, where
    it is said at all: cities without a price of their own follow it. "": those without a rule of
    their own.
    """
    for city, price in offer.city_prices.items():
        if city not in prices and not intention.bears(price, city):
            return city
    return None if base is None else _endangered_by(base, intention, offer, prices)


def _endangered_by(
    base: Tenge, intention: Intention, offer: CabinetOffer, prices: Mapping[CityId, Tenge]
) -> str | None:
    """A city that follows the price for all cities, and does not bear it.

    One that stays may be above a ceiling where nobody decides; one that we move may not.
    """
    borne = intention.bears if base == offer.price else intention.keeps
    following = {*intention.bounds, *intention.watched} - {*offer.city_prices, *prices}
    return next((city for city in sorted(following) if not borne(base, CityId(city))), None)


@attrs.frozen(kw_only=True)
class Sent:
    """A price that was sent, and of which it is not known whether it holds.

    `accepted_at` is None while nobody knows whether it was queued.
    """

    id: int
    listing: ListingId
    store: MerchantId
    sku: str
    city: CityId
    price: Tenge
    before: Tenge | None
    sent_at: datetime
    accepted_at: datetime | None


@attrs.frozen(kw_only=True)
class Patience:
    """How long a price may take to appear: one that was queued, and one of which nobody knows."""

    queued: timedelta = timedelta(minutes=30)
    unknown: timedelta = timedelta(minutes=15)

    def is_over(self, sent: Sent, at: datetime) -> bool:
        """Whether it should have appeared by then."""
        longest = self.unknown if sent.accepted_at is None else self.queued
        return at - sent.sent_at >= longest


@attrs.frozen
class Shown:
    """What a reading shows of our own offer in one city: its price, or that it is not there.

    `vanished`: the cabinet itself says that no point has it.
    """

    price: Tenge | None
    at: datetime
    vanished: bool = False


@attrs.frozen
class Verdict:
    """What became of a price that was sent: it is applied, or why it could not be verified."""

    applied: bool
    outcome: Outcome | None = None


def verdict(sent: Sent, shown: Shown, patience: Patience) -> Verdict | None:
    """Judge by what was read after it was sent; None: it may still come."""
    if shown.at <= sent.sent_at:
        return None
    if shown.vanished:
        return Verdict(applied=False, outcome=Outcome.VANISHED)
    if shown.price == sent.price:
        return Verdict(applied=True)
    is_known = shown.price is not None and sent.before is not None
    if is_known and shown.price != sent.before:
        return Verdict(applied=False, outcome=Outcome.CHANGED_OUTSIDE)
    if not patience.is_over(sent, shown.at):
        return None
    late = Outcome.NOT_OFFERED if shown.price is None else Outcome.NOT_APPLIED
    return Verdict(applied=False, outcome=late)


def shown_by(offer: CabinetOffer | None, city: CityId, at: datetime) -> Shown:
    """What the cabinet shows of a listing in a city."""
    if offer is None:
        return Shown(None, at)
    vanished = not offer.on_sale or NO_AVAILABILITIES in offer.errors
    return Shown(offer.price_in(city), at, vanished)
