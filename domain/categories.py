"""The marketplace's categories: a tree that three places of the storefront tell of."""

from datetime import datetime
from enum import StrEnum

import attrs

from domain.identity import CityId


class CategorySource(StrEnum):
    """Who tells of categories: the site's menu, or the facets beside a listing."""

    MENU = "menu"
    FACETS = "facets"


@attrs.frozen(kw_only=True)
class ListedCategory:
    """One category. `parent` is None for a root of the tree.

    `count` says how many cards a listing has in it, in the listing's city; the menu does not.
    """

    code: str
    parent: str | None
    title: str
    link: str | None
    popularity: int | None
    count: int | None


@attrs.frozen(kw_only=True)
class CategoryTree:
    """The categories that one answer names, each once, parents before their children."""

    source: CategorySource
    city_id: CityId
    categories: tuple[ListedCategory, ...]
    checked_at: datetime


@attrs.frozen(kw_only=True)
class SitemapCategory:
    """A category's page. `slug` is its code as addresses spell it: in small letters."""

    slug: str
    link: str


@attrs.frozen(kw_only=True)
class SitemapCategories:
    """The categories that the sitemap lists for one city."""

    city_id: CityId
    categories: tuple[SitemapCategory, ...]
    checked_at: datetime
