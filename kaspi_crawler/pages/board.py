"""Merges the pages of an offers answer into one board, though the pages shift while we read.

The marketplace sorts by price at every request: an offer that moves between two of them is seen
twice, and another one not at all. So a board counts as complete only when all its offers were held.
"""

from collections.abc import Hashable, Iterable
from datetime import datetime

import attrs

from domain.identity import CityId, MerchantId, ProductId
from domain.offers import Offer, OfferBoard
from kaspi_crawler.pages.offers import OffersPart

#: How many times a board is read from its first page before we take what we have.
MOST_PASSES = 3
#: How many pages one pass may take: with 64 offers a page no board is that long.
MOST_PAGES = 100


@attrs.frozen(kw_only=True)
class BoardReading:
    """What has been read of one board so far, and which page to ask for next.

    `next_page` counts from 0 and is None when the reading is over: after at most
    MOST_PASSES * MOST_PAGES parts.
    """

    product: ProductId
    city: CityId
    next_page: int | None = 0
    complete: bool = False
    checked_at: datetime | None = None
    _passes: tuple[tuple[OffersPart, ...], ...] = ((),)

    @classmethod
    def start(cls, product: ProductId, city: CityId) -> "BoardReading":
        """Nothing read yet: page 0 is next."""
        return cls(product=product, city=city)

    def add(self, part: OffersPart, checked_at: datetime) -> "BoardReading":
        """Take in the answer to `next_page`."""
        parts = (*self._passes[-1], part)
        passes = (*self._passes[:-1], parts)
        if _shifted(parts):
            return self._after_shift(passes, checked_at)
        if _says_nobody(part) and len(passes) == 1:
            return self._having((*passes, ()), checked_at, 0, complete=False)
        if _held(parts) == part.total:
            return self._after_last(passes, checked_at)
        if len(parts) == MOST_PAGES:
            return self._having(passes, checked_at, None, complete=False)
        return self._having(passes, checked_at, len(parts), complete=False)

    def _after_shift(
        self, passes: tuple[tuple[OffersPart, ...], ...], checked_at: datetime
    ) -> "BoardReading":
        if _all_were_seen(passes):
            return self._having(passes, checked_at, None, complete=True)
        if len(passes) == MOST_PASSES:
            return self._having(passes, checked_at, None, complete=False)
        return self._having((*passes, ()), checked_at, 0, complete=False)

    def _after_last(
        self, passes: tuple[tuple[OffersPart, ...], ...], checked_at: datetime
    ) -> "BoardReading":
        """All places are held; offers that could not be read may be well the second time."""
        spoilt = bool(_unreadable(passes[-1]))
        if spoilt and len(passes) == 1:
            return self._having((*passes, ()), checked_at, 0, complete=False)
        return self._having(passes, checked_at, None, complete=not spoilt)

    def _having(
        self,
        passes: tuple[tuple[OffersPart, ...], ...],
        checked_at: datetime,
        next_page: int | None,
        *,
        complete: bool,
    ) -> "BoardReading":
        return attrs.evolve(
            self, passes=passes, checked_at=checked_at, next_page=next_page, complete=complete
        )

    @property
    def is_read_anew(self) -> bool:
        """Whether the board is read a second time or more often: what is spoilt now stays so."""
        return len(self._passes) > 1

    @property
    def unreadable(self) -> tuple[str, ...]:
        """A sentence for each offer that could not be read in the last pass."""
        return _unreadable(self._last_pass)

    @property
    def board(self) -> OfferBoard:
        """The board as far as it is held: `complete` only when the reading ended so.

        Raises ValueError before the first part.
        """
        if self.checked_at is None:
            raise ValueError(f"no page of the offers of {self.product} has been read yet")
        return OfferBoard(
            kaspi_id=self.product,
            city_id=self.city,
            offers=_one_a_merchant(self._offers()),
            total=self._last_pass[-1].total,
            complete=self.complete,
            checked_at=self.checked_at,
        )

    @property
    def _last_pass(self) -> tuple[OffersPart, ...]:
        """The last pass in which anything was read."""
        return self._passes[-1] or self._passes[-2]

    def _offers(self) -> Iterable[Offer]:
        """A pass that was consistent speaks alone, else the latest sighting of every offer."""
        parts = self._passes[-1]
        if self.complete and not _shifted(parts):
            return parts[0].offers if len(parts) == 1 else _offers_of(parts)
        return _latest(self._passes).values()


def _held(parts: Iterable[OffersPart]) -> int:
    """How many places of the board the parts cover, unreadable ones included."""
    return sum(len(part.offers) + len(part.unreadable) for part in parts)


def _says_nobody(part: OffersPart) -> bool:
    """Whether a board is told to be empty: such an answer names no product, so that nothing shows
    whether it is about this one, and believing it sends every seller away. It is asked for twice.
    """
    return part.total == 0 and not _held((part,))


def _unreadable(parts: Iterable[OffersPart]) -> tuple[str, ...]:
    return tuple(sentence for part in parts for sentence in part.unreadable)


def _offers_of(parts: Iterable[OffersPart]) -> tuple[Offer, ...]:
    return tuple(offer for part in parts for offer in part.offers)


def _key(offer: Offer) -> Hashable:
    return (offer.merchant_id, offer.merchant_sku)


def _shifted(parts: tuple[OffersPart, ...]) -> bool:
    """Whether the last part does not continue the ones before it, or brings nothing or too much."""
    last, held = parts[-1], _held(parts)
    if held > last.total or (held < last.total and not _held(parts[-1:])):
        return True
    if len(parts) == 1:
        return False
    if last.total != parts[0].total:
        return True
    earlier = {_key(offer) for offer in _offers_of(parts[:-1])}
    return any(_key(offer) in earlier for offer in last.offers)


def _latest(passes: Iterable[Iterable[OffersPart]]) -> dict[Hashable, Offer]:
    return {_key(offer): offer for parts in passes for offer in _offers_of(parts)}


def _all_were_seen(passes: tuple[tuple[OffersPart, ...], ...]) -> bool:
    """Whether all passes together saw as many different offers as each of them was told of."""
    totals = {part.total for parts in passes for part in parts}
    unreadable = any(_unreadable(parts) for parts in passes)
    return len(totals) == 1 and not unreadable and len(_latest(passes)) == totals.pop()


def _one_a_merchant(offers: Iterable[Offer]) -> tuple[Offer, ...]:
    """The cheapest offer of each merchant, the first of equals, in the order of the board."""
    offers = tuple(offers)
    if len({offer.merchant_id for offer in offers}) == len(offers):
        return offers
    cheapest: dict[MerchantId, Offer] = {}
    for offer in offers:
        known = cheapest.get(offer.merchant_id)
        if known is None or offer.price < known.price:
            cheapest[offer.merchant_id] = offer
    return tuple(cheapest.values())
