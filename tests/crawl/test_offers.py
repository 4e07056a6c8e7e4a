"""`scrapy crawl offers` from the work list: exactly what moved is remembered, and nothing else."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import attrs
import pytest

from tests.crawl.conftest import Opener
from tests.crawl.crawling import Ended, Workplace, lines_of, listed
from tests.crawl.market import ALMATY, ASTANA, Market, Quote
from tests.crawl.remembered import (
    Row,
    assert_consistent,
    board,
    board_at,
    events,
    offers,
    rows,
    runs,
)

#: Six hours, in which most rivals look at their prices more than once.
MINUTES = 360
#: The price for which a seller comes back who had left.
BACK_FOR = 4_321

Boards = dict[tuple[str, str], dict[str, Quote]]


@attrs.frozen(kw_only=True)
class State:
    """The memory after one crawl, and the moment when nothing was under way."""

    ended: Ended
    moment: datetime
    events: dict[str, int]
    boards: list[Row]
    products: list[Row]


@attrs.frozen(kw_only=True)
class Story:
    """Five crawls of one market: three while it stands still, one after its rivals moved, and one
    of Astana alone after a seller had come back.
    """

    market: Market
    place: Workplace
    first: State
    offers_again: State
    products_again: State
    after_moving: State
    back: State
    #: Whom we sent away from which board before the rivals moved.
    seller: str
    away: tuple[str, str]

    @property
    def keys(self) -> Iterator[tuple[str, str]]:
        return ((product, city) for product in self.market.offers for city in (ALMATY, ASTANA))

    def truth(self, moment: datetime) -> Boards:
        """All boards as the market's ledger knows them."""
        return {key: self.market.ledger(*key, at=moment) for key in self.keys}


def state(place: Workplace, ended: Ended) -> State:
    assert ended.code == 0, ended.said
    return State(
        ended=ended,
        moment=datetime.now(UTC),
        events=events(place.database),
        boards=rows(place.database, "SELECT * FROM boards ORDER BY product_id, city_id"),
        products=rows(place.database, "SELECT * FROM products ORDER BY id"),
    )


@pytest.fixture(scope="module")
def story(open_workplace: Opener, own_market: Market) -> Story:
    place = open_workplace(own_market.address)
    told = {"products": listed(own_market.offers), "cities": f"{ALMATY},{ASTANA}"}
    first = state(place, place.crawl("products", told))
    offers_again = state(place, place.crawl("offers"))
    products_again = state(place, place.crawl("products", told))
    own_market.advance(MINUTES)
    away = (next(iter(own_market.offers)), ASTANA)
    seller = min(own_market.ledger(*away))
    own_market.change(*away, seller, present=False)
    after_moving = state(place, place.crawl("offers"))
    own_market.change(*away, seller, present=True, price=BACK_FOR)
    return Story(
        market=own_market,
        place=place,
        first=first,
        offers_again=offers_again,
        products_again=products_again,
        after_moving=after_moving,
        back=state(place, place.crawl("offers", {"cities": "astana"})),
        seller=seller,
        away=away,
    )


@pytest.mark.parametrize("spider", ["offers_again", "products_again"])
def test_reading_again_what_has_not_changed_adds_no_row(story: Story, spider: str) -> None:
    assert getattr(story, spider).events == story.first.events


@pytest.mark.parametrize("spider", ["offers_again", "products_again"])
def test_reading_again_moves_checked_at_and_nothing_else_of_a_board(
    story: Story, spider: str
) -> None:
    again: State = getattr(story, spider)
    for before, after in zip(story.first.boards, again.boards, strict=True):
        assert before["checked_at"] < after["checked_at"]
        assert before["completed_at"] < after["completed_at"]
        moved = {name for name in before if before[name] != after[name]}
        assert moved == {"checked_at", "completed_at"}


def test_reading_offers_again_moves_the_products_checked_at(story: Story) -> None:
    for before, after in zip(story.first.products, story.offers_again.products, strict=True):
        assert {name for name in before if before[name] != after[name]} == {"checked_at"}
        assert before["checked_at"] < after["checked_at"]


