"""Sets of whole numbers, against Python's own sets."""

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.intervals import Intervals

NUMBERS = st.integers(0, 60)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=6)


def held(pairs: Iterable[tuple[int, int]]) -> set[int]:
    return {number for low, high in pairs for number in range(low, high + 1)}


@given(PAIRS)
def test_a_set_holds_what_its_pairs_hold(pairs: list[tuple[int, int]]) -> None:
    made = Intervals.of(pairs)
    assert held(made) == held(pairs)
    assert bool(made) == bool(held(pairs))
    assert all(low <= high for low, high in made)


@given(PAIRS)
def test_its_intervals_ascend_and_never_touch(pairs: list[tuple[int, int]]) -> None:
    made = Intervals.of(pairs).pairs
    assert all(end + 1 < begin for (_, end), (begin, _) in pairwise(made))


@given(PAIRS, PAIRS)
def test_sets_are_intersected_and_subtracted_as_sets_are(
    one: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    ours, theirs = Intervals.of(one), Intervals.of(other)
    assert held(ours.intersect(theirs)) == held(one) & held(other)
    assert held(ours.subtract(theirs)) == held(one) - held(other)


@given(PAIRS, NUMBERS)
def test_the_nearest_number_held_is_found_on_both_sides(
    pairs: list[tuple[int, int]], number: int
) -> None:
    made, every = Intervals.of(pairs), held(pairs)
    assert (number in made) == (number in every)
    assert made.below(number) == max((one for one in every if one <= number), default=None)
    assert made.above(number) == min((one for one in every if one >= number), default=None)


@given(PAIRS, NUMBERS, NUMBERS)
def test_a_set_is_cut_to_a_range(pairs: list[tuple[int, int]], low: int, high: int) -> None:
    assert held(Intervals.of(pairs).within(low, high)) == held(pairs) & held([(low, high)])


def test_its_ends_are_known() -> None:
    made = Intervals.of([(30, 40), (1, 5), (6, 9), (8, 2)])
    assert (made.lowest, made.highest) == (1, 40)
    assert repr(made) == "Intervals(1..9 30..40)"
