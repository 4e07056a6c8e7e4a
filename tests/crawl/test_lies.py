"""A storefront that refuses, breaks off, mixes up or shifts: nothing false is remembered."""

from collections import Counter
from collections.abc import Iterator

import attrs
import pytest

from tests.crawl import liar as lies
from tests.crawl.conftest import Opener
from tests.crawl.crawling import Ended, Line, Workplace, listed
from tests.crawl.liar import Liar, Lie, after, lying, page_of
from tests.crawl.market import ALMATY, Market
from tests.crawl.remembered import Row, assert_consistent, board, events, offers, product, row, rows
from tests.crawl.test_products import CARDS, CROWDED, LONELY

#: Products with one page of offers in Almaty, each for one lie.
VICTIMS = list(CARDS)[7:]
#: Read last, and honestly answered.
HONEST = list(CARDS)[5]
#: Short, because one lie is not to answer; long enough for many refusals in a row.
SETTINGS = {"DOWNLOAD_TIMEOUT": 1, "BLOCKED_IN_A_ROW": 1_000}


@attrs.frozen(kw_only=True)
class Refusal:
    """A lie after which nothing is known, and how the crawl tells of it."""

    lie: Lie
    reason: str
    remedy: str


REFUSALS = {
    "a page in place of data": Refusal(
        lie=lies.HTML_FOR_JSON, reason="html_instead_of_json", remedy="pause this address"
    ),
    "429 with Retry-After": Refusal(
        lie=lies.TOO_MANY, reason="too_many_requests", remedy="ask more slowly"
    ),
    "403 of nginx": Refusal(lie=lies.FORBIDDEN, reason="forbidden", remedy="another proxy"),
    "405 for POST": Refusal(
        lie=lies.NOT_ALLOWED, reason="method_not_allowed", remedy="another proxy"
    ),
    "502": Refusal(lie=lies.TROUBLE, reason="server_error", remedy="ask again in a minute"),
    "a captcha": Refusal(lie=lies.CAPTCHA, reason="captcha", remedy="rest it"),
    "half of the JSON": Refusal(lie=lies.truncated, reason="truncated", remedy="ask again"),
    "silence": Refusal(lie=lies.hanging, reason="no answer", remedy="scrapy doctor"),
    "a broken connection": Refusal(lie=lies.reset, reason="no answer", remedy="scrapy doctor"),
}
#: Those in which nothing came that could be kept.
SILENT = [name for name, refusal in REFUSALS.items() if refusal.reason == "no answer"]
REFUSED = dict(zip(REFUSALS, VICTIMS, strict=False))
#: One more product for each lie that tells a part of the truth.
BROKEN_PRICE, LARGER_TOTAL, PAGES_OF_TEN = VICTIMS[len(REFUSED) : len(REFUSED) + 3]
#: Boards of three and two pages.
SHIFTING, SECOND_PAGE_REFUSED = CROWDED, list(CARDS)[1]

PAGE_REFUSALS = {
    "the shell of a page": Refusal(
        lie=lies.EMPTY_SHELL, reason="empty_shell", remedy="ask again in a few seconds"
    ),
    "a captcha": Refusal(lie=lies.CAPTCHA, reason="captcha", remedy="rest it"),
    "403 of nginx": Refusal(lie=lies.FORBIDDEN, reason="forbidden", remedy="another proxy"),
    "half of the page": Refusal(lie=lies.truncated, reason="truncated", remedy="ask again"),
    "another product's page": Refusal(
        lie=page_of(LONELY), reason="other_product", remedy=f"The page is that of {LONELY}"
    ),
}
PAGE_REFUSED = dict(zip(PAGE_REFUSALS, VICTIMS, strict=False))
OFFERS_REFUSED, REVIEWS_REFUSED, VANISHED, EMPTIED, EMPTIED_ONCE = VICTIMS[
    len(PAGE_REFUSED) : len(PAGE_REFUSED) + 5
]
READ = [*VICTIMS[:12], SHIFTING, SECOND_PAGE_REFUSED, LONELY, HONEST]


