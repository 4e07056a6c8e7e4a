"""A spider that asks through one exit only, as one does who has logged in there."""

from scrapy import Request

from kaspi_crawler.conversation import Inquiry
from kaspi_crawler.spiders.offers import OffersSpider
from partners.call import Call


class StickySpider(OffersSpider):
    """The offers, through the exit STICKY_EXIT.

    Arguments
        products: as of offers
        cities: as of offers
    """

    name = "sticky"

    def ask(self, call: Call, inquiry: Inquiry) -> Request:
        request = super().ask(call, inquiry)
        request.meta["exit"] = self.settings["STICKY_EXIT"]
        return request
