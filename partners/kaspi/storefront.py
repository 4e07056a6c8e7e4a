"""Kaspi's public storefront: how to name a product or a city, and how to ask about it.

Requests are those that the site itself sends (clients of 2025-05 … 2026-09): no cookie is needed,
a browser's User-Agent and a Referer are.
"""

import json
import re
from urllib.parse import urlsplit

import attrs

from domain.identity import CityId, ProductId
from domain.site import is_replica
from partners.call import Call
from partners.kaspi.storefront_blocks import Block, BlockKind, recognise_block
from partners.kaspi.storefront_cities import CITY_IDS

__all__ = [
    "LARGEST_LIMIT",
    "REVIEWS_A_PAGE",
    "USER_AGENT",
    "Block",
    "BlockKind",
    "NotACity",
    "NotAProduct",
    "NotAnAddress",
    "ShortLink",
    "Storefront",
    "city_id",
    "product_id",
    "product_or_link",
    "recognise_block",
]

USER_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)

#: The offers API answers 400 to a page of more offers than this (seen 2025-10 … 2026-09).
LARGEST_LIMIT = 64

#: Reviews that are asked for at once. The site asks for 9; clients of 2025 and 2026 for 100, 200
#: and 1000, and got them.
REVIEWS_A_PAGE = 100


class NotAProduct(ValueError):
    """A text that names no product."""


@attrs.frozen
class ShortLink:
    """The code of https://l.kaspi.kz/shp/<code>, which the site answers with a redirection."""

    code: str

    def __str__(self) -> str:
        return f"/shp/{self.code}"


class NotACity(ValueError):
    """A text that names no city."""


class NotAnAddress(ValueError):
    """A text that is not the address of a storefront."""


_DIGITS = re.compile(r"[0-9]{3,15}")
_BASE_PRODUCT = re.compile(r"[0-9]{3,15}b", re.IGNORECASE)
_SHORT_LINK = re.compile(r"(?:https?://)?[^/\s]+/shp/([\w-]{1,64})/?(?:[?#].*)?", re.ASCII)
_PRODUCT_PATH = re.compile(r"(?:^|/)p/(?:[^/]*-)?([0-9]{3,15}b?)(?:/.*)?$", re.IGNORECASE)
_CITY_DIGITS = re.compile(r"[0-9]{6,12}")

_RIGHT_PRODUCT = "A right one looks like 102298404 or https://kaspi.kz/shop/p/…-102298404/"


def product_id(text: str) -> ProductId:
    """Read a product's id, or the address of its page in any form and on any host.

    Raises NotAProduct with a sentence for people: for a base product (an id that ends in b, a
    group of colours that has no offers of its own), and for anything else.
    """
    wanted = text.strip()
    found = _PRODUCT_PATH.search(re.split(r"[?#]", wanted, maxsplit=1)[0])
    name = found.group(1) if found else wanted
    if _BASE_PRODUCT.fullmatch(name):
        raise NotAProduct(
            f"{wanted!r} is a base product, a group of variants: name one variant. {_RIGHT_PRODUCT}"
        )
    if not _DIGITS.fullmatch(name):
        raise NotAProduct(f"{wanted!r} names no product of Kaspi. {_RIGHT_PRODUCT}")
    return ProductId(name)


def product_or_link(text: str) -> ProductId | ShortLink:
    """Read a product as `product_id` does, or a short link that leads to one.

    Raises NotAProduct.
    """
    link = _SHORT_LINK.fullmatch(text.strip())
    return ShortLink(link.group(1)) if link else product_id(text)


def city_id(text: str) -> CityId:
    """Read a city's id, or the Latin name of one of the larger cities.

    Raises NotACity with a sentence for people. An id that the storefront does not know is
    accepted, because the storefront accepts it as well (seen 2026-08).
    """
    wanted = text.strip()
    if _CITY_DIGITS.fullmatch(wanted):
        return CityId(wanted)
    try:
        return CITY_IDS[wanted.casefold()]
    except KeyError:
        raise NotACity(
            f"{wanted!r} names no city of Kaspi. A right one looks like 750000000 or almaty, "
            "710000000 or astana"
        ) from None


def _storefront_address(text: str) -> str:
    return text.strip().rstrip("/")


def _is_site(address: str) -> bool:
    try:
        parts = urlsplit(address)
        port_is_right = parts.port != 0
    except ValueError:
        return False
    plain = not parts.query and not parts.fragment
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port_is_right and plain


