"""Rating and counts of products."""

from collections.abc import AsyncIterator

from scrapy import Request

from domain.identity import ProductId
from kaspi_crawler.conversation import StorefrontSpider
from kaspi_crawler.work_list import products_to_read


class ReviewsSpider(StorefrontSpider):
    """Read the rating of each product and the numbers of its ratings and reviews.

    Arguments
        products: product ids or addresses, separated by commas, or @file; default: the work list
    """

    name = "reviews"
    accepts = ("products",)

    async def questions(self) -> AsyncIterator[Request]:
        """One question a product."""
        async for product in products_to_read(self):
            yield self.about(product, self._ask_for_reviews)

    def _ask_for_reviews(self, product: ProductId) -> Request:
        return self.ask_reviews(product, self.hand_over)
