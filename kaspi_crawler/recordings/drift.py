"""How two answers to one question differ in shape: not in values, which move every minute."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import lxml.html

from kaspi_crawler.pages import forgiving, state
from kaspi_crawler.recordings.scrub import STATES

#: Where a value stands, and which kinds of values stand there: {"offers[].price": {"number"}}.
Shape = Mapping[str, frozenset[str]]

#: Places that have no parts.
_SINGLE = ("meta ", "script ")
_KINDS: dict[type, str] = {
    bool: "boolean",
    int: "number",
    float: "number",
    str: "text",
    type(None): "null",
    dict: "object",
    list: "array",
}


@attrs.frozen(kw_only=True)
class Drift:
    """What appeared, vanished or changed its kind, as lines: `+ offers[].score (number)`."""

    lines: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.lines)


def drift(before: Shape, after: Shape) -> Drift:
    """Compare two shapes. That a value may also be null is no drift."""
    return Drift(lines=tuple(_lines(before, after)))


def _lines(before: Shape, after: Shape) -> Iterator[str]:
    for place in sorted(before.keys() | after.keys()):
        if not _is_comparable(place, before, after):
            continue
        old, new = _kinds(before, place), _kinds(after, place)
        if place not in before:
            yield f"+ {place} ({new or 'null'})"
        elif place not in after:
            yield f"- {place} ({old or 'null'})"
        elif old and new and old != new:
            yield f"~ {place}: {old} → {new}"


def _kinds(shape: Shape, place: str) -> str:
    return ", ".join(sorted(shape.get(place, frozenset()) - {"null"}))


def _is_comparable(place: str, before: Shape, after: Shape) -> bool:
    """Whether both sides could hold the place: of what came or went whole, the whole is told.

    An empty list says nothing of its elements, null nothing of its fields.
    """
    if place.startswith(_SINGLE):
        return True
    if place.endswith("[]"):
        return place in before and place in after
    holder = place.rpartition(".")[0]
    if holder not in before and holder not in after:
        return True
    return all("object" in shape.get(holder, ()) for shape in (before, after))


def shape_of_json(body: bytes) -> Shape:
    """The shape of a JSON answer; what is not JSON is a text."""
    try:
        return shape(forgiving.parse(body))
    except forgiving.NotJson:
        return {"": frozenset({"text"})}


def shape_of_page(body: bytes) -> Shape:
    """The shapes of a page's states and linked data, its metas, and the names it assigns."""
    found: dict[str, frozenset[str]] = {}
    for name in STATES:
        for told in state.assigned_objects(body, name.encode()):
            try:
                found |= shape(forgiving.parse(state.balanced(told)), name)
                break
            except forgiving.NotJson:
                continue
    root = lxml.html.document_fromstring(body, parser=lxml.html.HTMLParser(encoding="utf-8"))
    for meta in root.iter("meta"):
        found[f"meta {meta.get('property') or meta.get('name')}"] = frozenset({"text"})
    for script in root.iter("script"):
        if script.get("type") == "application/ld+json":
            found |= _linked_data(script.text or "")
        elif assigned := re.match(r"/\* assigned: (.*) \*/", script.text or ""):
            found |= {f"script {name}": frozenset({"text"}) for name in assigned[1].split()}
    return found


def _linked_data(text: str) -> Shape:
    try:
        value = forgiving.parse(text.strip().encode("utf-8", "replace"))
    except forgiving.NotJson:
        return {}
    kind = value.get("@type") if isinstance(value, dict) else None
    return shape(value, f"ld+json {kind}")


def shape(value: Any, place: str = "") -> dict[str, frozenset[str]]:
    """Each place below a value with the kinds of what stands there."""
    found: dict[str, frozenset[str]] = {}
    _collect(value, place, found)
    return found


def _collect(value: Any, place: str, found: dict[str, frozenset[str]]) -> None:
    found[place] = found.get(place, frozenset()) | {_KINDS[type(value)]}
    if isinstance(value, dict):
        for key, each in value.items():
            _collect(each, f"{place}.{key}" if place else key, found)
    elif isinstance(value, list):
        for each in value:
            _collect(each, f"{place}[]", found)
