"""Naming products and cities, and asking the storefront about them."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity import CityId, ProductId
from partners.kaspi.storefront import (
    NotACity,
    NotAnAddress,
    NotAProduct,
    Storefront,
    city_id,
    product_id,
)

KETTLE = ProductId("102298404")
ALMATY = CityId("750000000")
KASPI = Storefront("https://kaspi.kz")
PAGE = "https://kaspi.kz/shop/p/chainik-tulpar-t-200-belyi-102298404/"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("102298404", id="a bare id"),
        pytest.param("  102298404\n", id="an id with blanks around it"),
        pytest.param(PAGE, id="the full address"),
        pytest.param(PAGE[:-1], id="an address without its last slash"),
        pytest.param(f"{PAGE}?c=750000000", id="an address with a city"),
        pytest.param(f"{PAGE[:-1]}?c=750000000&m=5001", id="an address with a merchant"),
        pytest.param(f"{PAGE}?c=710000000&ref=shared_link", id="a shared link"),
        pytest.param(f"{PAGE}?c=750000000&gclid=Cj0-123_45", id="an address out of an advert"),
        pytest.param(f"{PAGE}#!/item", id="an address with a fragment"),
        pytest.param(f" {PAGE} ", id="an address with blanks around it"),
        pytest.param(PAGE.replace("https", "http"), id="an address over http"),
        pytest.param(PAGE.replace("//kaspi", "//www.kaspi"), id="an address with www"),
        pytest.param(PAGE.removeprefix("https://"), id="an address without a scheme"),
        pytest.param("HTTPS://KASPI.KZ/shop/p/x-102298404/", id="an address in capitals"),
        pytest.param("https://kaspi.kz/shop/p/-102298404/?c=750000000", id="an empty slug"),
        pytest.param("https://kaspi.kz/shop/p/102298404/", id="no slug at all"),
        pytest.param("http://127.0.0.1:8801/shop/p/x-102298404/", id="a replica on this machine"),
        pytest.param("localhost:8801/shop/p/-102298404/", id="a replica without a scheme"),
        pytest.param("/p/x-102298404/", id="a link out of the page's state"),
        pytest.param("/shop/p/x-102298404/?c=1&v=reviews", id="a link to the reviews"),
        pytest.param(
            "https://kaspi.kz/shop/p/noutbuk-15-6-16-gb-512-102298404/",
            id="a slug that is full of numbers",
        ),
        pytest.param("https://kaspi.kz/shop/p/%D1%87%D0%B0%D0%B9-102298404/", id="an escaped slug"),
    ],
)
def test_a_product_is_named_by(text: str) -> None:
    assert product_id(text) == KETTLE


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "names no product", id="nothing"),
        pytest.param("чайник", "names no product", id="a word"),
        pytest.param("11636226b", "base product", id="a base product"),
        pytest.param(
            "https://kaspi.kz/shop/p/chainik-11636226b/?c=1", "base product", id="its address"
        ),
        pytest.param("https://l.kaspi.kz/shp/AbCd12", "names no product", id="a short link"),
        pytest.param("https://kaspi.kz/shop/c/kettles-123/", "names no product", id="a category"),
        pytest.param(
            "https://kaspi.kz/shop/info/merchant/30137883/", "names no product", id="a merchant"
        ),
        pytest.param("https://kaspi.kz/shop/p/chainik/", "names no product", id="no id in it"),
        pytest.param("102298404,102298405", "names no product", id="two at once"),
        pytest.param("-102298404", "names no product", id="a negative number"),
        pytest.param("102298404.0", "names no product", id="a fraction"),
        pytest.param("١٠٢٢٩٨٤٠٤", "names no product", id="digits of another script"),
        pytest.param("12", "names no product", id="too short to be an id"),
    ],
)
def test_what_names_no_product_is_told_so(text: str, complaint: str) -> None:
    with pytest.raises(NotAProduct, match=complaint) as told:
        product_id(text)
    assert repr(text.strip()) in str(told.value)
    assert "102298404 or https://kaspi.kz/shop/p/…-102298404/" in str(told.value)


@given(st.text())
def test_any_text_is_a_product_or_a_sentence(text: str) -> None:
    try:
        read = str(product_id(text))
    except NotAProduct as told:
        read = str(told)
    assert (read.isascii() and read.isdigit()) or "A right one looks like" in read


SLUGS = st.text(string.ascii_lowercase + string.digits + "-%_.", max_size=60)
IDS = st.integers(min_value=1_000_000, max_value=999_999_999).map(str)


@given(slug=SLUGS, product=IDS, city=IDS, host=st.sampled_from(["kaspi.kz", "127.0.0.1:9"]))
def test_any_slug_gives_its_product(slug: str, product: str, city: str, host: str) -> None:
    assert product_id(f"https://{host}/shop/p/{slug}-{product}/?c={city}") == product


@given(IDS, IDS)
def test_our_own_page_addresses_are_read_back(product: str, city: str) -> None:
    assert product_id(KASPI.product_page(ProductId(product), CityId(city)).address) == product


@pytest.mark.parametrize(
    ("text", "city"),
    [
        pytest.param("750000000", "750000000", id="an id"),
        pytest.param(" 710000000 ", "710000000", id="an id with blanks"),
        pytest.param("470000000", "470000000", id="an id that is not in the table"),
        pytest.param("almaty", "750000000", id="a name"),
        pytest.param("Astana", "710000000", id="a name with a capital"),
        pytest.param("nur-sultan", "710000000", id="the storefront's own name of Astana"),
        pytest.param("aktobe", "151010000", id="Aktobe, which others get wrong"),
        pytest.param("shymkent", "511010000", id="Shymkent, which others get wrong"),
    ],
)
def test_a_city_is_named_by(text: str, city: str) -> None:
    assert city_id(text) == city


@pytest.mark.parametrize("text", ["", "atlantis", "12345", "75000000O", "almaty,astana", "-1"])
def test_what_names_no_city_is_told_so(text: str) -> None:
    with pytest.raises(NotACity, match="750000000 or almaty") as told:
        city_id(text)
    assert repr(text) in str(told.value)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("https://kaspi.kz", "https://kaspi.kz", id="as it is"),
        pytest.param("https://kaspi.kz/", "https://kaspi.kz", id="with a slash"),
        pytest.param(" http://127.0.0.1:8801 ", "http://127.0.0.1:8801", id="a replica"),
        pytest.param("http://[::1]:8801", "http://[::1]:8801", id="over IPv6"),
    ],
)
def test_a_storefront_has_an_address(text: str, address: str) -> None:
    assert Storefront(text).address == address


@pytest.mark.parametrize(
    "text",
    [
        *("", "kaspi.kz", "ftp://kaspi.kz", "https://", "https://kaspi.kz/?c=1"),
        *("http://[::1", "http://localhost:port", "http://localhost:0"),
    ],
)
def test_what_is_no_address_is_told_so(text: str) -> None:
    with pytest.raises(NotAnAddress, match="A right KASPI_URL looks like"):
        Storefront(text)


def test_the_page_is_asked_for_as_a_browser_does() -> None:
    call = KASPI.product_page(KETTLE, ALMATY)
    assert (call.method, call.body) == ("GET", b"")
    assert call.address == "https://kaspi.kz/shop/p/-102298404/?c=750000000"
    assert call.headers["User-Agent"].startswith("Mozilla/5.0")
    assert call.headers["Accept"].startswith("text/html")


def test_offers_are_asked_for_cheapest_first() -> None:
    call = KASPI.offers(KETTLE, ALMATY, 2)
    assert call.method == "POST"
    assert call.address == "https://kaspi.kz/yml/offer-view/offers/102298404"
    question = json.loads(call.body)
    assert question["sortOption"] == "PRICE"
    assert (question["cityId"], question["id"]) == ("750000000", "102298404")
    assert (question["page"], question["limit"]) == (2, 64)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Referer", "https://kaspi.kz/shop/p/-102298404/?c=750000000"),
        ("Origin", "https://kaspi.kz"),
        ("X-KS-City", "750000000"),
        ("Content-Type", "application/json; charset=UTF-8"),
        ("Accept", "application/json, text/*"),
    ],
)
def test_offers_are_asked_for_with_the_headers_of_the_site(header: str, value: str) -> None:
    assert KASPI.offers(KETTLE, ALMATY, 0).headers[header] == value


@pytest.mark.parametrize(("page", "limit"), [(0, 65), (0, 100), (0, 0), (-1, 64)])
def test_a_question_that_the_api_refuses_is_not_asked(page: int, limit: int) -> None:
    with pytest.raises(ValueError, match="limits are 1 to 64"):
        KASPI.offers(KETTLE, ALMATY, page, limit)


def test_reviews_are_asked_for_with_their_summary_and_hardly_any_text() -> None:
    call = KASPI.reviews(KETTLE)
    path, _, query = call.address.partition("?")
    assert call.method == "GET"
    assert path == "https://kaspi.kz/yml/review-view/api/v1/reviews/product/102298404"
    assert {"withAgg=true", "filter=COMMENT", "limit=1"} <= set(query.split("&"))
    assert call.headers["Referer"] == "https://kaspi.kz/shop/p/-102298404/"


def test_a_replica_is_asked_at_its_own_address() -> None:
    replica = Storefront("http://127.0.0.1:8801/")
    for call in (
        replica.product_page(KETTLE, ALMATY),
        replica.offers(KETTLE, ALMATY, 0),
        replica.reviews(KETTLE),
    ):
        assert call.address.startswith("http://127.0.0.1:8801/")
        assert call.headers["Referer"].startswith("http://127.0.0.1:8801/shop/")
