"""Carries one store's prices to the cabinet: written down, looked at, sent, and read back."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

import attrs

from domain.budget import Budget, at_best, is_strikingly_low
from domain.cabinet import CabinetOffer, Receipt, Refusal
from domain.identity import CityId, MerchantId
from domain.money import Tenge
from domain.publishing import (
    Intention,
    Outcome,
    Patience,
    Sent,
    endangered,
    obstacle,
    shown_by,
)
from domain.shop import ListingId
from partners.call import Answer, Call
from partners.kaspi.cabinet import LARGEST_PAGE, Cabinet, NotACabinet, read_page, read_receipts
from storage import arrivals, departures
from storage.arrivals import Arrived
from storage.database import Cursor
from storage.departures import Departing, Queue

logger = logging.getLogger(__name__)

T = TypeVar("T")
_NOTHING = timedelta(0)
#: Items that are read at once.
_ABREAST = 4
#: A pause after which it is looked whether the pause is over, rather than waited for its end.
_LONGEST_NAP = timedelta(minutes=1)


class NotSent(Exception):
    """A question that is certain not to have left."""


class NoAnswer(Exception):
    """A question that left, or may have, and was not answered."""


class Asking(Protocol):
    """Sends a call through the crawl's own engine, for the store's account.

    `within`: it leaves by then or not at all, and only once. Raises NotSent and NoAnswer.
    """

    async def __call__(self, call: Call, *, within: timedelta | None = None) -> Answer: ...


class Counting(Protocol):
    """A crawl's statistics."""

    def inc_value(self, name: str, count: int = 1) -> None: ...

    def set_value(self, name: str, value: int) -> None: ...


class Reaching(Protocol):
    """The database as the stages reach it."""

    async def do(self, work: Callable[[Cursor], Awaitable[T]], waiting: str) -> T: ...


@attrs.frozen(kw_only=True)
class Terms:
    """The settings PUBLISH_…, which docs/publishing-cabinet.md explains.

    `share` is in ten-thousandths of the listings. What was read is good for `fresh`; what was
    written down leaves within `prompt`, and is answered within `answer` after that. `names_base`:
    a push says the price for all cities, too.
    """

    address: str
    share: int
    most: int
    start: Budget
    patience: Patience
    first_look: timedelta
    look_again: timedelta
    look: timedelta
    rest: timedelta
    fresh: timedelta
    prompt: timedelta
    answer: timedelta
    names_base: bool = False


@attrs.frozen(kw_only=True)
class Turn:
    """What one look came to: when to look again, and whether something may leave by then."""

    pause: timedelta
    waits: bool = False


@attrs.define
class _Rested(Exception):
    """The cabinet wants no question now."""

    receipt: Receipt


