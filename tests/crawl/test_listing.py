"""`scrapy crawl listing`: what the shop lists is found, and what is found will be read."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import attrs
import pytest
from aiohttp import web

from sandbox.catalogue import Catalogue, catalogue
from sandbox.goods import KINDS
from sandbox.listing import A_PAGE
from tests.crawl.conftest import Opener
from tests.crawl.crawling import Ended, Workplace
from tests.crawl.liar import Asked, Liar, honestly, lying
from tests.crawl.market import ALMATY, ASTANA, Market, selling
from tests.crawl.remembered import row, rows

CARDS = 150
SEED = 7


@pytest.fixture(scope="module")
def shop() -> Catalogue:
    """What the shop has, past all of its answers."""
    return catalogue(SEED, CARDS)


@pytest.fixture(scope="module")
def large_market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    with selling(tmp_path_factory.mktemp("market"), products=CARDS) as market:
        yield market


@attrs.frozen(kw_only=True)
class Groups:
    """The shop's cards as a listing shows them: by the id that is listed, in one city."""

    members: dict[str, set[str]]

    @classmethod
    def of(cls, shop: Catalogue, market: Market, city: str) -> "Groups":
        sold = {product for product, offers in market.offers.items() if offers[city]}
        members: dict[str, set[str]] = {}
        for card in shop.cards.values():
            if card.id in sold:
                shade = card.base_codes[-1] if card.base_codes else card.id
                members.setdefault(shade, set()).add(card.id)
        return cls(members=members)


@attrs.frozen(kw_only=True)
class Walked:
    """The whole shop read in two cities, then once more."""

    place: Workplace
    ended: Ended
    asked: int
    first: dict[str, list[dict[str, Any]]]
    again: Ended


TABLES = ("listing_hints", "listing_hint_history", "found_in", "work_list", "categories")


def held(place: Workplace) -> dict[str, list[dict[str, Any]]]:
    return {
        table: rows(place.database, f"SELECT * FROM {table} ORDER BY 1, 2")  # noqa: S608
        for table in TABLES
    }


@pytest.fixture(scope="module")
def walked(open_workplace: Opener, large_market: Market) -> Walked:
    place = open_workplace(large_market.address)
    told = {"category": "Categories", "cities": "almaty,astana"}
    before = large_market.asked()
    ended = place.crawl("listing", told)
    asked = large_market.asked() - before
    first = held(place)
    return Walked(
        place=place, ended=ended, asked=asked, first=first, again=place.crawl("listing", told)
    )


def test_it_ends_well_and_says_how_much_was_found(
    walked: Walked, shop: Catalogue, large_market: Market
) -> None:
    assert (walked.ended.code, walked.ended.reason) == (0, "finished")
    for city in (ALMATY, ASTANA):
        count = len(Groups.of(shop, large_market, city).members)
        assert count > 5 * A_PAGE
        assert walked.ended.sentences_about(city, f"{count} of {count} cards", "an empty page")


@pytest.mark.parametrize("city", [ALMATY, ASTANA])
def test_every_card_is_found_once_though_pages_overlap(
    walked: Walked, shop: Catalogue, large_market: Market, city: str
) -> None:
    groups = Groups.of(shop, large_market, city).members
    found = [one for one in walked.first["found_in"] if one["city_id"] == city]
    assert {one["card_id"] for one in found} == set(groups)
    assert sorted(one["place"] for one in found) == list(range(1, len(groups) + 1))


def test_the_products_are_on_the_work_list_and_a_group_has_one_of_its_own(
    walked: Walked, shop: Catalogue, large_market: Market
) -> None:
    watched = {(one["kaspi_id"], one["city_id"]) for one in walked.first["work_list"]}
    wanted = 0
    for city in (ALMATY, ASTANA):
        for members in Groups.of(shop, large_market, city).members.values():
            assert len({(member, city) for member in members} & watched) == 1
            wanted += 1
    assert len(watched) == wanted
    assert walked.ended.figures["put on the work list"] == wanted


def test_the_hints_are_those_of_the_boards(walked: Walked, large_market: Market) -> None:
    hints = [one for one in walked.first["listing_hints"] if one["city_id"] == ALMATY]
    alone = [one for one in hints if not one["has_variants"]][:20]
    for hint in alone:
        lowest = min(price for price, _, _ in large_market.ledger(hint["card_id"], ALMATY).values())
        assert hint["sale_price"] == hint["unit_price"] == lowest


def test_the_facets_fill_the_tree(walked: Walked) -> None:
    codes = {one["code"] for one in walked.first["categories"]}
    assert {code for kind in KINDS for code, _ in kind.path} <= codes
    counted = row(
        walked.place.database,
        "SELECT cards FROM category_counts WHERE (code, city_id) = ('Categories', %s)",
        ALMATY,
    )
    listed = [one for one in walked.first["found_in"] if one["city_id"] == ALMATY]
    assert counted["cards"] == len(listed)


