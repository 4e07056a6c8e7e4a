"""How one version of a price feed follows another: nothing leaves it unsaid.

Whether the marketplace takes goods off sale that a feed no longer names is not known. So a version
never withdraws by omission: what is gone is carried on, available nowhere.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TypeVar, cast

import attrs

from domain.identity import CityId
from domain.money import DEAREST, Tenge
from domain.price_feed import CityPrice, FeedOffer, FeedPoint

T = TypeVar("T")

_REMEDY = "`scrapy feed read` an export of the cabinet, or `scrapy price_list read` a workbook"

#: The rule that holds where no city has one of its own.
EVERYWHERE = CityId("")


class NotInOrder(ValueError):
    """Offers that do not come in the order of their articles."""


@attrs.frozen(kw_only=True)
class OwnOffer:
    """A listing of ours as it is to stand in the feed; `offer` may lack what is not known.

    `leasts` are the prices below which none may be, by the city in which each rule holds, or
    EVERYWHERE; None: a rule without such a price. `removed`: archived in the cabinet. `live` is the
    offer with the prices that hold now, as far as they are known; `unpriced` are cities that have a
    rule, and of which no price is known, though others have their own. `alone`: it names the price
    of the one city that is known, and whether it is sold in others nobody told.
    """

    offer: FeedOffer
    leasts: Mapping[CityId, Tenge | None]
    removed: bool = False
    live: FeedOffer | None = None
    unpriced: tuple[CityId, ...] = ()
    alone: bool = False

    def least(self, city: CityId | None) -> Tenge | None:
        """The lowest price that may stand for a city, or, with None, for all of them."""
        if city is None:
            return max(filter(None, self.leasts.values()), default=None)
        return self.leasts.get(city, self.leasts.get(EVERYWHERE))

    def allows(self, offer: FeedOffer) -> bool:
        """Whether no price of the offer is below what may stand."""
        if offer.price is not None and offer.price < (self.least(None) or 0):
            return False
        return all(each.price >= (self.least(each.city) or 0) for each in offer.city_prices)

    def raised(self, offer: FeedOffer) -> FeedOffer:
        """The offer with no price below what may stand."""
        return attrs.evolve(
            offer,
            price=offer.price and max(offer.price, self.least(None) or Tenge(0)),
            city_prices=tuple(
                CityPrice(each.city, max(each.price, self.least(each.city) or Tenge(0)))
                for each in offer.city_prices
            ),
        )

    @property
    def fault(self) -> str | None:
        """Why it cannot stand in a feed as it is, or None."""
        offer = self.offer
        if not offer.model.strip():
            return (
                f"its name is not known: {_REMEDY}, or `scrapy listings import` a table with names"
            )
        if not offer.points:
            return f"none of its points is known: {_REMEDY}"
        if not offer.prices:
            return "its price is not known"
        if max(offer.prices) > DEAREST:
            return f"its price of {max(offer.prices):,} ₸ is a typing error"
        if not self.allows(offer):
            return f"its price of {min(offer.prices):,} ₸ is below what its rule allows"
        return self._unpriced_fault

    @property
    def _unpriced_fault(self) -> str | None:
        if not self.unpriced:
            return None
        return (
            f"its price in {', '.join(self.unpriced)} is not known, where a rule holds: read its "
            "board there, or `scrapy feed read` an export with its prices by city"
        )


class Aspect(StrEnum):
    """What may change from one version to the next."""

    ADDED = "added"
    REMOVED = "removed"
    PRICE = "price"
    AVAILABILITY = "availability"
    TEXT = "text"


class Fate(StrEnum):
    """What becomes of a listing that cannot stand in a version as it is, in words for people."""

    AS_IT_WAS = "left as it was"
    LEFT_OUT = "not in the feed"
    TAKEN_OFF = "taken off sale at all its points"


@attrs.frozen
class Change:
    """One change of one offer, in words for people."""

    sku: str
    aspect: Aspect
    before: str
    after: str


@attrs.frozen(kw_only=True)
class Step:
    """One article on its way from one version to the next; None: it does not stand there.

    `missing`: it is listed no more. `fault`: why it stands as it did before, is taken off sale, or
    does not stand at all. `live`: the offer with the prices that held before it first stood there.
    `alone`: it names the price of the one city that is known.
    """

    sku: str
    before: FeedOffer | None
    after: FeedOffer | None
    missing: bool = False
    fault: str | None = None
    live: FeedOffer | None = None
    alone: bool = False

    @property
    def fate(self) -> Fate:
        """What becomes of an article that cannot stand as it is listed."""
        if self.after is None:
            return Fate.LEFT_OUT
        return Fate.AS_IT_WAS if self.after == self.before else Fate.TAKEN_OFF

    @property
    def changes(self) -> tuple[Change, ...]:
        """What is other than before."""
        before, after = self.before, self.after
        if before == after:
            return ()
        if before is None or after is None:
            aspect = Aspect.ADDED if before is None else Aspect.REMOVED
            return (Change(self.sku, aspect, _prices(before or self.live), _prices(after)),)
        told = (
            Change(self.sku, aspect, say(before), say(after)) for aspect, say in _ASPECTS.items()
        )
        return tuple(change for change in told if change.before != change.after)


def succeed(
    before: Iterable[FeedOffer], now: Iterable[OwnOffer], *, omit: bool = False
) -> Iterator[Step]:
    """Each article of the last version and of our listings, in the order of the articles.

    Both must come in that order (by code points). With `omit` what is listed no more is left out,
    else it is carried on and withdrawn. Raises NotInOrder.
    """
    versions = _in_order(before, "the last version", lambda offer: offer.sku)
    listings = _in_order(now, "the listings", lambda own: own.offer.sku)
    was, own = next(versions, None), next(listings, None)
    while was is not None or own is not None:
        if own is None or (was is not None and was.sku < own.offer.sku):
            yield _missing(cast("FeedOffer", was), omit=omit)
            was = next(versions, None)
        elif was is not None and was.sku == own.offer.sku:
            yield _standing(was, own)
            was, own = next(versions, None), next(listings, None)
        else:
            yield _standing(None, own)
            own = next(listings, None)


def _in_order(items: Iterable[T], whose: str, sku_of: Callable[[T], str]) -> Iterator[T]:
    last = ""
    for item in items:
        sku = sku_of(item)
        if sku <= last:
            raise NotInOrder(f"{whose} has {sku!r} behind {last!r}: articles must be in order")
        last = sku
        yield item


def _missing(before: FeedOffer, *, omit: bool) -> Step:
    after = None if omit else before.withdrawn()
    return Step(sku=before.sku, before=before, after=after, missing=True)


def _standing(before: FeedOffer | None, own: OwnOffer) -> Step:
    """A listing that cannot stand as it is stays as it was, unless its old price is too low."""
    fault = own.fault
    if own.removed:
        after = before and own.raised(before).withdrawn()
    elif fault is None:
        after = own.offer
    elif before is None or own.allows(before):
        after = before
    else:
        after = own.raised(before).withdrawn()
    return Step(
        sku=own.offer.sku,
        before=before,
        after=after,
        fault=None if own.removed else fault,
        live=own.live,
        alone=own.alone and after is own.offer,
    )


def _prices(offer: FeedOffer | None) -> str:
    if offer is None:
        return ""
    if offer.price is not None:
        return str(offer.price)
    return ", ".join(f"{each.city}: {each.price}" for each in offer.city_prices)


def prices_said(text: str) -> Mapping[CityId | None, Tenge]:
    """The prices that a change says in words, by city; None: one price for all of them."""
    pairs = [part.rpartition(": ") for part in text.split(", ") if part]
    return {CityId(city) if city else None: Tenge(int(price)) for city, _, price in pairs}


def _availability(offer: FeedOffer) -> str:
    return ", ".join(map(_point, offer.points))


def _point(point: FeedPoint) -> str:
    stock = "" if point.stock is None else f" ({point.stock})"
    days = f" in {point.preorder} days" if point.preorder else ""
    return f"{point.point}: {'yes' if point.available else 'no'}{stock}{days}"


def _text(offer: FeedOffer) -> str:
    return f"{offer.brand} {offer.model}".strip()


_ASPECTS: Mapping[Aspect, Callable[[FeedOffer], str]] = {
    Aspect.PRICE: _prices,
    Aspect.AVAILABILITY: _availability,
    Aspect.TEXT: _text,
}
