"""What docs/money.md and docs/strategies.md tell a seller is what the engine does."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.pricing import Action, Reason, Rule
from repricer import spoken
from repricer.allowed import prepare
from repricer.costs import costs
from repricer.decision import decide
from repricer.spoken import read
from tests.repricer.fuzzing import cases
from tests.repricer.test_promises import planned
from tests.repricer.thinking import TARIFFS

DOCS = Path(__file__).resolve().parents[2] / "docs"
MONEY = (DOCS / "money.md").read_text(encoding="utf-8")
STRATEGIES = (DOCS / "strategies.md").read_text(encoding="utf-8")


def table(page: str, heading: str) -> list[list[str]]:
    """The rows of the table whose heading begins so."""
    lines = iter(page.splitlines())
    for line in lines:
        if line.startswith(f"| {heading} |"):
            next(lines)
            break
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    assert rows, f"there is a table of {heading}"
    return rows


def whole(text: str) -> int:
    return int(text.replace(",", ""))


def pairs(text: str) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(map(whole, pair.split("-"))) for pair in text.split())


SALES = table(MONEY, "price | zone")


@pytest.mark.parametrize("row", SALES, ids=lambda row: f"{row[0]} in {row[1]}")
def test_a_sale_is_reckoned_as_the_page_says(row: list[str]) -> None:
    price, zone, kilograms, category, *taken, cost, profit = row
    rule: dict[str, Any] = {"zone": zone, "cost": whole(cost), "category": category or None}
    _, made = read(msgspec.json.encode({"rule": {**rule, "weight_kg": Decimal(kilograms)}}))
    sale = costs(made, TARIFFS.on(None))
    assert sale is not None
    assert sale.profit(whole(price)) == whole(profit)
    by_hand = whole(price) - whole(cost) - sum(Decimal(fee.replace(",", "")) for fee in taken)
    assert int(by_hand) == whole(profit)


@pytest.mark.parametrize("row", table(MONEY, "zone | kg"), ids=lambda row: " ".join(row[:2]))
def test_the_dead_zones_of_the_page_are_all_there_are(row: list[str]) -> None:
    zone, kilograms, zones = row
    sale = costs(Rule(zone=zone, weight=int(kilograms) * 1_000), TARIFFS.on(None))
    assert sale is not None
    assert sale.dead_zones.pairs == pairs(zones)


@pytest.mark.parametrize("row", table(MONEY, "cost | packaging"), ids=lambda row: row[-1])
def test_the_allowed_prices_of_the_page(row: list[str]) -> None:
    *numbers, zone, allowed = row
    names = ("cost", "packaging", "margin", "margin_bp", "floor", "ceiling")
    given: dict[str, Any] = {
        name: whole(number) for name, number in zip(names, numbers, strict=True) if number
    }
    assert prepare(Rule(**given, zone=zone), TARIFFS, None).allowed.pairs == pairs(allowed)


def keys(cell: str) -> list[str]:
    return re.findall("`([a-z_]+)`", cell)


def test_every_key_of_a_situation_is_told() -> None:
    cells = re.findall(r"^\| (`.*?) \|", STRATEGIES, re.MULTILINE)
    told = {key for cell in cells for key in keys(cell)}
    known = {*spoken._Situation.__struct_fields__, *spoken._Rule.__struct_fields__}
    assert told == known
    assert set(spoken._Offer.__struct_fields__) <= set(keys(STRATEGIES))


def test_every_key_has_words_for_what_would_be_right() -> None:
    offers = {f"offers[].{name}" for name in spoken._Offer.__struct_fields__}
    words = {
        "strategy",
        "when_alone",
        "when_unbeatable",
        "when_tied",
        "when_followed",
        "compare_delivery",
    }
    known = {*spoken._Situation.__struct_fields__, *spoken._Rule.__struct_fields__, *offers}
    assert known - words - {"tariffs"} <= set(spoken._EXPECTED)


DEFAULTS = [
    (name, default)
    for cell, told, _ in table(STRATEGIES.split("Keys of a rule:")[1], "key | default")
    if re.fullmatch(r"[\w., ]+", told) and told != "none"
    for name, default in (
        [(keys(cell)[0], told)]
        if len(keys(cell)) == 1
        else zip(keys(cell), told.split(", "), strict=False)
    )
    if default not in {"none", "the usual commission"}
]


@pytest.mark.parametrize(("name", "default"), DEFAULTS, ids=[name for name, _ in DEFAULTS])
def test_a_default_is_what_the_page_says(name: str, default: str) -> None:
    rule = Rule()
    if name == "weight_kg":
        assert rule.weight == int(default) * 1_000
        return
    value = getattr(rule, name)
    plain = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value).lower()
    assert plain == default


def test_the_example_is_a_situation() -> None:
    [line] = [line for line in STRATEGIES.splitlines() if line.startswith('    {"store"')]
    assert spoken.answer(line.encode(), TARIFFS)["price"] == 9_499


def test_the_reasons_of_each_action_are_told() -> None:
    told = {Action(row[0]): set(keys(row[1])) for row in table(STRATEGIES, "action | reasons")}
    assert sorted(reason for reasons in told.values() for reason in reasons) == sorted(Reason)
    for situation, rule in cases(11, 10_000):
        decision = decide(situation, planned(situation, rule))
        assert decision.reason in told[decision.action]
