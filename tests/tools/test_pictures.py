"""The pictures of docs/ show every strategy, and need nothing but themselves."""

import re
from pathlib import Path

import pytest

from domain.pricing import Action, Strategy
from tools.pictures import PAPER, SCENES, decided, pictures

DOCS = Path(__file__).resolve().parents[2] / "docs"
PICTURES = pictures()


def test_each_strategy_has_a_picture_of_itself() -> None:
    assert {scene["rule"].get("strategy") for scene in SCENES.values()} - {None} == set(Strategy)
    for strategy in Strategy:
        assert decided(SCENES[strategy])[1].rule.strategy is strategy


def test_the_same_code_makes_the_same_pictures() -> None:
    assert pictures() == PICTURES


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_shown_on_a_page(name: str) -> None:
    shown = [page for page in DOCS.glob("*.md") if f"](pictures/{name})" in page.read_text("utf-8")]
    assert shown


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_has_its_own_ground_and_fetches_nothing(name: str) -> None:
    svg = PICTURES[name]
    assert f"fill: {PAPER}" in svg
    named = re.sub(r'xmlns(:xlink)?="[^"]*"', "", svg)
    assert not re.search(r"https?:|<script|<image|@import", named)


def test_what_is_set_in_a_picture_is_allowed() -> None:
    for scene in SCENES.values():
        decision, plan = decided(scene)
        if decision.action is Action.SET:
            assert decision.price is not None
            assert decision.price in plan.allowed
