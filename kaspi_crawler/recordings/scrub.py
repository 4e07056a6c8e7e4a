"""What of an answer may be kept: what pages read, and the shape of the rest.

Of a page nothing is kept but the parts that are read, so that no key, visitor or analytics can
come along, and the 240 KB of cities do not either. In what is kept people are masked by the names
of their fields, telephones and addresses of mail by their looks. Names of sellers are public, and
stay.
"""

import re
from collections.abc import Collection, Iterator
from html import escape
from typing import Any

import lxml.html
import msgspec

from kaspi_crawler.pages import forgiving, state
from kaspi_crawler.pages.people import PEOPLE

#: The states of a storefront's page.
STATES = ("BACKEND.components.item", "window.digitalData", "BACKEND.components.configurator")
_TELEPHONE = re.compile(r"(?:\+7|\b8)[\s(-]{0,2}7\d\d[\s)-]{0,2}\d{3}[\s-]?\d\d[\s-]?\d\d\b")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_METAS = re.compile(r"title|description|keywords|og:.+|product:.+")
_ASSIGNED = re.compile(r"\b((?:window|BACKEND)\.[\w.]+)\s*=(?!=)")


def scrubbed_json(body: bytes, people: Collection[str] = ()) -> bytes:
    """A JSON answer; of what stands under the keys of `people` only the shape is kept.

    What is not JSON is kept as text without telephones and mail.
    """
    try:
        value = forgiving.parse(body.removeprefix(b"\xef\xbb\xbf"))
    except forgiving.NotJson:
        return _without_contacts(body.decode("utf-8", "replace")).encode()
    kept = _scrubbed(value)
    if isinstance(kept, dict):
        kept |= {key: _masked(kept[key]) for key in people if key in kept}
    return msgspec.json.encode(kept)


def scrubbed_page(body: bytes) -> bytes:
    """The parts of a product page that are read, as a page of their own that reads the same."""
    root = lxml.html.document_fromstring(body, parser=lxml.html.HTMLParser(encoding="utf-8"))
    head = "".join(_head(root))
    scripts = "".join(f"<script>{script}</script>\n" for script in _states(body))
    assigned = " ".join(sorted(set(_ASSIGNED.findall(body.decode("utf-8", "replace")))))
    return (
        f'<!doctype html><html lang="ru"><head>\n{head}{scripts}'
        f"<script>/* assigned: {assigned} */</script>\n</head><body></body></html>\n"
    ).encode()


def _head(root: lxml.html.HtmlElement) -> Iterator[str]:
    yield f"<title>{escape(root.findtext('.//title') or '')}</title>\n"
    for meta in root.iter("meta"):
        kind = "property" if meta.get("property") else "name"
        if _METAS.fullmatch(meta.get(kind) or ""):
            content = meta.get("content")
            told = "" if content is None else f' content="{escape(_without_contacts(content))}"'
            yield f'<meta {kind}="{escape(meta.get(kind))}"{told}>\n'
    for link in root.iter("link"):
        if link.get("rel") == "canonical" and link.get("href"):
            yield f'<link rel="canonical" href="{escape(link.get("href"))}">\n'
    for script in root.iter("script"):
        if script.get("type") == "application/ld+json":
            told = _linked_data(script.text or "")
            yield f'<script type="application/ld+json">{told}</script>\n'


def _linked_data(text: str) -> str:
    """As it is when it is no JSON, because pages must go on to see that it is none."""
    try:
        value = forgiving.parse(text.strip().encode("utf-8", "replace"))
    except forgiving.NotJson:
        return _without_contacts(text)
    return _script_text(_scrubbed(value))


def _states(body: bytes) -> Iterator[str]:
    for name in STATES:
        for script in state.assigned_objects(body, name.encode()):
            try:
                value = forgiving.parse(state.balanced(script))
            except forgiving.NotJson:
                continue
            yield f"{name} = {_script_text(_scrubbed(value))}"
            break


def _script_text(value: Any) -> str:
    return msgspec.json.encode(value).decode().replace("</", "<\\/")


def _scrubbed(value: Any) -> Any:
    match value:
        case dict():
            return {
                key: _masked(each) if key.casefold() in PEOPLE else _scrubbed(each)
                for key, each in value.items()
            }
        case list():
            return [_scrubbed(each) for each in value]
        case str():
            return _without_contacts(value)
    return value


def _masked(value: Any) -> Any:
    """The shape alone: texts are empty, numbers zero."""
    match value:
        case dict():
            return {key: _masked(each) for key, each in value.items()}
        case list():
            return [_masked(each) for each in value]
        case str():
            return ""
        case bool() | None:
            return value
        case _:
            return 0


def _without_contacts(text: str) -> str:
    return _MAIL.sub("…@…", _TELEPHONE.sub("+7 700 000 00 00", text))
