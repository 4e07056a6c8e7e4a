"""The offers API: what it refuses, how it orders, what it leaves out."""

import json
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.identity import ProductId
from domain.moments import almaty_date
from sandbox.offers import Asked, BadRequest, OffersDesk, read_request
from sandbox.world import STOCKED, World

ALMATY = STOCKED[0]


def answered(
    market: World, product: ProductId, limit: int | None = None, page: int = 0, up: bool = True
) -> Any:
    return json.loads(desk_of(market).answer(product, Asked(ALMATY, limit, page, up)).plain)


@cache
def desk_of(market: World) -> OffersDesk:
    return OffersDesk(market)


def cards(market: World) -> list[ProductId]:
    return list(market.cards)


def every_offer(market: World) -> list[dict[str, Any]]:
    return [offer for card in cards(market) for offer in answered(market, card)["offers"]]


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        pytest.param(
            {"cityId": "750000000"}, Asked(ALMATY, None, 0, False), id="a city alone is enough"
        ),
        pytest.param({"cityId": 750000000}, Asked(ALMATY, None, 0, False), id="a city as a number"),
        pytest.param(
            {"cityId": "750000000", "limit": 64, "page": 2, "sortOption": "PRICE"},
            Asked(ALMATY, 64, 2, True),
            id="the largest page, cheapest first",
        ),
        pytest.param(
            {"cityId": "750000000", "sort": True}, Asked(ALMATY, None, 0, True), id="the old sort"
        ),
        pytest.param(
            {"cityId": "750000000", "sort": False, "sortOption": "RATING"},
            Asked(ALMATY, None, 0, False),
            id="a sort that nobody knows",
        ),
        pytest.param(
            {"cityId": "750000000", "limit": None, "merchantUID": [], "zoneId": ["Magnum_ZONE1"]},
            Asked(ALMATY, None, 0, False),
            id="fields that change nothing",
        ),
    ],
)
def test_a_request_is_understood(body: dict[str, object], asked: Asked) -> None:
    assert read_request(json.dumps(body).encode()) == asked


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="no body"),
        pytest.param(b"{", id="half a body"),
        pytest.param(b"\xff", id="bytes that are no text"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="no city"),
        pytest.param(b'{"cityId":null}', id="a city that is null"),
        pytest.param(b'{"cityId":"750000000","limit":65}', id="more than 64"),
        pytest.param(b'{"cityId":"750000000","limit":0}', id="a limit of nothing"),
        pytest.param(b'{"cityId":"750000000","limit":true}', id="a limit that is no number"),
        pytest.param(b'{"cityId":"750000000","page":-1}', id="a page before the first"),
    ],
)
def test_a_request_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_request(body)


def test_the_order_is_descending_unless_the_price_is_asked_for(still: World) -> None:
    down = [o["price"] for o in answered(still, cards(still)[0], up=False)["offers"]]
    up = [o["price"] for o in answered(still, cards(still)[0])["offers"]]
    assert len(up) == 150
    assert up == sorted(up) == down[::-1]
    assert up[0] < up[-1]


@pytest.mark.parametrize(
    ("place", "pages"),
    [
        pytest.param(0, [64, 64, 22, 0], id="150 offers fill two pages and a third"),
        pytest.param(1, [64, 1, 0], id="65 offers need a second page"),
        pytest.param(2, [64, 0], id="64 offers fit one page"),
        pytest.param(3, [1, 0], id="a single seller"),
    ],
)
def test_pages_of_64(still: World, place: int, pages: list[int]) -> None:
    product = cards(still)[place]
    answers = [answered(still, product, 64, page) for page in range(len(pages))]
    assert [len(answer["offers"]) for answer in answers] == pages
    assert {answer["total"] for answer in answers} == {sum(pages)}
    assert {answer["offersCount"] for answer in answers} == {sum(pages)}


