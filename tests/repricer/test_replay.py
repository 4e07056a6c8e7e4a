"""A replay: what it counts, what it carries from reading to reading, what it never does."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.identity import MerchantId
from domain.moments import almaty_date
from domain.money import Tenge
from domain.past import Moment, Range
from domain.pricing import Doing, Reason, Rule, Strategy, Window
from repricer.replay import Seller, begun, read_every
from tests.repricer.past import (
    RULES,
    SELLER,
    changes,
    compared,
    lived,
    moment,
    outcomes,
    pasts,
    prices,
    steps,
)
from tests.repricer.thinking import US, rule

#: Three hours: A goes up after one, and we really go under A after two.
THREE_HOURS = [
    moment(0, us=10_000, A=9_500),
    moment(60, us=10_000, A=9_800),
    moment(120, us=9_400, A=9_800),
    moment(180, us=9_400, A=9_800),
]
COSTLY = rule(cost=Tenge(8_000))


def test_three_hours_are_reckoned_as_by_hand() -> None:
    real, undercut = outcomes(THREE_HOURS, COSTLY)
    # 22 of 100 buyers leave 2,000 each for two hours, then 50 leave 1,400.
    assert real.profits
    assert real.profits[0] == (44_000 + 44_000 + 70_000) // 3 == 52_666
    # 50 leave 1,499, then 1,799 for two hours.
    assert undercut.profits
    assert undercut.profits[0] == (74_950 + 89_950 + 89_950) // 3 == 84_950
    assert undercut.gains
    assert undercut.gains[0] == (254_850 - 158_000) // 3 == 32_283
    assert (real.changes, undercut.changes) == (1, 2)
    assert (real.first_bp, undercut.first_bp) == (3_333, 10_000)
    assert (real.place, undercut.place) == (166, 100)
    assert (real.price, undercut.price) == (9_800, 9_699)
    assert real.seconds == undercut.seconds == 3 * 3_600


def test_the_page_s_example_is_what_the_engine_does() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "replay.md").read_text(encoding="utf-8")
    for step, line in zip(steps(THREE_HOURS, COSTLY)[:3], page_rows(page), strict=True):
        theirs, ours, real_buyers, real_brought, tried, buyers, brought = line
        assert step.others == (theirs,)
        assert (step.real.spans[0].price, step.tried[0].spans[0].price) == (ours, tried)
        assert (ours - 8_000) * real_buyers == real_brought
        assert (tried - 8_000) * buyers == brought


def page_rows(page: str) -> list[list[int]]:
    """The numbers of the example's table, without the hour."""
    table = page.partition("| hour |")[2].partition("\n\n")[0].splitlines()[2:]
    return [
        [int(cell.replace(",", "")) for cell in line.strip("| ").split("|")[1:]] for line in table
    ]


