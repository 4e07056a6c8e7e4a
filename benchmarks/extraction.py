"""Reading one page of 385 KB, against BeautifulSoup."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from benchmarks import original
from benchmarks.measure import Line, in_turns
from domain.identity import ALMATY_CITY, ProductId
from domain.product import ProductCard
from kaspi_crawler.pages.product import ProductPage
from kaspi_crawler.pages.product_state import read_state
from partners.call import Answer
from sandbox.pages import PagesDesk
from sandbox.world import world

_SECTION = "one page of 385 KB"


def page() -> tuple[ProductId, bytes]:
    """A page of the sandbox's shop: one with variants, as all recorded pages have them."""
    shop = world(products=20)
    desk = PagesDesk(shop)
    for product in shop.cards:
        body = desk.page(product, ALMATY_CITY)
        if body and b'"matrix":[' in body.plain:
            return product, body.plain
    raise LookupError("the shop has no product with variants")


def a_second(work: Callable[[], object], times: int) -> float:
    """How often a second the work is done."""
    began = time.perf_counter()
    for _ in range(times):
        work()
    return times / (time.perf_counter() - began)


def extraction(repeats: int) -> list[Line]:
    """The item state, and the whole product card, against BeautifulSoup's item state."""
    product, body = page()
    html, now = body.decode(), datetime.now(UTC)
    question = ProductPage(Answer(status=200, body=body, address=""), product, now)
    assert isinstance(question.to_item(), ProductCard)
    assert original.item_state(html)["card"]["id"] == product
    figures = in_turns(
        {
            "BeautifulSoup": lambda: a_second(lambda: original.item_state(html), 2),
            "item state": lambda: a_second(lambda: read_state(body), 300),
            "product card": lambda: a_second(question.to_item, 300),
        },
        repeats,
    )
    theirs = figures["BeautifulSoup"]
    return [
        Line.of_rates(_SECTION, name, figures[name], theirs, goal=goal, unit="pages/s")
        for name, goal in (("item state", 500), ("product card", None))
    ]
