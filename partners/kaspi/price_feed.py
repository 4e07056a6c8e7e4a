"""Kaspi's price feed, the XML price list that it pulls from a seller's server: written and read.

The format is that of the guide (2024-11): guide.kaspi.kz, "автоматическая загрузка". Nothing is
written that the project's own schema does not allow, and nothing that it does not allow is read.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from io import SEEK_END
from itertools import islice
from typing import BinaryIO

import attrs
from lxml import etree

from domain.identity import CityId, MerchantId
from domain.money import Tenge
from domain.price_feed import CityPrice, FeedOffer, FeedPoint, FeedShop
from partners.kaspi.price_feed_check import (
    NAMESPACE,
    Articles,
    Batch,
    BrokenFeed,
    Gate,
    catalogs,
    offers_of,
    repeated,
)

__all__ = ["BrokenFeed", "Figures", "check", "read", "write"]

_HEAD = """<?xml version="1.0" encoding="utf-8"?>
<kaspi_catalog date="{date}" xmlns="{namespace}" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="kaspiShopping http://kaspi.kz/kaspishopping.xsd">
<company>{company}</company>
<merchantid>{merchant}</merchantid>
<offers>
"""
_BRAND, _MODEL, _PRICE, _CITY_PRICES, _AVAILABILITIES = (
    f"{{{NAMESPACE}}}{name}" for name in ("brand", "model", "price", "cityprices", "availabilities")
)
#: Texts hold no bare quotation mark, so that this is a point.
_ON_SALE = ' available="yes"'
_TAIL = b"</offers>\n</kaspi_catalog>\n"
#: Offers that are validated and written at a time.
_BATCH_OFFERS = 100
#: Brands, points and their stocks that are kept as they are written: many offers share theirs.
_KEPT = 4_096
#: A sign that XML forbids.
_FORBIDDEN = re.compile("[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@attrs.frozen(kw_only=True)
class Figures:
    """How many offers a feed holds, and how many of them can be bought at some point."""

    offers: int
    on_sale: int


def write(file: BinaryIO, shop: FeedShop, offers: Iterable[FeedOffer]) -> Figures:
    """Write a whole feed as the offers come, each on a line of its own, and validated before.

    The file must be readable, too: it is looked for articles that stand twice, unless they came in
    order. Signs that XML forbids become blanks. Raises BrokenFeed; what is written by then is no
    feed.
    """
    gate, articles, start, incoming = Gate(), Articles(), file.tell(), iter(offers)
    head = _head(shop)
    file.write(head)
    count = on_sale = 0
    while written := list(islice(incoming, _BATCH_OFFERS)):
        lines = list(map(_offer, written))
        body = "".join(lines).encode()
        gate.tree(Batch(head.count(b"\n") + 1 + count, head, body, _TAIL))
        articles.add([offer.sku for offer in written])
        file.write(body)
        count += len(written)
        on_sale += sum([_ON_SALE in line for line in lines])
    if not count:
        raise BrokenFeed(head.count(b"\n"), "there is no offer")
    file.write(_TAIL)
    file.seek(start)
    if found := repeated(file, articles):
        raise found
    file.seek(0, SEEK_END)
    return Figures(offers=count, on_sale=on_sale)


def read(file: BinaryIO) -> tuple[FeedShop, Iterator[FeedOffer]]:
    """Whose feed it is, and its offers as they stream by; both may raise BrokenFeed.

    What feeds in use have is borne: prefixes of the namespace, bare and prefixed points, preorders
    of 0 days, brands that are empty or absent, articles of any length.
    """
    incoming = catalogs(file)
    first = next(incoming)
    shop = FeedShop(
        merchant=MerchantId((first[1].text or "").strip()),
        company=(first[0].text or "").strip(),
        date=first.get("date", ""),
    )
    return shop, _read_offers(first, incoming)


def check(file: BinaryIO) -> int:
    """Hold a feed against every rule without keeping it; how many offers it has.

    Raises BrokenFeed.
    """
    return sum(len(offers_of(catalog)) for catalog in catalogs(file))


def _head(shop: FeedShop) -> bytes:
    said = {"company": shop.company, "merchant": shop.merchant, "date": shop.date}
    text = {name: _text(value) for name, value in said.items()}
    return _HEAD.format(namespace=NAMESPACE, **text).encode()


def _offer(offer: FeedOffer) -> str:
    return (
        f'<offer sku="{_text(offer.sku)}"><model>{_text(offer.model)}</model>{_brand(offer.brand)}'
        f"{_availabilities(offer.points)}{_prices(offer)}</offer>\n"
    )


@lru_cache(maxsize=_KEPT)
def _brand(brand: str) -> str:
    return f"<brand>{_text(brand)}</brand>" if brand else "<brand/>"


@lru_cache(maxsize=_KEPT)
def _availabilities(points: tuple[FeedPoint, ...]) -> str:
    return f"<availabilities>{''.join(map(_point, points))}</availabilities>"


def _point(point: FeedPoint) -> str:
    days = f' preOrder="{point.preorder}"' if point.preorder else ""
    pieces = "" if point.stock is None else f' stockCount="{point.stock}"'
    said = "yes" if point.available else "no"
    return f'<availability available="{said}" storeId="{_text(point.point)}"{days}{pieces}/>'


def _prices(offer: FeedOffer) -> str:
    """Both kinds at once are written as they are said, so that the schema refuses them."""
    one = "" if offer.price is None else f"<price>{offer.price}</price>"
    if not offer.city_prices:
        return one
    cities = "".join(
        f'<cityprice cityId="{_text(each.city)}">{each.price}</cityprice>'
        for each in offer.city_prices
    )
    return f"{one}<cityprices>{cities}</cityprices>"


def _text(text: str) -> str:
    """A text as XML writes it. What is printable holds no sign that XML forbids."""
    if text.isalnum():
        return text
    allowed = text if text.isprintable() else _FORBIDDEN.sub(" ", text)
    return (
        allowed.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&quot;")
        .replace("'", "&apos;")
    )


def _read_offers(first: etree._Element, incoming: Iterator[etree._Element]) -> Iterator[FeedOffer]:
    yield from map(_read_offer, offers_of(first))
    for catalog in incoming:
        yield from map(_read_offer, offers_of(catalog))


def _read_offer(element: etree._Element) -> FeedOffer:
    parts = {part.tag: part for part in element}
    brand, price, cities = parts.get(_BRAND), parts.get(_PRICE), parts.get(_CITY_PRICES, ())
    return FeedOffer(
        sku=element.get("sku", ""),
        model=parts[_MODEL].text or "",
        brand="" if brand is None else brand.text or "",
        points=tuple(map(_read_point, parts[_AVAILABILITIES])),
        price=None if price is None else _tenge(price),
        city_prices=tuple(
            CityPrice(CityId(each.get("cityId", "")), _tenge(each)) for each in cities
        ),
    )


def _read_point(element: etree._Element) -> FeedPoint:
    said = element.get
    return _said_point(said("storeId", ""), said("available"), said("stockCount"), said("preOrder"))


@lru_cache(maxsize=_KEPT)
def _said_point(
    point: str, available: str | None, stock: str | None, preorder: str | None
) -> FeedPoint:
    return FeedPoint(point, available == "yes", _whole(stock), _whole(preorder))


def _whole(text: str | None) -> int | None:
    return None if text is None else int(text)


def _tenge(element: etree._Element) -> Tenge:
    return Tenge(int(element.text or ""))