def test_the_second_run_adds_nothing(walked: Walked) -> None:
    assert (walked.again.code, walked.again.reason) == (0, "finished")
    assert "put on the work list" not in walked.again.figures
    second = held(walked.place)
    assert {name: len(told) for name, told in second.items()} == {
        name: len(told) for name, told in walked.first.items()
    }
    assert second["work_list"] == walked.first["work_list"]


def test_what_is_exported_is_what_was_found(walked: Walked) -> None:
    lines = walked.place.lines("listing")
    cards = [
        (line["city_id"], card["card_id"])
        for line in lines
        if line["kind"] == "listing"
        for card in line["cards"]
    ]
    assert len(cards) == len(set(cards)) == len(walked.first["found_in"])
    assert {line["kind"] for line in lines} == {"listing", "categories"}


@pytest.mark.long
def test_the_offers_of_what_was_found_are_read_next(walked: Walked, large_market: Market) -> None:
    ended = walked.place.crawl("offers", {"cities": "astana"})
    boards = rows(walked.place.database, "SELECT * FROM boards")
    assert ended.code == 0
    assert len(boards) == sum(one["city_id"] == ASTANA for one in walked.first["work_list"])


# --- searches --------------------------------------------------------------------------------


def test_a_search_stops_at_its_wall_without_running_into_it(
    open_workplace: Opener, large_market: Market
) -> None:
    place = open_workplace(large_market.address)
    before = large_market.asked()
    ended = place.crawl("listing", {"search": "а"})
    assert large_market.asked() - before == 2
    assert (ended.code, ended.reason) == (0, "finished")
    assert ended.sentences_about("search 'а'", "only the first 24 results", "narrower")
    assert ended.figures["put on the work list"] == 23  # the pages overlap


def test_a_search_that_is_told_to_go_on_meets_the_wall_and_says_so(
    open_workplace: Opener, large_market: Market
) -> None:
    place = open_workplace(large_market.address)
    before = large_market.asked()
    ended = place.crawl("listing", {"search": "а", "depth": "9", "watch": "no"})
    assert large_market.asked() - before == 3
    assert (ended.code, ended.reason) == (0, "finished")
    assert ended.sentences_about("a wall")
    assert rows(place.database, "SELECT * FROM work_list") == []
    assert len(rows(place.database, "SELECT * FROM listing_hints")) == 23


def test_a_search_without_a_result_says_so(workplace: Workplace) -> None:
    ended = workplace.crawl("listing", {"search": "чего нет на свете"})
    assert ended.sentences_about("There is nothing in search")
    assert rows(workplace.database, "SELECT * FROM listing_hints") == []


# --- merchants, depth, variants --------------------------------------------------------------


def test_a_merchants_products_are_found(open_workplace: Opener, large_market: Market) -> None:
    place = open_workplace(large_market.address)
    ended = place.crawl("listing", {"merchant": "Tulpar"})
    assert ended.code == 0
    watched = rows(place.database, "SELECT kaspi_id FROM work_list")
    alone = rows(
        place.database, "SELECT card_id FROM listing_hints WHERE NOT has_variants LIMIT 10"
    )
    assert len(watched) > A_PAGE
    for one in alone:
        assert "Tulpar" in large_market.ledger(one["card_id"], ALMATY)
    found = rows(place.database, "SELECT DISTINCT listing, query FROM found_in")
    assert [(one["listing"], one["query"]) for one in found] == [("merchant", "Tulpar")]


@pytest.mark.long
def test_depth_is_kept_for_each_of_several_categories(
    open_workplace: Opener, large_market: Market
) -> None:
    place = open_workplace(large_market.address)
    before = large_market.asked()
    ended = place.crawl("listing", {"category": "Fashion,Categories", "depth": "2"})
    assert large_market.asked() - before == 4
    assert len(ended.sentences_about("as many pages as were asked for")) == 2


def test_all_variants_of_a_group_are_found_on_its_page(
    open_workplace: Opener, large_market: Market, shop: Catalogue
) -> None:
    place = open_workplace(large_market.address)
    told = {"category": "Men t-shirts", "variants": "yes", "cities": "almaty,astana"}
    ended = place.crawl("listing", told)
    assert ended.code == 0
    assert not ended.sentences_about("Read twice")
    groups = rows(place.database, "SELECT DISTINCT card_id FROM listing_hints WHERE has_variants")
    watched = {one["kaspi_id"] for one in rows(place.database, "SELECT * FROM work_list")}
    assert groups
    for one in groups:
        (family, *_) = [
            card.family for card in shop.cards.values() if one["card_id"] in card.base_codes
        ]
        assert family
        siblings = {sibling.id for shade in family.shades for sibling in shade.siblings}
        assert siblings <= watched


# --- trees -----------------------------------------------------------------------------------


