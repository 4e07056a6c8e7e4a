"""Bodies made worse: JSON with other keys and numbers, pages without their state, halves."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sandbox.faults import PathKind
from sandbox.shell import body as shell_body

Json = Any
#: A body of bytes in, the spoiled one out.
Spoil = Callable[[PathKind, bytes], bytes]

_ITEM = "BACKEND.components.item = "
_LINKED_DATA = re.compile(r'<script type="application/ld\+json">.*?(?=</script>)', re.DOTALL)
_PRODUCT_META = re.compile(r'<(?:meta property="(?:product|og):|link rel="canonical")[^>]*>')
_DIGITAL_PRODUCT = re.compile(r"window\.digitalData\.product = .*")
_CITY = re.compile(r'"regionId":"(\d+)"')
_PRODUCT = re.compile(r'BACKEND\.state\.productId = "(\d+)"')
#: How deep an unknown key is nested: deeper than any reader's stack.
_DEPTH = 100_000

#: What is essential to an offer, to a card on its page, to a review. All other keys may go.
_OF_AN_OFFER = frozenset(
    {"masterSku", "merchantId", "merchantName", "merchantSku", "price", "preorder"}
)
_OF_A_CARD = frozenset(
    {"id", "title", "price", "discount", "unitPriceBeforeDiscount", "promoConditions"}
)
_OF_A_REVIEW = frozenset({"id", "rating", "comment"})
_UNKNOWN = {"since": "2027", "flags": [1, None, {"deep": True}], "ratio": 0.5}


def _json(value: Json) -> bytes:
    return msgspec.json.encode(value)


# --- Halves ------------------------------------------------------------------------------------


def truncated(_path: PathKind, body: bytes) -> bytes:
    """The first half, which may end within a letter."""
    return body[: len(body) // 2]


# --- Keys and numbers --------------------------------------------------------------------------


def _changing(change: Callable[[PathKind, Json], Json]) -> Spoil:
    """Spoil the JSON of an answer, or the item of a page."""

    def changed(path: PathKind, body: bytes) -> bytes:
        if path != "page":
            return _json(change(path, msgspec.json.decode(body)))
        page = body.decode()
        start, end, item = _item_of(page)
        return (page[:start] + _json(change(path, item)).decode() + page[end:]).encode()

    return changed


def _without_keys(path: PathKind, value: Json) -> Json:
    match path:
        case "page":
            return {"card": _only(value["card"], _OF_A_CARD)}
        case "offers":
            offers = [_only(offer, _OF_AN_OFFER) for offer in value["offers"]]
            return {"offers": offers, "total": value["total"]}
        case "reviews":
            return {**value, "data": [_only(review, _OF_A_REVIEW) for review in value["data"]]}
        case _:
            return {key: inner for key, inner in value.items() if inner not in (None, [], {})}


def _only(value: Json, keys: frozenset[str]) -> Json:
    return {key: inner for key, inner in value.items() if key in keys}


def _with_unknown_keys(path: PathKind, value: Json) -> Json:
    grown = {"futureFeature": _UNKNOWN, **value, "experiments": []}
    for key in ("offers", "data"):
        if isinstance(grown.get(key), list):
            grown[key] = [_grown(entry) for entry in grown[key]]
    return grown | ({"card": _grown(value["card"])} if path == "page" else {})


def _grown(entry: Json) -> Json:
    if not isinstance(entry, dict):
        return entry
    return {"futureFeature": _UNKNOWN, **entry, "experiments": None}


def _with_numbers_as_strings(_path: PathKind, value: Json) -> Json:
    return _quoted(value)


def _quoted(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _quoted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_quoted(inner) for inner in value]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return _json(value).decode() if number else value


def _without_a_price(_path: PathKind, value: Json) -> Json:
    offers = value["offers"]
    middle = len(offers) // 2
    return {
        **value,
        "offers": [
            {key: inner for key, inner in offer.items() if number != middle or key != "price"}
            for number, offer in enumerate(offers)
        ],
    }


def deep(_path: PathKind, body: bytes) -> bytes:
    """An unknown first key whose value is nested without end; what follows it is right."""
    return b'{"future":' + b"[" * _DEPTH + b"]" * _DEPTH + b"," + body.lstrip()[1:]


# --- Pages -------------------------------------------------------------------------------------


def empty_shell(_path: PathKind, _body: bytes) -> bytes:
    """A whole page with header, menu and footer, and no product."""
    head = '<!doctype html><html lang="ru" class="no-js"><head><title>Kaspi Магазин</title></head>'
    return f"{head}<body>{shell_body('')}</body></html>".encode()


def no_state(_path: PathKind, body: bytes) -> bytes:
    """The page without its item; linked data and metas still tell of the product."""
    page = body.decode()
    start, end, _ = _item_of(page)
    return (page[: start - len(_ITEM)] + page[end:]).encode()


def stripped(path: PathKind, body: bytes) -> bytes:
    """The page without anything that a reader of bytes could take for the product."""
    return _bare(no_state(path, body).decode()).encode()


def js_state(_path: PathKind, body: bytes) -> bytes:
    """The item is packed away, and a script puts it in its place."""
    page = body.decode()
    start, end, item = _item_of(page)
    packed = base64.b64encode(_json(item)).decode()
    script = f"""(function () {{
        var packed = atob("{packed}");
        var bytes = Uint8Array.from(packed, function (sign) {{ return sign.charCodeAt(0); }});
        BACKEND.components["item"] = JSON.parse(new TextDecoder("utf-8").decode(bytes));
      }})();"""
    return _bare(page[: start - len(_ITEM)] + script + page[end:]).encode()


def js_state_fetched(_path: PathKind, body: bytes) -> bytes:
    """The item comes later: a script asks for it."""
    page = body.decode()
    start, end, item = _item_of(page)
    city = _CITY.search(page)
    asked = f"/sandbox/state/{item['card']['id']}?c={city[1] if city else ''}"
    script = f"""fetch("{asked}")
        .then(function (answer) {{ return answer.json(); }})
        .then(function (item) {{ BACKEND.components["item"] = item; }});"""
    return _bare(page[: start - len(_ITEM)] + script + page[end:]).encode()


def item_of(page: bytes) -> Json:
    """The item that a page's script assigns."""
    return _item_of(page.decode())[2]


def _item_of(page: str) -> tuple[int, int, Json]:
    """Where a page's item begins and ends, and the item."""
    start = page.index(_ITEM) + len(_ITEM)
    item, end = json.JSONDecoder().raw_decode(page, start)
    return start, end, item


def _bare(page: str) -> str:
    """The page without linked data, metas and analytics of the product."""
    for pattern in (_LINKED_DATA, _PRODUCT_META, _DIGITAL_PRODUCT):
        page = pattern.sub("<script>" if pattern is _LINKED_DATA else "", page)
    return page


#: Kinds that change the body and nothing else.
SPOILS: Mapping[str, Spoil] = {
    "truncated": truncated,
    "missing_keys": _changing(_without_keys),
    "extra_keys": _changing(_with_unknown_keys),
    "numbers_as_strings": _changing(_with_numbers_as_strings),
    "missing_essential": _changing(_without_a_price),
    "deep": deep,
    "empty_shell": empty_shell,
    "no_state": no_state,
    "stripped": stripped,
    "js_state": js_state,
    "js_state_fetched": js_state_fetched,
}
