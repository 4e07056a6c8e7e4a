"""Drift is told by place: what appeared, vanished or changed its kind; values may move."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspi_crawler.recordings.drift import drift, shape, shape_of_page

OFFERS: dict[str, Any] = {"offers": [{"price": 1500, "promo": None}, {"price": 900}], "total": 2}


def lines(before: Any, after: Any) -> list[str]:
    return list(drift(shape(before), shape(after)).lines)


@pytest.mark.parametrize(
    ("after", "told"),
    [
        pytest.param(OFFERS, [], id="the same"),
        pytest.param({"offers": [{"price": 1}], "total": 1}, ["- offers[].promo (null)"],
                     id="a field that was sometimes there is gone"),
        pytest.param({**OFFERS, "total": 7000}, [], id="values move"),
        pytest.param({**OFFERS, "total": None}, [], id="what may be null is no drift"),
        pytest.param({**OFFERS, "total": "2"}, ["~ total: number → text"], id="another kind"),
        pytest.param({**OFFERS, "score": 1}, ["+ score (number)"], id="a new field"),
        pytest.param({**OFFERS, "zone": {"id": 1, "name": "a"}}, ["+ zone (object)"],
                     id="of a new object only the object is told"),
        pytest.param({"total": 2}, ["- offers (array)"], id="of a list that went only the list"),
        pytest.param({**OFFERS, "offers": []}, [], id="an empty list says nothing of its elements"),
        pytest.param({**OFFERS, "offers": [{"price": 1.5, "promo": "x"}]}, [],
                     id="whole or broken, a number is a number; what was null may be told"),
    ],
)  # fmt: skip
def test_drift_is_told(after: Any, told: list[str]) -> None:
    assert lines(OFFERS, after) == told


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(st.text(max_size=3), deeper),
)


@given(JSON)
def test_nothing_drifts_from_itself(value: Any) -> None:
    assert lines(value, value) == []


@given(st.dictionaries(st.text(max_size=3), JSON), st.text(min_size=4, max_size=5))
def test_a_new_field_is_always_told(value: dict[str, Any], name: str) -> None:
    assert any(line.startswith(f"+ {name}") for line in lines(value, {**value, name: 1}))


def test_a_page_whose_state_moved_to_another_name_tells_both() -> None:
    def page(name: str) -> bytes:
        state = json.dumps({"card": {"id": "1"}})
        return (
            f"<html><head><script>{name} = {state}</script>"
            f"<script>/* assigned: {name} */</script></head></html>"
        ).encode()

    before = shape_of_page(page("BACKEND.components.item"))
    after = shape_of_page(page("BACKEND.components.product"))
    assert drift(before, after).lines == (
        "- BACKEND.components.item (object)",
        "- script BACKEND.components.item (text)",
        "+ script BACKEND.components.product (text)",
    )
