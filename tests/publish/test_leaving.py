"""From an intention to a price that buyers see, over real sockets."""

from tests.publish.conftest import Publisher
from tests.publish.shop import Shop


def test_an_intention_is_sent_accepted_and_seen_by_buyers(shop: Shop, publish: Publisher) -> None:
    item = shop.on_sale()[0]
    shop.rule(item)
    price = item["city_prices"]["750000000"] - 5
    shop.decide(item, price)
    ended = publish()
    assert ended.code == 0, ended.said
    assert shop.states == [(price, "accepted", None)], ended.said
    assert shop.price(item["sku"]) == price
    assert (shop.book["wrongs"], shop.book["effects"]) == ({}, {})
