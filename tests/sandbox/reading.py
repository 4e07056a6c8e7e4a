"""Reads pages the naive way, so that the sandbox is not judged by the crawler's own readers."""

import json
import re
from typing import Any

BOUNDARY = "</script><script>"


def assigned(html: str, name: str) -> Any:
    """The JSON value that a script assigns to a name."""
    start = html.index(f"{name} = ") + len(name) + 3
    return json.JSONDecoder().raw_decode(html[start:])[0]


def linked_data(html: str) -> list[str]:
    """The texts of all linked data blocks, in their order."""
    return re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)


def meta(html: str, name: str) -> str | None:
    """A meta's content: None when the tag is there without one."""
    found = re.search(rf'<meta property="{name}"(?: content="([^"]*)")?>', html)
    assert found is not None, f"no meta {name}"
    return found[1]


def shape(value: object) -> object:
    """A value's keys and types without what it says; lists are known by their first entry."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__
