"""Deduplicate: each thing goes on once in a crawl."""

from typing import Any

import pytest
from scrapy.exceptions import DropItem

from domain.readings import Finding
from pipelines.deduplicate import Deduplicate, subject
from tests.building import (
    ALMATY,
    ASTANA,
    KETTLE,
    LAMP,
    board,
    card,
    missing,
    offer,
    refresh,
    reviews,
)
from tests.discoveries import category, listed, listing, review, sitemap, texts, tree, variants
from tests.goods import article, page, whole

AGAIN: list[Any] = [
    pytest.param(board(offer()), board(offer(), minutes=1), id="a board"),
    pytest.param(refresh(), refresh(minutes=1), id="a product"),
    pytest.param(reviews(), reviews(minutes=1), id="reviews"),
    pytest.param(missing(), missing(minutes=1), id="a product that is not there"),
    pytest.param(refresh(), missing(), id="a product that was there a moment ago"),
    pytest.param(texts(review(1)), texts(review(2), minutes=1), id="a page of reviews"),
]


@pytest.mark.parametrize(("first", "second"), AGAIN)
def test_the_second_reading_stops_here(first: Finding, second: Finding) -> None:
    stage = Deduplicate()
    assert stage.process_item(first) is first
    with pytest.raises(DropItem, match=f"Read twice in one crawl: .*{KETTLE}"):
        stage.process_item(second)


def test_different_things_go_on() -> None:
    readings: list[Finding] = [
        board(offer()),
        board(offer(), city=ASTANA),
        board(offer(), product=LAMP),
        reviews(),
        reviews(product=LAMP),
        refresh(),
        refresh(board(offer(), product=LAMP), card=card(product=LAMP)),
        texts(review(1)),
        texts(review(2), page=1),
        listing(listed()),
        listing(listed(), page=1),
        listing(listed(), city_id=ASTANA),
        variants(KETTLE),
        tree(category()),
        tree(category(), minutes=1),
        sitemap("kettles"),
        page(article()),
        page(article(), number=1),
        page(article(), on_sale=False),
        page(article(), minutes=1),
        whole(began=0, minutes=1),
    ]
    stage = Deduplicate()
    assert [stage.process_item(reading) for reading in readings] == readings
    assert len({subject(reading) for reading in readings}) == len(readings)


def test_another_crawl_reads_it_again() -> None:
    assert Deduplicate().process_item(board()) == Deduplicate().process_item(board())


def test_a_board_is_known_by_its_product_and_city() -> None:
    assert subject(board(offer())) == ("board", KETTLE, ALMATY)
