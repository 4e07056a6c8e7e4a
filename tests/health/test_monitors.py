"""Each monitor says when something is wrong, names source and remedy, and else is silent."""

from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.utils.project import get_project_settings

from domain.run import Figures
from kaspi_crawler.extensions.health import thresholds
from kaspi_crawler.health.monitors import MONITORS, Verdict, Watched, judge

FIGURES = Figures(
    items=100,
    expected=100,
    seconds=100,
    boards=100,
    incomplete=0,
    answers=110,
    refused=0,
    unread=0,
    coverage={"offer/seller": 10_000, "offer/price_minus_bonus": 4_000, "card/brand": 10_000},
)
GOOD = Watched(
    reason="finished",
    figures=FIGURES,
    past=(FIGURES,) * 3,
    refused={},
    unread={},
    drifts={},
    looked_at=3,
    errors=0,
    thresholds=thresholds(get_project_settings()),
)


def watched(
    figures: Mapping[str, Any] | None = None,
    coverage: Mapping[str, int] | None = None,
    **changes: Any,
) -> Watched:
    told = attrs.evolve(FIGURES, **(figures or {}))
    told = attrs.evolve(told, coverage={**told.coverage, **(coverage or {})})
    return attrs.evolve(GOOD, figures=told, **changes)


def names(verdict: Verdict) -> list[str]:
    return sorted({alarm.name for alarm in verdict.alarms})


def test_a_good_run_raises_nothing_and_all_could_judge() -> None:
    verdict = judge(GOOD)
    assert verdict.alarms == ()
    assert verdict.judged == set(MONITORS)


@pytest.mark.parametrize(
    ("run", "alarm", "words"),
    [
        pytest.param(watched(reason="blocked"), "closed", ["blocked", "KASPI_DELAY"],
                     id="it was blocked"),
        pytest.param(watched(reason="closespider_timeout"), "closed",
                     ["closespider_timeout", "docs/operating.md"], id="a reason of Scrapy's"),
        pytest.param(watched({"items": 89}, unread={"reviews": 2, "offers": 9}), "too_few_items",
                     ["89 of 100", "offers", "quarantine"], id="less was read than wanted"),
        pytest.param(watched({"items": 69, "expected": None}, refused={"page": 30}), "items_drop",
                     ["69", "100", "page"], id="less was read than in the last runs"),
        pytest.param(watched(coverage={"card/brand": 8_900}), "field_coverage",
                     ["page", "brand", "89 %", "90 %", "quarantine"], id="a field is lacking"),
        pytest.param(watched(coverage={"offer/price_minus_bonus": 1_900}), "coverage_drop",
                     ["offers", "price_minus_bonus", "19 %", "40 %"], id="a field became rare"),
        pytest.param(watched({"refused": 23}, refused={"offers": 20, "page": 3}),
                     "too_many_refusals", ["offers, page", "21 %", "KASPI_DELAY"],
                     id="refusals are many"),
        pytest.param(watched({"refused": 15}, refused={"offers": 15}), "refusals_rise",
                     ["offers", "14 %", "0 % before"], id="refusals became more"),
        pytest.param(watched({"incomplete": 11}), "incomplete_boards",
                     ["11 of 100", "offers", "log"], id="boards are incomplete"),
        pytest.param(watched({"standing": 2_000, "gone": 601}), "many_gone",
                     ["601 of 2,000", "offers", "empty boards"], id="offers left in droves"),
        pytest.param(watched({"incomplete": 11}), "incomplete_rise", ["0 % before"],
                     id="more boards are incomplete than before"),
        pytest.param(watched({"unread": 6}, unread={"reviews": 6}), "unread_answers",
                     ["reviews", "6 of 110", "replay"], id="answers could not be read"),
        pytest.param(watched(drifts={"offers: unknown offers[].cost": 4}), "schema_drift",
                     ["offers", "unknown offers[].cost", "kaspi_crawler/pages"],
                     id="the format is new"),
        pytest.param(watched({"seconds": 50_000}), "too_long", ["50,000 s", "doctor"],
                     id="it took too long"),
        pytest.param(watched({"seconds": 301}), "slower", ["301 s", "100 s"],
                     id="it took longer than before"),
        pytest.param(watched(errors=2), "lost_to_errors", ["2 readings", "defect"],
                     id="errors of ours"),
        pytest.param(watched(prices={"review": 3, "set": 9}), "prices_to_look_at",
                     ["set: 3", "scrapy why"], id="prices wait for a person"),
        pytest.param(watched(prices={"unusable_rules": 2}), "unusable_rules",
                     ["used: 2", "scrapy rules"], id="rules cannot be used"),
        pytest.param(watched(prices={"refused": 1}), "refused_prices", ["pass: 1", "defect"],
                     id="the database refused a price"),
        pytest.param(watched(signed_out={"30000001": "too many codes"}), "signed_out",
                     ["30000001", "too many codes", "scrapy shop"], id="a cabinet is shut"),
        pytest.param(watched(shop={"vanished_after_push": 2}), "vanished_after_push",
                     ["2 articles", "NO_AVAILABILITIES", "resume"], id="goods went off sale"),
        pytest.param(watched(shop={"not_believed": 40}), "goods_not_believed",
                     ["40 of our articles", "believe=yes"], id="the cabinet is nearly empty"),
        pytest.param(watched(prices={"unverified": 2, "accepted": 9}), "unverified_prices",
                     ["2 prices", "publish status"], id="prices that were sent are not seen"),
        pytest.param(watched(prices={"vanished": 1}), "vanished_after_push",
                     ["1 articles", "resume"], id="an article vanished after its price"),
        pytest.param(watched(prices={"stopped/blocked": 1}), "blocked_publishing",
                     ["429", "half an hour"], id="the account is blocked"),
        pytest.param(watched(prices={"low_limit/700": 7}), "low_change_limit",
                     ["Store 700", ": at most 7 in", "scrapy publish reset 700"],
                     id="hardly any changes"),
        pytest.param(watched(prices={"stopped/session_gone": 4}), "cabinet_unreachable",
                     ["session_gone 4", "sign in"], id="the cabinet cannot be used"),
        pytest.param(watched(prices={"unread_items": 2}), "cabinet_unreachable",
                     ["unread_items 2", "KASPI_SECRET_KEY"], id="no key opens the accounts"),
    ],
)  # fmt: skip
def test_an_alarm_names_source_and_remedy(run: Watched, alarm: str, words: list[str]) -> None:
    raised = [one for one in judge(run).alarms if one.name == alarm]
    assert len(raised) == 1
    told = f"{raised[0].sentence}. {raised[0].remedy}"
    assert not [word for word in words if word not in told], told
    assert raised[0].subject
    assert any("а" <= letter <= "я" for letter in raised[0].russian)


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(watched({"items": 90}), id="nine of ten readings"),
        pytest.param(watched({"items": 70, "expected": None}), id="a third fewer than usual"),
        pytest.param(watched(coverage={"card/brand": 9_000}), id="a field at its threshold"),
        pytest.param(
            watched(coverage={"offer/price_minus_bonus": 2_000}), id="a field a bit rarer"
        ),
        pytest.param(watched(coverage={"offer/purchase_count": 0}), id="a field nobody ever saw"),
        pytest.param(watched({"refused": 10}), id="some refusals"),
        pytest.param(watched({"incomplete": 10}), id="some incomplete boards"),
        pytest.param(watched({"standing": 2_000, "gone": 600}), id="many that left"),
        pytest.param(watched({"unread": 5}), id="some unread answers"),
        pytest.param(watched({"seconds": 300}), id="three times as long"),
        pytest.param(
            watched({"seconds": 59, "items": 100}, past=(attrs.evolve(FIGURES, seconds=1),) * 3),
            id="a short run that was shorter before",
        ),
        pytest.param(
            watched(
                {"items": 50, "expected": 400},
                reason="finished",
                past=(attrs.evolve(FIGURES, items=50),) * 7,
                thresholds=attrs.evolve(GOOD.thresholds, expected_share=0.1),
            ),
            id="thresholds are settings",
        ),
    ],
)
def test_what_stays_within_the_thresholds_is_no_alarm(run: Watched) -> None:
    assert names(judge(run)) == []


