"""Reviews are read from the newest back to what is held, each once, and to an end."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity import ProductId
from domain.reviews import ReviewText
from kaspi_crawler.pages.reviews import TextsPart
from kaspi_crawler.pages.texts import MOST_PAGES, NEWEST, TextsReading

KETTLE = ProductId("104500100")
TODAY = date(2026, 9, 18)


def review(number: int, days_ago: int | None = None) -> ReviewText:
    """The higher the number the newer the review."""
    age = 10_000 - number if days_ago is None else days_ago
    return ReviewText(
        id=f"r{number}",
        written_on=TODAY - timedelta(days=age),
        rating=5,
        plus="",
        minus="",
        text="Кипятит.",
        photos=0,
        merchant_id=None,
    )


def part(*numbers: int, whole: bool = True) -> TextsPart:
    return TextsPart(reviews=tuple(map(review, numbers)), summary=None, whole=whole)


def reading(*known: int) -> TextsReading:
    return TextsReading(product=KETTLE, known=frozenset(f"r{number}" for number in known))


def ids(reviews: tuple[ReviewText, ...]) -> list[str]:
    return [one.id for one in reviews]


@pytest.mark.parametrize(
    ("known", "pages", "asked"),
    [
        pytest.param((), [part(9, 8), part(7, whole=False)], 2, id="a first reading: all of them"),
        pytest.param((), [part(whole=False)], 1, id="nobody has written"),
        pytest.param((9, 8), [part(9, 8), part(7, 6)], 1, id="nothing new: one page"),
        pytest.param((6, 5), [part(9, 8), part(7, 6), part(5, 4)], 2, id="back to what is held"),
        pytest.param((6, 5), [part(9, 8), part(7, 5), part(4, 3)], 2, id="one was withdrawn"),
        pytest.param((), [part(9, 8), part(9, 8), part(9, 8)], 2, id="the same page again"),
        pytest.param((), [part(9, 8), part()], 2, id="an empty page"),
    ],
)
def test_a_reading_is_over_after(
    known: tuple[int, ...], pages: list[TextsPart], asked: int
) -> None:
    state, count = reading(*known), 0
    for page in pages:
        state, count = state.add(page), count + 1
        if state.over:
            break
    assert (state.over, count) == (True, asked)


def test_known_ids_do_not_end_a_reading_that_is_not_sorted() -> None:
    jumbled = TextsPart(reviews=(review(1), review(9), review(5)), summary=None, whole=True)
    state = reading(9).add(jumbled)
    assert not state.over
    assert state.newest == ()


def test_the_newest_are_those_of_the_first_page() -> None:
    first = part(*range(500, 400, -1))
    state = reading().add(first).add(part(3, 2, whole=False))
    assert state.newest == tuple(f"r{number}" for number in range(500, 500 - NEWEST, -1))


def test_a_review_that_moved_to_the_next_page_is_named_once() -> None:
    state = reading().add(part(9, 8))
    assert ids(state.news(part(8, 7))) == ["r7"]


def test_what_is_held_comes_again_on_the_page_where_the_reading_stops() -> None:
    """Its buyer may have edited it."""
    assert ids(reading(8).news(part(9, 8))) == ["r9", "r8"]


def test_reviews_that_never_end_are_left() -> None:
    state = reading()
    for number in range(MOST_PAGES):
        assert not state.endless
        state = state.add(part(20_000 - number))
    assert state.endless


@given(st.lists(st.lists(st.integers(0, 50), max_size=5), min_size=1, max_size=20), st.booleans())
def test_each_review_is_named_once(pages: list[list[int]], whole: bool) -> None:
    state, named = reading(), []
    for numbers in pages:
        page = part(*numbers, whole=whole)
        named += ids(state.news(page))
        state = state.add(page)
    assert len(named) == len(set(named))
