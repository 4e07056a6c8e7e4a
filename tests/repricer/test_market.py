"""Our strategies in the market's shapes: nothing that is not allowed, ever."""

import re
from pathlib import Path

import pytest

from benchmarks.market.report import Ratio
from benchmarks.market.runs import run
from benchmarks.market.ways import ADVISED, ADVISED_RULE, DEMPER, OURS, WAYS
from domain.pricing import Rule
from repricer.spoken import read
from sandbox.market.shapes import SHAPES


@pytest.mark.parametrize("way", OURS)
def test_no_strategy_of_ours_sets_what_is_not_allowed(way: str) -> None:
    for seed, shape in enumerate(SHAPES):
        outcome = run(shape, WAYS[way], seed, 2)
        assert (outcome.outside, outcome.below_lowest, outcome.below_cost) == (0, 0, 0)
        assert outcome.losses == 0


def test_the_same_seed_gives_the_same_outcome() -> None:
    shape = "four bots in a crowd"
    assert run(shape, WAYS[ADVISED], 5, 7) == run(shape, WAYS[ADVISED], 5, 7)
    assert run(shape, WAYS[ADVISED], 5, 7) != run(shape, WAYS[ADVISED], 6, 7)


def test_the_bench_sees_a_rule_that_forgets_its_floor() -> None:
    outcomes = [run("a rival below our cost, people", WAYS["demper unified"], s, 7) for s in (1, 2)]
    assert sum(outcome.below_cost for outcome in outcomes) > 0


def test_a_ration_is_kept() -> None:
    outcome = run("duel with a step-up bot", WAYS["cube-demper, rationed"], 3, 7)
    assert 7 <= outcome.changes <= 7 * 12_000 // 5_000 + 3


def test_a_ratio_holds_its_interval() -> None:
    ratio = Ratio.of([150, 160, 140, 300], [100, 100, 100, 100])
    assert ratio.value == pytest.approx(1.875)
    assert ratio.low < ratio.value < ratio.high
    assert Ratio.of([2, 4], [1, 2]) == Ratio(2, 2, 2)
    assert DEMPER in WAYS


def test_the_page_shows_the_rule_that_the_bench_advises() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "market.md").read_text(encoding="utf-8")
    found = re.search(r'^    (\{"strategy".*?\n)\n', page, re.MULTILINE | re.DOTALL)
    assert found
    told = f'{{"now": "2026-11-26T09:00:00+05:00", "rule": {" ".join(found[1].split())}}}'
    _, rule = read(told.encode())
    plain = Rule()
    differing = {
        name: getattr(rule, name)
        for name in Rule.__struct_fields__
        if getattr(rule, name) != getattr(plain, name)
    }
    assert differing == {"cost": 7_000, "ceiling": 12_000, **ADVISED_RULE}
