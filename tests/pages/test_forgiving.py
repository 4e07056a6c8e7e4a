"""What fits of a drifted value is read, what does not takes its default or is named."""

import msgspec
import pytest

from kaspi_crawler.pages.forgiving import Misfit, NotJson, parse, read


class Inner(msgspec.Struct, rename="camel"):
    must_be: str
    may_be: int | None = None


class Outer(msgspec.Struct, rename="camel"):
    inner: Inner | None = None
    inners: list[Inner] | None = None
    by_name: dict[str, Inner | None] | None = None
    price: int | None = None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({}, Outer(), id="nothing"),
        pytest.param({"unknown": 5}, Outer(), id="an unknown key"),
        pytest.param({"inner": {"mustBe": "a"}}, Outer(inner=Inner("a")), id="all fits"),
        pytest.param(
            {"inner": {"mustBe": "a", "mayBe": "x"}}, Outer(inner=Inner("a")), id="an inner field"
        ),
        pytest.param({"inner": {"mayBe": 5}}, Outer(), id="an inner that lacks its own"),
        pytest.param({"inner": {"mustBe": 5}}, Outer(inner=Inner("5")), id="a number for a text"),
        pytest.param(
            {"inners": [{"mustBe": "a"}, {}, 5, {"mustBe": "b"}]},
            Outer(inners=[Inner("a"), Inner("b")]),
            id="some of a list",
        ),
        pytest.param(
            {"byName": {"a": {"mustBe": "a"}, "b": 5, "c": None}},
            Outer(by_name={"a": Inner("a"), "c": None}),
            id="some of a mapping",
        ),
        pytest.param({"price": "5.0"}, Outer(price=5), id="a whole number as text"),
        pytest.param({"price": 5.5}, Outer(), id="a fraction"),
    ],
)
def test_what_fits_is_read(value: object, expected: Outer) -> None:
    assert read(value, Outer) == expected


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        pytest.param({"mayBe": 5}, "no mustBe", id="absent"),
        pytest.param({"mustBe": None}, "no mustBe in None", id="null"),
        pytest.param({"mustBe": ["a"]}, "no mustBe in ['a']", id="of another kind"),
        pytest.param([], "no Inner in []", id="no object"),
    ],
)
def test_what_must_be_there_is_named(value: object, complaint: str) -> None:
    with pytest.raises(Misfit) as told:
        read(value, Inner)
    assert str(told.value) == complaint


@pytest.mark.parametrize("value", [{"inner": {}}, {"inners": [{}]}, {"byName": {"a": {}}}])
def test_an_essential_field_is_essential_at_any_depth(value: object) -> None:
    assert read(value, Outer).inner is None
    with pytest.raises(Misfit, match="no mustBe"):
        read(value, Outer, essential=("mustBe",))


def test_an_essential_field_may_be_absent_but_not_spoilt() -> None:
    assert read({"price": None}, Outer, essential=("price",)) == Outer()
    with pytest.raises(Misfit, match="no price in 'нет'"):
        read({"price": "нет"}, Outer, essential=("price",))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(b'{"a": 1}', {"a": 1}, id="JSON"),
        pytest.param(b'"\xff"', "�", id="a byte that is no letter"),
        pytest.param(b'"\\ud83d"', "\ufffd", id="half a character"),
    ],
)
def test_letters_are_mended(text: bytes, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize("text", [b"", b"{", b"{a: 1}", b"<html>", b'{"a": NaN}', b"[" * 10**5])
def test_the_rest_is_not_json(text: bytes) -> None:
    with pytest.raises(NotJson):
        parse(text)
