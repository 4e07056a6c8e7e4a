"""Naming categories, searches and merchants, and asking for their listings."""

from urllib.parse import parse_qs, urlsplit

import pytest

from domain.identity import CityId
from domain.listing import ListingKind, ListingQuery
from partners.call import Call
from partners.kaspi.storefront import Storefront
from partners.kaspi.storefront_listing import (
    Listings,
    NotAListing,
    category_code,
    has_sitemap,
    merchant_id,
    search_text,
    sitemap_city,
)

ALMATY, ASTANA, AKTOBE = map(CityId, ("750000000", "710000000", "151010000"))
ASK = Listings(Storefront("https://kaspi.kz"))
PHONES = ListingQuery(ListingKind.CATEGORY, "Smartphones and gadgets")
SEARCH = ListingQuery(ListingKind.SEARCH, "чайник 1,7 л")
SHOP = ListingQuery(ListingKind.MERCHANT, "11271005")
CALLS = {
    "a category's first page": ASK.first(PHONES, ALMATY),
    "a later page": ASK.following(PHONES, ALMATY, 3, "q-1"),
    "a search": ASK.first(SEARCH, ASTANA),
    "a merchant": ASK.first(SHOP, AKTOBE),
    "the menu": ASK.menu(ALMATY),
    "the sitemap": ASK.sitemap(),
}


@pytest.mark.parametrize("code", ["Smartphones", "TV_Audio", "Boy t-shirts", "Categories"])
def test_a_category_is_named_by_its_code_known_or_not(code: str) -> None:
    assert category_code(f" {code} ") == code


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("смартфоны", id="its title"),
        pytest.param("https://kaspi.kz/shop/c/smartphones/", id="its address"),
        pytest.param("Smartphones:availableInZones:1", id="a filter of one's own"),
        pytest.param("x" * 101, id="a novel"),
    ],
)
def test_what_is_no_category_is_refused_with_a_right_one(text: str) -> None:
    with pytest.raises(NotAListing, match="looks like Smartphones"):
        category_code(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("11271005", id="an id"),
        pytest.param("https://kaspi.kz/shop/info/merchant/11271005/?merchantId=1", id="an address"),
        pytest.param("/shop/info/merchant/11271005/review/?productCode=1", id="out of a page"),
    ],
)
def test_a_merchant_is_named_by(text: str) -> None:
    assert merchant_id(text) == "11271005"


def test_a_merchant_may_be_a_word() -> None:
    assert merchant_id("Satel") == "Satel"


@pytest.mark.parametrize("text", ["", "ИП Пример", "a:b", "https://kaspi.kz/shop/p/-1/"])
def test_what_is_no_merchant_is_refused_with_a_right_one(text: str) -> None:
    with pytest.raises(NotAListing, match="looks like 11271005"):
        merchant_id(text)


def test_a_search_text_is_any_text_with_single_spaces() -> None:
    assert search_text("  чайник\n 1,7 л ") == "чайник 1,7 л"
    for nothing in ("", "  ", "x" * 201):
        with pytest.raises(NotAListing, match="looks like iphone 15"):
            search_text(nothing)


@pytest.mark.parametrize("name", CALLS)
def test_every_question_comes_from_a_browser_inside_the_shop(name: str) -> None:
    headers = CALLS[name].headers
    assert headers["User-Agent"].startswith("Mozilla/5.0")
    assert headers["Referer"].startswith("https://kaspi.kz/shop/")
    assert all(value.isascii() for value in headers.values())
    assert CALLS[name].address.isascii()


def asked(call: Call) -> dict[str, str]:
    found = parse_qs(urlsplit(call.address).query, keep_blank_values=True)
    return {name: values[0] for name, values in found.items()}


def test_the_first_page_is_asked_for_by_filters_and_the_others_by_results() -> None:
    first, later = CALLS["a category's first page"], CALLS["a later page"]
    assert urlsplit(first.address).path == "/yml/product-view/pl/filters"
    assert urlsplit(later.address).path == "/yml/product-view/pl/results"
    assert asked(first)["page"] == "0"
    assert (asked(later)["page"], asked(later)["requestId"]) == ("3", "q-1")
    assert "requestId" not in asked(ASK.following(PHONES, ALMATY, 1, None))
    with pytest.raises(ValueError, match="page 0"):
        ASK.following(PHONES, ALMATY, 0, None)


@pytest.mark.parametrize(
    ("name", "filters", "text", "city"),
    [
        pytest.param(
            "a category's first page",
            ":category:Smartphones and gadgets:availableInZones:Magnum_ZONE1",
            "",
            ALMATY,
            id="a category in Almaty",
        ),
        pytest.param(
            "a search", ":availableInZones:Magnum_ZONE5", "чайник 1,7 л", ASTANA, id="in Astana"
        ),
        pytest.param(
            "a merchant",
            ":allMerchants:11271005:availableInZones:151010000",
            "",
            AKTOBE,
            id="elsewhere the zone is the city",
        ),
    ],
)
def test_the_question_names(name: str, filters: str, text: str, city: str) -> None:
    call = CALLS[name]
    assert (asked(call)["q"], asked(call)["text"], asked(call)["c"]) == (filters, text, city)
    assert call.headers["X-KS-City"] == city


def test_a_sitemap_is_read_from_our_storefront_wherever_it_says_it_lies() -> None:
    link = "https://elsewhere.example/shop/files/Category-ru-KZT-almaty.xml?v=1"
    assert sitemap_city(link) == "almaty"
    call = Listings(Storefront("http://127.0.0.1:8801")).sitemap_of(link)
    assert call.address == "http://127.0.0.1:8801/shop/files/Category-ru-KZT-almaty.xml"
    assert sitemap_city("https://kaspi.kz/shop/Content-ru-KZT.xml") is None


def test_the_sitemaps_of_cities_that_we_can_name_are_at_hand() -> None:
    assert has_sitemap(ALMATY)
    assert not has_sitemap(CityId("470000000"))
