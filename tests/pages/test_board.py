"""A board is complete only when all of it was held, though its pages shift while we read."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity import MerchantId
from domain.money import tenge
from domain.offers import Offer, OfferBoard
from kaspi_crawler.pages.board import MOST_PAGES, MOST_PASSES, BoardReading
from kaspi_crawler.pages.offers import OffersPart
from tests.pages.building import ALMATY, KETTLE

NOW = datetime(2026, 9, 18, 18, tzinfo=UTC)


def sold(merchant: str, price: int = 1000, sku: str | None = None) -> Offer:
    return Offer(
        merchant_id=MerchantId(merchant), seller=merchant, merchant_sku=sku, price=tenge(price)
    )


def part(merchants: str, total: int, *, price: int = 1000, spoilt: int = 0) -> OffersPart:
    """A page of offers; each letter is a merchant."""
    return OffersPart(
        offers=tuple(sold(letter, price) for letter in merchants),
        total=total,
        unreadable=("no price",) * spoilt,
    )


def reading_of(parts: Iterable[OffersPart]) -> BoardReading:
    reading = BoardReading.start(KETTLE, ALMATY)
    for number, one in enumerate(parts):
        assert reading.next_page is not None, "the reading ended before its last part"
        reading = reading.add(one, NOW + timedelta(seconds=number))
    return reading


def merchants(board: OfferBoard) -> str:
    return "".join(offer.merchant_id for offer in board.offers)


@pytest.mark.parametrize(
    ("parts", "held", "complete"),
    [
        pytest.param([part("abc", 3)], "abc", True, id="one page"),
        pytest.param([part("", 0)] * 2, "", True, id="an empty board, said twice"),
        pytest.param([part("", 0), part("ab", 2)], "ab", True, id="an empty answer gone wrong"),
        pytest.param([part("ab", 5), part("cd", 5), part("e", 5)], "abcde", True, id="three pages"),
        pytest.param([part("a", 3), part("bc", 3)], "abc", True, id="pages that grow"),
        pytest.param(
            [part("ab", 3), part("b", 3), part("ab", 3), part("c", 3)],
            "abc",
            True,
            id="an offer seen twice starts a second pass",
        ),
        pytest.param(
            [part("ab", 3), part("b", 3), part("ac", 3), part("c", 3)],
            "abc",
            True,
            id="two passes that shifted saw all together",
        ),
        pytest.param(
            [part("ab", 3), part("c", 4), part("ab", 4), part("cd", 4)],
            "abcd",
            True,
            id="somebody arrived between the pages",
        ),
        pytest.param(
            [part("ab", 4), part("", 3), part("ab", 3), part("c", 3)],
            "abc",
            True,
            id="somebody left between the pages",
        ),
        pytest.param(
            [part("ab", 4), part("", 4)] * MOST_PASSES, "ab", False, id="pages that stay empty"
        ),
        pytest.param(
            [part("", 4)] * MOST_PASSES, "", False, id="an empty page that tells of offers"
        ),
        pytest.param(
            [part("abc", 2)] * MOST_PASSES, "abc", False, id="more offers than it tells of"
        ),
        pytest.param(
            [part("ab", 3), part("b", 3)] * MOST_PASSES, "ab", False, id="a gap that never closes"
        ),
        pytest.param(
            [part("ab", 3, spoilt=1)] * 2, "ab", False, id="an offer that twice cannot be read"
        ),
        pytest.param(
            [part("ab", 3, spoilt=1), part("abc", 3)],
            "abc",
            True,
            id="an offer that can be read the second time",
        ),
        pytest.param(
            [part("ab", 4, spoilt=1), part("c", 4)] * 2, "abc", False, id="one on the first page"
        ),
        pytest.param(
            [part("a", 3, spoilt=1), part("a", 3), *[part("bc", 3), part("c", 3)] * 2],
            "abc",
            False,
            id="passes that shifted and saw one that cannot be read",
        ),
        pytest.param([part("aab", 3)], "ab", True, id="an offer given twice on one page"),
    ],
)
def test_a_reading_ends(parts: list[OffersPart], held: str, complete: bool) -> None:
    reading = reading_of(parts)
    assert reading.next_page is None
    assert sorted(merchants(reading.board)) == sorted(held)
    assert reading.board.complete is complete
    assert reading.board.total == parts[-1].total


@pytest.mark.parametrize(
    ("parts", "next_page"),
    [
        pytest.param([], 0, id="begin with the first page"),
        pytest.param([part("ab", 5)], 1, id="go on while offers are missing"),
        pytest.param([part("ab", 5), part("cd", 5)], 2, id="and on"),
        pytest.param([part("ab", 5), part("bc", 5)], 0, id="an offer seen twice: from the start"),
        pytest.param([part("ab", 5), part("cd", 6)], 0, id="another total: from the start"),
        pytest.param([part("ab", 5), part("", 5)], 0, id="an empty page: from the start"),
        pytest.param([part("ab", 5), part("cdef", 5)], 0, id="too many offers: from the start"),
        pytest.param([part("abc", 3)], None, id="all are held"),
        pytest.param([part("", 0)], 0, id="nobody is there: ask once more"),
        pytest.param([part("", 0)] * 2, None, id="nobody is there, indeed"),
    ],
)
def test_which_page_is_next(parts: list[OffersPart], next_page: int | None) -> None:
    assert reading_of(parts).next_page == next_page


def test_a_reading_that_was_given_up_is_no_complete_board() -> None:
    board = reading_of([part("ab", 5)]).board
    assert (merchants(board), board.total, board.complete) == ("ab", 5, False)


def test_a_reading_given_up_at_the_start_of_a_second_pass_keeps_what_it_saw() -> None:
    board = reading_of([part("ab", 5), part("bc", 5)]).board
    assert (sorted(merchants(board)), board.complete) == (["a", "b", "c"], False)


def test_nothing_read_is_no_board() -> None:
    with pytest.raises(ValueError, match="no page"):
        _ = BoardReading.start(KETTLE, ALMATY).board


def test_the_board_is_as_old_as_its_last_page() -> None:
    assert reading_of([part("ab", 3), part("c", 3)]).board.checked_at == NOW + timedelta(seconds=1)


def test_the_latest_sighting_counts() -> None:
    shifted = [part("ab", 3, price=500), part("b", 3, price=600)]
    again = [part("ac", 3, price=700), part("c", 3, price=800)]
    prices = {offer.merchant_id: offer.price for offer in reading_of(shifted + again).board.offers}
    assert prices == {"a": 700, "b": 600, "c": 800}


def test_a_consistent_pass_speaks_alone() -> None:
    shifted = [part("ax", 3, price=500), part("a", 3, price=600)]
    again = [part("ab", 3), part("c", 3)]
    assert merchants(reading_of(shifted + again).board) == "abc"


def test_one_offer_a_merchant_the_cheapest_and_of_equals_the_first() -> None:
    offers = (sold("a", 900, "1"), sold("b", 800, "2"), sold("a", 700, "3"), sold("a", 700, "4"))
    board = reading_of([OffersPart(offers=offers, total=4)]).board
    assert [(one.merchant_id, one.merchant_sku) for one in board.offers] == [("a", "3"), ("b", "2")]
    assert board.complete
    assert (board.min_price, board.max_price) == (700, 800)


def test_what_could_not_be_read_is_told() -> None:
    assert reading_of([part("ab", 3, spoilt=1)]).unreadable == ("no price",)


def test_a_board_without_an_end_is_given_up() -> None:
    letters = (chr(0x4E00 + number) for number in range(MOST_PAGES))
    reading = reading_of(part(letter, 10**6) for letter in letters)
    assert reading.next_page is None
    assert not reading.board.complete


@attrs.define
class ShiftingServer:
    """A board that changes between the answers, as the changes tell it."""

    offers: list[Offer]
    limit: int
    changes: list[Callable[[list[Offer]], list[Offer]]]
    asked: int = 0
    seen: list[list[Offer]] = attrs.Factory(list)

    def page(self, number: int) -> OffersPart:
        if self.asked and self.changes:
            self.offers = self.changes.pop()(self.offers)
        self.asked += 1
        board = sorted(self.offers, key=lambda offer: offer.price)
        self.seen.append(board)
        start = number * self.limit
        return OffersPart(offers=tuple(board[start : start + self.limit]), total=len(board))

    def read(self) -> OfferBoard:
        reading = BoardReading.start(KETTLE, ALMATY)
        while reading.next_page is not None:
            assert self.asked <= MOST_PASSES * MOST_PAGES
            reading = reading.add(self.page(reading.next_page), NOW)
        return reading.board


def keys(offers: Iterable[Offer]) -> set[tuple[str, str | None]]:
    return {(offer.merchant_id, offer.merchant_sku) for offer in offers}


PRICES = st.integers(min_value=1, max_value=10)
BOARDS = st.lists(PRICES, max_size=12).map(
    lambda prices: [sold(f"m{number}", price) for number, price in enumerate(prices)]
)


def repriced(new_prices: list[int]) -> Callable[[list[Offer]], list[Offer]]:
    def change(offers: list[Offer]) -> list[Offer]:
        return [
            msgspec.structs.replace(offer, price=tenge(new_prices[number % len(new_prices)]))
            for number, offer in enumerate(offers)
        ]

    return change


def without(place: int) -> Callable[[list[Offer]], list[Offer]]:
    return lambda offers: [offer for number, offer in enumerate(offers) if number != place]


def with_another(name: int, price: int) -> Callable[[list[Offer]], list[Offer]]:
    return lambda offers: [*offers, sold(f"new{name}", price)]


REPRICINGS = st.lists(PRICES, min_size=1, max_size=12).map(repriced)
ARRIVALS = st.builds(with_another, st.integers(0, 10**9), PRICES)
DEPARTURES = st.integers(0, 11).map(without)


@given(BOARDS, st.integers(1, 5), st.lists(REPRICINGS, max_size=12))
def test_while_only_prices_move_a_complete_board_holds_everybody_once(
    offers: list[Offer], limit: int, changes: list[Callable[[list[Offer]], list[Offer]]]
) -> None:
    server = ShiftingServer(offers, limit, changes)
    board = server.read()
    if board.complete:
        assert keys(board.offers) == keys(offers)
        assert len(board.offers) == len(offers) == board.total
    else:
        assert keys(board.offers) < keys(offers)
    prices_seen = {(one.merchant_id, one.price) for moment in server.seen for one in moment}
    assert {(one.merchant_id, one.price) for one in board.offers} <= prices_seen


@given(BOARDS, st.integers(1, 5))
def test_a_board_that_stands_still_is_read_in_one_pass(offers: list[Offer], limit: int) -> None:
    server = ShiftingServer(offers, limit, [])
    board = server.read()
    assert board.complete
    assert sorted(board.offers, key=lambda one: one.merchant_id) == sorted(
        offers, key=lambda one: one.merchant_id
    )
    assert server.asked == (-(-len(offers) // limit) or 2)  # that nobody is there is asked twice


@given(BOARDS, st.integers(1, 5), st.lists(REPRICINGS | ARRIVALS | DEPARTURES, max_size=20))
def test_whatever_moves_the_reading_ends_and_invents_nobody(
    offers: list[Offer], limit: int, changes: list[Callable[[list[Offer]], list[Offer]]]
) -> None:
    server = ShiftingServer(offers, limit, changes)
    board = server.read()
    ever = {key for moment in server.seen for key in keys(moment)}
    assert keys(board.offers) <= ever
    assert len(board.offers) <= board.total or not board.complete


@given(BOARDS, st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_order_within_pages_does_not_matter(
    offers: list[Offer], limit: int, order: object
) -> None:
    server = ShiftingServer(offers, limit, [])
    straight = server.read()
    reading = BoardReading.start(KETTLE, ALMATY)
    while reading.next_page is not None:
        page = ShiftingServer(offers, limit, []).page(reading.next_page)
        shuffled = list(page.offers)
        order.shuffle(shuffled)  # type: ignore[attr-defined]
        reading = reading.add(attrs.evolve(page, offers=tuple(shuffled)), NOW)
    assert (reading.board.min_price, reading.board.max_price) == (
        straight.min_price,
        straight.max_price,
    )
    assert reading.board.complete
