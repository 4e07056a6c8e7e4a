"""Kaspi's listings, menu and sitemap: how to ask for them, and how to name a listing.

Requests are those of clients of 2025 and 2026 that worked. A question without Referer or with
another User-Agent than a browser's is answered 403 (seen 2026-08).
"""

import re
from urllib.parse import quote, urlencode, urlsplit

import attrs

from domain.identity import CityId, MerchantId
from domain.listing import ListingKind, ListingQuery
from partners.call import Call
from partners.kaspi.storefront import USER_AGENT, Storefront
from partners.kaspi.storefront_cities import city_slug

#: Cards of one answer, whatever is asked for (seen 2026-07 and 2026-08).
CARDS_A_PAGE = 12
#: Pages that a text search shows; further ones are answered 400 (seen 2026-07 and 2026-08).
SEARCH_PAGES = 2
#: How deep the menu may be asked for (clients of 2026 ask for 1 to 10).
MENU_DEPTH = 10

#: Zones of the cities whose listings the site itself asks for by a name of their own; everywhere
#: else the zone is the city's id (recorded 2025-08).
_ZONES = {"750000000": "Magnum_ZONE1", "710000000": "Magnum_ZONE5"}

_CATEGORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _'&.()+-]{0,99}")
_MERCHANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_MERCHANT_PATH = re.compile(r"/info/merchant/([^/?#]+)")
_CITY_SITEMAP = re.compile(r"/Category-ru-KZT-([\w-]+)\.xml$")


class NotAListing(ValueError):
    """A text that names no listing."""


def category_code(text: str) -> str:
    """Read a category's code. One that is not known is accepted if it looks like one.

    Raises NotAListing with a sentence for people.
    """
    wanted = text.strip()
    if not _CATEGORY.fullmatch(wanted):
        raise NotAListing(
            f"{wanted!r} is not the code of a category. A right one looks like Smartphones or "
            "Men fashion; `-a tree=yes` finds them all"
        )
    return wanted


def search_text(text: str) -> str:
    """Read a text to search for. Raises NotAListing with a sentence for people."""
    wanted = " ".join(text.split())
    if not 0 < len(wanted) <= 200:
        raise NotAListing(
            f"{wanted[:40]!r} is no text to search for: 1 to 200 letters. "
            "A right one looks like iphone 15"
        )
    return wanted


def merchant_id(text: str) -> MerchantId:
    """Read a merchant's id, or the address of its page.

    Raises NotAListing with a sentence for people.
    """
    wanted = text.strip()
    found = _MERCHANT_PATH.search(wanted)
    name = found.group(1) if found else wanted
    if not _MERCHANT.fullmatch(name):
        raise NotAListing(
            f"{wanted!r} names no merchant. A right one looks like 11271005 or "
            "https://kaspi.kz/shop/info/merchant/11271005/"
        )
    return MerchantId(name)


@attrs.frozen
class Listings:
    """Builds the calls about listings and categories to one storefront."""

    storefront: Storefront

    def first(self, query: ListingQuery, city: CityId) -> Call:
        """Ask for a listing's first page, with its total and its facets."""
        asked = {
            "text": _text(query),
            "hint_chips_click": "false",
            "page": "0",
            "all": "false",
            "fl": "true",
            "ui": "d",
            "q": _filter(query, city),
            "i": "-1",
            "c": city,
        }
        return self._ask("filters", asked, query, city)

    def following(self, query: ListingQuery, city: CityId, page: int, asked_as: str | None) -> Call:
        """Ask for a later page, counted from 0. `asked_as` is the first page's query id.

        Raises ValueError for a page below 1.
        """
        if page < 1:
            raise ValueError(f"page {page}: the first page is asked for by first()")
        asked = {
            "page": str(page),
            "q": _filter(query, city),
            "text": _text(query),
            "sort": "relevance",
            "qs": "",
            **({"requestId": asked_as} if asked_as else {}),
            "ui": "d",
            "i": "-1",
            "c": city,
        }
        return self._ask("results", asked, query, city)

    def menu(self, city: CityId) -> Call:
        """Ask for the whole menu of categories."""
        address = self.storefront.address
        return Call(
            method="GET",
            address=(
                f"{address}/yml/main-navigation/n/n/desktop-menu"
                f"?depth={MENU_DEPTH}&city={city}&rootType=desktop"
            ),
            headers=self._headers(f"{address}/shop/?c={city}", city),
            wants="json",
        )

    def sitemap(self) -> Call:
        """Ask for the list of sitemaps."""
        return self._xml(f"{self.storefront.address}/shop/sitemap.xml")

    def sitemap_of(self, link: str) -> Call:
        """Ask for one of the sitemaps listed, on the storefront that is read, wherever it says."""
        return self._xml(f"{self.storefront.address}{quote(urlsplit(link).path)}")

    def _ask(self, what: str, asked: dict[str, str], query: ListingQuery, city: CityId) -> Call:
        address = self.storefront.address
        return Call(
            method="GET",
            address=f"{address}/yml/product-view/pl/{what}?{urlencode(asked)}",
            headers=self._headers(f"{address}{_page_path(query, city)}", city),
            wants="json",
        )

    def _headers(self, referer: str, city: CityId) -> dict[str, str]:
        return {
            **self.storefront.api_headers(referer),
            "X-KS-City": city,
            "X-Description-Enabled": "true",
        }

    def _xml(self, address: str) -> Call:
        return Call(
            method="GET",
            address=address,
            headers={
                "User-Agent": USER_AGENT,
                "Accept": "application/xml,text/xml,*/*;q=0.8",
                "Accept-Language": "ru-RU,ru;q=0.9",
                "Referer": f"{self.storefront.address}/shop/",
            },
        )


def sitemap_city(link: str) -> str | None:
    """Which city a sitemap lists the categories of: …/Category-ru-KZT-almaty.xml is almaty's."""
    found = _CITY_SITEMAP.search(urlsplit(link).path)
    return found.group(1) if found else None


def has_sitemap(city: CityId) -> bool:
    """Whether we know how the sitemap calls the city."""
    return city_slug(city) is not None


def _text(query: ListingQuery) -> str:
    return query.value if query.kind is ListingKind.SEARCH else ""


def _filter(query: ListingQuery, city: CityId) -> str:
    """The listing's `q`: pairs of key and value, for example :category:Smartphones."""
    keys = {ListingKind.CATEGORY: "category", ListingKind.MERCHANT: "allMerchants"}
    key = keys.get(query.kind)
    chosen = f":{key}:{query.value}" if key else ""
    return f"{chosen}:availableInZones:{_ZONES.get(city, city)}"


def _page_path(query: ListingQuery, city: CityId) -> str:
    """The page on which a browser would see the listing; without letters that headers lack."""
    match query.kind:
        case ListingKind.CATEGORY:
            return f"/shop/c/{quote(query.value.lower())}/?c={city}"
        case ListingKind.MERCHANT:
            return f"/shop/search/?q=%3AallMerchants%3A{quote(query.value)}&c={city}"
        case ListingKind.SEARCH:
            return f"/shop/search/?text={quote(query.value)}&c={city}"
