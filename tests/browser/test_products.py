"""`scrapy crawl products` with a browser: what scripts build is read as if it stood on the page."""

import json
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from tests.browser.scripted import by_script, greedy, recorded_in
from tests.crawl import liar as lies
from tests.crawl.conftest import Opener
from tests.crawl.crawling import Ended, Line, Workplace, listed
from tests.crawl.liar import Liar, after, lying
from tests.crawl.market import Market
from tests.crawl.remembered import assert_consistent, product
from tests.crawl.test_products import CARDS

BUILT, BUILT_LATE, BUILT_BESIDE_MARKUP, PLAIN, SHELL_ONCE, MARKUP_ALONE, SHELL = list(CARDS)[7:14]
#: What differs between two readings of one card.
MOVING = {"rung", "link", "first_seen_at", "checked_at"}

pytestmark = pytest.mark.usefixtures("chromium")


@pytest.fixture
def own_liar(market: Market) -> Iterator[Liar]:
    with lying(market.address) as liar:
        yield liar


@pytest.fixture(scope="module")
def crawled(market: Market, open_workplace: Opener) -> Iterator[tuple[Workplace, Ended, Liar]]:
    """One crawl of pages of every kind."""
    with lying(market.address) as liar:
        liar.lie("page", BUILT, by_script())
        liar.lie("page", BUILT_LATE, by_script(after_milliseconds=300))
        liar.lie("page", BUILT_BESIDE_MARKUP, by_script(with_markup=True))
        liar.lie("page", SHELL_ONCE, after(1, lies.honestly, before=lies.EMPTY_SHELL))
        liar.lie("page", MARKUP_ALONE, by_script(with_markup=True, never=True))
        liar.lie("page", SHELL, lies.EMPTY_SHELL)
        place = open_workplace(liar.address)
        products = [
            BUILT, BUILT_LATE, BUILT_BESIDE_MARKUP, PLAIN, SHELL_ONCE, MARKUP_ALONE, SHELL,
        ]  # fmt: skip
        settings = {"BROWSER_STATE_TIMEOUT": 2}
        ended = place.crawl("products", {"products": listed(products)}, settings=settings)
        yield place, ended, liar


@pytest.fixture(scope="module")
def honest(open_workplace: Opener) -> dict[str, Line]:
    """The same products as plain pages tell of them."""
    place = open_workplace()
    place.crawl("products", {"products": listed(list(CARDS)[7:14]), "browser": "never"})
    return {line["kaspi_id"]: line for line in place.latest("products")}


@pytest.mark.parametrize(
    ("kaspi_id", "rung", "looks"),
    [
        pytest.param(BUILT, "browser", 3, id="built by its scripts: twice plainly, then once"),
        pytest.param(BUILT_LATE, "browser", 3, id="built when the page has long come"),
        pytest.param(BUILT_BESIDE_MARKUP, "browser", 3, id="a lower rung is not enough"),
        pytest.param(MARKUP_ALONE, "ld+json", 3, id="what no browser betters is kept as it was"),
        pytest.param(PLAIN, "state", 1, id="a page with its state needs no browser"),
        pytest.param(SHELL_ONCE, "state", 2, id="the second look is plain"),
        pytest.param(SHELL, None, 5, id="a shell also to the browser, which asks again"),
    ],
)
def test_how_often_a_page_is_looked_at(
    crawled: tuple[Workplace, Ended, Liar], kaspi_id: str, rung: str | None, looks: int
) -> None:
    place, _, liar = crawled
    assert liar.asked["page", kaspi_id] == looks
    found = {line["kaspi_id"]: line["rung"] for line in place.latest("products")}
    assert found.get(kaspi_id) == rung


@pytest.mark.parametrize("kaspi_id", [BUILT, BUILT_LATE, BUILT_BESIDE_MARKUP])
def test_the_browser_misses_nothing_and_invents_nothing(
    crawled: tuple[Workplace, Ended, Liar], honest: dict[str, Line], kaspi_id: str
) -> None:
    (told,) = (line for line in crawled[0].latest("products") if line["kaspi_id"] == kaspi_id)
    assert _standing(told) == _standing(honest[kaspi_id])
    assert product(crawled[0].database, kaspi_id)["rung"] == "browser"


def _standing(line: Line) -> Line:
    return {name: value for name, value in line.items() if name not in MOVING}


def test_a_shell_is_told_of_and_the_memory_holds_together(
    crawled: tuple[Workplace, Ended, Liar],
) -> None:
    place, ended, _ = crawled
    assert ended.reason == "finished"
    told, _ = place.set_aside("products")[SHELL, "750000000"]
    assert "empty_shell" in told["reason"]
    assert_consistent(place.database)


@pytest.mark.parametrize("kind", ["js_state", "js_state_fetched"])
def test_what_the_sandbox_builds_by_script_is_read(
    market: Market, open_workplace: Opener, kind: str
) -> None:
    faults = Request(f"{market.address}/sandbox/faults")  # noqa: S310
    try:
        urlopen(faults, json.dumps({"random": {kind: 1}}).encode(), timeout=10).close()  # noqa: S310
        place = open_workplace()
        ended = place.crawl("products", {"products": listed([BUILT, PLAIN])})
    finally:
        urlopen(faults, b"{}", timeout=10).close()  # noqa: S310
    assert ended.code == 0
    assert {line["rung"] for line in place.latest("products")} == {"browser"}


def test_never_asks_no_browser(own_liar: Liar, open_workplace: Opener) -> None:
    own_liar.lie("page", BUILT, by_script())
    own_liar.lie("page", BUILT_BESIDE_MARKUP, by_script(with_markup=True))
    place = open_workplace(own_liar.address)
    chosen = {"products": listed([BUILT, BUILT_BESIDE_MARKUP]), "browser": "never"}
    place.crawl("products", chosen)
    assert own_liar.asked["page", BUILT_BESIDE_MARKUP] == 1
    assert [line["rung"] for line in place.latest("products")] == ["ld+json"]


def test_always_asks_only_the_browser_for_pages(own_liar: Liar, open_workplace: Opener) -> None:
    place = open_workplace(own_liar.address)
    ended = place.crawl("products", {"products": listed([BUILT, PLAIN]), "browser": "always"})
    assert ended.code == 0
    assert {line["rung"] for line in place.latest("products")} == {"browser"}
    assert (own_liar.asked["page", BUILT], own_liar.asked["page", PLAIN]) == (1, 1)
    assert own_liar.asked["offers", BUILT] == 1


def test_what_builds_no_state_is_not_loaded(own_liar: Liar, open_workplace: Opener) -> None:
    wishes: list[str] = []
    own_liar.lie("page", BUILT, greedy)
    own_liar.lie("other", "", recorded_in(wishes))
    place = open_workplace(own_liar.address)
    assert place.crawl("products", {"products": BUILT, "browser": "always"}).code == 0
    # The page's own script for tests of the front is the marketplace's.
    assert {wish for wish in wishes if "/wish/" in wish} == {"/wish/own.js"}


def test_the_browser_leaves_through_the_exit_of_its_request(
    own_liar: Liar, open_workplace: Opener, market: Market
) -> None:
    # The liar is the proxy: the crawl knows the market's own address alone.
    own_liar.lie("page", "*", by_script())
    place = open_workplace(market.address)
    exit_ = {"http_proxy": own_liar.address, "no_proxy": ""}
    ended = place.crawl("products", {"products": BUILT}, environment=exit_)
    assert ended.code == 0
    assert own_liar.asked["page", BUILT] == 3
    assert [line["rung"] for line in place.latest("products")] == ["browser"]