def test_the_work_list_is_read_whole_and_once(story: Story) -> None:
    lines = lines_of(story.place.files("offers")[1])
    read = Counter((line["kaspi_id"], line["city_id"]) for line in lines)
    assert read == Counter(story.keys)
    assert story.after_moving.ended.figures["read and stored"] == len(read)


def test_the_board_now_is_the_true_one(story: Story) -> None:
    for product, city in story.keys:
        if city == ASTANA:
            truth = story.market.ledger(product, city)
            assert offers(story.place.database, product, city) == truth
            assert board_at(story.place.database, product, city, story.back.moment) == truth


@pytest.mark.parametrize("before", ["first", "offers_again", "products_again", "after_moving"])
def test_the_board_of_an_earlier_moment_is_what_it_was(story: Story, before: str) -> None:
    moment: datetime = getattr(story, before).moment
    for (product, city), truth in story.truth(moment).items():
        assert board_at(story.place.database, product, city, moment) == truth


def test_before_the_first_reading_there_is_no_board(story: Story) -> None:
    (first, *_) = runs(story.place.database)
    for product, city in story.keys:
        assert board_at(story.place.database, product, city, first["started_at"]) == {}


def test_exactly_what_moved_is_remembered(story: Story) -> None:
    expected = moved(
        story.truth(story.products_again.moment), story.truth(story.after_moving.moment)
    )
    assert min(expected["changed"], expected["gone"], expected["seen"]) > 0
    grown = {
        event: count - story.first.events.get(f"offer_history/{event}", 0)
        for event in ("seen", "changed", "gone", "returned")
        if (count := story.after_moving.events.get(f"offer_history/{event}", 0))
    }
    assert {event: count for event, count in grown.items() if count} == dict(expected)


def moved(before: Boards, after: Boards) -> Counter[str]:
    """What became of the sellers between two states in which each was seen."""
    counted: Counter[str] = Counter()
    for key, old in before.items():
        new = after[key]
        counted["gone"] += len(old.keys() - new.keys())
        counted["seen"] += len(new.keys() - old.keys())
        counted["changed"] += sum(old[seller] != new[seller] for seller in old.keys() & new.keys())
    return counted


def test_the_last_sentence_tells_what_moved(story: Story) -> None:
    expected = moved(
        story.truth(story.products_again.moment), story.truth(story.after_moving.moment)
    )
    figures = story.after_moving.ended.figures
    assert figures["changed"] == expected["changed"]
    assert figures["gone"] == expected["gone"]
    assert figures["offers first seen"] == expected["seen"]


def test_the_products_remember_their_home_prices_when_those_moved(story: Story) -> None:
    before, after = story.truth(story.first.moment), story.truth(story.after_moving.moment)
    home = [key for key in story.keys if key[1] == ALMATY]
    changed = sum(figures(before[key]) != figures(after[key]) for key in home)
    assert changed > 0
    assert story.after_moving.events["product_history/changed"] == changed


def figures(board: dict[str, Quote]) -> tuple[int | None, int | None, int]:
    prices = [price for price, _, _ in board.values()]
    return min(prices, default=None), max(prices, default=None), len(prices)


def test_a_quiet_crawl_and_a_busy_one_agree_with_themselves(story: Story) -> None:
    assert_consistent(story.place.database)
    assert [run["close_reason"] for run in runs(story.place.database)] == ["finished"] * 5


def test_who_left_and_came_back_has_returned(story: Story) -> None:
    database, key = story.place.database, story.away
    assert story.back.ended.figures["returned"] == 1
    assert story.seller in board_at(database, *key, story.products_again.moment)
    assert story.seller not in board_at(database, *key, story.after_moving.moment)
    assert offers(database, *key)[story.seller][0] == BACK_FOR


def test_a_chosen_city_is_the_only_one_that_is_read(story: Story) -> None:
    """The crawl that saw the seller's return was told to read Astana."""
    assert {line["city_id"] for line in story.place.lines("offers")} == {ASTANA}
    (*_, run) = runs(story.place.database)
    for product in story.market.offers:
        assert board(story.place.database, product, ASTANA)["checked_at"] > run["started_at"]
        assert board(story.place.database, product, ALMATY)["checked_at"] < run["started_at"]
