"""`scrapy crawl products`: everything that the marketplace shows of a product is remembered."""

import re
from datetime import datetime
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

import attrs
import pytest

from domain.identity import ProductId
from sandbox.catalogue import Card, catalogue
from tests.crawl.conftest import Opener
from tests.crawl.crawling import Ended, Line, Workplace
from tests.crawl.market import ALMATY, ASTANA, Market
from tests.crawl.remembered import (
    assert_consistent,
    board,
    board_at,
    events,
    offers,
    product,
    row,
    rows,
    runs,
)

#: What the session's market was stocked from.
CARDS = catalogue(seed=7, products=40).cards
#: An id that no card has.
STRANGER = "999999999"
#: Products of the catalogue whose boards are the hard ones.
CROWDED, TWO_PAGES, FULL_PAGE, LONELY, UNSOLD, ALMATY_ONLY, ASTANA_ONLY = list(CARDS)[:7]
#: Every form in which people name a product; each line of the file names another one.
FORMS = (
    "{id}  # the number alone",
    "https://kaspi.kz/shop/p/{slug}-{id}/?c=750000000",
    "https://kaspi.kz/shop/p/-{id}/",
    "https://kaspi.kz/shop/p/{id}/",
    "http://kaspi.kz/shop/p/{slug}-{id}/?c=710000000&m=123&ref=shared_link",
    "kaspi.kz/shop/p/{slug}-{id}",
    "{market}/shop/p/{slug}-{id}/?c=750000000#reviews",
    "  https://kaspi.kz/shop/p/{slug}-{id}/  ",
)


@attrs.frozen(kw_only=True)
class Crawled:
    """The crawl that the tests of this file look at."""

    market: Market
    place: Workplace
    ended: Ended

    @property
    def database(self) -> str:
        return self.place.database


@pytest.fixture(scope="module")
def crawled(open_workplace: Opener, market: Market) -> Crawled:
    place = open_workplace()
    words = write_down(place.directory / "products.txt", market)
    ended = place.crawl("products", {"products": f"@{words}", "cities": f"{ALMATY},astana"})
    return Crawled(market=market, place=place, ended=ended)


def write_down(path: Path, market: Market) -> Path:
    """A file that names all cards and a stranger, each in another form."""
    named = [
        FORMS[number % len(FORMS)].format(id=card.id, slug=card.slug, market=market.address)
        for number, card in enumerate(CARDS.values())
    ]
    path.write_text("\n".join(["# what we sell", "", *named, STRANGER]), encoding="utf-8")
    return path


def test_it_ends_well_and_says_what_it_did(crawled: Crawled) -> None:
    assert crawled.ended.code == 0
    assert crawled.ended.reason == "finished"
    offers_in_all = sum(sum(cities.values()) for cities in crawled.market.offers.values())
    # 40 products and the word that the forty-first does not exist.
    assert crawled.ended.figures["offers first seen"] == offers_in_all


def test_the_run_is_written_down_with_its_outcome(crawled: Crawled) -> None:
    (run,) = runs(crawled.database)
    assert run["spider"] == "products"
    assert run["close_reason"] == "finished"
    assert run["arguments"]["cities"] == f"{ALMATY},astana"
    assert run["started_at"] < run["finished_at"]
    assert run["stored"] == events(crawled.database)


def test_a_product_that_does_not_exist_is_named_and_the_rest_go_on(crawled: Crawled) -> None:
    assert crawled.ended.sentences_about("no product", STRANGER)
    known = {found["kaspi_id"] for found in rows(crawled.database, "SELECT kaspi_id FROM products")}
    assert known == set(CARDS)


@pytest.mark.parametrize("city", [ALMATY, ASTANA])
def test_every_board_is_the_true_one(crawled: Crawled, city: str) -> None:
    for kaspi_id in CARDS:
        truth = crawled.market.ledger(kaspi_id, city)
        assert offers(crawled.database, kaspi_id, city) == truth
        assert board_at(crawled.database, kaspi_id, city, moment(crawled)) == truth
        told = board(crawled.database, kaspi_id, city)
        assert (told["complete"], told["total"], told["seller_amount"]) == (
            True,
            len(truth),
            len(truth),
        )
        prices = [price for price, _, _ in truth.values()]
        assert told["min_price"] == min(prices, default=None)
        assert told["max_price"] == max(prices, default=None)


def moment(crawled: Crawled) -> Any:
    return runs(crawled.database)[0]["finished_at"]


#: Columns of offers, and the API's names of what they hold; an absent one is null.
TEXTS = {
    "merchant_sku": "merchantSku",
    "title": "title",
    "delivery_type": "deliveryType",
    "delivery_duration": "deliveryDuration",
    "located_in_point": "locatedInPoint",
}
FLAGS_AND_COUNTS = {
    "kaspi_delivery": "kaspiDelivery",
    "preorder_days": "preorder",
    "discount_percent": "discount",
    "merchant_reviews": "merchantReviewsQuantity",
    "purchase_count": "purchaseCount",
    "price_minus_bonus": "priceMinusBonus",
    "price_before_discount": "priceBeforeDiscount",
}
MOMENTS = {
    "delivery_at": "delivery",
    "pickup_at": "pickup",
    "postomat_at": "postomat",
    "handed_over_at": "kdPickupDate",
    "available_at": "availabilityDate",
}
POINTS = {"delivery_points": "kdPoints", "pickup_points": "pointsWithAvailability"}


