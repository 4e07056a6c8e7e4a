"""In which order a spider asks."""

from scrapy.utils.test import get_crawler

from kaspi_crawler.conversation import StorefrontSpider
from kaspi_crawler.pages.board import BoardReading
from kaspi_crawler.pages.offers import OffersPart
from kaspi_crawler.spiders.offers import OffersSpider
from tests.building import ALMATY, KETTLE, at, offer


def spider() -> StorefrontSpider:
    crawler = get_crawler(OffersSpider, {"KASPI_URL": "http://127.0.0.1:1"})
    return OffersSpider.from_crawler(crawler, products=KETTLE)


def test_a_further_page_goes_before_other_boards_and_stays_there_when_it_was_refused() -> None:
    asking, first = spider(), BoardReading.start(KETTLE, ALMATY)
    other = asking.ask_board(first, lambda _: iter(()))
    begun = first.add(OffersPart(offers=(offer("1"),), total=70), at(0))
    further = asking.ask_board(begun, lambda _: iter(()))
    again = asking._again(further, "HTTP 429")
    assert again is not None
    assert other.priority < again.priority < further.priority
