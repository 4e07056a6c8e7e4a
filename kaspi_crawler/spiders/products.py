"""Products whole: card, all offers in each city, reviews, as one refresh."""

from collections.abc import AsyncIterator
from functools import partial

import attrs
from scrapy import Request

from domain.identity import CityId, ProductId
from domain.offers import OfferBoard
from domain.product import ProductCard
from domain.readings import ProductMissing, ProductRefresh, Source
from domain.reviews import ReviewSummary
from kaspi_crawler.conversation import Heard, Inquiry, StorefrontSpider, Turn
from kaspi_crawler.pages.board import BoardReading
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.product import ProductPage
from kaspi_crawler.work_list import refreshes_to_read


class ProductsSpider(StorefrontSpider):
    """Read the card, all offers and the review summary of each product, as one refresh.

    Arguments
        products: product ids or addresses, separated by commas, or @file; default: the work list
        cities: Kaspi city ids, separated by commas; the first is the home city, whose prices the
            product's own columns show; default: 750000000, or the work list's own
    """

    name = "products"

    async def questions(self) -> AsyncIterator[Request]:
        """The page of each product, as it looks in the home city."""
        async for product, cities in refreshes_to_read(self):
            yield self.about(product, partial(self._ask_page, cities=cities))

    def _ask_page(self, product: ProductId, cities: tuple[CityId, ...]) -> Request:
        home = cities[0]

        def read(heard: Heard) -> ProductCard | ProductMissing | TryAgain | Unreadable:
            return ProductPage(heard.answer, product, heard.moment, heard.witness).to_item()

        def begin(card: ProductCard | ProductMissing, _heard: Heard) -> Turn:
            if isinstance(card, ProductMissing):
                yield from self._tell_missing(card)
                return
            refresh = ProductRefresh(card=card, home_city=home, boards=(), reviews=None)
            yield from self._ask_next_city(refresh, cities)

        inquiry = Inquiry(source=Source.PAGE, product=product, city=home, read=read, then=begin)
        return self.ask(self.storefront.product_page(product, home), inquiry)

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
