"""Changes pages and answers as a site changes them, or as a bad line does."""

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

ITEM = b"BACKEND.components.item = "

Rewrite = Callable[[dict[str, Any]], str]


def item_of(page: bytes) -> tuple[dict[str, Any], int, int]:
    """The item's state, with where its statement begins and its object ends."""
    text = page.decode()
    begins = text.index(ITEM.decode())
    at = begins + len(ITEM)
    item, ends = json.JSONDecoder().raw_decode(text, at)
    return item, begins, ends


def restated(page: bytes, statement: Rewrite) -> bytes:
    """The page with another statement where the item's stood."""
    item, begins, ends = item_of(page)
    text = page.decode()
    return f"{text[:begins]}{statement(item)}{text[ends:]}".encode()


def changed(page: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    """The page with an item that `change` has changed in place, or returned anew."""

    def statement(item: dict[str, Any]) -> str:
        made = change(item)
        return ITEM.decode() + plain(item if made is None else made)

    return restated(page, statement)


def plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def unquoted(value: object, quote: str = '"') -> str:
    """A literal of JavaScript: keys without quotes, texts in quotes of some kind."""
    if isinstance(value, dict):
        pairs = (f"{_key(key, quote)}:{unquoted(one, quote)}" for key, one in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(unquoted(one, quote) for one in value) + "]"
    if isinstance(value, str):
        inner = plain(value)[1:-1]
        if quote == "'":
            inner = inner.replace('\\"', '"').replace("'", "\\'")
        return f"{quote}{inner}{quote}"
    return plain(value)


def _key(key: str, quote: str) -> str:
    return key if re.fullmatch(r"[A-Za-z_]\w*", key) and quote == '"' else f"{quote}{key}{quote}"


def scripts_reversed(page: bytes) -> bytes:
    """The same scripts in the other order."""
    text = page.decode()
    scripts = re.findall(r"<script[^>]*>.*?</script>", text, re.DOTALL)
    others = iter(reversed(scripts))
    return re.sub(
        r"<script[^>]*>.*?</script>", lambda _: next(others), text, flags=re.DOTALL
    ).encode()


def before_the_item(page: bytes, script: str) -> bytes:
    """The page with another script before that of the item."""
    at = page.rindex(b"<script", 0, page.index(ITEM))
    return page[:at] + f"<script>{script}</script>".encode() + page[at:]


def fuzzed(bodies: list[bytes], seed: int) -> tuple[int, bytes, str]:
    """One body spoilt in some way: its place in the list, the bytes, and what was done."""
    chance = random.Random(seed)  # noqa: S311
    place = chance.randrange(len(bodies))
    body = bodies[place]
    name = chance.choice(sorted(_SPOILINGS))
    if name == "splice":
        other = bodies[chance.randrange(len(bodies))]
        return (
            place,
            body[: chance.randrange(len(body))] + other[chance.randrange(len(other)) :],
            name,
        )
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        body = _SPOILINGS[name](body, chance)
    return place, body, name


def _flip(body: bytes, chance: random.Random) -> bytes:
    spoilt = bytearray(body)
    for _ in range(chance.choice((1, 3, 30))):
        if spoilt:
            spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


def _cut(body: bytes, chance: random.Random) -> bytes:
    return body[: chance.randrange(len(body) + 1)]


def _lose(body: bytes, chance: random.Random) -> bytes:
    start, end = _span(body, chance)
    return body[:start] + body[end:]


def _repeat(body: bytes, chance: random.Random) -> bytes:
    start, end = _span(body, chance)
    return body[:end] + body[start:end] + body[end:]


def _swap(body: bytes, chance: random.Random) -> bytes:
    start, middle = _span(body, chance)
    end = min(len(body), middle + chance.randrange(200))
    return body[:start] + body[middle:end] + body[start:middle] + body[end:]


def _span(body: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(body) + 1)
    return start, min(len(body), start + chance.choice((1, 10, 300, 3_000)))


def _rename(body: bytes, chance: random.Random) -> bytes:
    keys = sorted(set(re.findall(rb'"([A-Za-z@]\w*)"\s*:', body)))
    if not keys:
        return body
    key = chance.choice(keys)
    new = chance.choice((key + b"2", key.upper(), b"new_" + key, chance.choice(keys)))
    return body.replace(b'"%s"' % key, b'"%s"' % new, chance.choice((1, -1)))


#: Values that a number or a text may turn into.
_VALUES = (
    *(b"null", b"true", b"[]", b"{}", b'""', b'"0"', b"0", b"-1", b"1e999", b"NaN", b"1e5"),
    *(
        b"12345678901234567890",
        b"9" * 5_000,
        b'"8 990 \xe2\x82\xb8"',
        b"0.5",
        b"undefined",
        b'"\\ud800"',
    ),
    *(b"[" * 5_000 + b"]" * 5_000, b'{"a":' * 3_000 + b"1" + b"}" * 3_000),
)


def _retype(body: bytes, chance: random.Random) -> bytes:
    values = list(re.finditer(rb':\s*("[^"\\]*"|-?[\d.]+|true|false|null)', body))
    if not values:
        return body
    found = chance.choice(values)
    return body[: found.start(1)] + chance.choice(_VALUES) + body[found.end(1) :]


def _garbage(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body) + 1)
    dirt = chance.choice(
        (b"\x00", b"\xff\xfe", b"</script>", b"<script>", b'"', b"{", b"}", b"\\", b"'")
    )
    return body[:at] + dirt * chance.choice((1, 3, 500)) + body[at:]


_SPOILINGS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "flip": _flip,
    "cut": _cut,
    "lose": _lose,
    "repeat": _repeat,
    "swap": _swap,
    "rename": _rename,
    "retype": _retype,
    "garbage": _garbage,
    "splice": _cut,
}


def keys_of(item: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The paths to the keys of an item and of its card."""
    for key in item:
        yield (key,)
    for key in item["card"]:
        yield "card", key
