"""The spider `publish` and a crawl as processes: signed in, sent, killed, never twice."""

import signal
import time
from typing import Any

import pytest

from kaspi_crawler.cabinet.doors import told
from partners.kaspi.cabinet_login import Account
from storage import accounts
from tests.building import ALMATY
from tests.crawl.crawling import Workplace, eventually
from tests.publish.carrying import AT_ONCE as READ_AT_ONCE
from tests.publish.carrying import carry
from tests.publish.conftest import AT_ONCE, KEY, Publisher, environment
from tests.publish.shop import Shop
from tests.publish.signing import EMAIL, PASSWORD


@pytest.fixture
def item(shop: Shop) -> dict[str, Any]:
    found = shop.on_sale()[-1]
    shop.rule(found)
    return found


def lower(item: dict[str, Any], by: int = 5) -> int:
    price: int = item["city_prices"][ALMATY] - by
    return price


def test_an_intention_is_sent_accepted_and_seen_by_buyers(
    shop: Shop, item: dict[str, Any], publish: Publisher
) -> None:
    known = shop.book["wrongs"]
    shop.decide(item, lower(item))
    ended = publish()
    assert (ended.code, ended.reason) == (0, "finished"), ended.said
    assert shop.states == [(lower(item), "accepted", None)], ended.said
    assert shop.price(item["sku"]) == lower(item)
    assert ended.figures["prices sent"] == 1
    assert shop.book["wrongs"] == known


@pytest.mark.parametrize("how", ["off", "feed"])
def test_without_the_cabinet_nothing_leaves(
    shop: Shop, item: dict[str, Any], publish: Publisher, how: str
) -> None:
    shop.decide(item, lower(item))
    asked = shop.ask("requests")["kinds"].get("cabinet", 0)
    assert publish(how).code == 0
    assert shop.states == [(lower(item), "pending", None)]
    assert shop.ask("requests")["kinds"].get("cabinet", 0) == asked


def test_a_session_that_ends_is_begun_anew(
    shop: Shop, item: dict[str, Any], publish: Publisher
) -> None:
    shop.decide(item, lower(item))
    shop.ask("faults", {"script": [{"kind": "signed_out", "path": "cabinet", "times": 1}]})
    assert publish().code == 0
    assert shop.states == [(lower(item), "accepted", None)]


def test_a_crawl_that_is_killed_in_the_middle_of_a_push_sends_nothing_twice(
    shop: Shop, item: dict[str, Any], workplace: Workplace, publish: Publisher
) -> None:
    """The answer hangs: the change is queued, and nobody has heard of it."""
    shop.decide(item, lower(item))
    shop.ask(
        "faults",
        {"script": [{"kind": "hanging", "path": "pricefeed", "times": 1}], "hang_seconds": 30},
    )
    known = len(shop.changes)
    with workplace.started(
        "publish", settings=AT_ONCE, environment=environment(workplace)
    ) as crawl:
        eventually(lambda: shop.states == [(lower(item), "sending", None)])
        time.sleep(0.2)
        crawl.end(signal.SIGKILL)
    shop.ask("faults", {})
    assert publish().code == 0
    assert len(shop.changes) <= known + 1
    assert shop.states == [(lower(item), "sending", None)]
    carry(shop, **READ_AT_ONCE)
    assert shop.states[0][1] in {"applied", "unverified"}
    assert len(shop.changes) <= known + 1


def test_two_publishers_at_once_send_each_price_once(
    shop: Shop, workplace: Workplace, publish: Publisher
) -> None:
    some = shop.on_sale()[:12]
    shop.rule(*some)
    for one in some:
        shop.decide(one, lower(one))
    known = len(shop.changes)
    around = environment(workplace)
    with (
        workplace.started("publish", settings=AT_ONCE, environment=around) as first,
        workplace.started("publish", settings=AT_ONCE, environment=around) as second,
    ):
        assert (first.end().code, second.end().code) == (0, 0)
    sent = [change["sku"] for change in shop.changes[known:]]
    assert sorted(sent) == sorted(item["sku"] for item in some)
    assert [state for _, state, _ in shop.states] == ["accepted"] * len(some)


def test_a_crawl_of_offers_decides_sends_and_reads_back(
    shop: Shop, item: dict[str, Any], workplace: Workplace
) -> None:
    """The whole story: seen, decided, sent, accepted, applied."""
    accounts.add(shop.database, shop.store, told(Account(email=EMAIL, password=PASSWORD)), KEY)
    shop.rule(item, ceiling=lower(item, 7))
    product = {"products": item["product"], "cities": ALMATY}
    first = workplace.crawl("offers", product, settings=AT_ONCE, environment=environment(workplace))
    assert first.code == 0, first.said
    [decided] = shop.rows("SELECT action, price FROM decisions")
    assert decided["action"] == "set"
    assert [state for _, state, _ in shop.states] == ["accepted"]
    again = workplace.crawl("offers", product, settings=AT_ONCE, environment=environment(workplace))
    assert again.figures["applied"] == 1, again.said
    assert shop.states == [(decided["price"], "applied", None)]
