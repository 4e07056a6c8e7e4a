"""Product pages: the recorded shape with its traps, and the world's prices."""

import json
from datetime import timedelta
from typing import Any

import pytest

from domain.identity import CityId, ProductId
from sandbox.goods import NO_BRAND
from sandbox.pages import PagesDesk
from sandbox.world import STOCKED, World
from tests.sandbox.reading import BOUNDARY, assigned, linked_data, meta

ALMATY, ASTANA = STOCKED
ITEM, CONFIGURATOR = "BACKEND.components.item", "BACKEND.components.configurator"
ITEM_KEYS = [
    "card",
    "videoId",
    "galleryImages",
    "endpoint",
    "productNavigation",
    "breadcrumbs",
    "description",
    "specifications",
    "sizeTableCode",
    "certificate",
    "richContent",
    "videos",
    "teasers",
]


@pytest.fixture(scope="module")
def pages(still: World) -> dict[ProductId, str]:
    desk = PagesDesk(still)
    return {product: rendered(desk, product) for product in still.cards}


def rendered(desk: PagesDesk, product: ProductId, city: CityId = ALMATY) -> str:
    body = desk.page(product, city)
    assert body is not None
    return body.plain.decode()


def in_stock(still: World, pages: dict[ProductId, str]) -> list[tuple[int, str]]:
    """The true lowest price with the page, of cards that Almaty sells."""
    leaders = ((still.board(product, ALMATY).leader, page) for product, page in pages.items())
    return [(leader[1].price, page) for leader, page in leaders if leader]


def out_of_stock(still: World, pages: dict[ProductId, str]) -> list[str]:
    return [page for card, page in pages.items() if not still.board(card, ALMATY).standing]


def test_pages_have_the_size_and_the_first_tags_of_real_ones(pages: dict[ProductId, str]) -> None:
    for page in pages.values():
        assert 360_000 < len(page.encode()) < 395_000
        assert page.startswith('<!doctype html><html lang="ru" prefix=')
        assert 'class="no-js"' in page[:120]


def test_nine_boundaries_stand_before_the_item(pages: dict[ProductId, str]) -> None:
    for product, page in pages.items():
        scripts = page.split(BOUNDARY)
        assert f'BACKEND.state.productId = "{product}"' in scripts[9]
        assert "window.digitalData" in scripts[10]
        assert CONFIGURATOR in scripts[11]
        assert page.endswith("</body></html>")


def test_the_item_is_one_line_of_json_with_thirteen_keys(pages: dict[ProductId, str]) -> None:
    for product, page in pages.items():
        line = next(line for line in page.splitlines() if ITEM in line)
        item = json.loads(line.split(" = ", 1)[1])
        assert list(item) == ITEM_KEYS
        assert item["card"]["id"] == product


def test_the_price_is_the_citys_lowest(still: World, pages: dict[ProductId, str]) -> None:
    sold = in_stock(still, pages)
    assert len(sold) > 25
    for price, page in sold:
        offer = json.loads(linked_data(page)[1])["offers"]
        assert assigned(page, ITEM)["card"]["price"] == price
        assert meta(page, "product:price:amount") == str(price)
        assert meta(page, "product:availability") == "in stock"
        assert offer[0]["lowPrice"] is None
        assert (offer[1]["price"], offer[1]["availability"]) == (str(price), "InStock")


def test_without_offers_there_is_no_price(still: World, pages: dict[ProductId, str]) -> None:
    unsold = out_of_stock(still, pages)
    assert len(unsold) >= 2
    for page in unsold:
        offer = json.loads(linked_data(page)[1])["offers"][1]
        card = assigned(page, ITEM)["card"]
        assert "price" not in card
        assert (card["discount"], card["unitPriceBeforeDiscount"]) == (None, 0)
        assert meta(page, "product:price:amount") is None
        assert meta(page, "product:availability") == "out of stock"
        assert (offer["price"], offer["availability"]) == ("undefined", "OutOfStock")


def test_the_breadcrumbs_linked_data_is_broken(pages: dict[ProductId, str]) -> None:
    page = next(iter(pages.values()))
    organization, product, breadcrumbs = linked_data(page)
    assert json.loads(organization)["@type"] == "Organization"
    assert json.loads(product)["@type"] == "Product"
    with pytest.raises(json.JSONDecodeError):
        json.loads(breadcrumbs)
    assert json.loads(breadcrumbs.rstrip().rstrip(","))["@type"] == "BreadcrumbList"


