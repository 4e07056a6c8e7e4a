"""Listings: twelve cards a page, overlaps, a wall before searches, colours as one card."""

import json
import re
from typing import Any

import pytest

from domain.identity import CityId
from sandbox.goods import KINDS
from sandbox.listing import A_PAGE, ROOT, Asked, ListingDesk, read_query
from sandbox.offers import BadRequest
from sandbox.reviews import ReviewsDesk, Wanted
from sandbox.world import STOCKED, World, world
from tests.sandbox.conftest import START

ALMATY, ASTANA = STOCKED


@pytest.fixture(scope="module")
def busy() -> World:
    return world(seed=7, products=120, start=START)


@pytest.fixture(scope="module")
def desk(busy: World) -> ListingDesk:
    return ListingDesk(busy, ReviewsDesk(busy))


def asked(page: int = 0, city: CityId = ALMATY, text: str = "", **filters: str) -> Asked:
    return Asked(filters=tuple(filters.items()), text=text, city=city, page=page)


def first(desk: ListingDesk, **wanted: Any) -> Any:
    return json.loads(desk.first(asked(**wanted)).plain)["data"]


def following(desk: ListingDesk, page: int, **wanted: Any) -> list[Any]:
    cards: list[Any] = json.loads(desk.following(asked(page=page, **wanted)).plain)["data"]
    return cards


def whole(desk: ListingDesk, **wanted: Any) -> list[Any]:
    cards: list[Any] = []
    for page in range(100):
        found = following(desk, page, **wanted)
        if not found:
            return cards
        cards += found
    raise AssertionError("a listing without an end")


def test_a_query_is_understood_as_clients_send_it() -> None:
    said = {"q": ":category:Men fashion:availableInZones:1", "page": "3", "c": ASTANA}
    assert read_query(said, None) == Asked(
        filters=(("category", "Men fashion"), ("availableInZones", "1")),
        text="",
        city=ASTANA,
        page=3,
    )
    assert read_query({}, ASTANA).city == ASTANA
    assert read_query({}, None).city == ALMATY


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"page": "-1"}, id="a page below 0"),
        pytest.param({"page": "x"}, id="no page at all"),
        pytest.param({"text": "чай", "page": "2"}, id="a search behind its wall"),
    ],
)
def test_what_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        read_query(said, None)


def test_a_search_has_two_pages_and_a_category_has_all() -> None:
    assert read_query({"text": "чай", "page": "1"}, None).page == 1
    assert read_query({"q": ":category:X", "page": "200"}, None).page == 200


def test_pages_hold_twelve_and_overlap_and_end(desk: ListingDesk) -> None:
    listed = first(desk, category=ROOT)
    second = following(desk, 1, category=ROOT)
    assert len(listed["cards"]) == len(second) == A_PAGE
    assert listed["cards"][-1]["id"] == second[0]["id"]
    ids = [card["id"] for card in whole(desk, category=ROOT)]
    assert len(set(ids)) == listed["total"] < len(ids)
    assert following(desk, 99, category=ROOT) == []


def test_the_first_page_is_the_same_from_both_paths(desk: ListingDesk) -> None:
    assert first(desk, category=ROOT)["cards"] == following(desk, 0, category=ROOT)


def test_a_colour_is_one_card_and_names_a_variant_in_stock(desk: ListingDesk, busy: World) -> None:
    cards = whole(desk, category=ROOT)
    groups = [card for card in cards if card["hasVariants"]]
    assert groups
    for card in groups:
        assert re.fullmatch(r"\d{8}b", card["id"])
        assert busy.cards[card["configSku"]].base_codes[-1] == card["id"]
        assert busy.board(card["configSku"], ALMATY).leader
    for card in cards:
        if not card["hasVariants"]:
            assert "configSku" not in card
            assert not busy.cards[card["id"]].base_codes


def test_a_category_lists_what_is_below_it(desk: ListingDesk) -> None:
    for code in ("Fashion", "Men fashion", "Men t-shirts"):
        cards = whole(desk, category=code)
        assert cards
        assert all(code in card["categoryCodes"] for card in cards)
    assert whole(desk, category="No such thing") == []


def test_cities_list_what_they_can_buy(desk: ListingDesk, busy: World) -> None:
    almaty, astana = (
        {card["id"] for card in whole(desk, city=city, category=ROOT)} for city in STOCKED
    )
    assert almaty != astana
    for card in whole(desk, city=ASTANA, category=ROOT):
        if not card["hasVariants"]:
            leader = busy.board(card["id"], ASTANA).leader
            assert leader
            assert card["unitPrice"] == leader[1].price


def test_a_merchant_lists_what_he_sells(desk: ListingDesk, busy: World) -> None:
    cards = whole(desk, allMerchants="Tulpar")
    assert 0 < len(cards) < len(whole(desk, category=ROOT))
    for card in cards:
        if not card["hasVariants"]:
            standing = busy.board(card["id"], ALMATY).standing
            assert "Tulpar" in {seat.merchant.id for seat, _ in standing}


def test_a_search_finds_all_words_in_any_case(desk: ListingDesk) -> None:
    cards = first(desk, text="ФУТБОЛКА белый")["cards"]
    assert all("футболка" in card["title"].lower() for card in cards)
    assert first(desk, text="нет такого")["total"] == 0


def test_ratings_have_hundredths_and_counts_may_be_missing(desk: ListingDesk, busy: World) -> None:
    reviews = ReviewsDesk(busy)
    cards = [card for card in whole(desk, category=ROOT) if not card["hasVariants"]]
    for card in cards:
        totals = json.loads(reviews.answer(card["id"], Wanted(with_totals=True)).plain)
        assert abs(card["rating"] - totals["summary"]["global"]) < 0.0501
        counted = {group["id"]: group["total"] for group in totals["groupSummary"]}
        assert card.get("reviewsQuantity") == counted.get("COMMENT")
    assert any("reviewsQuantity" not in card for card in cards)
    assert any(card["rating"] != round(card["rating"], 1) for card in cards)


def test_the_tree_counts_cards(desk: ListingDesk) -> None:
    listed = first(desk, category=ROOT)
    tree = listed["treeCategory"]
    assert tree["top"]["count"] == listed["total"] == sum(one["count"] for one in tree["items"])
    fashion = next(one for one in tree["items"] if one["id"] == ":category:Fashion")
    assert fashion["count"] == first(desk, category="Fashion")["total"]


def test_a_listing_moves_with_the_market() -> None:
    market = world(seed=7, products=12, start=START)
    desk = ListingDesk(market, ReviewsDesk(market))
    card = next(card for card in whole(desk, category=ROOT) if not card["hasVariants"])
    leader = market.board(card["id"], ALMATY).leader
    assert leader
    market.force(card["id"], ALMATY, leader[0].merchant.id, price=1)
    (moved,) = [one for one in whole(desk, category=ROOT) if one["id"] == card["id"]]
    assert moved["unitPrice"] == 1


def test_every_kind_is_somewhere(desk: ListingDesk) -> None:
    tree = first(desk, category=ROOT)["treeCategory"]
    assert {one["id"] for one in tree["items"]} == {
        f":category:{kind.path[0][0]}" for kind in KINDS
    }