def test_the_tree_of_the_menu(workplace: Workplace) -> None:
    assert workplace.crawl("listing", {"tree": "yes"}).code == 0
    told = rows(workplace.database, "SELECT code, parent, title FROM categories")
    wanted: dict[str, tuple[str | None, str]] = {}
    for kind in KINDS:
        parent: str | None = None
        for code, title in kind.path:
            wanted[code] = (parent, title)
            parent = code
    assert {one["code"]: (one["parent"], one["title"]) for one in told} == wanted
    assert rows(workplace.database, "SELECT * FROM work_list") == []


def test_the_sitemaps_of_cities(workplace: Workplace) -> None:
    told = {"sitemap": "yes", "cities": "almaty,astana"}
    assert workplace.crawl("listing", told).code == 0
    found = rows(workplace.database, "SELECT slug, city_id FROM sitemap_categories")
    assert {(one["slug"], one["city_id"]) for one in found} == {
        (kind.leaf.lower(), city) for kind in KINDS for city in (ALMATY, ASTANA)
    }


# --- what may go wrong -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"User-Agent": "Mozilla/5.0", "Referer": "x"}, 200, id="a browser"),
        pytest.param({"User-Agent": "Mozilla/5.0"}, 403, id="without a Referer"),
        pytest.param({"User-Agent": "Scrapy/2", "Referer": "x"}, 403, id="no browser"),
    ],
)
def test_the_shop_shows_listings_to_browsers_alone(
    market: Market, headers: dict[str, str], status: int
) -> None:
    path = f"/yml/product-view/pl/results?page=0&q={quote(':category:Categories')}"
    request = Request(f"{market.address}{path}", headers=headers)  # noqa: S310
    if status == 200:
        with urlopen(request, timeout=10) as answer:  # noqa: S310
            assert len(json.load(answer)["data"]) == A_PAGE
    else:
        with pytest.raises(OSError, match="403"):
            urlopen(request, timeout=10)  # noqa: S310


@pytest.fixture
def listing_liar(large_market: Market) -> Iterator[Liar]:
    with lying(large_market.address) as liar:
        yield liar


@pytest.mark.long
def test_a_refused_page_is_asked_for_again(open_workplace: Opener, listing_liar: Liar) -> None:
    async def refuse_once(asked: Asked) -> web.StreamResponse:
        if asked.time == 1:
            return web.Response(status=403, body=b"<html>nginx</html>", content_type="text/html")
        return await honestly(asked)

    listing_liar.lie("listing", "results", refuse_once)
    place = open_workplace(listing_liar.address)
    ended = place.crawl("listing", {"category": "Categories", "depth": "3"})
    assert (ended.code, ended.reason) == (0, "finished")
    assert ended.sentences_about("34 of")
    assert listing_liar.asked["listing", "results"] == 3


def test_a_page_that_stays_unreadable_is_passed_over(
    open_workplace: Opener, listing_liar: Liar
) -> None:
    async def spoil_second(asked: Asked) -> web.StreamResponse:
        if asked.request.query["page"] == "1":
            return web.Response(body=b'{"novelty": []}', content_type="application/json")
        return await honestly(asked)

    listing_liar.lie("listing", "results", spoil_second)
    place = open_workplace(listing_liar.address)
    ended = place.crawl("listing", {"category": "Categories", "depth": "4"})
    assert ended.reason == "finished"
    assert ended.sentences_about("Category 'Categories', page 1", "was not read", "nothing we know")
    places = rows(place.database, "SELECT place FROM found_in ORDER BY place")
    assert len(places) == A_PAGE + 2 * A_PAGE - 1


@pytest.mark.long
def test_the_same_page_for_ever_is_no_endless_listing(
    open_workplace: Opener, listing_liar: Liar
) -> None:
    async def repeat(asked: Asked) -> web.StreamResponse:
        first = json.loads((await asked.truth())[1])["data"] if asked.time == 1 else repeated[0]
        repeated.append(first)
        return web.json_response({"data": first})

    repeated: list[Any] = []
    listing_liar.lie("listing", "results", repeat)
    place = open_workplace(listing_liar.address)
    ended = place.crawl("listing", {"category": "Categories"})
    assert ended.sentences_about("two pages without anything new")
    assert listing_liar.asked["listing", "results"] == 3


def test_a_listing_that_cannot_be_read_at_all_is_no_success(
    open_workplace: Opener, listing_liar: Liar
) -> None:
    async def block(_asked: Asked) -> web.StreamResponse:
        return web.Response(body=b"<html>robot?</html>", content_type="text/html")

    listing_liar.lie("listing", "filters", block)
    place = open_workplace(listing_liar.address)
    ended = place.crawl("listing", {"category": "Categories"})
    assert ended.code == 1
    assert listing_liar.asked["listing", "filters"] == 3
    assert ended.sentences_about("Category 'Categories', page 0 in city 750000000 was not read")
