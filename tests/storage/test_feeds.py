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


def tell(database: str, *points: FeedPoint, sku: str = "kettle", **cities: int) -> frozenset[str]:
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
    assert tell(database, POINT, FeedPoint("700_PP2", available=False)) == {"kettle"}
    rule(database, floor=9_000)
    [listing] = own(database)
    offer = FeedOffer(
        sku="kettle",
        model="Чайник",
        points=(
            FeedPoint("700_PP1", available=True, stock=5, preorder=3),
            FeedPoint("700_PP2", available=False),
        ),
        price=Tenge(10_000),
    )
    assert listing == OwnOffer(offer=offer, leasts={CityId(""): Tenge(9_000)}, live=offer)


def test_a_listing_of_which_nothing_is_known_is_read_without_it(database: str) -> None:
    put(database, name=None, price=None)
    [listing] = own(database)
    nothing = FeedOffer(sku="kettle", model="", points=())
    assert listing == OwnOffer(offer=nothing, leasts={}, live=nothing)


def test_the_cards_name_stands_in_for_that_of_the_listing(database: str) -> None:
    put(database, name=None)
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO products (kaspi_id, home_city_id, first_seen_at, name) "
            "VALUES ('1045', '75', now(), 'Чайник Tefal')"
        )
    [listing] = own(database)
    assert listing.offer.model == "Чайник Tefal"


def prices(offer: FeedOffer | None) -> dict[str, int] | int | None:
    """Those by city, or the one for all of them."""
    assert offer
    return {each.city: each.price for each in offer.city_prices} or offer.price


def show(database: str, price: int, city: CityId = ALMATY) -> None:
    """Our offer on the kettle's board in a city, as it was read."""
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO products (kaspi_id, home_city_id, first_seen_at) "
            "VALUES ('1045', %s, now()) ON CONFLICT DO NOTHING",
            [ALMATY],
        )
        connection.execute(
            """INSERT INTO boards (product_id, city_id, complete, first_seen_at, checked_at,
                                   completed_at)
               SELECT id, %s, true, now(), now(), now() FROM products WHERE kaspi_id = '1045'""",
            [city],
        )
        connection.execute(
            """INSERT INTO offers (product_id, city_id, merchant_id, seller, price, first_seen_at,
                                   changed_at)
               SELECT id, %s, %s, 'Лавка', %s, now(), now() FROM products WHERE kaspi_id = '1045'
            """,
            [city, STORE, price],
        )


def test_a_price_that_was_decided_in_one_city_holds_in_no_other(database: str) -> None:
    put(database)
    rule(database, floor=4_000)
    intend(database, 4_999)
    [listing] = own(database)
    assert (prices(listing.offer), listing.alone) == ({ALMATY: 4_999}, True)
    assert prices(listing.live) == {ALMATY: 10_000}
    assert prices(own(database, intended=False)[0].offer) == 10_000


def test_a_city_that_was_not_decided_on_keeps_what_its_board_shows(database: str) -> None:
    put(database)
    rule(database, floor=4_000)
    show(database, 6_546, ASTANA)
    show(database, 6_400)
    intend(database, 4_999)
    [listing] = own(database)
    assert (prices(listing.offer), listing.alone) == ({ALMATY: 4_999, ASTANA: 6_546}, False)
    assert prices(listing.live) == {ALMATY: 6_400, ASTANA: 6_546}


def test_when_it_was_applied_it_still_holds_in_no_other(database: str) -> None:
    """Though the listing remembers it as its price."""
    put(database)
    rule(database, floor=4_000)
    show(database, 6_546, ASTANA)
    intend(database, 4_999)
    with psycopg.connect(database) as connection:
        connection.execute(
            "UPDATE intentions SET state = 'applied', sent_at = now(), closed_at = now();"
            "UPDATE listings SET price = 4999"
        )
    assert prices(own(database)[0].offer) == {ALMATY: 4_999, ASTANA: 6_546}
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM intentions")
    assert prices(own(database)[0].offer) == {ASTANA: 6_546}


def test_prices_that_differ_on_boards_are_not_made_one(database: str) -> None:
    put(database)
    show(database, 6_400)
    assert prices(own(database)[0].offer) == 10_000
    show(database, 6_546, ASTANA)
    assert prices(own(database)[0].offer) == {ALMATY: 6_400, ASTANA: 6_546}


def test_one_price_that_the_cabinet_told_since_holds(database: str) -> None:
    put(database)
    show(database, 6_400)
    show(database, 6_546, ASTANA)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE listings SET seen_at = now()")
    assert prices(own(database)[0].offer) == 10_000


def test_a_city_of_which_only_a_rule_is_known_is_named(database: str) -> None:
    put(database)
    tell(database, POINT)
    rule(database, floor=4_000)
    rule(database, ASTANA, floor=5_000)
    intend(database, 4_999)
    assert (own(database)[0].fault or "").startswith("its price in 710000000 is not known")
    show(database, 6_546, ASTANA)
    assert own(database)[0].fault is None


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
    assert tell(database, POINT, sku="lamp") == frozenset()
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
