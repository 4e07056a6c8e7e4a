"""Every reason has its sentence, in two languages, and every sentence is whole."""

import re

import pytest

from domain.pricing import Reason
from repricer import explain
from repricer.allowed import prepare
from repricer.decision import decide
from repricer.explain import english, russian
from tests.repricer.fuzzing import cases
from tests.repricer.thinking import TARIFFS, decided, rival, rule


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_told_in_both_languages(reason: Reason) -> None:
    assert reason in explain._ENGLISH
    assert reason in explain._RUSSIAN


def test_no_sentence_has_a_hole() -> None:
    """An amount, a name or a brace that is missing would show as one of these."""
    hole = re.compile(r"[{}]|None|\(\)|  | [,.;:)]|\( |: [;.]|instead of *:|вместо *:")
    for situation, its_rule in cases(3, 5_000):
        decision = decide(situation, prepare(its_rule, TARIFFS, None))
        for told in (english(decision), russian(decision)):
            assert not hole.search(told), f"{told}\n{decision}"
            assert told.endswith(".")
            assert told.count(".") == 1
        if decision.price not in {None, decision.before}:
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


def test_nobody_is_asked_to_look_before_the_price_that_stands_is_set() -> None:
    decision = decided(10_000, rival("A", 5_000), remembered=20_000)
    assert english(decision).startswith("Look at this: our live price is far from")


def test_where_a_dead_zone_ends_the_lowest_price_is_told() -> None:
    """Whoever has to go up out of it is not to read of lower prices that earn more."""
    town = rule(floor=10_100, zone="city", uses_tariffs=True)
    decision = decided(8_500, rival("A", 5_000), by=town)
    assert (decision.price, decision.reason) == (10_562, Reason.INTO_ALLOWED)
    assert "(the lowest allowed price is 10\xa0562\xa0₸)" in english(decision)


def test_a_loss_has_its_sign_and_a_bound_stands_in_the_brackets_of_the_rival() -> None:
    assert explain.money(-1_495) == "\N{MINUS SIGN}1\xa0495\xa0₸"
    decision = decided(9_000, rival("A", 10_300), by=rule(zone="city", uses_tariffs=True))
    assert "A (10\xa0300\xa0₸; in a dead zone" in english(decision)
