"""The storm's audit finds what it is there to find, and a small storm passes it."""

import json
import sys
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest
from rich.console import Console

from benchmarks import publish
from benchmarks.publishing.audit import audit
from tests.building import ALMATY
from tests.publish.carrying import carry
from tests.publish.shop import Shop, serving
from tests.publish.signing import sign_in
from tests.sandbox.seller.conftest import echoed


@pytest.fixture(scope="module")
def sandbox_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sandbox of their own, for what these tests do stays in its book."""
    with serving(tmp_path_factory.mktemp("careless")) as address:
        yield address


@pytest.fixture
def item(shop: Shop) -> dict[str, Any]:
    return shop.on_sale()[0]


@pytest.mark.parametrize(
    ("deed", "violated"),
    [
        pytest.param({}, "sent twice", id="a push that we do not know of"),
        pytest.param(
            {"cityPrices": [{"cityId": ALMATY, "value": 3}]},
            "prices outside the allowed set live through us",
            id="a price below the floor",
        ),
        pytest.param({"availabilities": []}, "points dropped", id="a point that is not named"),
    ],
)
def test_the_audit_finds_what_must_not_be(
    shop: Shop, item: dict[str, Any], deed: dict[str, Any], violated: str
) -> None:
    shop.rule(item)
    before = audit(shop.address, shop.database, 60).violations[violated]
    push_by_hand(shop, item, deed)
    assert audit(shop.address, shop.database, 60).violations[violated] > before


def test_the_audit_finds_a_decision_without_an_intention(shop: Shop, item: dict[str, Any]) -> None:
    shop.rule(item)
    shop.decide(item, item["city_prices"][ALMATY] - 5)
    assert audit(shop.address, shop.database, 60).violations["intentions lost"] == 0
    shop.do("DELETE FROM intentions")
    assert audit(shop.address, shop.database, 60).violations["intentions lost"] == 1


def test_the_audit_finds_a_price_that_stays_on_its_way(shop: Shop, item: dict[str, Any]) -> None:
    shop.rule(item)
    shop.decide(item, item["city_prices"][ALMATY] - 5)
    carry(shop)
    assert audit(shop.address, shop.database, 60).violations["intentions lost"] == 0
    assert audit(shop.address, shop.database, 0).violations["intentions lost"] == 1


def test_a_small_storm_violates_nothing() -> None:
    found, weather, _ = publish.blow(publish.SMALL, Console(file=sys.stderr))
    assert found.violations == dict.fromkeys(found.violations, 0)
    assert found.sent >= 20
    assert sum(weather.troupe.killed.values()) >= 2
    assert weather.rules.changes


def push_by_hand(shop: Shop, item: dict[str, Any], deed: dict[str, Any]) -> None:
    """As a careless program of somebody else would, with our account."""
    headers = {
        "Cookie": sign_in(shop.address),
        "x-auth-version": "3",
        "Content-Type": "application/json",
    }
    found = f"{shop.address}/mc.shop/bff/offer-view/list?m={shop.store}&p=0&l=10&t={item['sku']}"
    with urlopen(Request(found, headers=headers), timeout=10) as answer:  # noqa: S310
        shown = json.load(answer)["data"][0]
    body = {"merchantUid": shop.store, **echoed(shown, **deed)}
    way = f"{shop.address}/mc.shop/pricefeed/upload/merchant/process"
    with urlopen(Request(way, json.dumps(body).encode(), headers), timeout=10) as answer:  # noqa: S310
        answer.read()