def test_titles_are_escaped_in_the_state(still: World, pages: dict[ProductId, str]) -> None:
    titles = {assigned(page, ITEM)["card"]["title"] for page in pages.values()}
    assert titles == {card.escaped_title for card in still.cards.values()}
    assert any("&amp;" in title for title in titles)


def test_the_city_block_is_a_quarter_megabyte_of_no_json(pages: dict[ProductId, str]) -> None:
    block = next(iter(pages.values())).split(BOUNDARY)[8]
    cities = block[block.index("citys:") : block.index("defaultCityID")]
    assert 225_000 < len(cities) < 260_000
    listed = json.loads(cities.removeprefix("citys:").strip().rstrip(","))
    named = {city["id"]: city["name"] for group in listed for city in group["cityData"]}
    assert named["750000000"] == "Алматы"
    assert len(named) > 250


@pytest.mark.parametrize(
    ("city", "region"),
    [
        pytest.param(ALMATY, "Алматы", id="Almaty"),
        pytest.param(ASTANA, "Астана", id="Astana"),
        pytest.param(CityId("470000000"), "Казахстан", id="a city that nobody knows"),
    ],
)
def test_the_page_says_which_city_it_serves(still: World, city: CityId, region: str) -> None:
    page = rendered(PagesDesk(still), next(iter(still.cards)), city)
    site = assigned(page, "window.digitalData")["website"]
    assert (site["regionId"], site["region"]) == (city, region)
    assert f"?c={city}&v=reviews" in assigned(page, ITEM)["card"]["reviewsLink"]


def test_analytics_never_know_stock_or_reviews(pages: dict[ProductId, str]) -> None:
    for page in pages.values():
        product = assigned(page, "window.digitalData.product")
        assert (product["stock"], product["reviewCount"]) == (0, 0)


def test_the_configurator_names_siblings_and_who_is_sold_here(
    still: World, pages: dict[ProductId, str]
) -> None:
    told = 0
    for product, page in pages.items():
        if still.cards[product].family is None:
            assert assigned(page, CONFIGURATOR) is None
            continue
        for leaf in leaves(assigned(page, CONFIGURATOR)):
            board = still.board(ProductId(leaf["productCode"]), ALMATY)
            assert leaf["available"] is bool(board.standing)
            told += 1
    assert told > 10


def leaves(node: dict[str, Any]) -> list[dict[str, Any]]:
    """Nodes of the matrix that name a card, however deep they lie."""
    if node["matrix"] is None:
        return [node]
    return [leaf for inner in node["matrix"] for leaf in leaves(inner)]


def test_goods_without_a_brand_link_to_their_category_alone(
    still: World, pages: dict[ProductId, str]
) -> None:
    for product, page in pages.items():
        codes = [link["code"] for link in assigned(page, ITEM)["productNavigation"]]
        nameless = still.cards[product].brand == NO_BRAND
        assert (codes == ["allFromCategoryLink"]) is nameless


def test_no_string_of_the_state_closes_the_script(pages: dict[ProductId, str]) -> None:
    for page in pages.values():
        assert "</script" not in page.split(BOUNDARY)[9]


def test_an_unknown_card_has_no_page(still: World) -> None:
    desk = PagesDesk(still)
    assert desk.page(ProductId("1"), ALMATY) is None
    assert "<title>Страница не найдена | Kaspi Магазин</title>" in desk.missing().plain.decode()


def test_a_page_follows_the_world(market: World) -> None:
    desk, product = PagesDesk(market), next(iter(market.cards))
    leader = market.board(product, ALMATY).leader
    assert leader is not None
    market.force(product, ALMATY, leader[0].merchant.id, price=11)
    assert assigned(rendered(desk, product), ITEM)["card"]["price"] == 11


def test_a_struck_out_price_comes_with_its_discount(market: World) -> None:
    market.advance(market.now + timedelta(hours=12))
    desk, seen = PagesDesk(market), 0
    for product in market.cards:
        for city in STOCKED:
            card = assigned(rendered(desk, product, city), ITEM)["card"]
            if card["discount"]:
                seen += 1
                off = 100 * (1 - card["price"] / card["unitPriceBeforeDiscount"])
                assert abs(off - card["discount"]) <= 1
    assert seen > 0