@attrs.frozen(kw_only=True)
class Lied:
    """A crawl that was lied to, after one that heard the truth."""

    place: Workplace
    market: Market
    liar: Liar
    ended: Ended
    spider: str
    asked: Counter[tuple[str, str]]
    events: dict[str, int]
    lines: list[Line]
    boards: dict[str, Row]
    set_aside: dict[tuple[str, str | None], tuple[Line, bytes]]

    @property
    def database(self) -> str:
        return self.place.database


@pytest.fixture(scope="module")
def place(open_workplace: Opener, liar: Liar) -> Workplace:
    """Where every product has been read before, when nobody lied."""
    place = open_workplace(liar.address)
    ended = place.crawl("products", {"products": listed(READ), "cities": ALMATY})
    assert ended.figures["read and stored"] == len(READ)
    return place


def crawl(place: Workplace, market: Market, liar: Liar, spider: str) -> Lied:
    liar.asked.clear()
    told = {"products": listed(READ), "cities": ALMATY}
    ended = place.crawl(spider, told, settings=SETTINGS)
    return Lied(
        place=place,
        market=market,
        liar=liar,
        ended=ended,
        spider=spider,
        asked=liar.asked.copy(),
        events=events(place.database),
        lines=place.lines(spider),
        boards={kaspi_id: board(place.database, kaspi_id, ALMATY) for kaspi_id in READ},
        set_aside=place.set_aside(spider),
    )


@pytest.fixture(scope="module")
def offers_lied(place: Workplace, market: Market, liar: Liar) -> Lied:
    for name, refused in REFUSED.items():
        liar.lie("offers", refused, REFUSALS[name].lie)
    liar.lie("offers", BROKEN_PRICE, lies.broken_price)
    liar.lie("offers", LARGER_TOTAL, lies.larger_total)
    liar.lie("offers", PAGES_OF_TEN, lies.pages_of_ten)
    liar.lie("offers", SHIFTING, lies.shifting)
    liar.lie("offers", SECOND_PAGE_REFUSED, lies.on_page(1, lies.HTML_FOR_JSON))
    lied = crawl(place, market, liar, "offers")
    liar.lies.clear()
    return lied


@pytest.fixture(scope="module")
def pages_lied(offers_lied: Lied, place: Workplace, market: Market, liar: Liar) -> Lied:
    """A crawl of whole products, after that of the offers."""
    for name, refused in PAGE_REFUSED.items():
        liar.lie("page", refused, PAGE_REFUSALS[name].lie)
    liar.lie("offers", OFFERS_REFUSED, lies.HTML_FOR_JSON)
    liar.lie("reviews", REVIEWS_REFUSED, lies.TROUBLE)
    liar.lie("page", VANISHED, lies.NOT_FOUND)
    liar.lie("offers", EMPTIED, lies.nobody)
    liar.lie("offers", EMPTIED_ONCE, after(1, lies.honestly, before=lies.nobody))
    lied = crawl(place, market, liar, "products")
    liar.lies.clear()
    return lied


# --- Lies about offers ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", REFUSALS)
def test_what_could_not_be_read_is_named_with_reason_and_remedy(
    offers_lied: Lied, name: str
) -> None:
    refusal, refused = REFUSALS[name], REFUSED[name]
    (told,) = offers_lied.ended.sentences_about(f"Product {refused}", "was not read")
    assert refusal.reason in told
    assert refusal.remedy in told
    assert ALMATY in told


@pytest.mark.parametrize("name", [name for name in REFUSALS if name not in SILENT])
def test_its_bytes_are_set_aside_with_a_description(offers_lied: Lied, name: str) -> None:
    described, body = offers_lied.set_aside[REFUSED[name], ALMATY]
    assert REFUSALS[name].reason in described["reason"]
    assert REFUSALS[name].remedy in described["remedy"]
    assert described["address"] == (
        f"{offers_lied.liar.address}/yml/offer-view/offers/{REFUSED[name]}"
    )
    assert body
    assert described["status"]