@pytest.mark.parametrize("city", [ALMATY, ASTANA])
def test_every_field_of_every_offer_is_kept(crawled: Crawled, city: str) -> None:
    for kaspi_id in CARDS:
        held = {one["merchant_id"]: one for one in stored_offers(crawled.database, kaspi_id, city)}
        for answered in crawled.market.answer(kaspi_id, city):
            one = held[answered["merchantId"]]
            for column, name in TEXTS.items():
                assert one[column] == ((answered.get(name) or "").strip() or None), column
            for column, name in FLAGS_AND_COUNTS.items():
                assert one[column] == answered.get(name), column
            for column, name in MOMENTS.items():
                told = answered.get(name)
                assert one[column] == (told and datetime.fromisoformat(told)), column
            for column, name in POINTS.items():
                assert one[column] == answered.get(name, []), column
            rating = answered.get("merchantRating")
            assert one["merchant_rating"] == (rating and Decimal(str(rating)))
            assert {option["type"] for option in one["delivery_options"] or ()} == set(
                answered.get("deliveryOptions", ())
            )


def stored_offers(database: str, kaspi_id: str, city: str) -> list[dict[str, Any]]:
    return rows(
        database,
        "SELECT offers.* FROM offers JOIN products ON products.id = product_id"
        " WHERE kaspi_id = %s AND city_id = %s",
        kaspi_id,
        city,
    )


@pytest.mark.parametrize(
    ("kaspi_id", "sellers"),
    [
        pytest.param(CROWDED, (150, 77), id="three pages of offers"),
        pytest.param(TWO_PAGES, (65, 64), id="one offer on the second page"),
        pytest.param(FULL_PAGE, (64, 129), id="a page that is just full"),
        pytest.param(LONELY, (1, 2), id="a single seller"),
        pytest.param(UNSOLD, (0, 0), id="nobody sells it"),
        pytest.param(ALMATY_ONLY, (7, 0), id="nobody sells it in the other city"),
        pytest.param(ASTANA_ONLY, (0, 5), id="nobody sells it at home"),
    ],
)
def test_boards_of_any_length_are_held_whole(
    crawled: Crawled, kaspi_id: str, sellers: tuple[int, int]
) -> None:
    held = tuple(len(offers(crawled.database, kaspi_id, city)) for city in (ALMATY, ASTANA))
    assert held == sellers


def test_the_products_own_prices_are_those_of_the_home_city_alone(crawled: Crawled) -> None:
    for kaspi_id in CARDS:
        told, home = product(crawled.database, kaspi_id), board(crawled.database, kaspi_id, ALMATY)
        assert told["home_city_id"] == ALMATY
        for column in ("min_price", "max_price", "seller_amount"):
            assert told[column] == home[column], (kaspi_id, column)
    assert product(crawled.database, ASTANA_ONLY)["min_price"] is None
    assert product(crawled.database, ASTANA_ONLY)["seller_amount"] == 0


def plain(description: str | None) -> str | None:
    """A description without markup, made in another way than the crawler's."""
    if description is None:
        return None
    broken = re.sub(r"<br ?/?>|</?(?:p|div|ul|li)>", "\n", description)
    lines = unescape(re.sub(r"</?[a-z]+>", "", broken)).splitlines()
    return "\n".join(stripped for line in lines if (stripped := line.strip()))


def specifications(card: Card) -> list[tuple[str, str, list[str]]]:
    return [(value.trait.group, value.trait.name, list(value.values)) for value in card.values]


def told_specifications(groups: list[dict[str, Any]]) -> list[tuple[str, str, list[str]]]:
    return [
        (group["name"], feature["name"], feature["values"])
        for group in groups
        for feature in group["features"]
    ]


def test_every_card_is_read_as_the_catalogue_has_it(crawled: Crawled) -> None:
    for kaspi_id, card in CARDS.items():
        told = product(crawled.database, kaspi_id)
        assert told["name"] == card.title
        assert told["brand"] == card.brand
        assert told["description"] == plain(card.description)
        assert told["category"] == card.kind.path[-1][1]
        assert told["category_id"] == card.kind.category_id
        assert [(step["code"], step["title"]) for step in told["categories"]] == list(
            card.kind.path
        )
        assert [address.split("/m/p/")[1] for address in told["image_url"]] == [
            f"{location}?format=gallery-large" for location in card.images
        ]
        assert sorted(told_specifications(told["specifications"])) == sorted(specifications(card))
        assert told["link"].endswith(card.path)
        assert told["rung"] == "state"
        assert abs(told["card_created_at"] - card.created_at).total_seconds() < 0.001


def test_some_titles_and_descriptions_were_hard_to_read() -> None:
    """Else the test above would promise less than it says."""
    assert any(card.title != card.escaped_title for card in CARDS.values())
    assert any(card.description is None for card in CARDS.values())
    assert any("&" in (card.description or "") for card in CARDS.values())


