"""What a store's feed is made of: prices that are intended, rules that hold, points and cities."""

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from domain.feed_succession import OwnOffer
from domain.identity import CityId, MerchantId, ProductId
from domain.money import Tenge
from domain.price_feed import CityPrice, FeedOffer, FeedPoint
from domain.shop import OwnListing, RuleLine, Store
from storage import feeds, listings, rules
from storage.feeds import NoSuchStore, RulesChanged, store_feed

STORE = MerchantId("700")
ALMATY, ASTANA = CityId("750000000"), CityId("710000000")


def put(database: str, sku: str = "kettle", **more: Any) -> None:
    said = {"name": "Чайник", "price": Tenge(10_000), **more}
    listing = OwnListing(store=STORE, sku=sku, kaspi_id=ProductId("1045"), **said)
    listings.put(database, [listing], "listings.csv", stores=[Store(id=STORE, name="Лавка")])


def tell(database: str, *points: FeedPoint, sku: str = "kettle", **cities: int) -> int:
    prices = tuple(CityPrice(CityId(city[1:]), Tenge(price)) for city, price in cities.items())
    offer = FeedOffer(sku=sku, model="Чайник", points=points, city_prices=prices)
    return feeds.put_offers(database, STORE, [offer])


def rule(database: str, city: CityId | None = None, **said: Any) -> None:
    rules.apply(database, [RuleLine(store=STORE, sku="kettle", city=city, said=said)], "rules.csv")


def intend(database: str, price: int, city: CityId = ALMATY) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(
            """INSERT INTO intentions
                   (listing_id, rule_id, least, price, lowest, highest, city_id)
               SELECT listing_id, id, least, %(price)s, %(price)s, %(price)s, %(city)s
               FROM price_rules WHERE replaced_by IS NULL AND city_id IN ('', %(city)s)
               ORDER BY city_id DESC LIMIT 1""",
            {"price": price, "city": city},
        )


def own(database: str, **asked: Any) -> list[OwnOffer]:
    with store_feed(database, STORE) as feed:
        return list(feed.offers(**asked))


POINT = FeedPoint("PP1", available=True, stock=5, preorder=3)


def test_a_listing_is_read_with_all_that_is_known(database: str) -> None:
    put(database)
    assert tell(database, POINT, FeedPoint("700_PP2", available=False)) == 1
    rule(database, floor=9_000)
    [listing] = own(database)
    assert listing == OwnOffer(
        offer=FeedOffer(
            sku="kettle",
            model="Чайник",
            points=(
                FeedPoint("700_PP1", available=True, stock=5, preorder=3),
                FeedPoint("700_PP2", available=False),
            ),
            price=Tenge(10_000),
        ),
        leasts={CityId(""): Tenge(9_000)},
    )


def test_a_listing_of_which_nothing_is_known_is_read_without_it(database: str) -> None:
    put(database, name=None, price=None)
    [listing] = own(database)
    assert listing == OwnOffer(offer=FeedOffer(sku="kettle", model="", points=()), leasts={})


def test_the_cards_name_stands_in_for_that_of_the_listing(database: str) -> None:
    put(database, name=None)
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO products (kaspi_id, home_city_id, first_seen_at, name) "
            "VALUES ('1045', '75', now(), 'Чайник Tefal')"
        )
    [listing] = own(database)
    assert listing.offer.model == "Чайник Tefal"


def test_the_newest_intention_is_the_price(database: str) -> None:
    put(database)
    rule(database, floor=9_000)
    intend(database, 9_400)
    intend(database, 9_300, ASTANA)
    assert own(database)[0].offer.price == 9_300
    assert own(database, intended=False)[0].offer.price == 10_000


def test_with_prices_in_cities_each_city_has_its_own_intention(database: str) -> None:
    put(database)
    rule(database, floor=9_000)
    rule(database, ASTANA, floor=9_500)
    tell(database, POINT, c750000000=9_900, c511010000=9_800)
    intend(database, 9_400)
    intend(database, 9_700, ASTANA)
    [listing] = own(database)
    assert listing.offer.price is None
    assert listing.offer.city_prices == (
        CityPrice(CityId("511010000"), Tenge(9_800)),
        CityPrice(ASTANA, Tenge(9_700)),
        CityPrice(ALMATY, Tenge(9_400)),
    )
    assert listing.leasts == {CityId(""): 9_000, ASTANA: 9_500}


def test_a_rule_without_floor_and_cost_allows_every_price(database: str) -> None:
    put(database)
    rule(database, step=5)
    [listing] = own(database)
    assert listing.leasts == {CityId(""): None}


def test_what_is_archived_is_read_so(database: str) -> None:
    put(database)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE listings SET removed_at = now()")
    assert own(database)[0].removed


def test_articles_come_in_the_order_of_code_points(database: str) -> None:
    skus = ["б", "a", "B", "10", "9", "_", "Ё"]
    for sku in skus:
        put(database, sku)
    assert [each.offer.sku for each in own(database)] == sorted(skus)


def test_what_is_not_told_any_more_is_forgotten(database: str) -> None:
    put(database)
    tell(database, POINT, FeedPoint("PP2", available=True), c750000000=9_900)
    tell(database, POINT)
    [listing] = own(database)
    assert [point.point for point in listing.offer.points] == ["700_PP1"]
    assert listing.offer.city_prices == ()


def test_a_point_stands_once_however_it_is_named(database: str) -> None:
    put(database)
    tell(database, POINT, FeedPoint("700_PP1", available=False), FeedPoint("Склад", available=True))
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO listing_points (listing_id, point, available) "
            "SELECT id, 'PP1', true FROM listings"
        )
    [listing] = own(database)
    assert [point.point for point in listing.offer.points] == ["700_PP1", "Склад"]


def test_offers_of_articles_that_are_not_kept_are_passed_over(database: str) -> None:
    put(database)
    assert tell(database, POINT, sku="lamp") == 0
    assert len(own(database)) == 1


def test_a_store_that_is_not_kept_is_named(database: str) -> None:
    with pytest.raises(NoSuchStore, match="store 700 has no listings"):
        own(database)


def test_the_feed_is_of_one_moment(database: str) -> None:
    put(database)
    with store_feed(database, STORE) as feed:
        put(database, "lamp")
        assert [each.offer.sku for each in feed.offers()] == ["kettle"]
        assert feed.company == "Лавка"


def test_rules_that_were_changed_meanwhile_are_noticed(database: str) -> None:
    put(database)
    with store_feed(database, STORE) as feed:
        rule(database, floor=9_000)
        with pytest.raises(RulesChanged), feed.rules_held():
            pass  # pragma: no cover


async def test_while_they_are_held_nobody_changes_the_rules(database: str) -> None:
    put(database)
    with store_feed(database, STORE) as feed:
        with feed.rules_held():
            change = asyncio.create_task(asyncio.to_thread(rule, database, floor=9_000))
            done, _ = await asyncio.wait([change], timeout=timedelta(seconds=0.3).total_seconds())
            assert not done
        await asyncio.wait_for(change, timeout=20)
