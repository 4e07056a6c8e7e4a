"""The site's menu: the tree of categories. Shape as read by clients of 2026."""

from collections.abc import Iterator
from datetime import datetime

import attrs
import msgspec

from domain.categories import CategorySource, CategoryTree, ListedCategory
from domain.identity import CityId
from kaspi_crawler.pages import forgiving
from kaspi_crawler.pages.answers import json_text, refusal
from kaspi_crawler.pages.forgiving import Misfit
from kaspi_crawler.pages.listing import readable_title
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from kaspi_crawler.pages.shapes import Count
from partners.call import Answer


class RawNode(msgspec.Struct, rename="camel"):
    """One entry of the menu; a heading that is no category has no code."""

    title: str
    code: str | None = None
    link: str | None = None
    popularity: Count | None = None
    sub_nodes: "list[RawNode] | None" = None


class RawMenu(msgspec.Struct, rename="camel"):
    """The whole answer."""

    sub_nodes: list[RawNode]


@attrs.frozen
class MenuPage:
    """The answer to Listings.menu."""

    answer: Answer
    city: CityId
    checked_at: datetime

    def to_item(self) -> CategoryTree | TryAgain | Unreadable:
        """Read the tree; a menu without a single category is not understood."""
        menu = self._menu() if self.answer.status == 200 else None
        found = {} if menu is None else _each_once(_below(menu.sub_nodes, None))
        if not found:
            return refusal(self.answer, f"menu of categories, city {self.city}")
        return CategoryTree(
            source=CategorySource.MENU,
            city_id=self.city,
            categories=tuple(found.values()),
            checked_at=self.checked_at,
        )

    def _menu(self) -> RawMenu | None:
        try:
            return forgiving.read(forgiving.parse(json_text(self.answer)), RawMenu)
        except (forgiving.NotJson, Misfit):
            return None


def _each_once(categories: Iterator[ListedCategory]) -> dict[str, ListedCategory]:
    """A category may hang in several places of the menu: the first one counts."""
    found: dict[str, ListedCategory] = {}
    for category in categories:
        found.setdefault(category.code, category)
    return found


def _below(nodes: list[RawNode] | None, parent: str | None) -> Iterator[ListedCategory]:
    for node in nodes or ():
        code = (node.code or "").strip() or None
        if code and code != parent:
            yield ListedCategory(
                code=code,
                parent=parent,
                title=readable_title(node.title) or code,
                link=node.link,
                popularity=node.popularity,
                count=None,
            )
        yield from _below(node.sub_nodes, code or parent)