def test_variants_are_the_familys_cards_with_what_sets_them_apart(crawled: Crawled) -> None:
    for kaspi_id, card in CARDS.items():
        told = {
            variant["kaspi_id"]: [trait["value"] for trait in variant["characteristics"]]
            for variant in product(crawled.database, kaspi_id)["variants"]
        }
        assert told == siblings(card)
    assert any(card.family for card in CARDS.values())


def siblings(card: Card) -> dict[ProductId, list[str]]:
    if card.family is None:
        return {}
    return {
        sibling.id: [word for word in (shade.colour, sibling.choice) if word is not None]
        for shade in card.family.shades
        for sibling in shade.siblings
    }


def test_ratings_and_reviews_are_counted_apart(crawled: Crawled) -> None:
    """Compared with all reviews of each product, asked for in another way."""
    rated = 0
    for kaspi_id in CARDS:
        told = product(crawled.database, kaspi_id)
        ratings = crawled.market.reviews(kaspi_id)
        assert told["rating_amount"] == len(ratings)
        assert told["review_amount"] == sum(bool(text) for _, text in ratings)
        if ratings:
            rated += 1
            mean = sum(stars for stars, _ in ratings) / len(ratings)
            assert abs(float(told["rate"]) - mean) <= 0.0501
            assert told["rating_amount"] >= told["review_amount"]
        else:
            assert told["rate"] is None
    assert rated > len(CARDS) / 2


def test_the_memory_agrees_with_itself(crawled: Crawled) -> None:
    assert_consistent(crawled.database)
    assert set(events(crawled.database)) == {"offer_history/seen", "product_history/seen"}


def test_every_board_is_on_the_work_list(crawled: Crawled) -> None:
    listed = rows(crawled.database, "SELECT kaspi_id, city_id FROM work_list")
    assert {(one["kaspi_id"], one["city_id"]) for one in listed} == {
        (kaspi_id, city) for kaspi_id in CARDS for city in (ALMATY, ASTANA)
    }


def test_the_exported_lines_say_what_the_database_says(crawled: Crawled) -> None:
    lines = crawled.place.lines("products")
    assert {line["schema_version"] for line in lines} == {1}
    assert [line["kaspi_id"] for line in lines if line["kind"] == "missing"] == [STRANGER]
    exported = {line["kaspi_id"]: line for line in lines if line["kind"] == "product"}
    assert set(exported) == set(CARDS)
    for kaspi_id, line in exported.items():
        told = product(crawled.database, kaspi_id)
        assert_same(line, told)
        for city in (ALMATY, ASTANA):
            assert exported_offers(line, city) == offers(crawled.database, kaspi_id, city)


#: Columns of the original parser's `products`, which everybody's scripts read.
COLUMNS = ("kaspi_id", "name", "description", "category", "image_url", "min_price", "max_price")
FIGURES = ("rate", "review_amount", "rating_amount", "seller_amount")


def assert_same(exported: Line, told: dict[str, Any]) -> None:
    for column in COLUMNS:
        assert exported[column] == told[column], column
    for column in FIGURES:
        assert exported[column] == (told[column] and float(told[column])), column


def exported_offers(line: Line, city: str) -> dict[str, tuple[int, int, str]]:
    (found,) = (found for found in line["boards"] if found["city_id"] == city)
    assert found["total"] == found["seller_amount"] == len(found["offers"])
    return {
        offer["merchant_id"]: (offer["price"], offer["preorder_days"], offer["seller"])
        for offer in found["offers"]
    }


def test_the_latest_products_say_what_the_database_says(crawled: Crawled) -> None:
    latest = {one["kaspi_id"]: one for one in crawled.place.latest("products")}
    assert set(latest) == set(CARDS)
    for kaspi_id, exported in latest.items():
        assert_same(exported, product(crawled.database, kaspi_id))


def test_the_latest_offers_say_what_the_market_says(crawled: Crawled) -> None:
    latest = crawled.place.latest("offers")
    for city in (ALMATY, ASTANA):
        for kaspi_id in CARDS:
            exported = {
                one["merchant_id"]: (one["price"], one["preorder_days"], one["seller"])
                for one in latest
                if (one["kaspi_id"], one["city_id"]) == (kaspi_id, city)
            }
            assert exported == crawled.market.ledger(kaspi_id, city)


def test_no_unfinished_file_is_left(crawled: Crawled) -> None:
    assert crawled.place.partial_files() == []
    assert len(crawled.place.files("products")) == 1


def test_the_log_is_kept_for_machines(crawled: Crawled) -> None:
    (log,) = (crawled.place.data / "logs" / "products").glob("*.jsonl")
    run = row(crawled.database, "SELECT id FROM runs")["id"]
    assert f'"run": "{run}"' in log.read_text(encoding="utf-8")


def test_a_crawl_that_finds_no_product_at_all_has_not_succeeded(workplace: Workplace) -> None:
    ended = workplace.crawl("products", {"products": "999999999"})
    assert (ended.code, ended.reason) == (1, "finished")
    assert "read and stored" not in ended.figures
    assert ended.figures["not on the site"] == 1
