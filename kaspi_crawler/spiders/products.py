"""Products whole: card, all offers in each city, reviews, as one refresh."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any, ClassVar

import attrs
from scrapy import Request
from scrapy.settings import Settings

from domain.identity import CityId, ProductId
from domain.offers import OfferBoard
from domain.product import ProductCard
from domain.readings import ProductMissing, ProductRefresh, Source
from domain.reviews import ReviewSummary
from kaspi_crawler.arguments import BadArgument, BrowserUse, browser_use
from kaspi_crawler.browser import handler
from kaspi_crawler.browser.executable import HOW_TO_INSTALL, chromium
from kaspi_crawler.conversation import AskInstead, Heard, Inquiry, StorefrontSpider, Turn
from kaspi_crawler.pages.board import BoardReading
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.product import ProductPage, lacks_state
from kaspi_crawler.work_list import refreshes_to_read

#: Plain looks at a page without its state before the browser looks at it.
_PLAIN_LOOKS = 2


@attrs.frozen(kw_only=True)
class Look:
    """One look at a product's page, and what the looks before it have found."""

    product: ProductId
    cities: tuple[CityId, ...]
    number: int = 1
    in_browser: bool = False
    held: ProductCard | None = None


class ProductsSpider(StorefrontSpider):
    """Read the card, all offers and the review summary of each product, as one refresh.

    Arguments
        products: product ids or addresses, separated by commas, or @file; default: the work list
        cities: Kaspi city ids, separated by commas; the first is the home city, whose prices the
            product's own columns show; default: 750000000, or the work list's own
        browser: auto (default) lets Chromium read a page that twice came without its state,
            always lets it read each page, never none
    """

    name = "products"
    accepts: ClassVar[tuple[str, ...]] = ("products", "cities", "browser")

    def __init__(self, browser: str | None = None, **kwargs: Any) -> None:
        super().__init__(browser=browser, **kwargs)
        self.browser = BrowserUse.AUTO if browser is None else browser_use(browser)
        self._has_browser = False
        self._told_of_no_browser = False

    def prepare(self, settings: Settings) -> None:
        """Find Chromium, and put it before what downloads: a crawl without it costs nothing."""
        if self.browser is BrowserUse.NEVER:
            return
        program = chromium(settings["CHROMIUM"])
        if program:
            handler.install(settings, program)
            self._has_browser = True
        elif self.browser is BrowserUse.ALWAYS:
            raise BadArgument(f"browser=always: there is no Chromium here: {HOW_TO_INSTALL}")

    async def questions(self) -> AsyncIterator[Request]:
        """The page of each product, as it looks in the home city."""
        async for product, cities in refreshes_to_read(self):
            yield self.about(product, partial(self._ask_page, cities=cities))

    def _ask_page(self, product: ProductId, cities: tuple[CityId, ...]) -> Request:
        in_browser = self.browser is BrowserUse.ALWAYS
        return self._look(Look(product=product, cities=cities, in_browser=in_browser))

    def _look(self, look: Look) -> Request:
        inquiry = Inquiry(
            source=Source.PAGE,
            product=look.product,
            city=look.cities[0],
            read=partial(self._read_page, look),
            then=partial(self._begin, look.cities),
            otherwise=partial(self._begin_with_held, look),
        )
        call = self.storefront.product_page(look.product, look.cities[0])
        request = self.ask(call, inquiry)
        if look.in_browser:
            request.meta[handler.IN_BROWSER] = True
        if self._has_browser:
            request.meta["wants"] = None  # a shell is no fault of the exit: we look deeper
        return request

    def _read_page(
        self, look: Look, heard: Heard
    ) -> ProductCard | ProductMissing | TryAgain | Unreadable | AskInstead:
        """What the page says; a deeper look when it lacks its state, as long as there is one."""
        page = ProductPage(
            heard.answer, look.product, heard.moment, heard.witness, rendered=look.in_browser
        )
        outcome = page.to_item()
        if not lacks_state(outcome):
            return outcome
        held = outcome if isinstance(outcome, ProductCard) else look.held
        if self._may_look_deeper(look):
            number = look.number + 1
            deeper = number > _PLAIN_LOOKS
            return AskInstead(
                self._look(attrs.evolve(look, number=number, in_browser=deeper, held=held))
            )
        return held or outcome

    def _may_look_deeper(self, look: Look) -> bool:
        """Whether a browser may follow the plain looks."""
        if look.in_browser or self.browser is BrowserUse.NEVER:
            return False
        if not self._has_browser and not self._told_of_no_browser:
            self._told_of_no_browser = True
            self.logger.warning(
                "The page of product %s came without its state, and there is no Chromium to look "
                "deeper: it and others like it are read as they came. To mend it, %s",
                look.product,
                HOW_TO_INSTALL,
            )
        return self._has_browser

    def _begin(
        self, cities: tuple[CityId, ...], card: ProductCard | ProductMissing, _heard: Heard
    ) -> Turn:
        if isinstance(card, ProductMissing):
            yield from self._tell_missing(card)
        else:
            yield from self._begin_refresh(card, cities)

    def _begin_with_held(self, look: Look) -> Turn:
        """When the browser failed, a plain look may have found something."""
        if look.held is not None:
            yield from self._begin_refresh(look.held, look.cities)

    def _begin_refresh(self, card: ProductCard, cities: tuple[CityId, ...]) -> Turn:
        refresh = ProductRefresh(card=card, home_city=cities[0], boards=(), reviews=None)
        yield from self._ask_next_city(refresh, cities)

    def _tell_missing(self, missing: ProductMissing) -> Turn:
        self.logger.warning("There is no product %s on the site", missing.kaspi_id)
        self.crawler.stats.inc_value("missing")
        yield missing

    def _ask_next_city(self, refresh: ProductRefresh, cities: tuple[CityId, ...]) -> Turn:
        """The boards one after another, then the reviews."""
        if not cities:
            yield self._ask_for_reviews(refresh)
            return

        def add(board: OfferBoard | None) -> Turn:
            boards = (*refresh.boards, self._doubted(board, refresh)) if board else refresh.boards
            yield from self._ask_next_city(attrs.evolve(refresh, boards=boards), cities[1:])

        yield self.ask_board(BoardReading.start(refresh.kaspi_id, cities[0]), add)

    def _doubted(self, board: OfferBoard, refresh: ProductRefresh) -> OfferBoard:
        """The board, which may not say that everybody left while the page shows a price."""
        price = refresh.card.price if board.city_id == refresh.card.city_id else None
        if price is None or board.offers or not board.complete:
            return board
        self.logger.warning(
            "The board of product %s in city %s is incomplete: it is said to be empty, and the "
            "page shows a price of %d. Nobody is said to have left, and the next crawl reads it "
            "anew",
            board.kaspi_id,
            board.city_id,
            price,
        )
        return attrs.evolve(board, complete=False)

    def _ask_for_reviews(self, refresh: ProductRefresh) -> Request:
        def add(reviews: ReviewSummary, _heard: Heard) -> Turn:
            yield attrs.evolve(refresh, reviews=reviews)

        def give_up() -> Turn:
            yield refresh

        return self.ask_reviews(refresh.kaspi_id, add, give_up)
