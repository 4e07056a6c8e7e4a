"""A short link leads to a product, or is told to lead nowhere."""

import pytest

from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.short_link import ShortLinkAnswer
from partners.call import Answer
from partners.kaspi.storefront import ShortLink, Storefront, product_or_link

LINK = ShortLink("AbCd12")


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    return Answer(
        status=status, body=body, address="https://l.kaspi.kz/shp/AbCd12", headers=headers
    )


@pytest.mark.parametrize(
    "text",
    ["https://l.kaspi.kz/shp/AbCd12", "l.kaspi.kz/shp/AbCd12/", "http://127.0.0.1:8801/shp/AbCd12"],
)
def test_a_short_link_is_known_by_its_path(text: str) -> None:
    assert product_or_link(text) == LINK


def test_kaspis_links_live_on_their_own_host_and_a_replicas_on_the_replica() -> None:
    assert Storefront("https://kaspi.kz").short_link(LINK).address == (
        "https://l.kaspi.kz/shp/AbCd12"
    )
    assert Storefront("http://127.0.0.1:8801").short_link(LINK).address == (
        "http://127.0.0.1:8801/shp/AbCd12"
    )


def test_the_redirection_names_the_product() -> None:
    target = "https://kaspi.kz/shop/p/chainik-102298404/?ref=shared_link"
    assert ShortLinkAnswer(answer(302, location=target), LINK).to_item() == "102298404"


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        pytest.param(answer(404, b"<html></html>"), Unreadable, id="an unknown code leads nowhere"),
        pytest.param(
            answer(302, location="https://kaspi.kz/shop/c/kettles/"),
            Unreadable,
            id="a category is no product",
        ),
        pytest.param(
            answer(429, b'<!DOCTYPE html><html lang="ru">'), TryAgain, id="a block is asked again"
        ),
    ],
)
def test_what_leads_to_no_product_is_told(told: Answer, outcome: type) -> None:
    assert isinstance(ShortLinkAnswer(told, LINK).to_item(), outcome)