@attrs.define
class Carrier:
    """One store's. Several processes may carry for it at once: the database keeps them apart."""

    store: MerchantId
    terms: Terms
    reach: Reaching
    ask: Asking
    stats: Counting
    _cabinet: Cabinet = attrs.field(init=False)
    _reads_back_at: Any = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._cabinet = Cabinet(address=self.terms.address, names_base=self.terms.names_base)

    async def turn(self) -> Turn:
        """Look once: read back what is due, then send what may leave.

        Raises storage.patience.PASSING_ERRORS when the database stays away.
        """
        try:
            if _clock() >= self._reads_back_at:
                await self._read_back()
                self._reads_back_at = _clock() + self.terms.look.total_seconds()
            return await self._send()
        except _Rested as rested:
            return self._rest(rested.receipt)
        except (NoAnswer, NotSent) as error:
            self.stats.inc_value("publish/unread_items")
            logger.warning("The cabinet of %s gave no answer: %s", self.store, error)
            return Turn(pause=self.terms.rest)

    # --- Sending -------------------------------------------------------------------------------

    async def _send(self) -> Turn:
        terms, store = self.terms, self.store
        queue = await self._do(
            lambda cursor: departures.queue(cursor, store, terms.share, terms.most, terms.start)
        )
        if is_strikingly_low(queue.purse.budget, terms.start):
            few = at_best(queue.purse.budget)
            self.stats.set_value(f"publish/low_limit/{store}", few)
        room = queue.purse.may_send(queue.pressing)
        if not queue.intentions or not room:
            return self._later(queue)
        began = _clock()
        chosen = _chosen(queue.intentions, room)
        offers = await self._offers({one.sku for one in chosen if not one.paused})
        if timedelta(seconds=_clock() - began) > terms.fresh:
            return Turn(pause=_NOTHING, waits=True)
        leaving = await self._let_leave(chosen, offers, queue.pressing)
        if leaving is None:
            return Turn(pause=self.terms.look / 10, waits=True)
        await self._push(leaving, offers)
        return Turn(pause=_NOTHING, waits=True)

    def _later(self, queue: Queue) -> Turn:
        """When something may leave, or be there to leave."""
        if not queue.intentions:
            return Turn(pause=self.terms.look)
        left = queue.purse.wait(queue.pressing)
        return Turn(pause=min(max(left, self.terms.look / 10), _LONGEST_NAP), waits=True)

    async def _let_leave(
        self,
        chosen: Sequence[Intention],
        offers: Mapping[str, CabinetOffer | None],
        pressing: int,
    ) -> Departing | None:
        """Close what may not leave, and write down what is about to."""
        refused = {
            one.id: why for one in chosen if (why := obstacle(one, offers.get(one.sku))) is not None
        }
        wanted = [one for one in chosen if one.id not in refused]
        for listing, prices in _by_listing(wanted).items():
            asked = [one for one in wanted if one.listing == listing]
            offer = offers[asked[0].sku]
            if offer is None:
                continue
            base = self._cabinet.base_price(offer, prices)
            if endangered(asked[0], offer, prices, base) is not None:
                refused |= dict.fromkeys((one.id for one in asked), Outcome.ENDANGERED)
        if refused:
            for outcome in await self._do(partial(departures.refuse, refused=refused)):
                self.stats.inc_value(f"publish/{outcome}")
        leaving = [
            (one, offer)
            for one in wanted
            if one.id not in refused and (offer := offers[one.sku]) is not None
        ]
        if not leaving:
            return None
        terms = self.terms
        wait = terms.prompt + terms.answer
        return await self._do(
            lambda cursor: departures.depart(
                cursor, self.store, leaving, terms.start, wait=wait, pressing=pressing
            )
        )

    async def _push(self, leaving: Departing, offers: Mapping[str, CabinetOffer | None]) -> None:
        """Send what is written down, once, and write down what was answered."""
        prices = _by_listing(leaving.intentions)
        skus = {one.listing: one.sku for one in leaving.intentions}
        asked = [(offer, told) for one, told in prices.items() if (offer := offers[skus[one]])]
        call = (
            self._cabinet.change_prices(asked)
            if len(asked) > 1
            else self._cabinet.change_price(*asked[0])
        )
        self.stats.inc_value("publish/sent", len(leaving.intentions))
        try:
            answer = await self.ask(call, within=self.terms.prompt)
        except NotSent as error:
            logger.warning("%d prices of %s did not leave: %s", len(prices), self.store, error)
            self.stats.inc_value("publish/not_sent", len(leaving.intentions))
            await self._do(partial(departures.not_sent, departed=leaving))
            return
        except NoAnswer as error:
            logger.warning(
                "Nobody knows whether %d prices of %s were queued (%s): they are read back",
                len(prices),
                self.store,
                error,
            )
            receipts = {}
        else:
            came = read_receipts(answer, len(asked))
            receipts = dict(zip(prices, came, strict=True))
        await self._settle(leaving, receipts)

    async def _settle(self, leaving: Departing, receipts: Mapping[ListingId, Receipt]) -> None:
        start = self.terms.start
        outcomes = await self._do(
            lambda cursor: departures.settle(cursor, self.store, leaving, receipts, start)
        )
        for outcome in outcomes:
            self.stats.inc_value(f"publish/{outcome or 'accepted'}")
        for receipt in receipts.values():
            if receipt.refusal in departures.STOPS:
                raise _Rested(receipt)

    # --- Reading -------------------------------------------------------------------------------

    async def _read_back(self) -> None:
        """Look for what should have arrived by now, and give up what nobody can read back."""
        terms, store = self.terms, self.store
        first, again, most = terms.first_look, terms.look_again, terms.most
        try:
            due = await self._do(lambda cursor: arrivals.due(cursor, store, first, again, most))
            if due:
                await self._judge(due)
        finally:
            lost = await self._do(
                lambda cursor: arrivals.give_up(cursor, store, terms.patience, again)
            )
            tell(self.stats, lost)

    async def _judge(self, due: Sequence[Sent]) -> None:
        asked_at = await self._do(arrivals.now)
        offers = await self._offers({sent.sku for sent in due})
        read = [(sent, shown_by(offers[sent.sku], sent.city, asked_at)) for sent in due]
        patience = self.terms.patience
        arrived = await self._do(lambda cursor: arrivals.judge(cursor, read, patience))
        tell(self.stats, arrived)

    async def _offers(self, skus: Iterable[str]) -> dict[str, CabinetOffer | None]:
        """The items as the cabinet shows them now; None where it has none."""
        abreast = asyncio.Semaphore(_ABREAST)

        async def one(sku: str) -> CabinetOffer | None:
            async with abreast:
                return await self._offer(sku)

        asked = sorted(skus)
        found = await asyncio.gather(*map(one, asked), return_exceptions=True)
        for came in found:
            if isinstance(came, BaseException):
                raise came
        return {
            sku: came
            for sku, came in zip(asked, found, strict=True)
            if not isinstance(came, BaseException)
        }

    async def _offer(self, sku: str) -> CabinetOffer | None:
        answer = await self.ask(self._cabinet.offers(self.store, 0, search=sku))
        try:
            page = read_page(answer, self.store)
        except NotACabinet as error:
            raise NoAnswer(str(error)) from error
        if isinstance(page, Receipt):
            raise _Rested(page) if page.refusal in departures.STOPS else NoAnswer(page.detail)
        found = next((offer for offer in page.offers if offer.sku == sku), None)
        if found is None and page.total > LARGEST_PAGE:
            raise NoAnswer(
                f"{page.total} items are found by {sku!r}, and it is not on the first page"
            )
        return found

    def _rest(self, receipt: Receipt) -> Turn:
        """Leave the cabinet alone for a while, and say why."""
        self.stats.inc_value(f"publish/stopped/{receipt.refusal}")
        pause = self.terms.rest
        if receipt.refusal is Refusal.BLOCKED:
            pause = max(pause, min(timedelta(seconds=receipt.pause or 0), _LONGEST_NAP))
        logger.warning(
            "The cabinet of %s refuses (%s: %s): nothing is sent for now",
            self.store,
            receipt.refusal,
            receipt.detail,
        )
        return Turn(pause=pause)

    async def _do(self, work: Callable[[Cursor], Awaitable[T]]) -> T:
        return await self.reach.do(work, f"prices of {self.store} wait")