@attrs.frozen
class Storefront:
    """Builds the calls to one storefront: Kaspi's own, or a replica of it.

    Raises NotAnAddress when `address` (KASPI_URL) is not http(s)://host without a query.
    """

    address: str = attrs.field(converter=_storefront_address)

    @address.validator
    def _has_scheme_and_host(self, _attribute: object, value: str) -> None:
        if not _is_site(value):
            raise NotAnAddress(
                f"{value!r} is not the address of a storefront. "
                "A right KASPI_URL looks like https://kaspi.kz or http://127.0.0.1:8801"
            )

    def product_page(self, product: ProductId, city: CityId) -> Call:
        """Ask for the product's page as it looks in a city. The slug may stay empty."""
        return Call(
            method="GET",
            address=self._page_address(product, city),
            headers={
                "User-Agent": USER_AGENT,
                "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                "Accept-Language": "ru-RU,ru;q=0.9",
                "Referer": f"{self.address}/shop/",
            },
            wants="html",
        )

    def short_link(self, link: ShortLink) -> Call:
        """Ask where a short link leads: the answer's Location names the product.

        Kaspi's own links live on a host of their own; a replica's on the replica.
        """
        host = self.address if is_replica(self.address) else "https://l.kaspi.kz"
        return Call(
            method="GET",
            address=f"{host}{link}",
            headers={"User-Agent": USER_AGENT, "Accept-Language": "ru-RU,ru;q=0.9"},
        )

    def offers(
        self, product: ProductId, city: CityId, page: int, limit: int = LARGEST_LIMIT
    ) -> Call:
        """Ask for one page (from 0) of at most `limit` offers, cheapest first.

        Without the sort the answer is dearest first; without the limit it holds all offers
        (recorded 2025-10). Raises ValueError for a page below 0 or a limit outside 1 … 64.
        """
        if page < 0 or not 1 <= limit <= LARGEST_LIMIT:
            raise ValueError(
                f"page {page}, limit {limit}: pages count from 0, limits are 1 to {LARGEST_LIMIT}"
            )
        return Call(
            method="POST",
            address=f"{self.address}/yml/offer-view/offers/{product}",
            headers={
                **self.api_headers(self._page_address(product, city)),
                "Content-Type": "application/json; charset=UTF-8",
                "X-KS-City": city,
            },
            body=_offers_question(product, city, page, limit),
            wants="json",
        )

    def reviews(self, product: ProductId) -> Call:
        """Ask for the product's rating and review counts, with one review, the fewest it gives."""
        return Call(
            method="GET",
            address=(
                f"{self.address}/yml/review-view/api/v1/reviews/product/{product}"
                "?baseProductCode&orderCode&filter=COMMENT&sort=POPULARITY&limit=1"
                "&merchantCodes&withAgg=true"
            ),
            headers=self.api_headers(f"{self.address}/shop/p/-{product}/"),
            wants="json",
        )

    def review_texts(self, product: ProductId, page: int) -> Call:
        """Ask for one page (from 0) of the product's reviews with a text, newest first.

        The first page brings the rating and the counts as well.
        """
        return Call(
            method="GET",
            address=(
                f"{self.address}/yml/review-view/api/v1/reviews/product/{product}"
                f"?baseProductCode&orderCode&filter=COMMENT&sort=DATE&limit={REVIEWS_A_PAGE}"
                f"&page={page}&merchantCodes&withAgg={'true' if page == 0 else 'false'}"
            ),
            headers=self.api_headers(f"{self.address}/shop/p/-{product}/"),
            wants="json",
        )

    def _page_address(self, product: ProductId, city: CityId) -> str:
        return f"{self.address}/shop/p/-{product}/?c={city}"

    def api_headers(self, referer: str) -> dict[str, str]:
        """What every question to the API carries: without browser and Referer it is refused."""
        parts = urlsplit(self.address)
        return {
            "User-Agent": USER_AGENT,
            "Accept": "application/json, text/*",
            "Accept-Language": "ru-RU,ru;q=0.9",
            "Origin": f"{parts.scheme}://{parts.netloc}",
            "Referer": referer,
        }


def _offers_question(product: ProductId, city: CityId, page: int, limit: int) -> bytes:
    """The body that the site sends, without what does not change the prices: promo data, zones."""
    return json.dumps(
        {
            "cityId": city,
            "id": product,
            "merchantUID": [],
            "limit": limit,
            "page": page,
            "sortOption": "PRICE",
            "highRating": None,
            "searchText": None,
            "isExcellentMerchant": False,
            "installationId": "-1",
        },
        separators=(",", ":"),
    ).encode()