@given(limit=st.integers(1, 64), place=st.integers(0, 39), up=st.booleans())
@settings(deadline=None)
def test_pages_put_together_are_the_whole(still: World, limit: int, place: int, up: bool) -> None:
    whole = answered(still, cards(still)[place], up=up)
    pages = range(whole["total"] // limit + 1)
    parts = [answered(still, cards(still)[place], limit, page, up)["offers"] for page in pages]
    assert [offer for part in parts for offer in part] == whole["offers"]


@pytest.mark.parametrize(
    "product",
    [
        pytest.param("1", id="an unknown card"),
        pytest.param("11636226b", id="a base product"),
    ],
)
def test_what_is_not_sold_has_an_empty_board(still: World, product: str) -> None:
    nothing = {"offers": [], "total": 0, "offersCount": 0}
    assert answered(still, ProductId(product)) == nothing


def test_a_card_without_sellers_has_an_empty_board(still: World) -> None:
    assert answered(still, cards(still)[4]) == {"offers": [], "total": 0, "offersCount": 0}


def test_an_answer_tells_the_truth_of_the_ledger(still: World) -> None:
    for product in cards(still):
        told = {
            (o["merchantId"], o["merchantName"], o["price"], o["preorder"])
            for o in answered(still, product)["offers"]
        }
        true = {
            (o.merchant_id, o.merchant_name, float(o.price), o.preorder)
            for o in still.board_at(product, ALMATY, still.now)
        }
        assert told == true


def test_an_answer_follows_the_world(market: World) -> None:
    desk, product, asked = OffersDesk(market), cards(market)[0], Asked(ALMATY, 1, 0, True)
    before = json.loads(desk.answer(product, asked).plain)["offers"][0]
    market.force(product, ALMATY, before["merchantId"], price=7)
    after = json.loads(desk.answer(product, asked).plain)["offers"][0]
    assert (after["merchantId"], after["price"]) == (before["merchantId"], 7.0)


@pytest.mark.parametrize(
    "trait",
    [
        pytest.param(lambda o: "merchantRating" not in o, id="a new seller without a rating"),
        pytest.param(lambda o: o.get("merchantRating") == 0.0, id="a rating of nought"),
        pytest.param(lambda o: not o["merchantId"].isdigit(), id="an id that is a word"),
        pytest.param(lambda o: o["merchantName"].endswith(" "), id="a name with a blank behind it"),
        pytest.param(lambda o: o["merchantName"].startswith("ИП ПРИМЕР-"), id="a small trader"),
        pytest.param(lambda o: o["title"] == "", id="an empty title"),
        pytest.param(lambda o: o["preorder"] > 0, id="goods made to order"),
        pytest.param(lambda o: "deliveryOptions" in o, id="ways of delivery"),
        pytest.param(lambda o: "priceMinusBonus" in o, id="a price less the bonus"),
        pytest.param(lambda o: o.get("discount", 0) > 0, id="a discount"),
        pytest.param(lambda o: "purchaseCount" in o, id="a number of purchases"),
        pytest.param(lambda o: "pickup" not in o, id="no way to fetch it oneself"),
    ],
)
def test_some_offers_have(still: World, trait: Any) -> None:
    offers = every_offer(still)
    assert any(trait(offer) for offer in offers)
    assert not all(trait(offer) for offer in offers)


def test_a_rating_and_its_count_are_absent_together(still: World) -> None:
    for offer in every_offer(still):
        assert ("merchantRating" in offer) == ("merchantReviewsQuantity" in offer)


def test_a_discount_says_what_is_off_the_struck_out_price(still: World) -> None:
    for offer in every_offer(still):
        assert ("discount" in offer) == ("priceBeforeDiscount" in offer)
        if "discount" in offer:
            off = 100 * (1 - offer["price"] / offer["priceBeforeDiscount"])
            assert abs(off - offer["discount"]) <= 1


def test_promises_lie_ahead_and_goods_made_to_order_come_later(still: World) -> None:
    for offer in every_offer(still):
        delivered = datetime.fromisoformat(offer["delivery"])
        assert delivered >= datetime.fromisoformat(offer["kdPickupDate"]) >= still.now
        assert (almaty_date(delivered) - almaty_date(still.now)).days >= offer["preorder"]


def test_promises_move_with_the_worlds_clock(market: World) -> None:
    before = promises(market)
    market.advance(market.now + timedelta(days=1))
    after = promises(market)
    stayed = before.keys() & after.keys()
    assert len(stayed) > 100
    assert {after[who] - before[who] for who in stayed} == {timedelta(days=1)}


def promises(market: World) -> dict[tuple[str, int], datetime]:
    """When the first card's sellers promise to deliver, by seller and days of preorder."""
    return {
        (offer["merchantId"], offer["preorder"]): datetime.fromisoformat(offer["delivery"])
        for offer in answered(market, cards(market)[0])["offers"]
    }