def tell(stats: Counting, arrived: Iterable[Arrived]) -> None:
    """Count what became of prices that were sent, and say what did not arrive."""
    for one in arrived:
        if one.verdict.applied:
            stats.inc_value("publish/applied")
            continue
        stats.inc_value("publish/unverified")
        if one.verdict.outcome is Outcome.VANISHED:
            stats.inc_value("publish/vanished")
        logger.warning(
            "%s of %s in %s: the price %d that was sent could not be verified (%s)",
            one.sent.sku,
            one.sent.store,
            one.sent.city,
            one.sent.price,
            one.verdict.outcome,
        )


def _chosen(waiting: Sequence[Intention], room: int) -> list[Intention]:
    """The first that fit, with the other cities of their listings as far as there is room."""
    listings = dict.fromkeys(one.listing for one in waiting[:room])
    together = [one for listing in listings for one in waiting if one.listing == listing]
    return together[:room]


def _by_listing(
    intentions: Iterable[Intention],
) -> dict[ListingId, dict[CityId, Tenge]]:
    """What is asked for each listing, in their order."""
    prices: dict[ListingId, dict[CityId, Tenge]] = {}
    for one in intentions:
        prices.setdefault(one.listing, {})[one.city] = one.price
    return prices


def _clock() -> Any:
    """Seconds of the loop's clock, by which nothing is dated."""
    return asyncio.get_running_loop().time()
