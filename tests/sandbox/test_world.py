"""The market's truth: deterministic, remembered for ever, dated by both clocks."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.identity import CityId, MerchantId, ProductId
from domain.money import NotMoney, Tenge
from sandbox.boards import Board, Movement, TrueOffer, Version
from sandbox.rivals import Quote, Undercutter
from sandbox.world import STOCKED, TICK, World, world
from tests.sandbox.conftest import REAL, START

ALMATY, ASTANA = STOCKED
VILLAGE = CityId("470000000")

Truth = dict[tuple[CityId, ProductId], tuple[TrueOffer, ...]]


def small(seed: int = 7) -> World:
    return world(seed=seed, products=12, start=START, real_clock=lambda: REAL)


def truth(market: World, moment: datetime | None = None) -> Truth:
    """Every board at a moment, by default the present one."""
    return {
        (city, product): market.board_at(product, city, moment or market.now)
        for city in (*STOCKED, VILLAGE)
        for product in market.cards
    }


def ticking(*moments: datetime) -> Iterator[datetime]:
    """A real clock that shows these moments, and the last one for ever."""
    yield from moments
    while True:
        yield moments[-1]


def someone(market: World, city: CityId = ALMATY) -> tuple[ProductId, MerchantId]:
    """A card with a full board, and its cheapest seller."""
    product = next(iter(market.cards))
    leader = market.board(product, city).leader
    assert leader is not None
    return product, leader[0].merchant.id


def sizes(market: World, city: CityId) -> list[int]:
    return [len(market.board(product, city).standing) for product in market.cards]


def test_boards_hold_one_to_150_sellers_and_some_need_paging() -> None:
    market = world(seed=7, products=320, start=START)
    counts = sizes(market, ALMATY)
    assert max(counts) == 150
    assert 5 <= sum(count > 64 for count in counts) <= 40
    assert sum(3 <= count <= 30 for count in counts) >= 160


def test_the_first_boards_are_those_that_trip_readers_up(market: World) -> None:
    assert sizes(market, ALMATY)[:7] == [150, 65, 64, 1, 0, 7, 0]
    assert sizes(market, ASTANA)[:7] == [77, 64, 129, 2, 0, 0, 5]


def test_a_merchant_sells_a_card_once_in_a_city(still: World) -> None:
    for city in (*STOCKED, VILLAGE):
        for product in still.cards:
            sellers = [seat.merchant.id for seat in still.board(product, city).seats]
            assert len(sellers) == len(set(sellers))


def test_unknown_cities_share_a_thinner_assortment(still: World) -> None:
    product = next(iter(still.cards))
    assert still.board(product, VILLAGE) is still.board(product, CityId("999"))
    assert sum(sizes(still, VILLAGE)) < sum(sizes(still, ALMATY)) / 2


def test_prices_differ_between_cities(still: World) -> None:
    prices = {
        city: [offer.price for offer in still.board_at(next(iter(still.cards)), city, still.now)]
        for city in STOCKED
    }
    assert prices[ALMATY] != prices[ASTANA]


@given(steps=st.lists(st.integers(0, 50), min_size=1, max_size=6), seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_many_small_steps_lead_where_one_large_step_leads(steps: list[int], seed: int) -> None:
    walked, jumped = small(seed), small(seed)
    for minutes in steps:
        walked.advance(walked.now + timedelta(minutes=minutes))
    jumped.advance(START + timedelta(minutes=sum(steps)))
    assert truth(walked) == truth(jumped)


def test_a_lone_seller_has_nobody_to_undercut(market: World) -> None:
    """Whoever saw himself as the leader would undercut himself down to his floor."""
    board = market.board(list(market.cards)[3], ALMATY)
    seat = board.seats[0]
    lone = Board(
        board.product,
        (attrs.evolve(seat, rule=Undercutter(5)),),
        [Version(START, REAL, (Quote(seat.limits.ask),))],
    )
    for number in range(1, 200):
        lone.tick(START + number * TICK, REAL, 12, Random(number))  # noqa: S311
    assert lone.quotes == (Quote(seat.limits.ask),)


def test_a_quiet_tick_leaves_no_trace_in_the_ledger(market: World) -> None:
    market.advance(START + timedelta(hours=12))
    for city in STOCKED:
        for product in market.cards:
            quotes = [version.quotes for version in market.board(product, city).history]
            assert all(old != new for old, new in pairwise(quotes))


def test_the_past_does_not_change(market: World) -> None:
    seen = {}
    for hour in range(6):
        moment = START + timedelta(hours=hour)
        market.advance(moment)
        seen[moment] = truth(market)
    for moment, then in seen.items():
        assert truth(market, moment) == then
    assert len({str(then) for then in seen.values()}) == 6


def test_real_moments_lead_to_what_was_true_then() -> None:
    opened, moved = REAL, REAL + timedelta(seconds=30)
    clock = ticking(opened, moved)
    market = world(products=12, start=START, real_clock=lambda: next(clock))
    product, merchant = someone(market)
    before = market.board_at(product, ALMATY, START)
    market.force(product, ALMATY, merchant, price=77)
    just_before = moved - timedelta(microseconds=1)
    assert market.board_at_real(product, ALMATY, just_before) == before
    assert market.board_at_real(product, ALMATY, moved) != before
    assert market.board_at_real(product, ALMATY, moved + timedelta(days=1)) != before


def test_a_real_clock_that_is_set_back_does_not_tear_the_ledger() -> None:
    clock = ticking(REAL, REAL + timedelta(hours=1), REAL - timedelta(hours=1))
    market = world(products=12, start=START, real_clock=lambda: next(clock))
    product, merchant = someone(market)
    for price in (77, 78):
        market.force(product, ALMATY, merchant, price=price)
    dated = [version.applied_at for version in market.board(product, ALMATY).history]
    assert dated == sorted(dated)
    latest = market.board_at_real(product, ALMATY, REAL + timedelta(hours=2))
    assert {77, 78} & {offer.price for offer in latest} == {78}


def test_a_movement_counts_each_seller_once_start_against_end(market: World) -> None:
    before = truth(market)
    moved = market.advance(START + timedelta(hours=30))
    after = truth(market)
    for city in STOCKED:
        counted = Movement()
        for product in market.cards:
            old = {o.merchant_id: (o.price, o.preorder) for o in before[city, product]}
            new = {o.merchant_id: (o.price, o.preorder) for o in after[city, product]}
            changed = sum(old[m] != new[m] for m in old.keys() & new.keys())
            came = len(new.keys() - old.keys())
            counted += Movement(changed, len(old.keys() - new.keys()), came)
        told = moved[city]
        assert counted == Movement(told.changed, told.left, told.arrived + told.returned)
        assert told.changed > 0


def test_those_who_left_return_and_newcomers_arrive(market: World) -> None:
    told = Movement()
    for day in range(1, 4):
        told += sum(market.advance(START + timedelta(days=day)).values(), Movement())
    assert min(told.left, told.arrived, told.returned) > 0


def test_a_forced_change_is_seen_at_once_and_leaves_others_alone(market: World) -> None:
    product, merchant = someone(market)
    edition, before = market.edition, truth(market)
    market.force(product, ALMATY, merchant, price=1_234)
    market.force(product, ALMATY, merchant, present=True)
    changed = {where for where, offers in truth(market).items() if offers != before[where]}
    assert changed == {(ALMATY, product)}
    assert 1_234 in {o.price for o in market.board_at(product, ALMATY, market.now)}
    assert market.edition > edition


def test_whoever_is_forced_away_and_back_is_counted_as_returned(market: World) -> None:
    product, merchant = someone(market)
    board: Board = market.board(product, ALMATY)
    market.force(product, ALMATY, merchant, present=False)
    assert merchant not in {o.merchant_id for o in market.board_at(product, ALMATY, market.now)}
    market.force(product, ALMATY, merchant, present=True)
    assert board.movement(since=1) == Movement(returned=1)


@pytest.mark.parametrize(
    ("product", "merchant"),
    [
        pytest.param(ProductId("1"), MerchantId("Zerde"), id="an unknown card"),
        pytest.param(None, MerchantId("nobody"), id="a merchant who does not sell it"),
    ],
)
def test_strangers_are_refused(
    market: World, product: ProductId | None, merchant: MerchantId
) -> None:
    with pytest.raises(LookupError):
        market.force(product or next(iter(market.cards)), ALMATY, merchant, price=5)


def test_a_price_of_nothing_is_refused(market: World) -> None:
    product, merchant = someone(market)
    with pytest.raises(NotMoney):
        market.force(product, ALMATY, merchant, price=0)


def test_time_does_not_run_backwards(market: World) -> None:
    with pytest.raises(ValueError, match="time runs forward"):
        market.advance(START - timedelta(minutes=1))


def test_before_its_start_the_ledger_knows_nothing(market: World) -> None:
    with pytest.raises(LookupError, match="begins at"):
        market.board_at(next(iter(market.cards)), ALMATY, START - timedelta(minutes=1))


def test_the_start_is_rounded_down_to_a_tick() -> None:
    assert world(products=1, start=START + timedelta(minutes=14)).now == START


def test_appointments_are_kept_in_their_order_at_their_moments(market: World) -> None:
    kept: list[tuple[str, datetime]] = []
    start = market.now

    def note(name: str) -> Callable[[], None]:
        return lambda: kept.append((name, market.now))

    market.when(start + timedelta(minutes=40), note("third"))
    market.when(start + timedelta(minutes=7), note("first"))
    market.when(start + timedelta(minutes=7), note("second"))
    market.when(start, note("at once"))
    market.advance(start + timedelta(minutes=20))
    assert kept == [
        ("at once", start),
        ("first", start + timedelta(minutes=7)),
        ("second", start + timedelta(minutes=7)),
    ]
    market.advance(start + timedelta(minutes=60))
    assert kept[3:] == [("third", start + timedelta(minutes=40))]


def test_an_appointment_may_make_another_within_the_same_advance(market: World) -> None:
    kept: list[datetime] = []

    def again() -> None:
        kept.append(market.now)
        market.when(market.now + timedelta(minutes=10), again)

    start = market.now
    market.when(start + timedelta(minutes=10), again)
    market.advance(start + timedelta(minutes=35))
    assert kept == [start + timedelta(minutes=minutes) for minutes in (10, 20, 30)]


def test_a_price_asked_between_two_ticks_stands_in_the_ledger_at_its_moment(market: World) -> None:
    product = next(iter(market.cards))
    board = market.board(product, ALMATY)
    seat, quote = board.standing[0]
    at = market.now + timedelta(minutes=20)
    asked = attrs.evolve(quote, price=Tenge(1))

    def ask() -> None:
        market.quote(product, ALMATY, seat.merchant.id, asked)

    market.when(at, ask)
    market.advance(at + timedelta(minutes=1))
    before = market.board_at(product, ALMATY, at - timedelta(seconds=1))
    assert 1 not in {offer.price for offer in before}
    assert 1 in {offer.price for offer in market.board_at(product, ALMATY, at)}
    moments = [version.at for version in board.history]
    assert moments == sorted(moments)


def test_a_merchant_takes_a_seat_where_he_never_was(market: World) -> None:
    product = next(iter(market.cards))
    board = market.board(product, ALMATY)
    market.advance(market.now + timedelta(hours=12))
    size, versions = len(board.standing), len(board.history)
    seat = attrs.evolve(
        board.seats[0], merchant=attrs.evolve(board.seats[0].merchant, id=MerchantId("New"))
    )
    market.take_seat(product, ALMATY, seat, Quote(Tenge(5), present=False))
    assert len(board.standing) == size
    assert len(board.history) == versions
    market.quote(product, ALMATY, MerchantId("New"), Quote(Tenge(5)))
    assert board.leader == (seat, Quote(Tenge(5)))
    market.advance(market.now + timedelta(hours=1))
