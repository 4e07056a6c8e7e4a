"""A listing's page is read card by card; what is no listing is told apart."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.listing import ListingKind, ListingQuery
from kaspi_crawler.pages.listing import ListingAnswer, ListingPart, ListingWall
from kaspi_crawler.pages.navigation import MenuPage
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.sitemap import CitySitemapPage, SitemapIndexPage
from tests.pages.building import ALMATY, answer, to_json

NOW = datetime(2026, 9, 18, 18, tzinfo=UTC)
KETTLES = ListingQuery(ListingKind.CATEGORY, "Kettles")
CARD = {"id": "104500100", "title": "Чайник"}
HTML = '<!DOCTYPE html><html lang="ru"><body>Обновите страницу</body></html>'


def outcome(body: object, page: int = 1, status: int = 200) -> Any:
    text = body if isinstance(body, str) else to_json(body)
    return ListingAnswer(answer(text, status), KETTLES, ALMATY, page, NOW).to_item()


def part(body: object, page: int = 1) -> ListingPart:
    read = outcome(body, page)
    assert isinstance(read, ListingPart), read
    return read


@pytest.mark.parametrize(
    ("body", "page"),
    [
        pytest.param({"data": [CARD]}, 0, id="a first page that is not wrapped"),
        pytest.param({"data": {"cards": [CARD]}}, 3, id="a later page that is"),
        pytest.param({"data": {"cards": [CARD], "total": "12"}}, 0, id="a total in quotes"),
        pytest.param(
            {"data": {"cards": [CARD], "treeCategory": "gone"}}, 0, id="a tree that has drifted"
        ),
        pytest.param(
            {"data": {"cards": [CARD], "externalSearchQueryInfo": None}}, 0, id="no query id"
        ),
        pytest.param({"data": [{**CARD, "unitPrice": {}, "hasVariants": "?"}]}, 1, id="odd fields"),
    ],
)
def test_a_page_is_read_though_it_is_not_quite_what_we_know(body: object, page: int) -> None:
    assert [card.card_id for card in part(body, page).cards] == ["104500100"]


def test_an_empty_page_is_an_answer() -> None:
    assert part({"data": []}).cards == ()
    first = part({"data": {"cards": [], "total": 0}}, 0)
    assert (first.cards, first.total) == ((), 0)


@pytest.mark.parametrize(
    ("body", "page", "status", "reason"),
    [
        pytest.param(HTML, 0, 200, "html_instead_of_json", id="a page in place of data"),
        pytest.param("<html>nginx</html>", 1, 403, "forbidden", id="no Referer, or too fast"),
        pytest.param(HTML, 1, 429, "too_many_requests", id="too many"),
        pytest.param('{"data": [', 1, 200, "truncated", id="an answer that broke off"),
        pytest.param("oops", 1, 502, "server_error", id="trouble"),
    ],
)
def test_a_refusal_is_asked_again(body: str, page: int, status: int, reason: str) -> None:
    read = outcome(body, page, status)
    assert isinstance(read, TryAgain)
    assert read.reason == reason


@pytest.mark.parametrize("body", [to_json({"status": 400}), HTML])
def test_behind_the_first_page_400_is_a_wall(body: str) -> None:
    assert outcome(body, 2, 400) == ListingWall()
    assert not isinstance(outcome(body, 0, 400), ListingWall)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"novelty": []}, id="no data"),
        pytest.param({"data": "later"}, id="data that is no list"),
        pytest.param({"data": {"items": []}}, id="no cards"),
        pytest.param([], id="a list"),
    ],
)
def test_what_is_not_understood_is_kept_to_be_looked_at(body: object) -> None:
    read = outcome(body)
    assert isinstance(read, Unreadable)
    assert "listing of category 'Kettles', city 750000000, page 1" in read.reason


@pytest.mark.parametrize(
    ("told", "product"),
    [
        pytest.param({"id": "104500100"}, "104500100", id="a card alone is its own product"),
        pytest.param({"id": "104500100", "configSku": "7777"}, "104500100", id="whatever it names"),
        pytest.param({"id": "11450020b", "configSku": " 7777 "}, "7777", id="a group names one"),
        pytest.param({"id": "11450020b"}, None, id="or none"),
        pytest.param({"id": "11450020b", "configSku": "11450021b"}, None, id="or another group"),
    ],
)
def test_the_product_to_read(told: dict[str, str], product: str | None) -> None:
    (card,) = part({"data": [{**CARD, **told}]}).cards
    assert card.kaspi_id == product
    assert card.has_variants == told["id"].endswith("b")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["id", "title", "unitPrice", "rating", "x"]), json_values))
def test_no_card_breaks_its_page(card: dict[str, Any]) -> None:
    read = part({"data": [card, CARD]})
    assert read.cards[-1].title == "Чайник"
    assert len(read.cards) + len(read.unreadable) == 2


@given(json_values)
def test_no_answer_breaks_a_reader(value: object) -> None:
    text = answer(to_json(value))
    for page in (
        ListingAnswer(text, KETTLES, ALMATY, 0, NOW),
        MenuPage(text, ALMATY, NOW),
        SitemapIndexPage(text),
        CitySitemapPage(text, ALMATY, NOW),
    ):
        assert page.to_item() is not None


# --- menu and sitemap ------------------------------------------------------------------------


def test_a_menu_without_a_category_is_not_understood() -> None:
    bodies: list[object] = [{"subNodes": []}, {"subNodes": [{"title": "Подборки"}]}, {"nodes": 1}]
    for body in bodies:
        read = MenuPage(answer(to_json(body)), ALMATY, NOW).to_item()
        assert isinstance(read, Unreadable), body
    assert isinstance(MenuPage(answer(HTML), ALMATY, NOW).to_item(), TryAgain)


SITEMAP = '<{0} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{1}</{0}>'


def test_the_sitemaps_of_cities_are_found_wherever_they_lie() -> None:
    links = "".join(
        f"<sitemap><loc>https://kaspi.kz/{name}</loc></sitemap>"
        for name in ("a/Category-ru-KZT-almaty.xml", "b/Content.xml", "Category-ru-KZT-aktau.xml")
    )
    assert SitemapIndexPage(answer(SITEMAP.format("sitemapindex", links))).to_item() == {
        "almaty": "https://kaspi.kz/a/Category-ru-KZT-almaty.xml",
        "aktau": "https://kaspi.kz/Category-ru-KZT-aktau.xml",
    }


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        pytest.param(SITEMAP.format("sitemapindex", ""), 200, Unreadable, id="nothing in it"),
        pytest.param(HTML, 200, TryAgain, id="a page in its place"),
        pytest.param("<html>nginx</html>", 403, TryAgain, id="refused"),
        pytest.param("", 200, TryAgain, id="nothing"),
        pytest.param('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 200, TryAgain, id="no sitemap"),
    ],
)
def test_what_is_no_sitemap_is_told_apart(body: str, status: int, kind: type) -> None:
    assert isinstance(SitemapIndexPage(answer(body, status)).to_item(), kind)
    assert isinstance(CitySitemapPage(answer(body, status), ALMATY, NOW).to_item(), kind)
