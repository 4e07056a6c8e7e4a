"""A spider's conversation with the storefront: asking, asking again, and giving up in words."""

from abc import abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, ClassVar, Self
from uuid import uuid4

import attrs
from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import CloseSpider, DownloadCancelledError
from scrapy.http import Response
from scrapy.settings import Settings
from twisted.python.failure import Failure

from domain.identity import ALMATY_CITY, CityId, ProductId
from domain.offers import OfferBoard
from domain.readings import DriftedAnswer, Reading, Source, Topic, UnreadAnswer
from domain.reviews import ReviewSummary
from domain.run import Run
from kaspi_crawler import arguments
from kaspi_crawler.health.coverage import Coverage
from kaspi_crawler.middlewares.unpacking import TOO_LARGE
from kaspi_crawler.pages import known
from kaspi_crawler.pages.board import BoardReading
from kaspi_crawler.pages.offers import OffersPage, OffersPart
from kaspi_crawler.pages.outcomes import Drift, TryAgain, Unreadable, Witness
from kaspi_crawler.pages.people import without_people
from kaspi_crawler.pages.reviews import ReviewsPage
from kaspi_crawler.pages.short_link import ShortLinkAnswer
from kaspi_crawler.turnstile import NotAsked
from partners.call import Answer, Call
from partners.kaspi.storefront import ShortLink, Storefront

#: Requests that may wait in the scheduler before `start` pauses, so that memory stays flat
#: however long the work list is.
ROOM = 64
#: How a further page of a board stands before what waits: its pages are to be of one moment. Each
#: time that it was refused takes one off (RETRY_PRIORITY_ADJUST), and leaves it before them.
SOON = 100
#: Kinds of drift that one crawl tells apart: an answer full of new names is one drift to people.
MOST_DRIFTS = 50
_BOMB = TryAgain(
    TOO_LARGE,
    "It unpacks to more than DOWNLOAD_MAXSIZE: nothing of it was kept. If the site's answers have "
    "grown, raise DOWNLOAD_MAXSIZE.",
)

Turn = Iterator[Request | Reading]
#: What a question is about.
Subject = ProductId | ShortLink | Topic
BoardThen = Callable[[OfferBoard | None], Turn]


def _nothing_more() -> Turn:
    return iter(())


@attrs.frozen(kw_only=True)
class Heard:
    """An answer, the moment at which it came, and what its page noticed besides the item."""

    answer: Answer
    moment: datetime
    witness: Witness = attrs.field(factory=Witness, eq=False)


@attrs.frozen(kw_only=True)
class Inquiry:
    """One question to the storefront, and how the conversation goes on.

    `read` makes an item of the answer; `then` goes on with the item; `otherwise` goes on when
    the answer could not be read after all tries.
    """

    source: Source
    product: Subject
    city: CityId | None
    read: Callable[[Heard], Any]
    then: Callable[[Any, Heard], Turn]
    otherwise: Callable[[], Turn] = _nothing_more


@attrs.frozen
class AskInstead:
    """What an inquiry's `read` returns when the answer settles nothing: another question."""

    request: Request


