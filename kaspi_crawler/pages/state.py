"""Finds the state that a storefront page assigns to a name in its inline scripts.

Names are looked for in the bytes, wherever the scripts stand; nothing else of the page is parsed.
"""

import re
from collections.abc import Iterator

#: Bytes of one script that are read; the largest state recorded has 8 KB, the cities 240 KB.
LARGEST_STATE = 600_000
_SCRIPT = re.compile(rb"<script[^>]*>.*?(?:</script|\Z)", re.DOTALL | re.IGNORECASE)
#: Before an object that is assigned or an argument.
_BEGUN = re.compile(rb"[=(,]\s*(?=\{)")
_ASSIGNED = re.compile(rb"\s*=\s*(?=\{)")
#: A text, which may lack its end on a page that broke off, or a brace outside of texts.
_DEPTHS = {b"{": 1, b"}": -1}
_TEXT_OR_BRACE = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[{}]', re.DOTALL)


def assigned_objects(body: bytes, name: bytes, near: int = 0) -> Iterator[bytes]:
    """Each script's text from the `{` that is assigned to `name` up to the end of the script.

    Trailing statements are still on it. A mention that is no assignment of an object is passed by.
    The search begins at `near` and comes back to what lies before it: a page's states stand close
    together, behind 270 KB of cities.
    """
    for start, end in ((near, len(body)), (0, near)):
        at = body.find(name, start, end)
        while at >= 0:
            if assigned := _ASSIGNED.match(body, at + len(name)):
                yield _to_end_of_script(body, assigned.end())
            at = body.find(name, at + len(name), end)


def objects_with(body: bytes, words: tuple[bytes, ...]) -> Iterator[bytes]:
    """Texts from each outermost `{` that is assigned or handed to a function, up to the end of its
    script, for scripts that hold all of the words.

    What stands within an object that was yielded is not yielded again.
    """
    for script in _SCRIPT.finditer(body):
        if script.end() - script.start() > LARGEST_STATE or any(
            word not in script[0] for word in words
        ):
            continue
        at = 0
        while found := _BEGUN.search(script[0], at):
            text = script[0][found.end() :]
            yield text
            at = found.end() + len(balanced(text))


def _to_end_of_script(body: bytes, start: int) -> bytes:
    end = body.find(b"</script", start)
    return body[start : min(end if end >= 0 else len(body), start + LARGEST_STATE)]


def up_to_last_brace(script: bytes) -> bytes:
    """A guess at the object that is right unless a later statement has braces of its own.

    A wrong guess is not JSON, so that it cannot be mistaken for a right one.
    """
    return script[: script.rfind(b"}") + 1]


def balanced(script: bytes) -> bytes:
    """The object at the start of a script: up to its closing brace, braces in strings aside.

    The whole script when the braces do not balance, as on a page that broke off.
    """
    depth = 0
    for found in _TEXT_OR_BRACE.finditer(script):
        depth += _DEPTHS.get(found[0], 0)
        if depth == 0:
            return script[: found.end()]
    return script
