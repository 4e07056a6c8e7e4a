"""State is found by its name, wherever it stands and whatever its strings hold."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspi_crawler.pages.state import assigned_objects, balanced, up_to_last_brace

NAME = b"BACKEND.components.item"


def found(text: str, near: int = 0) -> list[bytes]:
    return list(assigned_objects(text.encode(), NAME, near))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('BACKEND.components.item = {"a":1}</script>', id="as recorded"),
        pytest.param('BACKEND.components.item={"a":1}</script>', id="without blanks"),
        pytest.param('BACKEND.components.item  =\n\t{"a":1}</script>', id="over two lines"),
        pytest.param('window.BACKEND.components.item = {"a":1}</script>', id="with window before"),
        pytest.param(
            'BACKEND.components.itemView = {"b":1};BACKEND.components.item = {"a":1}</script>',
            id="after a longer name",
        ),
        pytest.param(
            'if (BACKEND.components.item) x();BACKEND.components.item = {"a":1}</script>',
            id="after a mention",
        ),
        pytest.param(
            'BACKEND.components.item = null;BACKEND.components.item = {"a":1}</script>',
            id="after a null",
        ),
        pytest.param('BACKEND.components.item = {"a":1}', id="in a script that is not closed"),
        pytest.param('BACKEND.components.item = {"a":1}</SCRIPT>', id="closed in capitals"),
    ],
)
def test_an_assigned_object_is_found(text: str) -> None:
    (script,) = found(text)
    assert balanced(script) == b'{"a":1}'


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("BACKEND.components.item = null", id="null"),
        pytest.param('BACKEND.components.item == {"a":1}', id="a comparison"),
        pytest.param('BACKEND.components.items = {"a":1}', id="a longer name"),
        pytest.param("BACKEND.components.item = [1]", id="an array"),
    ],
)
def test_what_is_no_assigned_object_is_passed_by(text: str) -> None:
    assert found(text) == []


def test_what_lies_before_the_place_of_search_is_found_as_well() -> None:
    text = 'BACKEND.components.item = {"a":1}</script>' + "x" * 100
    assert found(text, near=90) == found(text) == [b'{"a":1}']


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"text": "} ; { }"}, id="braces in a string"),
        pytest.param({"text": 'says "}" aloud'}, id="quotes in a string"),
        pytest.param({"text": "back\\slash\\"}, id="a backslash before the closing quote"),
        pytest.param({"text": '\\"}'}, id="a backslash and a quote"),
        pytest.param({"code": "[Master - Kettles][brand]{104500000}"}, id="a base product code"),
        pytest.param({"text": "a };\n b"}, id="the end of a statement"),
        pytest.param({"a": {"b": {"c": {}}}}, id="objects in objects"),
    ],
)
@pytest.mark.parametrize("after", ["", ";", ";\n x = {a: '}'}", "; y = null\n"])
def test_the_object_ends_where_it_ends(value: object, after: str) -> None:
    text = json.dumps(value)
    assert balanced(f"{text}{after}".encode()) == text.encode()


def test_a_script_that_broke_off_is_left_as_it_is() -> None:
    assert balanced(b'{"a": {"b": "}}') == b'{"a": {"b": "}}'


def test_the_guess_drops_statements_without_braces() -> None:
    assert up_to_last_brace(b'{"a":1};\n shop = null\n') == b'{"a":1}'


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
SAFE = st.text(st.characters(exclude_characters="<", exclude_categories=["Cs"]), max_size=50)


@given(
    value=st.dictionaries(st.text(), VALUES, max_size=5),
    before=SAFE,
    after=SAFE,
    spacing=st.sampled_from([" = ", "=", " =\n"]),
    readable=st.booleans(),
)
def test_any_object_is_cut_out_exactly(
    value: object, before: str, after: str, spacing: str, readable: bool
) -> None:
    text = json.dumps(value, ensure_ascii=not readable).replace("</", "<\\/")
    page = f"{before}<script>BACKEND.components.item{spacing}{text};{after}</script>".encode(
        "utf-8", "replace"
    )
    script = next(assigned_objects(page, NAME))
    assert balanced(script) == text.encode("utf-8", "replace")


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b'"' + b"x" * 1_000_000, id="within a text"),
        pytest.param(b'"' + b'x\\"' * 300_000, id="within a text of quotes"),
        pytest.param(b'"x\\', id="within an escape"),
        pytest.param(b"1 " + b" " * 1_000_000, id="within blanks"),
    ],
)
def test_a_script_that_broke_off_is_given_back_whole_and_at_once(rest: bytes) -> None:
    """Searched anew from each letter, a megabyte would take an hour."""
    script = b'{"a":' + rest
    assert balanced(script) == script
