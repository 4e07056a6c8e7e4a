"""Reads an object that is written as JavaScript writes it: other quotes, keys without any.

chompjs 1.4 turns it into JSON, but guesses where it should not: `null` before a comma becomes the
text "null", and the name of a variable becomes a text as well. So the words are looked at first.
"""

import re

import chompjs

from kaspi_crawler.pages.forgiving import NotJson, TooDeep

#: An object whose first key is in single quotes or in none.
_BEGINS = re.compile(r"\{\s*(?:'|[A-Za-z_$])")
_TEXT = r"\"(?:[^\"\\]++|\\.)*+\"|'(?:[^'\\]++|\\.)*+'|`(?:[^`\\]++|\\.)*+`"
_TEXT_OR_BRACE = re.compile(rf"{_TEXT}|[{{}}]", re.DOTALL)
_TEXT_OR_WORD = re.compile(rf"({_TEXT})|(?<![\w$.])([A-Za-z_$][\w$]*)(\s*:)?", re.DOTALL)
_WORDS = {"null": "null ", "undefined": "null ", "true": "true ", "false": "false "}


def parse(script: bytes) -> object:
    """The object at the start of a script.

    Raises NotJson for one that begins as JSON does, since JSON that is merely broken must not be
    guessed at, and for one with values that are not written out.
    """
    text = script.decode("utf-8", "replace")
    if not _BEGINS.match(text):
        raise NotJson("no object of JavaScript")
    written_out = _TEXT_OR_WORD.sub(_word, _balanced(text))
    try:
        value: object = chompjs.parse_js_object(written_out)
    except RecursionError:
        raise TooDeep("its brackets go too deep") from None
    except ValueError as unfit:
        raise NotJson(str(unfit)) from None
    return value


def _balanced(text: str) -> str:
    depth = 0
    for found in _TEXT_OR_BRACE.finditer(text):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if depth == 0:
            return text[: found.end()]
    raise NotJson("the object has no end")


def _word(found: re.Match[str]) -> str:
    written, word, colon = found.groups()
    if written is not None:
        if written[0] == "`" and "${" in written:
            raise NotJson("a text that is put together")
        return str(written)
    if colon is not None:
        return str(found[0])
    if word not in _WORDS:
        raise NotJson(f"a value that is not written out: {word[:40]}")
    return _WORDS[word]
