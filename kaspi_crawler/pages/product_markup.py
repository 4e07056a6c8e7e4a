"""The lower rungs of a product page: its ld+json and its metas, read only when the state fails.

As in 29 pages recorded 2025-08: ld+json Product is valid JSON whose price is a text ("undefined"
when nobody sells it); ld+json BreadcrumbList is never valid; the price meta has no content then.
"""

import re
from collections.abc import Mapping
from itertools import islice

import attrs
import lxml.etree
import lxml.html
import msgspec

from kaspi_crawler.pages import forgiving
from kaspi_crawler.pages.forgiving import Misfit

#: ld+json scripts that are looked at; every page recorded has three.
_MOST_SCRIPTS = 20


class Brand(msgspec.Struct):
    """schema.org allows an object where Kaspi writes a text."""

    name: str | None = None


class LdOffer(msgspec.Struct):
    """An Offer has a price; an AggregateOffer has a lowPrice that is always null."""

    price: str | int | None = None


class LdProduct(msgspec.Struct, rename="camel"):
    """ld+json of type Product. `category` is the leaf's title."""

    type: str = msgspec.field(name="@type")
    name: str
    sku: str | None = None
    product_id: str | None = msgspec.field(default=None, name="productID")
    brand: str | Brand | None = None
    category: str | None = None
    description: str | None = None
    image: str | list[str] | None = None
    offers: LdOffer | list[LdOffer] | None = None

    @property
    def id(self) -> str | None:
        return self.sku or self.product_id

    @property
    def brand_name(self) -> str | None:
        name = self.brand.name if isinstance(self.brand, Brand) else self.brand
        return name or None

    @property
    def images(self) -> list[str]:
        images = [self.image] if isinstance(self.image, str) else self.image or []
        return [image for image in images if image]

    @property
    def price(self) -> str | int | None:
        offers = [self.offers] if isinstance(self.offers, LdOffer) else self.offers or []
        return next((offer.price for offer in offers if offer.price is not None), None)


@attrs.frozen
class Markup:
    """What a page says outside its state: title, address, metas by name or property, ld+json."""

    title: str
    link: str | None
    metas: Mapping[str, str]
    product: LdProduct | None

    @classmethod
    def parse(cls, body: bytes) -> "Markup":
        """Read any page, whole or broken off; an empty one has no title and no metas.

        Raises forgiving.Misfit as _ld_product does.
        """
        if not body.strip():
            return cls("", None, {}, None)
        try:
            parser = lxml.html.HTMLParser(encoding="utf-8")
            root = lxml.html.document_fromstring(body, parser=parser)
        except lxml.etree.ParserError:  # not one element in it
            return cls("", None, {}, None)
        metas = {
            str(meta.get("property") or meta.get("name")): str(meta.get("content") or "").strip()
            for meta in root.iter("meta")
        }
        links = [str(link.get("href")) for link in root.iter("link") if _is_canonical(link)]
        return cls(
            title=str(root.findtext(".//title") or "").strip(),
            link=next(iter(links), None) or metas.get("og:url") or None,
            metas=metas,
            product=_ld_product(root),
        )

    @property
    def in_stock(self) -> bool:
        """Whether the page says that somebody offers the product."""
        return self.metas.get("product:availability", "").casefold() == "in stock"

    @property
    def meta_id(self) -> str | None:
        """The product that the metas speak of."""
        return self.metas.get("product:retailer_item_id") or None

    @property
    def link_id(self) -> str | None:
        """The product whose address the page calls its own."""
        found = re.search(r"/p/(?:[^/?#]*-)?([0-9]+)/*(?:[?#]|$)", self.link or "")
        return found.group(1) if found else None

    @property
    def meta_name(self) -> str | None:
        """The product's name out of the sentences in which the metas wrap it."""
        for meta, wrapping in _WRAPPINGS:
            found = wrapping.fullmatch(self.metas.get(meta, ""))
            if found:
                return found.group(1)
        return self.metas.get("og:title") or None


#: The description's wrapping is the only one that does not depend on the city's name.
_WRAPPINGS = (
    ("description", re.compile(r"Kaspi Магазин - (.+?) в рассрочку, кредит.*", re.DOTALL)),
    ("keywords", re.compile(r"(.+?), купить, кредит.*", re.DOTALL)),
    ("og:title", re.compile(r"Купить (.+) в .+? – Магазин на Kaspi\.kz", re.DOTALL)),
)


def _is_canonical(link: lxml.html.HtmlElement) -> bool:
    return link.get("rel") == "canonical" and bool(link.get("href"))


def _ld_product(root: lxml.html.HtmlElement) -> LdProduct | None:
    """The first ld+json script that is JSON and speaks of a product.

    Raises forgiving.Misfit when its price is neither a text nor a whole number.
    """
    marked = (one for one in root.iter("script") if one.get("type") == "application/ld+json")
    for script in islice(marked, _MOST_SCRIPTS):
        try:
            value = forgiving.parse((script.text or "").strip().encode("utf-8", "replace"))
            product = forgiving.read(value, LdProduct, essential=("price",))
        except forgiving.NotJson:
            continue
        except Misfit as misfit:
            if misfit.field == "price":
                raise
            continue
        if product.type == "Product":
            return product
    return None
