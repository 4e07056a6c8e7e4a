"""Validate: a reading that contradicts itself goes no further, and hears why."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest
from scrapy.exceptions import DropItem

from domain.identity import MerchantId, ProductId
from domain.money import DEAREST, Tenge
from domain.readings import Finding, ProductReading
from pipelines.validate import Validate, complaints
from tests.building import (
    ASTANA,
    KETTLE,
    LAMP,
    board,
    card,
    incomplete,
    missing,
    offer,
    refresh,
    reviews,
)
from tests.discoveries import (
    GROUP,
    category,
    group,
    listed,
    listing,
    review,
    sitemap,
    texts,
    tree,
    variants,
)
from tests.goods import STORE, article, off, page, whole

LATE = datetime.now(UTC) + timedelta(hours=1)
NO_ZONE = datetime(2026, 9, 18, 7, 0)  # noqa: DTZ001

TRUE: list[Any] = [
    pytest.param(board(offer("101"), offer("102")), id="a board"),
    pytest.param(board(), id="a board without offers"),
    pytest.param(incomplete(offer(), total=5), id="a part of a board"),
    pytest.param(incomplete(offer("1"), offer("2"), total=1), id="a board that shrank meanwhile"),
    pytest.param(board(offer(), total=2), id="a merchant with two offers, one of which counts"),
    pytest.param(board(offer(price=1), offer("2", DEAREST)), id="the extremes of prices"),
    pytest.param(refresh(), id="a refresh"),
    pytest.param(refresh(board(offer()), board(offer(), city=ASTANA)), id="two cities"),
    pytest.param(refresh(reviews=None), id="a refresh without reviews"),
    pytest.param(reviews(), id="reviews"),
    pytest.param(reviews(rate=None, rating_amount=0, review_amount=0), id="nobody has rated"),
    pytest.param(reviews(rate=Decimal(5), review_amount=None), id="a group is absent"),
    pytest.param(missing(), id="no such product"),
    pytest.param(page(article("A1"), article("A2"), off("A3")), id="a page of our goods"),
    pytest.param(page(), id="a page without goods"),
    pytest.param(whole(began=0, minutes=1), id="the end of a store"),
]


@pytest.mark.parametrize("reading", TRUE)
def test_what_is_true_passes(reading: ProductReading) -> None:
    assert list(complaints(reading)) == []
    assert Validate().process_item(reading) is reading


UNTRUE: list[Any] = [
    pytest.param(
        board(offer("101"), offer("101", 9_000)), "names a merchant twice", id="a merchant twice"
    ),
    pytest.param(
        board(offer("101"), offer("102"), total=1),
        "has 1 offers and holds 2",
        id="more offers than there are",
    ),
    pytest.param(incomplete(total=-1), "has -1 offers and holds 0", id="fewer than no offers"),
    pytest.param(
        board(offer(merchant_id=MerchantId(""))),
        "an offer without a merchant",
        id="nobody's offer",
    ),
    pytest.param(board(offer(price=Tenge(0))), "a price of 0 ₸ (merchant 101)", id="for free"),
    pytest.param(board(offer(price=Tenge(-5))), "a price of -5 ₸", id="a price below zero"),
    pytest.param(
        board(offer(price=Tenge(DEAREST + 1))),
        f"a price of {DEAREST + 1} ₸",
        id="a price that nobody pays",
    ),
    pytest.param(board(offer(), checked_at=LATE), "in the future", id="a board of tomorrow"),
    pytest.param(board(checked_at=NO_ZONE), "without a zone", id="a moment without a zone"),
    pytest.param(
        refresh(card=card(product=ProductId("11636226b")), boards=(), reviews=None),
        "an id that is not a number",
        id="a base product",
    ),
    pytest.param(refresh(card=card(name="")), "has no name", id="a card without a name"),
    pytest.param(
        refresh(card=card(image_urls=("h9d/h46/1.jpg",))),
        "an image without an address: 'h9d/h46/1.jpg'",
        id="an image from nowhere",
    ),
    pytest.param(refresh(card=card(checked_at=LATE)), "in the future", id="a card of tomorrow"),
    pytest.param(
        refresh(board(offer(), product=LAMP)), f"a part of {LAMP}", id="another product's board"
    ),
    pytest.param(
        refresh(reviews=reviews(product=LAMP)), f"a part of {LAMP}", id="another product's reviews"
    ),
    pytest.param(
        refresh(board(offer("1"), offer("1"))), "names a merchant twice", id="a bad board within"
    ),
    pytest.param(reviews(rate=Decimal("5.1")), "rating of 5.1", id="too good a rating"),
    pytest.param(reviews(rate=Decimal(-1)), "rating of -1", id="too bad a rating"),
    pytest.param(reviews(rating_amount=-1), "a negative count", id="fewer than no ratings"),
    pytest.param(
        attrs.evolve(reviews(), checked_at=LATE), "in the future", id="reviews of tomorrow"
    ),
    pytest.param(attrs.evolve(missing(), checked_at=LATE), "in the future", id="gone tomorrow"),
]


@pytest.mark.parametrize(("reading", "sentence"), UNTRUE)
def test_what_cannot_be_true_is_refused(reading: ProductReading, sentence: str) -> None:
    with pytest.raises(DropItem, match="A reading was refused") as refused:
        Validate().process_item(reading)
    assert sentence in str(refused.value)
    assert str(reading.kaspi_id) in str(refused.value)


def test_a_clock_that_is_a_little_fast_is_borne() -> None:
    soon = datetime.now(UTC) + timedelta(minutes=4)
    assert list(complaints(board(offer(), checked_at=soon))) == []


UNTRUE_DISCOVERIES: list[Any] = [
    pytest.param(listing(listed(), listed()), "names a card twice", id="a card twice"),
    pytest.param(
        listing(listed(sale_price=Tenge(0))), "a price of 0 ₸", id="a hint that is no price"
    ),
    pytest.param(listing(group(GROUP)), "not a number", id="a group in the place of a product"),
    pytest.param(listing(listed(rating=Decimal(6))), "a rating of 6", id="too good"),
    pytest.param(listing(listed(), checked_at=LATE), "in the future", id="a listing of tomorrow"),
    pytest.param(variants(GROUP), "not a number", id="a variant that is a group"),
    pytest.param(tree(), "are none", id="a tree without a category"),
    pytest.param(sitemap(), "are none", id="a sitemap without a category"),
    pytest.param(texts(review(1), review(1)), "names a review twice", id="a review twice"),
    pytest.param(texts(review(1, rating=9)), "9 stars", id="nine stars"),
]


@pytest.mark.parametrize(("found", "sentence"), UNTRUE_DISCOVERIES)
def test_a_discovery_that_cannot_be_true_is_refused(found: Finding, sentence: str) -> None:
    with pytest.raises(DropItem, match=sentence):
        Validate().process_item(found)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(listing(listed(), group(None, 2)), id="a listing"),
        pytest.param(listing(), id="an empty page"),
        pytest.param(variants(KETTLE, LAMP), id="variants"),
        pytest.param(tree(category()), id="a tree"),
        pytest.param(sitemap("kettles"), id="a sitemap"),
        pytest.param(texts(review(1), review(2)), id="reviews"),
    ],
)
def test_a_true_discovery_passes(found: Finding) -> None:
    assert Validate().process_item(found) is found


UNTRUE_GOODS: list[Any] = [
    pytest.param(page(article(), article()), "names an article twice", id="an article twice"),
    pytest.param(
        page(article(store=MerchantId("7"))), "an article of store 7", id="another store's article"
    ),
    pytest.param(page(article(price=Tenge(-1))), "a price of -1 ₸", id="less than nothing"),
    pytest.param(
        page(article(city_prices={ASTANA: Tenge(DEAREST + 1)})),
        "article A1",
        id="more in a city than anything costs",
    ),
]


@pytest.mark.parametrize(("reading", "sentence"), UNTRUE_GOODS)
def test_goods_that_cannot_be_true_are_refused(reading: Finding, sentence: str) -> None:
    with pytest.raises(DropItem, match=f"the goods of store {STORE}") as refused:
        Validate().process_item(reading)
    assert sentence in str(refused.value)