SHARES = {
    "field_coverage", "coverage_drop", "refusals_rise", "slower", "too_few_items",
    "incomplete_boards", "incomplete_rise", "many_gone", "too_many_refusals", "unread_answers",
}  # fmt: skip


def test_a_small_run_says_nothing_of_shares() -> None:
    small = {"items": 1, "expected": 5, "boards": 5, "incomplete": 5, "answers": 9, "refused": 8}
    small |= {"standing": 9, "gone": 9}
    nothing = dict.fromkeys(FIGURES.coverage, 0)
    verdict = judge(watched({**small, "unread": 8}, coverage=nothing, past=()))
    assert verdict.alarms == ()
    assert not verdict.judged & SHARES


def test_small_runs_are_no_measure() -> None:
    small = attrs.evolve(FIGURES, items=19, coverage={"card/brand": 0})
    assert "items_drop" not in judge(attrs.evolve(GOOD, past=(small,) * 7)).judged


def test_fewer_than_three_runs_are_no_measure() -> None:
    bad = watched({"items": 30, "expected": None, "seconds": 9_000}, past=(FIGURES,) * 2)
    assert names(judge(bad)) == []


def test_the_usual_is_the_median_so_that_one_bad_run_moves_nothing() -> None:
    past = (attrs.evolve(FIGURES, items=20), FIGURES, FIGURES, FIGURES)
    assert names(judge(watched({"items": 60, "expected": None}, past=past))) == ["items_drop"]


def test_an_alarm_of_drift_is_one_a_source_and_not_endless() -> None:
    drifts = {f"offers: unknown key{place}": 1 for place in range(9)} | {"page: missing card": 1}
    offers, page = judge(attrs.evolve(GOOD, drifts=drifts)).alarms
    assert "and 4 more" in offers.sentence
    assert page.subject == "page: missing card"


counts = st.integers(0, 10_000)


@given(
    figures=st.builds(
        Figures, items=counts, expected=st.none() | counts, seconds=counts, boards=counts,
        incomplete=counts, answers=counts, refused=counts, unread=counts,
        coverage=st.dictionaries(st.sampled_from(["offer/seller", "card/brand", "x"]), counts),
    ),
    past=st.lists(
        st.builds(
            Figures, items=counts, expected=st.none(), seconds=counts, boards=counts,
            incomplete=counts, answers=counts, refused=counts, unread=counts,
            coverage=st.dictionaries(st.sampled_from(["offer/seller", "card/brand", "y"]), counts),
        ),
        max_size=8,
    ),
)  # fmt: skip
def test_whatever_the_figures_every_alarm_is_known_and_was_judged(
    figures: Figures, past: list[Figures]
) -> None:
    verdict = judge(attrs.evolve(GOOD, figures=figures, past=tuple(past)))
    assert {alarm.name for alarm in verdict.alarms} <= verdict.judged <= set(MONITORS)
