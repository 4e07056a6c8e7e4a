"""Turns a seller's HTML into plain text: a line for each paragraph, entities read."""

import html
from collections.abc import Iterator

import lxml.html
from lxml import etree

_BREAKS = {
    *("br", "hr", "p", "div", "pre", "blockquote", "address"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
    *("ul", "ol", "li", "dl", "dt", "dd", "table", "tr"),
    *("article", "aside", "details", "figcaption", "figure", "footer", "header", "main"),
    *("section", "summary"),
}
_CELLS = {"td", "th", "option", "button"}
_UNSEEN = ("script", "style", "template", "noscript", "title")


def unescaped(text: str) -> str:
    """The storefront's texts are escaped once for HTML: 15.6&#34; (recorded 2025-10)."""
    return html.unescape(text) if "&" in text else text


def plain_text(markup: str) -> str | None:
    """The text of an HTML fragment, or None when there is none in it."""
    if "<" not in markup:
        return _lines(unescaped(markup))
    root = lxml.html.document_fromstring(f"<div>{markup}</div>")
    etree.strip_elements(
        root, *_UNSEEN, etree.Comment, etree.ProcessingInstruction, with_tail=False
    )
    return _lines("".join(_pieces(root)))


def _pieces(root: lxml.html.HtmlElement) -> Iterator[str]:
    """The texts in their order, with a line's end where an element begins or ends a line, and
    a blank between cells.
    """
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if element.tag in _BREAKS:
            yield "\n"
        elif element.tag in _CELLS:
            yield " "
        yield (element.text if event == "start" else element.tail) or ""


def _lines(text: str) -> str | None:
    """Runs of blanks become one blank; empty lines go."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line) or None