@pytest.mark.parametrize("name", SILENT)
def test_where_no_answer_came_nothing_is_set_aside(offers_lied: Lied, name: str) -> None:
    assert (REFUSED[name], ALMATY) not in offers_lied.set_aside


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_board_stays_as_it_was(offers_lied: Lied, name: str) -> None:
    refused = REFUSED[name]
    assert offers(offers_lied.database, refused, ALMATY) == offers_lied.market.ledger(
        refused, ALMATY
    )
    held = offers_lied.boards[refused]
    assert held["complete"]
    assert held["checked_at"] < began(offers_lied)
    assert [line for line in offers_lied.lines if line["kaspi_id"] == refused] == []


def began(lied: Lied) -> object:
    return row(lied.database, "SELECT max(started_at) FROM runs WHERE spider = %s", lied.spider)[
        "max"
    ]


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_asked_for_again_twice(offers_lied: Lied, name: str) -> None:
    assert offers_lied.asked["offers", REFUSED[name]] == 3


def test_nobody_is_said_to_have_left(offers_lied: Lied) -> None:
    assert set(offers_lied.events) == {"offer_history/seen", "product_history/seen"}


def test_no_board_is_remembered_as_empty(offers_lied: Lied) -> None:
    for kaspi_id, held in offers_lied.boards.items():
        assert held["total"] > 0, kaspi_id
        assert held["seller_amount"] == len(offers_lied.market.ledger(kaspi_id, ALMATY))


def test_the_others_are_stored(offers_lied: Lied) -> None:
    assert offers_lied.ended.code == 0
    for kaspi_id in set(READ) - set(REFUSED.values()):
        assert offers_lied.boards[kaspi_id]["checked_at"] > began(offers_lied)


def test_one_broken_price_costs_one_offer(offers_lied: Lied) -> None:
    (line,) = (line for line in offers_lied.lines if line["kaspi_id"] == BROKEN_PRICE)
    truth = offers_lied.market.ledger(BROKEN_PRICE, ALMATY)
    assert (line["complete"], line["total"]) == (False, len(truth))
    assert len(line["offers"]) == len(truth) - 1
    assert not offers_lied.boards[BROKEN_PRICE]["complete"]
    assert offers(offers_lied.database, BROKEN_PRICE, ALMATY) == truth
    (told,) = offers_lied.ended.sentences_about(f"Product {BROKEN_PRICE}", "no price in 'нет'")
    assert "merchant" in told
    _, body = offers_lied.set_aside[BROKEN_PRICE, ALMATY]
    assert "нет" in body.decode() or "\\u043d\\u0435\\u0442" in body.decode()


def test_a_total_that_is_never_held_leaves_the_board_incomplete(offers_lied: Lied) -> None:
    truth = offers_lied.market.ledger(LARGER_TOTAL, ALMATY)
    held = offers_lied.boards[LARGER_TOTAL]
    assert (held["complete"], held["total"]) == (False, len(truth) + 10)
    assert offers(offers_lied.database, LARGER_TOTAL, ALMATY) == truth


def test_an_incomplete_board_is_named_with_what_is_missing(offers_lied: Lied) -> None:
    truth = offers_lied.market.ledger(LARGER_TOTAL, ALMATY)
    (told,) = offers_lied.ended.sentences_about(LARGER_TOTAL, "incomplete")
    assert f"{len(truth)} of {len(truth) + 10}" in told
    assert ALMATY in told


def test_shorter_pages_than_asked_for_are_read_to_the_end(offers_lied: Lied) -> None:
    truth = offers_lied.market.ledger(PAGES_OF_TEN, ALMATY)
    assert offers_lied.boards[PAGES_OF_TEN]["complete"]
    assert offers(offers_lied.database, PAGES_OF_TEN, ALMATY) == truth
    (line,) = (line for line in offers_lied.lines if line["kaspi_id"] == PAGES_OF_TEN)
    assert len(line["offers"]) == len(truth)


def test_pages_that_shift_invent_nobody_and_lose_nobody(offers_lied: Lied) -> None:
    truth = offers_lied.market.ledger(SHIFTING, ALMATY)
    (line,) = (line for line in offers_lied.lines if line["kaspi_id"] == SHIFTING)
    assert line["total"] == len(truth)
    assert line["complete"] == (len(line["offers"]) == len(truth))
    assert offers(offers_lied.database, SHIFTING, ALMATY) == truth


