"""A budget is never overdrawn, a block is sat out, and two blocks are enough to learn."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks.budget.learning import ENDLESS, FEW, Learnt, learn
from benchmarks.budget.marketplaces import Bucket, Fixed, Limiter, Rolling, Unlimited
from domain.budget import (
    Budget,
    Push,
    after_block,
    after_push,
    is_strikingly_low,
    may_send,
    reset,
    spent,
    wait,
)

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
NOTHING = timedelta(0)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def pushed(*ages: float, changes: int = 1) -> list[Push]:
    """Pushes so many seconds ago."""
    return [Push(NOW - seconds(age), changes) for age in ages]


def evenly(count: int, every: float, since: float = 2) -> list[Push]:
    return pushed(*(since + every * number for number in range(count)))


# --- tables: what may be sent ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "pushes", "waiting", "wanted"),
    [
        pytest.param(Budget(), [], 0, 0, id="the first push leaves at once"),
        pytest.param(Budget(), pushed(0.4), 0, 0.6, id="a second after the last answer"),
        pytest.param(Budget(), pushed(-20), 0, 21, id="not before an answer that is still awaited"),
        pytest.param(
            Budget(limit=3), pushed(1_000, 500, 5), 0, 800, id="a full window waits for its oldest"
        ),
        pytest.param(
            Budget(limit=3), pushed(1_800, 500, 5), 0, 0, id="half an hour ago counts no more"
        ),
        pytest.param(
            Budget(limit=4),
            pushed(1_000, 500, changes=2),
            0,
            800,
            id="a batch of two counts two, and leaves as one",
        ),
        pytest.param(
            Budget(limit=2), pushed(900, 900), 0, 900, id="two that came together leave together"
        ),
        pytest.param(
            Budget(limit=180, proven=180), pushed(2), 50, 0, id="few that wait go one after another"
        ),
        pytest.param(
            Budget(limit=180),
            pushed(2, 3, 4, 6, 90),
            120,
            4 * 9 - 6,
            id="many that wait are spread over the window, four by four",
        ),
        pytest.param(
            Budget(limit=18), pushed(2, 300), 12, 88, id="or one by one where the limit is small"
        ),
        pytest.param(Budget(blocked_until=NOW + seconds(77)), [], 0, 77, id="a block is sat out"),
    ],
)
def test_how_long_to_wait(budget: Budget, pushes: list[Push], waiting: int, wanted: float) -> None:
    assert wait(budget, pushes, NOW, waiting) == seconds(wanted)


@pytest.mark.parametrize(
    ("budget", "pushes", "waiting", "wanted"),
    [
        pytest.param(Budget(proven=200), pushed(5), 0, 199, id="what is proven may go in one push"),
        pytest.param(Budget(), pushed(5), 0, 4, id="beyond it a push is small"),
        pytest.param(Budget(proven=50), pushed(5), 0, 49, id="and never reaches across"),
        pytest.param(Budget(limit=10, proven=10), pushed(5, changes=8), 0, 2, id="what is free"),
        pytest.param(Budget(limit=10), pushed(5, changes=10), 0, 0, id="nothing is free"),
        pytest.param(Budget(), pushed(0.5), 0, 0, id="too early for any"),
        pytest.param(Budget(proven=200), pushed(60), 500, 1, id="one by one where many wait"),
        pytest.param(
            Budget(limit=200, gap=seconds(16), proven=200),
            pushed(60),
            500,
            2,
            id="two by two where the pace is slow",
        ),
    ],
)
def test_how_many_may_leave(budget: Budget, pushes: list[Push], waiting: int, wanted: int) -> None:
    assert may_send(budget, pushes, NOW, waiting) == wanted


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 2_000}, "above the most"),
        ({"gap": NOTHING}, "gap"),
        ({"window": seconds(-1)}, "window"),
        ({"blocked_until": datetime(2026, 1, 1)}, "without a zone"),  # noqa: DTZ001
    ],
    ids=str,
)
def test_a_budget_that_is_none_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Budget(**wrong)


# --- tables: what is learnt --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "pushes", "limit", "gap"),
    [
        pytest.param(Budget(limit=255), evenly(250, 7), 240, 1, id="250 within a window: 240"),
        pytest.param(Budget(), evenly(120, 2), 116, 1, id="120 in four minutes: the window's, too"),
        pytest.param(
            Budget(), evenly(120, 1), 200, 4, id="as closely as they may: the pace is suspected"
        ),
        pytest.param(
            Budget(), evenly(120, 1, since=4), 116, 1, id="but not when the last was held up"
        ),
        pytest.param(
            Budget(limit=100, grows=False, blocks=1),
            evenly(60, 30, since=1.5),
            100,
            4,
            id="closely, and far below what was learnt: the pace after all",
        ),
        pytest.param(Budget(), evenly(5, 1), 200, 4, id="5 within a minute: the pace is suspected"),
        pytest.param(Budget(), evenly(1, 1), 200, 4, id="one change in half an hour is no limit"),
        pytest.param(
            Budget(slowed_at=50, gap=seconds(4), blocks=1),
            evenly(50, 4),
            48,
            4,
            id="slower and no further: the window's after all",
        ),
        pytest.param(
            Budget(slowed_at=12, gap=seconds(4), blocks=1),
            evenly(50, 4),
            200,
            16,
            id="slower and further: slower still",
        ),
        pytest.param(
            Budget(slowed_at=1, gap=seconds(4), blocks=1, limit=300),
            evenly(290, 5),
            279,
            4,
            id="a slow pace and a full window: the window's",
        ),
        pytest.param(
            Budget(limit=240, grows=False, blocks=1),
            evenly(200, 7, since=7),
            192,
            4,
            id="what was learnt was too high: less, and slower",
        ),
        pytest.param(Budget(), [], 200, 1, id="none of ours counts: somebody else's was too many"),
        pytest.param(
            Budget(blocked_until=NOW + seconds(9)),
            evenly(120, 7),
            200,
            1,
            id="a refusal within a block is the same block",
        ),
    ],
)
def test_what_a_block_teaches(budget: Budget, pushes: list[Push], limit: int, gap: float) -> None:
    learnt = after_block(budget, pushes, NOW)
    assert (learnt.limit, learnt.gap) == (limit, seconds(gap))
    assert learnt.blocked_until == NOW + budget.pause


@pytest.mark.parametrize(
    ("asked", "stop"),
    [
        pytest.param(None, 1_800, id="half an hour unless told otherwise"),
        pytest.param(seconds(3_600), 3_600, id="as long as the marketplace asks"),
        pytest.param(seconds(5), 1_800, id="a short word does not shorten it"),
        pytest.param(timedelta(days=900), 86_400, id="a day at most"),
    ],
)
def test_how_long_a_block_stops_us(asked: timedelta | None, stop: float) -> None:
    assert after_block(Budget(), [], NOW, asked).blocked_until == NOW + seconds(stop)


def test_a_block_never_ends_earlier_for_a_second_refusal() -> None:
    long = after_block(Budget(), [], NOW, timedelta(hours=5))
    assert after_block(long, [], NOW).blocked_until == long.blocked_until


@pytest.mark.parametrize(
    ("budget", "used", "limit"),
    [
        pytest.param(Budget(probed_at=NOW - seconds(1_800)), 200, 220, id="a tenth"),
        pytest.param(Budget(probed_at=NOW - seconds(1_800)), 191, 220, id="nearly all is all"),
        pytest.param(Budget(probed_at=NOW - seconds(1_800)), 189, 200, id="some of it is not"),
        pytest.param(Budget(probed_at=NOW - seconds(1_799)), 200, 200, id="once in a window"),
        pytest.param(Budget(), 200, 200, id="not before a window was tried"),
        pytest.param(
            Budget(most=205, probed_at=NOW - seconds(1_800)), 200, 205, id="never beyond the most"
        ),
        pytest.param(
            Budget(grows=False, probed_at=NOW - seconds(1_800)), 200, 200, id="not after a block"
        ),
    ],
)
def test_a_limit_that_is_borne_grows(budget: Budget, used: int, limit: int) -> None:
    grown = after_push(budget, pushed(5, changes=used), NOW)
    assert (grown.limit, grown.proven) == (limit, used)


def test_a_reset_forgets_what_was_learnt_but_not_the_block() -> None:
    until = after_block(Budget(), evenly(120, 7), NOW).blocked_until
    assert reset(Budget(limit=300), until) == Budget(limit=300, blocked_until=until)


@pytest.mark.parametrize(
    ("learned", "start", "is_low"),
    [
        pytest.param(Budget(limit=19), Budget(), True, id="less than a tenth"),
        pytest.param(Budget(limit=20), Budget(), False, id="a tenth"),
        pytest.param(Budget(limit=1), Budget(limit=10), False, id="a store that begins with few"),
        pytest.param(Budget(gap=seconds(91)), Budget(), True, id="a tenth, but more seldom"),
        pytest.param(Budget(gap=seconds(90)), Budget(), False, id="a push for each of a tenth"),
        pytest.param(Budget(gap=seconds(64)), Budget(), False, id="three times slower"),
        pytest.param(
            Budget(limit=10, gap=seconds(4_096)),
            Budget(limit=10),
            True,
            id="not even one in a window",
        ),
        pytest.param(
            Budget(gap=seconds(120)),
            Budget(gap=seconds(120)),
            False,
            id="a store that begins with a long gap",
        ),
    ],
)
def test_what_may_leave_is_strikingly_little(learned: Budget, start: Budget, is_low: bool) -> None:
    assert is_strikingly_low(learned, start) == is_low


def test_a_limit_that_somebody_else_uses_up_shows_in_the_gap() -> None:
    """One push of ours gets through before each block, so that the limit is never lowered."""
    budget, now = Budget(), NOW
    for _ in range(6):
        budget = after_block(budget, [Push(now - seconds(1))], now)
        now += budget.pause + budget.gap
    assert (budget.limit, budget.gap) == (200, seconds(4_096))
    assert is_strikingly_low(budget, Budget())


# --- properties: never too much ----------------------------------------------------------------


@attrs.frozen
class Step:
    """Someone asks after a while, and sends what he may: how long it takes, what comes of it."""

    after: int
    there: int
    back: int
    waiting: int
    outcome: str


steps = st.lists(
    st.builds(
        Step,
        after=st.integers(0, 4_000),
        there=st.integers(0, 2_000),
        back=st.integers(0, 2_000),
        waiting=st.integers(0, 30),
        outcome=st.sampled_from(["accepted"] * 8 + ["silent", "refused"]),
    ),
    max_size=60,
)
small = st.builds(
    Budget,
    limit=st.integers(1, 8),
    most=st.just(12),
    gap=st.integers(100, 2_000).map(lambda number: timedelta(milliseconds=number)),
    window=st.integers(3, 20).map(seconds),
    pause=st.integers(1, 30).map(seconds),
    proven=st.integers(0, 8),
)
#: When a silent push is given up.
GIVEN_UP = seconds(5)


@given(small, steps)
@settings(max_examples=300)
def test_no_rolling_window_no_gap_and_no_block_is_broken(budget: Budget, walk: list[Step]) -> None:
    """As the marketplace sees it: `arrived` are its moments, ours lie before and after."""
    now, pushes, arrived = NOW, list[Push](), list[tuple[datetime, int]]()
    for step in walk:
        now += timedelta(milliseconds=step.after)
        changes = may_send(budget, pushes, now, step.waiting)
        if not changes:
            now += wait(budget, pushes, now, step.waiting)
            changes = may_send(budget, pushes, now, step.waiting)
        assert changes > 0, "who has waited may send"
        there = now + timedelta(milliseconds=step.there)
        answered = there + timedelta(milliseconds=step.back)
        assert budget.blocked_until is None or now >= budget.blocked_until
        assert all(there - one >= budget.gap for one, _ in arrived)
        lately = sum(count for one, count in arrived if one > there - budget.window)
        assert lately + changes <= budget.limit
        if step.outcome == "refused":
            budget = after_block(budget, pushes, answered)
        else:
            arrived.append((there, changes))
            is_silent = step.outcome == "silent"
            pushes.append(Push(max(answered, now + GIVEN_UP) if is_silent else answered, changes))
            budget = budget if is_silent else after_push(budget, pushes, answered)
        now = now if step.outcome == "silent" else answered


@given(small, st.lists(st.integers(0, 30), max_size=12), st.randoms(), st.integers(0, 20))
def test_the_order_of_pushes_does_not_matter(
    budget: Budget, ages: list[int], random: Any, waiting: int
) -> None:
    pushes = pushed(*ages)
    shuffled = random.sample(pushes, len(pushes))
    assert wait(budget, pushes, NOW, waiting) == wait(budget, shuffled, NOW, waiting)
    assert after_block(budget, pushes, NOW) == after_block(budget, shuffled, NOW)


@given(small, st.lists(st.integers(1, 30), min_size=1, max_size=12))
def test_after_a_block_less_is_sent_or_slower(budget: Budget, ages: list[int]) -> None:
    pushes = pushed(*ages)
    learnt = after_block(budget, pushes, NOW)
    if accepted := spent(budget, pushes, NOW):
        assert learnt.gap > budget.gap or learnt.limit < max(accepted, 2)
    assert learnt.limit <= budget.limit
    assert learnt.gap >= budget.gap


# --- learning, against marketplaces that do not tell ---------------------------------------------

ways = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 9),
        "batches": st.booleans(),
        "waiting": st.sampled_from([FEW, ENDLESS]),
    }
)


def is_kept(learnt: Learnt) -> bool:
    return learnt.marketplace.blocks <= 2 and not learnt.marketplace.pushed_while_blocked


@given(st.integers(2, 195), ways)
@settings(max_examples=20, deadline=None)
def test_a_lower_limit_is_learnt_within_two_blocks(limit: int, way: dict[str, Any]) -> None:
    assume(limit >= 8 or not way["batches"])
    learnt = learn(Rolling(limit), timedelta(hours=3), **way)
    assert is_kept(learnt)
    assert learnt.budget.limit < limit
    assert learnt.budget.limit >= limit * 9 // 10 - 3


@pytest.mark.parametrize("waiting", [FEW, ENDLESS], ids=["few wait", "many wait"])
@pytest.mark.parametrize("batches", [False, True], ids=["one by one", "in batches"])
@pytest.mark.parametrize("kind", [Rolling, Fixed], ids=["in any half-hour", "in each half-hour"])
def test_a_higher_limit_is_reached_and_learnt(
    kind: Callable[[int], Limiter], batches: bool, waiting: int
) -> None:
    learnt = learn(kind(240), timedelta(hours=5), waiting=waiting, batches=batches)
    assert is_kept(learnt)
    assert learnt.marketplace.blocks == 1
    assert 220 <= learnt.budget.limit <= 240


def test_a_batch_as_large_as_what_was_proven_is_not_refused_again_and_again() -> None:
    """From half-hour to half-hour less is allowed than what was accepted across two of them."""
    assert is_kept(learn(Fixed(229), timedelta(hours=4), waiting=FEW, batches=True))


@given(st.integers(100, 16_000), ways)
@settings(max_examples=20, deadline=None)
def test_a_pace_is_learnt_within_two_blocks(every: int, way: dict[str, Any]) -> None:
    learnt = learn(Bucket(timedelta(milliseconds=every)), timedelta(hours=3), **way)
    assert is_kept(learnt)
    possible = timedelta(minutes=30) // timedelta(milliseconds=every)
    is_met_by_chance = 1_000 < every < 2_000 and way["waiting"] == ENDLESS
    assert learnt.late >= min(200, possible) // (8 if is_met_by_chance else 2)


def test_where_there_is_no_limit_none_is_met() -> None:
    learnt = learn(Unlimited(), timedelta(hours=4))
    assert learnt.marketplace.blocks == 0
    assert learnt.budget.limit > 250
