"""A listing is read to its end, whatever its pages do, and the end is said."""

from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity import CityId, ProductId
from domain.listing import ListedCard, ListingKind, ListingQuery
from kaspi_crawler.pages.listing import ListingPart
from kaspi_crawler.pages.walk import Ending, ListingWalk

CITY = CityId("750000000")
NOW = datetime(2026, 9, 18, 18, tzinfo=UTC)
LONGEST = 60


def card(number: int) -> ListedCard:
    return ListedCard(
        card_id=ProductId(str(100_000 + number)),
        kaspi_id=ProductId(str(100_000 + number)),
        has_variants=False,
        title=f"Чайник {number}",
        brand=None,
        category_id=None,
        category_codes=(),
        unit_price=None,
        sale_price=None,
        price_before_discount=None,
        discount_percent=None,
        rating=None,
        review_amount=None,
        delivery_duration=None,
        link=None,
        place=1,
    )


def part(*numbers: int, total: int | None = None, asked_as: str | None = None) -> ListingPart:
    return ListingPart(
        cards=tuple(map(card, numbers)), total=total, asked_as=asked_as, categories=()
    )


def walk(kind: ListingKind = ListingKind.CATEGORY, depth: int | None = None) -> ListingWalk:
    return ListingWalk(query=ListingQuery(kind, "x"), city=CITY, depth=depth, longest=LONGEST)


def walked(pages: list[ListingPart], first: ListingWalk | None = None) -> ListingWalk:
    """Walk as long as the walk goes on; behind the pages there are empty ones."""
    reading = first or walk()
    for number in count():
        if reading.ending:
            return reading
        reading = reading.add(pages[number] if number < len(pages) else part())
    raise AssertionError("unreachable")


def numbers(first: int, last: int) -> range:
    return range(first, last)


@pytest.mark.parametrize(
    ("pages", "ending", "held", "asked"),
    [
        pytest.param([part()], Ending.EMPTY, 0, 1, id="nothing at all"),
        pytest.param([part(*range(5), total=5)], Ending.EMPTY, 5, 2, id="one page, then none"),
        pytest.param(
            [part(*range(12)), part(*range(11, 20)), part()], Ending.EMPTY, 20, 3, id="overlaps"
        ),
        pytest.param(
            [part(*range(12)), *[part(*range(12))] * 9], Ending.BARREN, 12, 3, id="the same again"
        ),
        pytest.param(
            [part(1, 2), part(1, 2), part(3), part(3), part(3)],
            Ending.BARREN,
            3,
            5,
            id="one barren page is no end",
        ),
        pytest.param(
            [part(*range(5), total=3), part(*range(5, 9))],
            Ending.EMPTY,
            9,
            3,
            id="a total that is too small is not believed",
        ),
        pytest.param(
            [part(number) for number in range(10 * LONGEST)],
            Ending.ENDLESS,
            LONGEST,
            LONGEST,
            id="a listing that never ends",
        ),
    ],
)
def test_a_listing_ends_with(
    pages: list[ListingPart], ending: Ending, held: int, asked: int
) -> None:
    reading = walked(pages)
    assert (reading.ending, reading.held, reading.page) == (ending, held, asked)


def test_depth_is_how_many_pages_are_asked_for() -> None:
    pages = [part(number) for number in range(9)]
    assert walked(pages, walk(depth=3)).page == 3
    assert walked(pages, walk(depth=3)).ending is Ending.DEPTH


def test_a_search_ends_at_its_wall_unless_somebody_wants_to_try() -> None:
    pages = [part(number) for number in range(9)]
    spared = walked(pages, walk(ListingKind.SEARCH))
    assert (spared.page, spared.ending) == (2, Ending.WALL)
    trying = walk(ListingKind.SEARCH, depth=5)
    for page in pages[:2]:
        trying = trying.add(page)
    assert trying.ending is None
    assert trying.hit_wall().ending is Ending.WALL


def test_an_unread_page_is_passed_over_but_the_first_one_is_the_listing() -> None:
    assert walk().pass_over().ending is Ending.UNREAD
    reading = walk().add(part(1)).pass_over()
    assert (reading.ending, reading.page) == (None, 2)
    assert reading.pass_over().ending is Ending.BARREN


def test_the_first_page_says_what_the_others_need() -> None:
    reading = walk().add(part(1, total=7, asked_as="q-1")).add(part(2))
    assert (reading.total, reading.asked_as, reading.whole) == (7, "q-1", False)


pages = st.lists(
    st.lists(st.integers(0, 40), max_size=12).map(lambda found: part(*found)), max_size=30
)


@given(pages)
def test_a_walk_is_over_and_has_named_each_card_once(listed: list[ListingPart]) -> None:
    reading, places, asked = walk(), [], 0
    while reading.ending is None:
        page = listed[asked] if asked < len(listed) else part()
        places += [(one.card_id, one.place) for one in reading.news(page)]
        reading, asked = reading.add(page), asked + 1
    assert asked <= LONGEST
    assert len({card_id for card_id, _ in places}) == len(places) == reading.held
    assert [place for _, place in places] == list(range(1, len(places) + 1))
