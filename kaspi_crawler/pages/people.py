"""What speaks of people: masked before anything of an answer is kept or told."""

import re
from collections.abc import Iterator

#: Names of fields that speak of people, whatever holds them, without capitals.
PEOPLE = frozenset(
    {
        *("author", "authorname", "user", "username", "visitor", "visitorid"),
        *("customer", "customername", "customerphone", "firstname", "lastname", "middlename"),
        *("email", "phone", "phonenumber", "telephone", "cellphone", "uploadedby"),
        *("ordernumber", "ordercode", "token", "accesstoken", "sessionid", "sitekey"),
    }
)
_NAMED = re.compile(rb'"(?:%s)"\s*:\s*' % "|".join(sorted(PEOPLE)).encode(), re.IGNORECASE)
_TEXT = rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)'
_PLAIN = re.compile(_TEXT + rb"|-?[0-9][0-9.eE+-]*", re.DOTALL)
_TEXT_OR_BRACKET = re.compile(_TEXT + rb"|[\[\]{}]", re.DOTALL)
_DEPTHS = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}


def without_people(body: bytes) -> bytes:
    """An answer in which what stands under the names of people is blotted out, so that it may be
    kept. The rest stays as it came, also of an answer that is no JSON or broke off.
    """
    return b"".join(_pieces(body))


def _pieces(body: bytes) -> Iterator[bytes]:
    told = 0
    for found in _NAMED.finditer(body):
        if found.start() < told:
            continue  # within what is blotted out
        yield body[told : found.end()]
        told = _end_of_value(body, found.end())
        if told > found.end():
            yield b'""'
    yield body[told:]


def _end_of_value(body: bytes, start: int) -> int:
    """Where a text, a number, a list or an object ends; the start for null and the like."""
    if plain := _PLAIN.match(body, start):
        return plain.end()
    if body[start : start + 1] not in (b"{", b"["):
        return start
    depth = 0
    for found in _TEXT_OR_BRACKET.finditer(body, start):
        depth += _DEPTHS.get(found[0], 0)
        if depth == 0:
            return found.end()
    return len(body)