def test_what_was_read_before_a_refused_page_is_kept(offers_lied: Lied) -> None:
    (line,) = (line for line in offers_lied.lines if line["kaspi_id"] == SECOND_PAGE_REFUSED)
    assert (line["complete"], len(line["offers"]), line["total"]) == (False, 64, 65)
    truth = offers_lied.market.ledger(SECOND_PAGE_REFUSED, ALMATY)
    assert offers(offers_lied.database, SECOND_PAGE_REFUSED, ALMATY) == truth
    assert offers_lied.ended.sentences_about(
        f"Product {SECOND_PAGE_REFUSED}", "html_instead_of_json"
    )


# --- Lies about pages and reviews ----------------------------------------------------------------


@pytest.mark.parametrize("name", PAGE_REFUSALS)
def test_a_page_that_could_not_be_read_is_named_and_set_aside(pages_lied: Lied, name: str) -> None:
    refusal, refused = PAGE_REFUSALS[name], PAGE_REFUSED[name]
    (told,) = pages_lied.ended.sentences_about(f"Product {refused}", "was not read")
    assert refusal.reason in told
    assert refusal.remedy in told
    described, body = pages_lied.set_aside[refused, ALMATY]
    assert refusal.reason in described["reason"]
    assert body


@pytest.mark.parametrize("name", PAGE_REFUSALS)
def test_a_product_whose_page_was_refused_stays_as_it_was(pages_lied: Lied, name: str) -> None:
    refused = PAGE_REFUSED[name]
    told = product(pages_lied.database, refused)
    assert told["name"] == CARDS[refused].title
    assert told["gone_at"] is None
    assert told["card_checked_at"] < began(pages_lied)


def test_a_product_without_its_offers_keeps_its_card_and_its_prices(pages_lied: Lied) -> None:
    told = product(pages_lied.database, OFFERS_REFUSED)
    assert told["card_checked_at"] > began(pages_lied)
    assert told["seller_amount"] == len(pages_lied.market.ledger(OFFERS_REFUSED, ALMATY))
    assert pages_lied.boards[OFFERS_REFUSED]["checked_at"] < began(pages_lied)
    (line,) = (line for line in pages_lied.lines if line["kaspi_id"] == OFFERS_REFUSED)
    assert (line["boards"], line["min_price"], line["seller_amount"]) == ([], None, None)


def test_a_product_without_its_reviews_keeps_its_rating(pages_lied: Lied) -> None:
    told = product(pages_lied.database, REVIEWS_REFUSED)
    assert told["card_checked_at"] > began(pages_lied)
    assert told["reviews_checked_at"] < began(pages_lied)
    assert told["rating_amount"] == len(pages_lied.market.reviews(REVIEWS_REFUSED))
    assert pages_lied.ended.sentences_about(f"Product {REVIEWS_REFUSED}", "server_error")


def test_a_product_that_vanished_is_gone_and_nothing_else_is(pages_lied: Lied) -> None:
    assert product(pages_lied.database, VANISHED)["gone_at"] > began(pages_lied)
    gone = rows(
        pages_lied.database,
        "SELECT kaspi_id, event::text FROM product_history WHERE event <> 'seen'",
    )
    assert gone == [{"kaspi_id": VANISHED, "event": "gone"}]
    assert pages_lied.events["product_history/gone"] == 1
    assert "offer_history/gone" not in pages_lied.events
    assert pages_lied.ended.sentences_about("no product", VANISHED)


def test_a_product_that_comes_back_has_returned(pages_lied: Lied) -> None:
    place = pages_lied.place
    told = {"products": VANISHED, "cities": ALMATY}
    assert place.crawl("products", told).code == 0
    assert product(place.database, VANISHED)["gone_at"] is None
    assert events(place.database)["product_history/returned"] == 1
    assert_consistent(place.database)


