"""The menu of categories and the sitemap: what leads to listings."""

from urllib.parse import quote
from xml.sax.saxutils import escape

import attrs
import msgspec

from sandbox.cities import cities
from sandbox.goods import KINDS
from sandbox.packing import Body

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"
#: Deeper the menu is not asked for (clients of 2026 ask for 1 to 10).
DEEPEST = 10


@attrs.define
class _Node:
    code: str
    title: str
    below: dict[str, "_Node"] = attrs.Factory(dict)


def _tree() -> _Node:
    root = _Node("Categories", "Kaspi Магазин")
    for kind in KINDS:
        node = root
        for code, title in kind.path:
            node = node.below.setdefault(code, _Node(code, title))
    return root


def menu(depth: int, code: str | None) -> Body:
    """The menu below the root, or below one category; an unknown one has nothing below it."""
    node = _tree() if not code else _found(_tree(), code)
    below = [] if node is None else _below(node, min(depth, DEEPEST))
    return Body([msgspec.json.encode({"subNodes": below})])


def _found(node: _Node, code: str) -> _Node | None:
    if node.code == code:
        return node
    return next((hit for one in node.below.values() if (hit := _found(one, code))), None)


def _below(node: _Node, depth: int) -> list[dict[str, object]]:
    if depth < 1:
        return []
    return [
        {
            "code": one.code,
            # Long titles of the menu are broken by hand.
            "title": one.title.replace(", ", ",<br/>"),
            "link": category_path(one.code),
            "popularity": 1000 - place,
            "subNodes": _below(one, depth - 1),
        }
        for place, one in enumerate(node.below.values())
    ]


def category_path(code: str) -> str:
    """A category's page: its code in small letters."""
    return f"/c/{quote(code.lower())}/"


def sitemap(origin: str) -> Body:
    """The list of sitemaps: one of categories for each city."""
    links = (f"{origin}/shop/Category-ru-KZT-{city.code}.xml" for city in cities())
    listed = "".join(f"<sitemap><loc>{escape(link)}</loc></sitemap>" for link in links)
    text = f'{_XML}<sitemapindex xmlns="{_SCHEMA}">{listed}</sitemapindex>'
    return Body([text.encode()])


def city_sitemap(origin: str, code: str) -> Body | None:
    """The leaf categories as one city's buyers reach them; None for a city that is not there."""
    if code not in {city.code for city in cities()}:
        return None
    links = (f"{origin}/shop/{code}{category_path(kind.leaf)}" for kind in KINDS)
    listed = "".join(
        f"<url><loc>{escape(link)}</loc><changefreq>daily</changefreq></url>" for link in links
    )
    return Body([f'{_XML}<urlset xmlns="{_SCHEMA}">{listed}</urlset>'.encode()])
