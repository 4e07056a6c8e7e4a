"""The hot path: the offers of many products in many cities, and nothing else."""

from collections.abc import AsyncIterator
from functools import partial

from scrapy import Request

from domain.identity import CityId, ProductId
from kaspi_crawler.conversation import StorefrontSpider
from kaspi_crawler.pages.board import BoardReading
from kaspi_crawler.work_list import boards_to_read


class OffersSpider(StorefrontSpider):
    """Read every offer of each product in one or more cities.

    Arguments
        products: product ids or addresses, separated by commas, or @file; default: the work list
        cities: Kaspi city ids, separated by commas; default: 750000000, or the work list's own
    """

    name = "offers"

    async def questions(self) -> AsyncIterator[Request]:
        """One board after another, the longest unread first when they come from the work list."""
        async for product, city in boards_to_read(self):
            yield self.about(product, partial(self._ask_for_board, city=city))

    def _ask_for_board(self, product: ProductId, city: CityId) -> Request:
        return self.ask_board(BoardReading.start(product, city), self.hand_over)