@pytest.mark.parametrize(
    ("emptied", "complete"),
    [
        pytest.param(EMPTIED, False, id="again and again, though the page shows a price"),
        pytest.param(EMPTIED_ONCE, True, id="once"),
    ],
)
def test_a_board_that_is_said_to_be_empty_sends_nobody_away(
    pages_lied: Lied, emptied: str, complete: bool
) -> None:
    assert offers(pages_lied.database, emptied, ALMATY) == pages_lied.market.ledger(emptied, ALMATY)
    assert pages_lied.boards[emptied]["complete"] is complete
    assert (
        bool(pages_lied.ended.sentences_about(emptied, "Nobody is said to have left")) != complete
    )


# --- Everything is refused -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def blocked(open_workplace: Opener, market: Market) -> Iterator[tuple[Workplace, Liar, Ended]]:
    with lying(market.address) as liar:
        for kind in ("page", "offers", "reviews"):
            liar.lie(kind, "*", lies.TOO_MANY)
        place = open_workplace(liar.address)
        yield place, liar, place.crawl("offers", {"products": listed(CARDS)})


def test_a_crawl_that_is_refused_everywhere_ends_as_blocked(
    blocked: tuple[Workplace, Liar, Ended],
) -> None:
    place, _, ended = blocked
    assert (ended.code, ended.reason) == (1, "blocked")
    assert row(place.database, "SELECT close_reason FROM runs")["close_reason"] == "blocked"


def test_it_says_what_happened_and_what_helps(blocked: tuple[Workplace, Liar, Ended]) -> None:
    _, _, ended = blocked
    (told,) = ended.sentences_about("in a row were refused")
    assert "too_many_requests" in told
    assert "KASPI_DELAY" in told


def test_it_does_not_go_on_asking(blocked: tuple[Workplace, Liar, Ended]) -> None:
    """Twelve refusals, and what was under way beside them."""
    _, liar, _ = blocked
    assert 12 <= sum(liar.asked.values()) <= 60


def test_it_remembers_nothing(blocked: tuple[Workplace, Liar, Ended]) -> None:
    place, _, _ = blocked
    assert rows(place.database, "SELECT * FROM products") == []
    assert place.lines("offers") == []


def test_a_storefront_that_is_not_there_is_not_asked_for_everything(
    workplace: Workplace,
) -> None:
    """Nobody listens on port 9, the first that is free for nobody."""
    nowhere = attrs.evolve(workplace, kaspi_url="http://127.0.0.1:9")
    told = {"products": listed(CARDS), "cities": "almaty,astana,shymkent,karaganda,aktobe,aktau"}
    ended = nowhere.crawl("offers", told, settings={"RETRY_TIMES": 0})
    assert (ended.code, ended.reason) == (1, "blocked")
    assert 12 <= len(ended.sentences_about("no answer", "scrapy doctor")) < 6 * len(CARDS) / 2


# --- Lies that pass ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def outlasted(open_workplace: Opener, market: Market) -> Iterator[tuple[Workplace, Ended]]:
    """A crawl that was refused once by every question; one product is named by a short link."""
    with lying(market.address) as liar:
        for kind in ("page", "offers", "reviews"):
            liar.lie(kind, "*", after(1, lies.honestly, before=lies.FORBIDDEN))
        liar.lie("other", "", lies.leading_to(f"https://kaspi.kz/shop/p/any-words-{HONEST}/"))
        place = open_workplace(liar.address)
        told = {"products": f"{LONELY},https://l.kaspi.kz/shp/8fK-2x", "cities": ALMATY}
        yield place, place.crawl("products", told)


def test_refusals_that_pass_are_outlasted(outlasted: tuple[Workplace, Ended]) -> None:
    place, ended = outlasted
    assert (ended.code, ended.reason) == (0, "finished")
    assert ended.figures["read and stored"] == 2
    assert place.set_aside("products") == {}


def test_a_short_link_is_followed_to_its_product(outlasted: tuple[Workplace, Ended]) -> None:
    place, _ = outlasted
    assert product(place.database, HONEST)["name"] == CARDS[HONEST].title
