"""Rating and counts of products, and on request the texts of their reviews."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from scrapy import Request

from domain.identity import ProductId
from domain.readings import Source
from domain.reviews import ReviewTexts
from kaspi_crawler import arguments
from kaspi_crawler.arguments import Texts
from kaspi_crawler.conversation import Heard, Inquiry, StorefrontSpider, Turn
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.reviews import TextsPage, TextsPart
from kaspi_crawler.pages.texts import TextsReading
from kaspi_crawler.work_list import products_to_read, texts_to_read
from partners.kaspi.storefront import REVIEWS_A_PAGE


class ReviewsSpider(StorefrontSpider):
    """Read the rating of each product and the numbers of its ratings and reviews.

    On request the reviews themselves as well: what they say, their stars, day, pictures and
    merchant; never who wrote them.

    Arguments
        products: product ids or addresses, separated by commas, or @file; default: the work list
        texts: yes: the reviews too, from the newest back to what is held already (of a product
            named by a short link: all); all: all of them once more; default: no
    """

    name = "reviews"
    accepts = ("products", "texts")

    def __init__(self, texts: str | None = None, **told: Any) -> None:
        super().__init__(**told)
        self.texts = arguments.texts(texts)

    async def questions(self) -> AsyncIterator[Request]:
        """One question a product; of texts, as many as there are pages of news."""
        if self.texts is Texts.NO:
            async for product in products_to_read(self):
                yield self.about(product, self._ask_for_reviews)
            return
        async for product, held in texts_to_read(self):
            known = held if self.texts is Texts.YES else frozenset()
            yield self.about(product, partial(self._begin_texts, known=known))

    def _ask_for_reviews(self, product: ProductId) -> Request:
        return self.ask_reviews(product, self.hand_over)

    def _begin_texts(self, product: ProductId, known: frozenset[str]) -> Request:
        return self._ask_texts(TextsReading(product=product, known=known))

    def _ask_texts(self, reading: TextsReading) -> Request:
        product, page = reading.product, reading.page

        def read(heard: Heard) -> TextsPart | TryAgain | Unreadable:
            return TextsPage(heard.answer, product, page, REVIEWS_A_PAGE, heard.moment).to_item()

        inquiry = Inquiry(
            source=Source.TEXTS,
            product=product,
            city=None,
            read=read,
            then=partial(self._take_texts, reading),
        )
        return self.ask(self.storefront.review_texts(product, page), inquiry)

    def _take_texts(self, reading: TextsReading, part: TextsPart, heard: Heard) -> Turn:
        if part.unreadable:
            yield self._unread(
                Source.TEXTS, reading.product, None, heard, _unreadable_reviews(part)
            )
        if part.summary and part.summary.rating_amount:
            yield part.summary
        grown = reading.add(part)
        news = reading.news(part)
        if news or (grown.over and reading.page):
            yield ReviewTexts(
                kaspi_id=reading.product,
                page=reading.page,
                reviews=news,
                newest=grown.newest,
                final=grown.over,
                checked_at=heard.moment,
            )
        if grown.over:
            return
        if not grown.endless:
            yield self._ask_texts(grown)
            return
        self.logger.warning(
            "The reviews of product %s have no end: %d pages were read and are kept, and the next "
            "crawl begins again with the newest",
            reading.product,
            grown.page,
        )


def _unreadable_reviews(part: TextsPart) -> Unreadable:
    return Unreadable("; ".join(part.unreadable), "The others are kept; look at the answer.")
