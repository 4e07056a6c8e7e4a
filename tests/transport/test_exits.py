"""What an exit may do and must bear: the pace, the rests, the trials, the choice."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.exits import TRIAL, Exit, Pace, RestRule, Turn, choose

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
RULE = RestRule(first={"forbidden": timedelta(seconds=10)})
API = Pace(interval=timedelta(seconds=1), burst=3)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def exit_(name: str = "direct", **known: object) -> Exit:
    return attrs.evolve(
        Exit(name=name, host="kaspi.kz", kind="api", next_at=NOON - seconds(3600)),
        **known,  # type: ignore[arg-type]
    )


def turn_of(held: Exit, now: datetime = NOON) -> tuple[Exit, Turn]:
    taken, (turn,) = held.take(API, now)
    return taken, turn


# --- The pace ------------------------------------------------------------------------------------


def test_after_a_pause_three_may_ask_at_once_and_then_one_a_second() -> None:
    _, turns = exit_().take(API, NOON, 6)
    ahead = [(turn.moment - NOON).total_seconds() for turn in turns]
    assert ahead == [0.0, 0.0, 0.25, 1.25, 2.25, 3.25]


@given(
    interval=st.integers(1, 20_000),
    burst=st.integers(1, 5),
    arrivals=st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 4)), max_size=40),
    window=st.integers(1, 10),
)
def test_no_stretch_of_time_holds_more_turns_than_the_pace_allows(
    interval: int, burst: int, arrivals: list[tuple[int, int]], window: int
) -> None:
    pace = Pace(interval=timedelta(milliseconds=interval), burst=burst)
    held, now, moments = exit_(), NOON, []
    for later, count in arrivals:
        now += timedelta(milliseconds=later)
        held, turns = held.take(pace, now, count)
        assert all(turn.moment >= now for turn in turns)
        moments += [turn.moment for turn in turns]
    assert moments == sorted(moments)
    for first in moments:
        within = [each for each in moments if first <= each < first + window * pace.interval]
        assert len(within) <= burst + window - 1


def test_whoever_always_asks_gets_the_whole_rate() -> None:
    _, turns = exit_().take(API, NOON, 103)
    assert turns[-1].moment - NOON <= seconds(100.25)
    _, pages = exit_().take(Pace(interval=seconds(10)), NOON, 101)
    assert pages[-1].moment - NOON <= 1.02 * seconds(1000)


def test_where_nothing_is_limited_everyone_may_ask_now() -> None:
    _, turns = exit_().take(Pace(interval=seconds(0), burst=3), NOON, 50)
    assert {turn.moment for turn in turns} == {NOON}


# --- Rests ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "asked", "rest"),
    [
        pytest.param("forbidden", None, 10, id="a 403 rests for as long as it was seen to last"),
        pytest.param("too_many_requests", None, 60, id="a 429 rests for a minute"),
        pytest.param("too_many_requests", 7, 7, id="what the host asks for goes before"),
        pytest.param("too_many_requests", 90_000, 1800, id="nobody is waited for a day long"),
        pytest.param("server_error", 5, 5, id="also when the site itself is in trouble"),
        pytest.param("method_not_allowed", None, 60, id="a 405 rests for a minute"),
        pytest.param("captcha", None, 60, id="a captcha rests for a minute"),
        pytest.param("no_answer", None, 0, id="one silence may be anybody's fault"),
        pytest.param("html_instead_of_json", None, 0, id="one page for data is a doubt"),
    ],
)
def test_how_long_the_first_refusal_rests(kind: str, asked: int | None, rest: int) -> None:
    held, turn = turn_of(exit_())
    hurt = held.suffer(turn, kind, NOON, RULE, None if asked is None else seconds(asked))
    assert hurt.rest == seconds(rest)
    assert hurt.resting_until == (NOON + seconds(rest) if rest else None)
    assert (hurt.refused, hurt.last_refusal) == ({kind: 1}, kind)


@pytest.mark.parametrize("kind", ["no_answer", "html_instead_of_json", "empty_shell", "truncated"])
def test_the_second_doubt_in_a_row_rests(kind: str) -> None:
    held, turn = turn_of(exit_())
    doubted = held.suffer(turn, kind, NOON, RULE)
    assert doubted.suffer(turn, kind, NOON, RULE).rest == seconds(60)
    assert not doubted.hear(turn).suffer(turn, kind, NOON, RULE).rest, "an answer between clears it"


def test_an_exit_that_lies_again_and_again_is_rested_though_its_answers_look_well() -> None:
    held, turn = turn_of(exit_())
    for _ in range(4):
        assert not held.rest
        held = held.hear(turn).suffer(turn, "other_product", NOON, RULE)
    assert held.rest == seconds(60)


def test_a_rest_doubles_with_each_trial_in_vain_up_to_half_an_hour() -> None:
    held, now, rests = exit_(), NOON, []
    for _ in range(8):
        held, turn = turn_of(held, now)
        held = held.suffer(turn, "too_many_requests", turn.moment, RULE)
        assert held.resting_until
        rests.append(held.rest.total_seconds())
        now = held.resting_until
    assert rests == [60, 120, 240, 480, 960, 1800, 1800, 1800]
    assert held.vain == 7


def test_one_alone_tries_after_a_rest() -> None:
    held, turn = turn_of(exit_())
    held = held.suffer(turn, "forbidden", NOON, RULE)
    assert choose([held], API, NOON + seconds(9.9)) is None
    tried, turns = held.take(API, NOON + seconds(10), 5)
    assert [turn.trial for turn in turns] == [True]
    assert choose([tried], API, NOON + seconds(11)) is None
    assert choose([tried], API, NOON + seconds(10) + TRIAL) is not None, "the one who tried is dead"
    assert choose([tried.let_go(turns[0])], API, NOON + seconds(11)) is not None
    well = tried.hear(turns[0])
    assert (well.rest, well.vain, well.resting_until) == (seconds(0), 0, None)
    _, after = well.take(API, NOON + seconds(20), 3)
    assert not any(turn.trial for turn in after)


def test_what_was_under_way_when_a_rest_began_neither_prolongs_nor_ends_it() -> None:
    held, turns = exit_().take(API, NOON, 3)
    resting = held.suffer(turns[0], "too_many_requests", NOON, RULE)
    later = resting.suffer(turns[1], "too_many_requests", NOON + seconds(5), RULE)
    assert (later.rest, later.resting_until) == (resting.rest, resting.resting_until)
    assert later.refused == {"too_many_requests": 2}
    assert later.hear(turns[2]) == later
    wished = later.suffer(turns[2], "too_many_requests", NOON, RULE, seconds(300))
    assert wished.resting_until == NOON + seconds(300)


@given(
    story=st.lists(
        st.sampled_from(
            ["answer", "forbidden", "too_many_requests", "no_answer", "captcha", "lost", "pause"]
        ),
        max_size=60,
    )
)
def test_whatever_happens_an_exit_can_always_come_back(story: list[str]) -> None:
    held, now = exit_(), NOON
    for event in story:
        now = max(now, held.awake_at(now))
        held, turn = turn_of(held, now)
        now = max(now, turn.moment)
        match event:
            case "answer":
                held = held.hear(turn)
                assert not held.rest
            case "lost":
                held = held.let_go(turn)
            case "pause":
                now += seconds(100)
            case kind:
                held = held.suffer(turn, kind, now, RULE)
        assert 0 <= held.health <= 100
        assert seconds(0) <= held.rest <= RULE.longest
        assert held.awake_at(now) - now <= max(RULE.longest, TRIAL + seconds(5))
    for _ in range(30):
        now = held.awake_at(now)
        held, turn = turn_of(held, now)
        now, held = max(now, turn.moment), held.hear(turn)
    assert held.health == 100


# --- The choice ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exits", "avoiding", "chosen"),
    [
        pytest.param([exit_("a", health=60), exit_("b")], (), "b", id="the healthier"),
        pytest.param(
            [exit_("a", next_at=NOON + seconds(9)), exit_("b", health=1)],
            (),
            "b",
            id="a sick one that may ask now before a sound one that may not",
        ),
        pytest.param(
            [exit_("a", next_at=NOON - seconds(9)), exit_("b", rest=seconds(60), health=1)],
            (),
            "b",
            id="one that has rested before a sound one, so that it is known again",
        ),
        pytest.param([exit_("a"), exit_("b", health=1)], ("a",), "b", id="another than refused"),
        pytest.param([exit_("a")], ("a",), "a", id="the same when there is no other"),
        pytest.param(
            [exit_("a", rest=seconds(60), resting_until=NOON + seconds(1)), exit_("b", health=1)],
            ("b",),
            "b",
            id="the same when the others rest",
        ),
        pytest.param(
            [exit_("a", next_at=NOON - seconds(1)), exit_("b", next_at=NOON - seconds(9))],
            (),
            "b",
            id="of two alike the one that was idle for longer",
        ),
        pytest.param(
            [exit_("a", rest=seconds(60), resting_until=NOON + seconds(1))], (), None, id="none"
        ),
    ],
)
def test_which_exit_is_asked_through(
    exits: list[Exit], avoiding: tuple[str, ...], chosen: str | None
) -> None:
    found = choose(exits, API, NOON, avoiding)
    assert (found and found.name) == chosen


def test_a_host_on_loopback_is_rested_only_when_it_asks() -> None:
    lenient = RestRule(shortest=seconds(0))
    held, turn = turn_of(exit_())
    assert not held.suffer(turn, "forbidden", NOON, lenient).rest
    assert held.suffer(turn, "forbidden", NOON, lenient, seconds(3)).rest == seconds(3)
