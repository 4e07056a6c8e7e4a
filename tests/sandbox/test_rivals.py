"""How each kind of seller answers a board."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Tenge
from sandbox.rivals import (
    Leaver,
    Limits,
    Matcher,
    Newcomer,
    NightRaider,
    Quote,
    RandomWalker,
    Rule,
    Sleeper,
    Undercutter,
    View,
    rule,
)

FLOOR, ASK = 900, 1_000
GONE = Quote(Tenge(950), present=False)
RULES = (
    Sleeper(),
    Undercutter(3),
    Matcher(),
    RandomWalker(),
    NightRaider(),
    Leaver(),
    Newcomer(),
)


def view(lowest: int | None, hour: int = 12, mine: Quote | None = None, seed: int = 1) -> View:
    limits = Limits(Tenge(FLOOR), Tenge(ASK))
    return View(mine or Quote(Tenge(950)), limits, lowest, hour, Random(seed))  # noqa: S311


@pytest.mark.parametrize(
    ("way", "seen", "price"),
    [
        pytest.param(Sleeper(), view(905), 950, id="a sleeper does not move"),
        pytest.param(Undercutter(3), view(940), 937, id="an undercutter goes just below"),
        pytest.param(Undercutter(3), view(990), 987, id="an undercutter in front closes the gap"),
        pytest.param(Undercutter(3), view(800), FLOOR, id="an undercutter stops at his floor"),
        pytest.param(Undercutter(3), view(None), ASK, id="an undercutter alone asks his price"),
        pytest.param(Matcher(), view(940), 940, id="a matcher asks the same"),
        pytest.param(Matcher(), view(500), FLOOR, id="a matcher stops at his floor"),
        pytest.param(Matcher(), view(None), ASK, id="a matcher alone asks his price"),
        pytest.param(NightRaider(), view(500, hour=3), 930, id="a raider is cheap at night"),
        pytest.param(NightRaider(), view(500, hour=6), ASK, id="a raider is dear by day"),
    ],
)
def test_a_price_is_answered(way: Rule, seen: View, price: int) -> None:
    assert way.quote(seen) == Quote(Tenge(price))


@pytest.mark.parametrize(
    ("way", "mine", "present"),
    [
        pytest.param(Leaver(), Quote(Tenge(950)), False, id="a leaver runs out of stock"),
        pytest.param(Leaver(), GONE, True, id="a leaver returns"),
        pytest.param(Newcomer(), GONE, True, id="a newcomer arrives"),
        pytest.param(Newcomer(), Quote(Tenge(950)), True, id="a newcomer stays"),
    ],
)
def test_presence_is_answered(way: Rule, mine: Quote, present: bool) -> None:
    assert way.quote(view(940, mine=mine)).present is present


@given(
    way=st.sampled_from(RULES),
    lowest=st.none() | st.integers(1, 2_000),
    mine=st.integers(FLOOR, ASK),
    hour=st.integers(0, 23),
    seed=st.integers(0, 1_000),
)
def test_nobody_leaves_his_limits(
    way: Rule, lowest: int | None, mine: int, hour: int, seed: int
) -> None:
    assert FLOOR <= way.quote(view(lowest, hour, Quote(Tenge(mine)), seed)).price <= ASK


def test_a_lost_war_is_given_up_now_and_then() -> None:
    answers = {Undercutter(3).quote(view(800, seed=seed)).price for seed in range(200)}
    assert answers == {FLOOR, ASK}


def test_every_way_is_dealt() -> None:
    random = Random(1)  # noqa: S311
    dealt = {type(rule(random)) for _ in range(500)} | {Newcomer}
    assert dealt == {type(way) for way in RULES}
