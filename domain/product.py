"""A product card as the storefront shows it in one city."""

from datetime import datetime
from enum import StrEnum

import attrs

from domain.identity import CityId, ProductId
from domain.money import Tenge


class Rung(StrEnum):
    """Which part of the page the card was read from, best first.

    BROWSER is the state as well, of a page that only a browser got it from.
    """

    STATE = "state"
    BROWSER = "browser"
    LD_JSON = "ld+json"
    META = "meta"

    @property
    def is_whole(self) -> bool:
        """Whether the card says everything that a page can say, so that what is absent is none."""
        return self in {Rung.STATE, Rung.BROWSER}


@attrs.frozen(kw_only=True)
class Category:
    """One step of the path from the shop's root to the leaf category."""

    code: str
    title: str


@attrs.frozen(kw_only=True)
class Feature:
    """One specification: `values` are texts as shown, `unit` is None when they carry their own."""

    code: str
    name: str
    type: str
    values: tuple[str, ...]
    unit: str | None = None


@attrs.frozen(kw_only=True)
class SpecificationGroup:
    """Specifications under one heading; the heading's name may be empty."""

    code: str
    name: str
    features: tuple[Feature, ...]


@attrs.frozen(kw_only=True)
class Characteristic:
    """What sets a variant apart: title "Размер", value "46/M"."""

    title: str
    value: str


@attrs.frozen(kw_only=True)
class Variant:
    """A sibling card from the configurator. `available` is None when the page does not say."""

    kaspi_id: ProductId
    characteristics: tuple[Characteristic, ...]
    available: bool | None


@attrs.frozen(kw_only=True)
class ProductCard:
    """Everything one product page says. None means that the page does not say it.

    `price` is the cheapest offer in the city served, None when there are no offers in it.
    `image_urls` are the large images in the page's order; `categories` run from root to leaf.
    `description` is plain text; lines are separated by newlines.
    """

    kaspi_id: ProductId
    city_id: CityId | None
    name: str
    brand: str | None
    description: str | None
    category_id: str | None
    categories: tuple[Category, ...]
    image_urls: tuple[str, ...]
    specifications: tuple[SpecificationGroup, ...]
    variants: tuple[Variant, ...]
    base_product_codes: tuple[str, ...]
    price: Tenge | None
    price_before_discount: Tenge | None
    discount_percent: int | None
    link: str | None
    created_at: datetime | None
    rung: Rung
    checked_at: datetime

    @property
    def category(self) -> str | None:
        """The leaf category's title."""
        return self.categories[-1].title if self.categories else None
