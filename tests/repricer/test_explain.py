"""Every reason has its sentence, in two languages, and every sentence is whole."""

import re

import pytest

from domain.pricing import Action, Reason
from repricer import explain
from repricer.allowed import prepare
from repricer.decision import decide
from repricer.explain import english, russian
from tests.repricer.fuzzing import cases
from tests.repricer.thinking import TARIFFS, decided, rival


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_told_in_both_languages(reason: Reason) -> None:
    assert reason in explain._ENGLISH
    assert reason in explain._RUSSIAN


def test_no_sentence_has_a_hole() -> None:
    """An amount, a name or a brace that is missing would show as one of these."""
    hole = re.compile(r"[{}]|None|\(\)|  | [,.;:)]|\( |: [;.]|instead of *:|вместо *:")
    for situation, rule in cases(3, 5_000):
        decision = decide(situation, prepare(rule, TARIFFS, None))
        for told in (english(decision), russian(decision)):
            assert not hole.search(told), f"{told}\n{decision}"
            assert told.endswith(".")
            assert told.count(".") == 1
        if decision.action in {Action.SET, Action.REVIEW} and decision.price is not None:
            assert explain.money(decision.price) in english(decision)


def test_the_sentence_says_why_the_wish_was_not_taken() -> None:
    decision = decided(10_000, rival("A", 5_000))
    assert english(decision) == (
        "Hold 10\xa0000\xa0₸: no rival can be beaten at an allowed price "
        "(the floor is 9\xa0000\xa0₸)."
    )
    assert russian(decision) == (
        "Оставить 10\xa0000\xa0₸: допустимой ценой никого не обойти "
        "(минимальная цена — 9\xa0000\xa0₸)."
    )
