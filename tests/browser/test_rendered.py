"""A state that lived in variables is read from the page as if it had stood there."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request

from domain.identity import CityId, ProductId
from domain.product import ProductCard, Rung
from kaspi_crawler.browser.reader import exit_of
from kaspi_crawler.browser.rendered import with_state
from kaspi_crawler.pages.product import ProductPage
from partners.call import Answer

SHELL = "<html><head></head><body><div id='app'></div></body></html>"
PRODUCT = ProductId("102298404")


def rendered(told: dict[str, str | None], page: str = SHELL) -> object:
    answer = Answer(status=200, body=with_state(page, told), address="https://kaspi.kz/shop/p/-1/")
    return ProductPage(answer, PRODUCT, datetime(2026, 11, 26, tzinfo=UTC), rendered=True).to_item()


def states(title: str, **more: Any) -> dict[str, str | None]:
    item = {"card": {"id": PRODUCT, "title": title, "price": 1500}, **more}
    return {
        "BACKEND.components.item": json.dumps(item, ensure_ascii=False),
        "BACKEND.components.configurator": None,
        "window.digitalData": json.dumps({"website": {"regionId": "710000000"}}),
    }


@given(st.text(min_size=1).filter(str.strip))
def test_any_text_within_a_state_comes_back(text: str) -> None:
    features = [{"code": "c", "name": "n", "type": "STRING", "featureValues": [{"value": text}]}]
    groups = [{"code": "g", "name": "g", "features": features}]
    card = rendered(states("Чайник", specifications=groups))
    assert isinstance(card, ProductCard)
    assert card.rung is Rung.BROWSER
    assert card.city_id == CityId("710000000")
    assert len(card.specifications[0].features[0].values) == 1


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(SHELL, id="a whole page"),
        pytest.param(
            "<html><script>BACKEND.components.item = build()</script><body></body></html>",
            id="a page that names the state without holding it",
        ),
    ],
)
def test_the_state_is_found_behind_whatever_the_page_is(page: str) -> None:
    card = rendered(states("</script><script>alert(1)</script> {"), page)
    assert isinstance(card, ProductCard)
    assert card.name == "</script><script>alert(1)</script> {"


def test_a_page_without_a_state_is_left_as_it_is() -> None:
    nothing = dict.fromkeys(states(""), None)
    assert with_state(SHELL, nothing).decode() == SHELL


def test_a_plain_request_has_no_exit() -> None:
    assert exit_of(Request("https://kaspi.kz")) is None


def test_an_exit_comes_with_who_we_are() -> None:
    request = Request(
        "https://kaspi.kz",
        headers={"Proxy-Authorization": b"Basic dXNlcjpwYTpzcw=="},
        meta={"proxy": "http://10.0.0.1:3128"},
    )
    assert exit_of(request) == {
        "server": "http://10.0.0.1:3128",
        "bypass": "<-loopback>",
        "username": "user",
        "password": "pa:ss",
    }
