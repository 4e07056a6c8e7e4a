"""Limits, bans and counts of one exit, on a clock of the test's own."""

from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.exits import Exit, Exits, Refusal
from sandbox.faults import Profile, read_switches


@attrs.define
class Clock:
    """A moment in seconds that the test moves."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def exit_with(profile: Profile) -> tuple[Exit, Clock]:
    clock = Clock()
    one = Exit("exit-1", clock)
    one.behave(profile)
    return one, clock


def statuses(profile: Profile, moments: Sequence[float]) -> list[int]:
    """What requests at these seconds get."""
    one, clock = exit_with(profile)
    answers = []
    for moment in moments:
        clock.now = 100 + moment
        refused = one.arrive()
        answers.append(refused.status if refused else 200)
    return answers


@pytest.mark.parametrize(
    ("profile", "moments", "answers"),
    [
        pytest.param(Profile(), [0] * 5, [200] * 5, id="without a limit everything is served"),
        pytest.param(
            Profile(rate=2, burst=3),
            [0, 0, 0, 0],
            [200, 200, 200, 403],
            id="a burst is served, what comes after it is refused",
        ),
        pytest.param(
            Profile(rate=2),
            [0, 0, 0],
            [200, 200, 403],
            id="unless said otherwise the burst is a second's worth",
        ),
        pytest.param(
            Profile(rate=0.5), [0, 2, 4, 6], [200] * 4, id="whoever keeps the rate is served"
        ),
        pytest.param(
            Profile(rate=1),
            [0, 0.5, 5, 10.4, 10.6],
            [200, 403, 403, 403, 200],
            id="a ban lasts ten seconds and is not lengthened by asking",
        ),
        pytest.param(
            Profile(rate=1, refusal=429, ban_seconds=1),
            [0, 0, 1.1],
            [200, 429, 200],
            id="the refusal and its length are the profile's",
        ),
        pytest.param(
            Profile(ban_after=2), [0, 1, 2, 1000], [200, 200, 403, 403], id="banned midway for good"
        ),
        pytest.param(Profile(state="banned"), [0, 100], [403, 403], id="banned from the first"),
        pytest.param(Profile(state="datacenter"), [0, 100], [429, 429], id="a data centre"),
    ],
)
def test_what_an_exit_is_answered(
    profile: Profile, moments: Sequence[float], answers: Sequence[int]
) -> None:
    assert statuses(profile, moments) == answers


def test_an_exit_counts_what_came() -> None:
    one, clock = exit_with(Profile(rate=2, burst=2, ban_seconds=3))
    for moment in (0, 0.1, 0.2, 0.9, 4.5, 5.05):
        clock.now = 100 + moment
        one.arrive()
    told = one.told()
    assert (told["served"], told["refused"], told["over_limit"]) == (4, 2, 1)
    assert told["most_in_a_second"] == 4


def test_a_refusal_says_how_long_to_wait_when_the_profile_does() -> None:
    one, _ = exit_with(Profile(state="banned", refusal=429, retry_after=7))
    assert one.arrive() == Refusal(429, 7)


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_the_most_in_a_second_is_that_of_the_fullest_second(gaps: list[float]) -> None:
    one, clock = exit_with(Profile())
    moments = []
    for gap in gaps:
        clock.now += gap
        moments.append(clock.now)
        one.arrive()
    fullest = max(sum(begin - 1 < other <= begin for other in moments) for begin in moments)
    assert one.most_in_a_second == fullest


@given(st.lists(st.floats(0, 2), min_size=1, max_size=80), st.integers(1, 9), st.integers(1, 9))
def test_no_more_is_served_than_rate_and_burst_allow(
    gaps: list[float], rate: int, burst: int
) -> None:
    one, clock = exit_with(Profile(rate=rate, burst=burst, ban_seconds=0))
    for gap in gaps:
        clock.now += gap
        one.arrive()
    assert one.served <= burst + rate * sum(gaps) + 1e-6
    assert one.served + one.refused == len(gaps)


def test_a_profile_takes_from_the_limits_what_it_leaves_out() -> None:
    exits = Exits()
    exits.set(read_switches(b'{"limits":{"rate":5,"burst":7},"exits":{"exit-2":{"state":"slow"}}}'))
    first, second = exits.named("exit-1").profile, exits.named("exit-2").profile
    assert first == Profile(rate=5, burst=7)
    assert second == Profile(rate=5, burst=7, state="slow")
    assert (first.pause, second.pause) == (0, 3)


def test_new_switches_begin_the_count_anew() -> None:
    exits = Exits()
    exits.set(read_switches(b'{"limits":{"state":"banned"}}'))
    assert exits.named("exit-1").arrive()
    exits.set(read_switches(b"{}"))
    assert exits.named("exit-1").arrive() is None
    assert exits.named("exit-1").told()["refused"] == 0