class StorefrontSpider(Spider):
    """Reads the storefront at KASPI_URL. Arguments are checked before the first request."""

    #: Names of the arguments that the spider understands.
    accepts: ClassVar[tuple[str, ...]] = ("products", "cities")
    storefront: Storefront
    run: Run
    #: How many readings the crawl is going to make, when that is known; for the progress bar.
    expected: int | None = None

    def __init__(
        self, products: str | None = None, cities: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        arguments.known({"products": products, "cities": cities, **kwargs}, self.accepts)
        self.products = None if products is None else arguments.products(products)
        self.chosen_cities = None if cities is None else arguments.cities(cities)
        self._blocked: list[Subject] = []
        self._ends_blocked = False
        self.coverage = Coverage()
        self._readable: Counter[Source] = Counter()
        self._drifts: set[tuple[Source, Drift]] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.prepare(crawler.settings)
        spider.storefront = Storefront(crawler.settings["KASPI_URL"])
        told = {name: str(value) for name, value in kwargs.items() if not name.startswith("_")}
        spider.run = Run(
            id=uuid4(),
            spider=cls.name,
            arguments=told,
            site=spider.storefront.address,
            started_at=datetime.now(UTC),
            job_id=kwargs.get("_job"),
        )
        return spider

    def prepare(self, settings: Settings) -> None:
        """Find what the crawl needs on this machine. Raises BadArgument when it is not there."""

    @property
    def cities(self) -> tuple[CityId, ...]:
        """The cities to read; the first is the home city."""
        return self.chosen_cities or (ALMATY_CITY,)

    @abstractmethod
    def questions(self) -> AsyncIterator[Request]:
        """The first question about each thing to read."""

    async def start(self) -> AsyncIterator[Request]:
        """Ask the questions as fast as they are worked off, and no faster."""
        async for request in self.questions():
            yield request
            await self._room()

    async def _room(self) -> None:
        engine = self.crawler.engine
        if engine and engine.scheduler and len(engine.scheduler) > ROOM:  # type: ignore[arg-type]
            await self.crawler.signals.wait_for(signals.scheduler_empty)

    def about(self, product: ProductId | ShortLink, ask: Callable[[ProductId], Request]) -> Request:
        """The first question about a product; a short link is followed to find it."""
        if not isinstance(product, ShortLink):
            return ask(product)
        inquiry = Inquiry(
            source=Source.LINK,
            product=product,
            city=None,
            read=partial(_read_short_link, product),
            then=lambda found, _heard: iter((ask(found),)),
        )
        return self.ask(self.storefront.short_link(product), inquiry)

    def ask(self, call: Call, inquiry: Inquiry) -> Request:
        """The request that carries a call. Pages are paced apart from the API."""
        return Request(
            call.address,
            method=call.method,
            headers=dict(call.headers),
            body=call.body,
            callback=self.hear,
            errback=self.miss,
            cb_kwargs={"inquiry": inquiry},
            meta={"kind": "page" if call.wants == "html" else "api", "wants": call.wants},
            dont_filter=True,
        )

    def ask_board(self, reading: BoardReading, then: BoardThen) -> Request:
        """Ask for the next page of a board, and go on until the board is whole.

        `then` gets the board, incomplete when a page stayed unreadable, or None without a page.
        """
        inquiry = Inquiry(
            source=Source.OFFERS,
            product=reading.product,
            city=reading.city,
            read=partial(_read_offers, reading),
            then=partial(self._add_offers, reading, then),
            otherwise=partial(_take_what_is_held, reading, then),
        )
        page = reading.next_page or 0
        asked = self.ask(self.storefront.offers(reading.product, reading.city, page), inquiry)
        return asked if reading.checked_at is None else asked.replace(priority=SOON)

    def _add_offers(
        self, reading: BoardReading, then: BoardThen, part: OffersPart, heard: Heard
    ) -> Turn:
        if part.unreadable and reading.is_read_anew:
            yield self._unread(
                Source.OFFERS, reading.product, reading.city, heard, _unreadable_offers(part)
            )
        grown = reading.add(part, heard.moment)
        if grown.next_page is not None:
            yield self.ask_board(grown, then)
            return
        self._tell_of_missing_offers(grown)
        yield from then(grown.board)

    def _tell_of_missing_offers(self, reading: BoardReading) -> None:
        """Say which board was read to its end and is not whole; who was unreadable is told."""
        if reading.complete or reading.unreadable:
            return
        self.logger.warning(
            "The board of product %s in city %s is incomplete: %d of %d offers were held. "
            "They are kept, nobody is said to have left, and the next crawl reads it anew",
            reading.product,
            reading.city,
            len(reading.board.offers),
            reading.board.total,
        )

    def ask_reviews(
        self,
        product: ProductId,
        then: Callable[[ReviewSummary, Heard], Turn],
        otherwise: Callable[[], Turn] = _nothing_more,
    ) -> Request:
        """Ask for the rating and the counts of a product."""
        inquiry = Inquiry(
            source=Source.REVIEWS,
            product=product,
            city=None,
            read=partial(_read_reviews, product),
            then=then,
            otherwise=otherwise,
        )
        return self.ask(self.storefront.reviews(product), inquiry)

    def hand_over(self, reading: Reading | None, _heard: Heard | None = None) -> Turn:
        """The reading, if there is one, goes to the stages: nothing more is asked."""
        if reading is not None:
            yield reading

    def hear(self, response: Response, inquiry: Inquiry) -> Turn:
        """Read an answer; ask again what was refused; tell of what stays unreadable."""
        heard = Heard(answer=answer_of(response), moment=datetime.now(UTC))
        outcome = _BOMB if TOO_LARGE in response.flags else inquiry.read(heard)
        if isinstance(outcome, AskInstead):
            yield outcome.request
            return
        if not isinstance(outcome, TryAgain | Unreadable):
            self._blocked.clear()
            if drifts := self._new_drifts(inquiry, heard):
                yield self._drifted(inquiry, heard, drifts)
            yield from inquiry.then(outcome, heard)
            return
        refused = isinstance(outcome, TryAgain)
        again = self._again(response.request, outcome.reason) if refused else None
        if again:
            yield again
        else:
            self._new_drifts(inquiry, heard)
            yield self._unread(inquiry.source, inquiry.product, inquiry.city, heard, outcome)
            yield from inquiry.otherwise()
        if isinstance(outcome, TryAgain):
            self._count_block(inquiry, outcome.reason)

    def miss(self, failure: Failure) -> Turn:
        """Tell of a question that got no answer, after the downloader's retries.

        Of what was not asked, since the crawl ended before, there is nothing to tell.
        """
        if isinstance(failure.value, NotAsked):
            return
        request: Request = failure.request  # type: ignore[attr-defined]
        inquiry: Inquiry = request.cb_kwargs["inquiry"]
        too_large = isinstance(failure.value, DownloadCancelledError)
        silence = Unreadable(
            f"{TOO_LARGE if too_large else 'no answer'}: {failure.getErrorMessage().rstrip('.')}",
            _BOMB.remedy
            if too_large
            else "Check the network and KASPI_URL (`scrapy doctor`), then run again.",
        )
        nothing = Answer(status=0, body=b"", address=request.url)
        heard = Heard(answer=nothing, moment=datetime.now(UTC))
        yield self._unread(inquiry.source, inquiry.product, inquiry.city, heard, silence)
        yield from inquiry.otherwise()
        self._count_block(inquiry, TOO_LARGE if too_large else "no_answer")

    def _again(self, request: Request | None, reason: str) -> Request | None:
        """The question once more, unless it was asked often enough; the exit hears why."""
        if request is None:
            return None
        again = get_retry_request(request, spider=self, reason=reason)
        if again and "through" in again.meta:
            again.meta["misread"] = reason
        return again

    def _count_block(self, inquiry: Inquiry, reason: str) -> None:
        """Raise CloseSpider when refusals follow each other, whatever we ask about."""
        self.crawler.stats.inc_value(f"refused/{reason}")
        self.crawler.stats.inc_value(f"refused_by/{inquiry.source}")
        self._blocked.append(inquiry.product)
        limit = self.settings.getint("BLOCKED_IN_A_ROW")
        if len(self._blocked) < limit or len(set(self._blocked)) <= limit // 4:
            return
        if not self._ends_blocked:  # what was under way still comes in
            self._ends_blocked = True
            remedy = (
                "See whether KASPI_URL can be reached (`scrapy doctor`)"
                if reason == "no_answer"
                else "Wait, ask more slowly (KASPI_DELAY) or from another address"
            )
            self.logger.error(
                "%d answers in a row were refused (%s): the crawl ends here. %s, then run again",
                len(self._blocked),
                reason,
                remedy,
            )
        raise CloseSpider("blocked")

    def _new_drifts(self, inquiry: Inquiry, heard: Heard) -> tuple[Drift, ...]:
        """Count how the answer differs from the format we know; those that differ so for the
        first time. Only a part of the answers that fit at first sight is looked at.
        """
        count = self._readable[inquiry.source] = self._readable[inquiry.source] + 1
        if not (heard.witness.loose or count == 1 or count % self._look_at_one_of == 0):
            return ()
        stats = self.crawler.stats
        stats.inc_value(f"looked_at/{inquiry.source}")
        drifts = known.drifts(inquiry.source, heard.answer.body) | heard.witness.drifts
        new = []
        for drift in sorted(drifts, key=str):
            if (inquiry.source, drift) not in self._drifts:
                if len(self._drifts) >= MOST_DRIFTS:
                    continue
                self._drifts.add((inquiry.source, drift))
                new.append(drift)
            stats.inc_value(f"drift/{inquiry.source}/{drift.kind}/{drift.key}")
        return tuple(new)

    @cached_property
    def _look_at_one_of(self) -> int:
        return max(1, self.settings.getint("DRIFT_ONE_OF"))

    def _drifted(self, inquiry: Inquiry, heard: Heard, drifts: tuple[Drift, ...]) -> DriftedAnswer:
        return DriftedAnswer(
            spider=self.name,
            source=inquiry.source,
            kaspi_id=ProductId(str(inquiry.product)),
            city_id=inquiry.city,
            address=heard.answer.address,
            status=heard.answer.status,
            drifts=tuple(map(str, drifts)),
            body=_keepable(inquiry.source, heard.answer.body),
            checked_at=heard.moment,
        )

    def _unread(
        self,
        source: Source,
        product: Subject,
        city: CityId | None,
        heard: Heard,
        outcome: TryAgain | Unreadable,
    ) -> UnreadAnswer:
        self.crawler.stats.inc_value(f"unread_by/{source}")
        return UnreadAnswer(
            spider=self.name,
            source=source,
            kaspi_id=ProductId(str(product)),
            city_id=city,
            address=heard.answer.address,
            status=heard.answer.status or None,
            reason=outcome.reason,
            remedy=outcome.remedy,
            body=_keepable(source, heard.answer.body),
            checked_at=heard.moment,
        )


def _keepable(source: Source, body: bytes) -> bytes:
    """What may be kept of an answer: whoever wrote a review, or changed a price, is not."""
    return without_people(body) if source in (Source.REVIEWS, Source.TEXTS, Source.SHOP) else body


def _read_short_link(link: ShortLink, heard: Heard) -> ProductId | TryAgain | Unreadable:
    return ShortLinkAnswer(heard.answer, link).to_item()


def _read_offers(reading: BoardReading, heard: Heard) -> OffersPart | TryAgain | Unreadable:
    return _offers_page(reading, heard).to_item()


def _offers_page(reading: BoardReading, heard: Heard) -> OffersPage:
    return OffersPage(heard.answer, reading.product, reading.city, heard.moment, heard.witness)


def _read_reviews(product: ProductId, heard: Heard) -> ReviewSummary | TryAgain | Unreadable:
    return ReviewsPage(heard.answer, product, heard.moment, heard.witness).to_item()


def _take_what_is_held(reading: BoardReading, then: BoardThen) -> Turn:
    return then(reading.board if reading.checked_at else None)


def _unreadable_offers(part: OffersPart) -> Unreadable:
    return Unreadable(
        "; ".join(part.unreadable),
        "The other offers are kept and the board is marked incomplete; look at the answer.",
    )


def answer_of(response: Response) -> Answer:
    """The response as the pages read it: of the headers, those that judge a refusal."""
    headers = {}
    if response.status != 200:
        for name in ("Retry-After", "Location"):
            if value := response.headers.get(name):
                headers[name.lower()] = value.decode("latin-1")
    return Answer(status=response.status, body=response.body, address=response.url, headers=headers)
