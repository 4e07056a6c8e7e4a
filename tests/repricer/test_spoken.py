"""Situations in JSON: what is read, what is refused and how it is said."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repricer.spoken import RULE_KEYS, BadSituation, answer, answers, read, read_rule
from repricer.tariffs import packaged

BOARD = [{"merchant": "A", "price": 9_500}]
LIMITS: dict[str, Any] = {"floor": 9_000, "ceiling": 12_000}


def line(**said: Any) -> bytes:
    """A situation of ours at 10,000 with one rival, unless told otherwise."""
    given: dict[str, Any] = {"store": "us", "current": 10_000, "offers": BOARD, "rule": LIMITS}
    return json.dumps({**given, **said}).encode()


def within(more: dict[str, Any]) -> dict[str, Any]:
    """A rule with our limits and more."""
    return LIMITS | more


def answered(**said: Any) -> dict[str, Any]:
    """What comes back, read as anybody would read it."""
    [(text, good)] = answers([line(**said)])
    assert good
    back: dict[str, Any] = json.loads(text)
    return back


def test_an_answer_has_all_that_was_promised() -> None:
    assert answered(id="7", rule=within({"cost": 6_000, "zone": "city", "weight_kg": 1})) == {
        "id": "7",
        "action": "set",
        "price": 9_499,
        "reason": "undercut",
        "rival": "A",
        "profit": 1_030,
        "profit_before": 980,
        "allowed": [[9_000, 9_999], [10_562, 12_000]],
        "constraints": [],
        "en": "Set 9\xa0499\xa0₸ instead of 10\xa0000\xa0₸: under A, who asks 9\xa0500\xa0₸; "
        "a sale earns 1\xa0030\xa0₸ (before: 980\xa0₸).",
        "ru": "Поставить 9\xa0499\xa0₸ вместо 10\xa0000\xa0₸: ниже A, у которого 9\xa0500\xa0₸; "
        "с продажи 1\xa0030\xa0₸ (было 980\xa0₸).",
        "before": 10_000,
        "wish": None,
        "place": 1,
        "place_before": 2,
        "considered": [{"merchant": "A", "price": 9_500}],
        "dropped": [],
    }


@pytest.mark.parametrize(
    ("said", "price"),
    [
        pytest.param({"rule": {"cost": 6_000, "ceiling": 10_500}, "offers": []}, 9_999,
                     id="with a cost, fees are counted"),
        pytest.param({"rule": {"cost": 6_000, "ceiling": 10_500}, "offers": [],
                      "tariffs": "none"}, 10_500, id="without tariffs they are not"),
        pytest.param({"rule": {"floor": 9_000, "ceiling": 10_500}, "offers": []}, 10_500,
                     id="nor are they where nothing is known of the goods"),
        pytest.param({"rule": {"floor": 9_000, "ceiling": 10_500, "zone": "city"},
                      "offers": []}, 9_999, id="a zone is enough to know the dead zones"),
        pytest.param({"rule": {"floor": 9_000, "compare_delivery": "same-or-faster"}, "offers": [
            {"merchant": "A", "price": 9_500, "delivery_days": 7},
            {"merchant": "B", "price": 9_990, "delivery_days": 0}]}, 9_989,
            id="words are known with a hyphen"),
        pytest.param({"city": "71", "rule": within({"cities": {"71": {"floor": 9_600}}}),
                      "offers": [*BOARD, {"merchant": "B", "price": 9_900}]}, 9_899,
                     id="a city has limits of its own"),
        pytest.param({"city": "75", "rule": within({"cities": {"71": {"floor": 9_600}}})}, 9_499,
                     id="which are nothing to another city"),
        pytest.param({"store": 5, "sisters": [6], "offers": [
            {"merchant": 6, "price": 9_200}, {"merchant": 7, "price": 9_600}]}, 9_599,
            id="ids may be numbers"),
        pytest.param({"rule": within({"step": None, "margin": None})}, 9_499,
                     id="null is absent"),
        pytest.param({"rule": within({"min_rating": 4.5}), "offers": [
            {"merchant": "B", "price": 9_200, "rating": 4.4},
            {"merchant": "A", "price": 9_500, "rating": 4.5}]}, 9_499,
            id="ratings have tenths"),
        pytest.param({"now": "2026-11-26T20:00:00Z", "rule": within({"windows": [
            {"from": "23:00", "to": "07:00", "do": "ceiling"}]})}, 12_000,
            id="windows are of Almaty's day"),
        pytest.param({"stock_age_days": 70, "rule": within(
            {"cost": 6_000, "margin": 1_200, "aged_days": 60, "aged_margin": 0})}, 9_499,
            id="aged goods ask for less"),
    ],
)  # fmt: skip
def test_a_situation_in_words(said: dict[str, Any], price: int) -> None:
    assert answered(**said)["price"] == price


WRONG = {
    "a key that we do not know": (
        line(rule={"flor": 1}),
        "rule.flor: there is no such key; right: floor",
    ),
    "an offer's key that we do not know": (
        line(offers=[{"merchant": "A", "price": 1, "colour": 2}]),
        "offers[0].colour: there is no such key; right: merchant, price",
    ),
    "a text for a number": (
        line(rule={"floor": "9000"}),
        'rule.floor: "9000" is not right; right: a whole number of tenge',
    ),
    "a fraction of a tenge": (
        line(current=99.5),
        "current: 99.5 is not right; right: a whole number of tenge, 1 to 1000000000",
    ),
    "true for a price": (line(current=True), "current: true is not right"),
    "a price that is missing": (
        line(offers=[*BOARD, {"merchant": "B"}]),
        "offers[1].price: missing; right: a whole number of tenge",
    ),
    "a strategy of another house": (
        line(rule={"strategy": "cheapest"}),
        'rule.strategy: "cheapest" is not known; right: one of undercut, match',
    ),
    "a zone of another house": (
        line(rule={"zone": "moon"}),
        'rule.zone: "moon" is not known; right: one of city, country',
    ),
    "tariffs of another house": (line(tariffs="mine"), 'tariffs: "mine" is not known'),
    "a share above the whole": (
        line(rule={"margin_bp": 10_001}),
        "rule.margin_bp: 10001 is not right; right: basis points",
    ),
    "a margin below nothing": (
        line(rule={"margin": -1}),
        "rule.margin: -1 is not right; right: a whole number of tenge, 0 to 1000000000",
    ),
    "a weight below nothing": (line(rule={"weight_kg": -1}), "rule.weight_kg: -1 is not right"),
    "a rating of six": (
        line(offers=[{"merchant": "A", "price": 1, "rating": 6}]),
        "offers[0].rating: 6 is not right; right: a rating from 0 to 5",
    ),
    "a moment without a zone": (
        line(now="2026-11-26T09:00:00"),
        'now: "2026-11-26T09:00:00" is not right; right: a moment with its zone',
    ),
    "windows without a moment": (
        line(rule=within({"windows": [{"from": "9:00", "to": "18:00", "do": "work"}]})),
        "now: missing; rule.windows need a moment",
    ),
    "an hour that no clock shows": (
        line(rule={"windows": [{"from": "25:00", "to": "1:00", "do": "hold"}]}),
        'rule.windows[0].from: "25:00" is not right',
    ),
    "a window in which nothing is done": (
        line(rule={"windows": [{"from": "22:00", "to": "07:00"}]}),
        "rule.windows[0].do: missing; right: one of work, hold, ceiling, reset",
    ),
    "a number for an offer": (
        line(offers=[9_500]),
        'offers[0]: 9500 is not right; right: an offer: {"merchant": "A", "price": 9500}',
    ),
    "a text for a number in a city": (
        line(rule={"cities": {"1": {"floor": 1}, "2": {"floor": "9000"}}}),
        'rule.cities.2.floor: "9000" is not right; right: a whole number of tenge',
    ),
    "a key that we do not know in a city": (
        line(rule={"cities": {"1": {"flor": 1}}}),
        "rule.cities.1.flor: there is no such key; right: floor",
    ),
    "a city's value and then a torn line": (
        b'{"rule": {"cities": {"1": {"floor": "9"}}}, "offers": [',
        "rule.cities[...].floor: this value is not right",
    ),
    "to follow nobody": (line(rule={"strategy": "follow"}), "rule.follow: missing"),
    "a list": (b"[1]", "this line is no object; right: a situation"),
    "half an object": (b'{"id": 1', "this line is not JSON"),
    "no text at all": (b'"\xff"', "this line is no object"),
    "a value and then a torn line": (
        b'{"current": "9", "offers": [',
        "current: this value is not right",
    ),
    "a value as deep as a well": (
        b'{"current": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        "current: this value is not right",
    ),
    "a hole without a bottom": (
        b'{"rule":{"cities":' + b'{"1":{"cities":' * 50_000,
        "this line is not JSON",
    ),
}


@pytest.mark.parametrize(("bad", "sentence"), WRONG.values(), ids=WRONG)
def test_a_situation_that_cannot_be_used_is_told_in_a_sentence(bad: bytes, sentence: str) -> None:
    with pytest.raises(BadSituation) as told:
        answer(bad, packaged())
    assert str(told.value).startswith(sentence)


def test_the_other_lines_go_on() -> None:
    lines = [line(id=1), b"\n", line(id=2, rule={"step": 0}), b"?", line(id=3)]
    told = [(json.loads(text), good) for text, good in answers(lines)]
    assert [good for _, good in told] == [True, False, False, True]
    assert [said["id"] for said, _ in told] == [1, 2, None, 3]
    assert [said.get("line") for said, _ in told] == [None, 3, 4, None]
    assert told[1][0]["error"].startswith("rule.step: 0 is not right")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
KEYS = st.sampled_from(["store", "current", "offers", "rule", "sisters", "now", "stock", "tariffs"])
SOME_KEYS = st.sampled_from(["floor", "step", "strategy", "zone", "cities", "windows", "weight_kg"])


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(KEYS, JSON, max_size=4),
    st.dictionaries(SOME_KEYS, JSON, max_size=3),
    st.binary(max_size=8),
)
def test_whatever_comes_is_decided_or_told(
    said: dict[str, Any], rule: dict[str, Any], noise: bytes
) -> None:
    lines = [json.dumps(said).encode(), json.dumps({"rule": rule}).encode(), noise]
    for text, good in answers(lines):
        assert ("action" if good else "error") in json.loads(text)


def test_numbers_beyond_all_measure_are_absurd_or_told() -> None:
    told = answered(offers=[{"merchant": "A", "price": 10**15}, {"merchant": "B", "price": -3}])
    assert [one["why"] for one in told["dropped"]] == ["absurd", "absurd"]


def test_defaults_are_those_of_the_rule() -> None:
    _, rule = read(b"{}")
    assert (rule.step, rule.position, rule.max_change_bp) == (1, 1, 3_000)


def test_a_rule_alone_is_read_as_within_a_situation() -> None:
    said = {"floor": 900, "strategy": "follow", "follow": 7, "weight_kg": 0.5, "zone": "town"}
    _, within_a_situation = read(json.dumps({"rule": said}).encode())
    assert read_rule(json.dumps(said).encode()) == within_a_situation


def test_windows_of_a_rule_alone_wait_for_their_moment() -> None:
    rule = read_rule(b'{"windows": [{"from": "22:00", "to": "07:00", "do": "hold"}]}')
    assert [(window.begins, window.ends) for window in rule.windows] == [(1_320, 420)]


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        pytest.param(b'{"floor": "900"}', 'rule.floor: "900" is not right', id="money as a text"),
        pytest.param(b'{"flor": 9}', "rule.flor: there is no such key; right: floor", id="no key"),
        pytest.param(b"[]", "rule: [] is not right; right: an object", id="a list"),
        pytest.param(b'{"cities": {}}', "rule.cities: not in a rule for one city", id="cities"),
        pytest.param(b'{"strategy": "follow"}', "rule.follow: missing", id="nobody to follow"),
    ],
)
def test_a_wrong_rule_alone_is_told_in_a_sentence(bad: bytes, sentence: str) -> None:
    with pytest.raises(BadSituation) as told:
        read_rule(bad)
    assert str(told.value).startswith(sentence)


def test_the_limits_of_a_key_are_those_of_the_reader() -> None:
    for key in RULE_KEYS.values():
        if key.lowest is None or key.kind == "shares":
            continue
        assert key.highest is not None
        for right in (key.lowest, key.highest):
            read_rule(json.dumps({key.name: right}).encode())
        for wrong in (key.lowest - 1, key.highest + 1):
            with pytest.raises(BadSituation, match=key.english.split(" (")[0]):
                read_rule(json.dumps({key.name: wrong}).encode())
