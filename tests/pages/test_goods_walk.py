"""A store is read whole or not, whatever its lists do while they are read."""

from itertools import count

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cabinet import CabinetPage
from kaspi_crawler.pages.goods_walk import MOST_PASSES, ListReading, ShopWalk, Step
from partners.kaspi.cabinet import LARGEST_PAGE
from tests.goods import STORE, article


def part(numbers: range, total: int, unreadable: tuple[str, ...] = ()) -> CabinetPage:
    offers = tuple(article(f"A{number}") for number in numbers)
    return CabinetPage(offers=offers, total=total, unreadable=unreadable)


def still(total: int, page: int) -> CabinetPage:
    """A page of a list that stands still."""
    first = page * LARGEST_PAGE
    return part(range(first, min(total, first + LARGEST_PAGE)), total)


@given(st.integers(0, 450))
def test_a_list_that_stands_still_is_read_whole_in_one_pass(total: int) -> None:
    reading, asked = ListReading(), 0
    while not reading.over:
        reading, asked = reading.add(still(total, reading.page)), asked + 1
    assert reading.whole
    assert len(reading.seen) == total
    assert asked == max(1, -(-total // LARGEST_PAGE))


@given(st.lists(st.tuples(st.integers(0, 250), st.integers(0, 100)), max_size=40))
def test_a_list_that_moves_at_will_ends_and_is_whole_only_when_all_were_seen(
    moves: list[tuple[int, int]],
) -> None:
    reading = ListReading(doubted=True)
    answers = iter(moves)
    for asked in count():
        if reading.over:
            break
        assert asked <= MOST_PASSES * 4
        total, start = next(answers, (0, 0))
        reading = reading.add(part(range(start, min(total, start + LARGEST_PAGE)), total))
    assert not reading.whole or len(reading.seen) >= reading.total


@pytest.mark.parametrize(
    ("pages", "whole"),
    [
        pytest.param([part(range(100), 120), part(range(99, 119), 120)] * 3, False,
                     id="one is shown twice and another never"),
        pytest.param([part(range(100), 120), part(range(99, 119), 120),
                      part(range(100), 120), part(range(100, 120), 120)], True,
                     id="the second pass stands still"),
        pytest.param([part(range(100), 120), part(range(100, 119), 119),
                      part(range(100), 119), part(range(100, 119), 119)], True,
                     id="one left while it was read"),
        pytest.param([part(range(100), 120), part(range(100, 119), 120, ("spoilt",))], False,
                     id="one cannot be read"),
        pytest.param([part(range(0), 120)] * 3, False, id="pages that are empty before the end"),
    ],
)  # fmt: skip
def test_a_list_that_moves(pages: list[CabinetPage], *, whole: bool) -> None:
    reading = ListReading()
    for one in pages:
        assert not reading.over
        reading = reading.add(one)
    assert (reading.over, reading.whole) == (True, whole)


def test_an_empty_list_is_asked_twice_before_it_is_believed() -> None:
    once = ListReading(doubted=True).add(part(range(0), 0))
    assert not once.over
    assert once.add(part(range(0), 0)).whole
    assert once.add(part(range(5), 5)).whole


def test_a_page_that_could_not_be_read_is_passed_over() -> None:
    reading = ListReading().add(still(250, 0)).pass_over()
    assert reading.page == 2
    reading = reading.add(still(250, 2))
    assert (reading.over, reading.whole, len(reading.seen)) == (True, False, 150)
    assert ListReading().pass_over().over


def walked(on_sale: int, taken_off: int, check: int) -> ShopWalk:
    walk = ShopWalk(store=STORE)
    answers = {Step.ON_SALE: on_sale, Step.TAKEN_OFF: taken_off, Step.CHECK: check}
    while walk.step is not None:
        first = 1_000 if walk.step is Step.TAKEN_OFF else 0
        total = answers[walk.step]
        walk = walk.add(part(range(first, first + total), total))
    return walk


@pytest.mark.parametrize(
    ("check", "whole"),
    [
        pytest.param(9, True, id="nothing moved"),
        pytest.param(10, False, id="something moves every time"),
    ],
)
def test_a_store_is_whole_when_nothing_moved_between_its_lists(check: int, *, whole: bool) -> None:
    walk = walked(9, 3, check)
    assert (walk.whole, walk.count) == (whole, 12)


def test_a_list_that_is_not_whole_leaves_the_store_incomplete() -> None:
    walk = ShopWalk(store=STORE).pass_over()
    assert walk.step is Step.TAKEN_OFF
    walk = walk.add(part(range(3), 3))
    assert (walk.step, walk.whole) == (None, False)
    assert attrs.evolve(walk, step=Step.CHECK).pass_over().step is None