def test_the_range_holds_what_other_buyers_would_bring() -> None:
    _, undercut = outcomes(THREE_HOURS, COSTLY)
    # The first place gets 66.35 of 100 buyers when it draws more of them, 30.72 when fewer.
    assert undercut.profit == Range(84_950, 254_850 * 3_072 // 15_000, 254_850 * 6_635 // 15_000)


def test_without_a_cost_there_is_no_profit_and_all_else_is_there() -> None:
    real, undercut = outcomes(THREE_HOURS, rule())
    assert (real.profit, undercut.profit, undercut.gain) == (None, None, None)
    assert undercut.changes == 2


@pytest.mark.parametrize(
    ("lag", "price"),
    [
        pytest.param(0, 9_499, id="seen at once"),
        pytest.param(60, (10_000 + 9_499) // 2, id="seen when half of the time is over"),
        pytest.param(120, 10_000, id="seen too late"),
        pytest.param(500, 10_000, id="seen long after the end"),
    ],
)
def test_a_price_stands_from_when_it_is_seen(lag: int, price: int) -> None:
    past = [moment(0, us=10_000, A=9_500), moment(120, us=10_000, A=9_500)]
    seller = replace(SELLER, lag=timedelta(minutes=lag))
    _, undercut = outcomes(past, COSTLY, seller=seller)
    assert (undercut.price, undercut.changes) == (price, 1)


def test_a_price_that_is_on_its_way_is_not_set_twice() -> None:
    past = [moment(minutes, us=10_000, A=9_500) for minutes in range(0, 60, 5)]
    slow = replace(SELLER, lag=timedelta(minutes=30))
    assert [change for change in changes(past, COSTLY, slow) if change] == [9_499]


def test_time_away_from_the_board_does_not_count() -> None:
    away = [
        moment(0, A=9_500),
        moment(60, us=10_000, A=9_500),
        moment(120, A=9_500),
        moment(600, us=12_000, A=9_500),
        moment(660, A=9_500),
    ]
    real, undercut = outcomes(away, COSTLY)
    assert real.seconds == undercut.seconds == 2 * 3_600
    assert (real.price, undercut.price) == (11_000, 9_499)


@pytest.mark.parametrize(
    ("night", "wanted"),
    [
        pytest.param(0, [9_499, None, None], id="the same day: both together are too much"),
        pytest.param(12 * 60, [9_499, None, 10_299], id="after midnight there a new day begins"),
    ],
)
def test_the_day_s_changes_are_summed_in_almaty(night: int, wanted: list[int | None]) -> None:
    calm = rule(max_change_day_bp=900)
    past = [moment(0, us=10_000, A=9_500), moment(5, us=10_000, A=9_500)]
    past.append(moment(10 + night, us=10_000, A=10_300))
    assert changes(past, calm) == wanted


def test_a_person_is_asked_once_and_nothing_is_done() -> None:
    past = [
        moment(0, us=16_000, A=9_500),
        moment(60, us=16_000, A=9_400),
        moment(120, us=16_000, A=16_500),
        moment(180, us=16_000, A=9_400),
        moment(240, us=16_000, A=9_400),
    ]
    _, undercut = outcomes(past, rule(ceiling=Tenge(20_000)))
    assert (undercut.changes, undercut.reviews) == (1, 2)
    assert undercut.price == (16_000 * 2 + 16_499 * 2) // 4


def test_a_pause_after_a_change_is_kept() -> None:
    rested = rule(cooldown_minutes=60)
    past = [moment(0, us=10_000, A=9_500), moment(30, us=10_000, A=9_400)]
    assert changes(past, rested) == [9_499, None]
    assert changes([*past, moment(300, us=10_000, A=9_400)], rested) == [9_499, None, 9_399]


def test_what_nobody_saw_change_is_decided_on_again_when_asked() -> None:
    by_night = rule(windows=(Window(begins=15 * 60, ends=16 * 60, doing=Doing.CEILING),))
    past = [moment(0, us=10_000, A=9_500), moment(360, us=10_000, A=9_500)]
    assert changes(past, by_night) == [9_499, None]
    every_hour = list(read_every(past, timedelta(hours=1)))
    assert [(each.at - past[0].at) // timedelta(hours=1) for each in every_hour] == list(range(7))
    assert changes(every_hour, by_night) == [9_499, None, None, 12_000, 9_499, None, None]


def test_a_price_that_nobody_can_mean_is_known_by_those_before() -> None:
    crowd = {"B": 9_600, "C": 9_800, "D": 9_900, "E": 9_900}
    past = [moment(0, us=10_000, A=9_500, **crowd), moment(60, us=10_000, A=2_000, **crowd)]
    loose = Rule(floor=Tenge(1), uses_tariffs=False)
    assert changes(past, loose) == [9_499, 9_599]
    few = [moment(0, us=10_000, A=9_500), moment(60, us=10_000, A=2_000, B=9_800)]
    assert changes(few, loose) == [9_499, None]


def test_sisters_are_left_alone_and_stand_before_us_all_the_same() -> None:
    past = [moment(0, us=10_000, A=9_500, S=9_300), moment(60, us=10_000, A=9_500, S=9_300)]
    family = Seller(store=US, sisters=frozenset({MerchantId("S")}))
    (step, _) = steps(past, COSTLY, seller=family)
    assert step.tried[0].change == 9_499
    assert step.tried[0].spans[0].place == 2


def test_of_several_offers_of_ours_the_cheapest_is_the_real_one() -> None:
    twice = moment(0, us=10_000, A=9_500)
    twice = Moment(twice.at, (*twice.offers, replace(twice.offers[0], price=9_700)))
    (step,) = steps([twice], COSTLY)
    assert step.real.spans[0].price == 9_700
    assert step.others == (9_500,)


def test_nothing_is_replayed_where_we_never_stood() -> None:
    assert steps([moment(0, A=9_500)], COSTLY) == []
    assert steps([], COSTLY) == []
    assert begun([moment(0, A=9_500)], US) is None


def test_the_tariff_of_the_day_is_reckoned_with() -> None:
    early = moment(0, us=10_000, A=9_500)
    before = Moment(early.at.replace(year=2020), early.offers)
    (old, new) = steps([before, early], RULES[-1])
    assert old.tried[0].decision
    assert old.tried[0].decision.reason is Reason.NO_TARIFF
    assert new.tried[0].change is not None


@given(past=pasts())
def test_the_same_past_gives_the_same_replay(past: list[Moment]) -> None:
    assert steps(past, *RULES) == steps(past, *RULES)
    assert outcomes(past, *RULES) == outcomes(past, *RULES)


@given(past=pasts(), lag=st.sampled_from([0, 15]))
def test_no_price_is_ever_set_that_the_rule_does_not_allow(past: list[Moment], lag: int) -> None:
    seller = replace(SELLER, lag=timedelta(minutes=lag))
    for outcome in outcomes(past, *RULES, seller=seller)[1:]:
        assert outcome.outside == 0


@given(past=pasts(), data=st.data())
def test_what_comes_later_changes_nothing_before(past: list[Moment], data: st.DataObject) -> None:
    count = data.draw(st.integers(0, len(past)))
    early, whole = steps(past[:count], *RULES), steps(past, *RULES)
    for one, other in zip(early, whole, strict=False):
        assert [stand.change for stand in one.tried] == [stand.change for stand in other.tried]


@given(past=pasts(), data=st.data())
def test_the_order_on_the_board_does_not_matter(past: list[Moment], data: st.DataObject) -> None:
    mixed = [Moment(each.at, tuple(data.draw(st.permutations(each.offers)))) for each in past]
    assert outcomes(mixed, *RULES) == outcomes(past, *RULES)


_others = st.dictionaries(st.sampled_from("ABCDEF"), prices)


@pytest.mark.parametrize("by", RULES, ids=lambda rule: f"{rule.strategy} {rule.zone}")
@given(boards=st.lists(_others, min_size=2, max_size=10), pace=st.sampled_from([10, 600, 5_000]))
def test_a_past_that_we_priced_ourselves_is_replayed_as_it_was(
    by: Rule, boards: list[dict[str, int]], pace: int
) -> None:
    others = [moment(pace * number, **board) for number, board in enumerate(boards)]
    past, decided = lived(others, by, 10_000)
    known = replace(SELLER, lag=timedelta(minutes=pace))
    found = steps(past, by, seller=known)
    assert [compared(step.tried[0].decision) for step in found] == list(map(compared, decided))
    assert [step.tried[0].spans for step in found] == [step.real.spans for step in found]
    real, tried = outcomes(past, by, seller=known)
    assert tried.profits == real.profits
    assert not tried.gains or set(tried.gains) == {0}


def test_each_strategy_has_a_rule_here() -> None:
    assert {rule.strategy for rule in RULES} == set(Strategy)


def test_days_are_those_of_almaty() -> None:
    assert almaty_date(moment(0).at) != almaty_date(moment(12 * 60).at)
