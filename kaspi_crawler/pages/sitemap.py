"""The sitemap: the list of sitemaps, and the categories of one city (seen 2026-08)."""

import re
from datetime import datetime
from urllib.parse import unquote, urlsplit

import attrs
from lxml import etree

from domain.categories import SitemapCategories, SitemapCategory
from domain.identity import CityId
from kaspi_crawler.pages.answers import refusal
from kaspi_crawler.pages.outcomes import TryAgain, Unreadable
from partners.call import Answer
from partners.kaspi.storefront_listing import sitemap_city

_CATEGORY = re.compile(r"/c/([^/]+)/?$")


@attrs.frozen
class SitemapIndexPage:
    """The answer to Listings.sitemap."""

    answer: Answer

    def to_item(self) -> dict[str, str] | TryAgain | Unreadable:
        """The sitemaps of categories by the city that they are for."""
        links = _links(self.answer)
        if links is None:
            return refusal(self.answer, "sitemap")
        named = {city: link for link in links if (city := sitemap_city(link))}
        return named or Unreadable(
            "no sitemap of categories (sitemap)",
            "Kaspi has changed its sitemap: look for `Category-ru-KZT` in /shop/sitemap.xml.",
        )


@attrs.frozen
class CitySitemapPage:
    """The answer to Listings.sitemap_of."""

    answer: Answer
    city: CityId
    checked_at: datetime

    def to_item(self) -> SitemapCategories | TryAgain | Unreadable:
        """Read the categories; addresses of anything else are passed over."""
        links = _links(self.answer)
        if links is None:
            return refusal(self.answer, f"sitemap of city {self.city}")
        found = {slug: link for link in links if (slug := _slug(link))}
        if not found:
            return Unreadable(
                f"no category (sitemap of city {self.city})",
                "Kaspi has changed its sitemap: compare the addresses with those of categories.",
            )
        return SitemapCategories(
            city_id=self.city,
            categories=tuple(SitemapCategory(slug=slug, link=found[slug]) for slug in found),
            checked_at=self.checked_at,
        )


def _links(answer: Answer) -> list[str] | None:
    """All addresses of a sitemap; None for what is none."""
    if answer.status != 200:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(answer.body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if etree.QName(root).localname not in {"sitemapindex", "urlset"}:
        return None
    found = (element.text for element in root.iter("{*}loc"))
    return [text.strip() for text in found if text and text.strip()]


def _slug(link: str) -> str | None:
    found = _CATEGORY.search(urlsplit(link).path)
    return unquote(found.group(1)).strip().lower() or None if found else None
