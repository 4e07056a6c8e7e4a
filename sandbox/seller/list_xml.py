"""The XML price list, read in a stream by the guide's rules and nobody's schema.

Order as the guide's example has it; a list in another order was refused whole (told 2026).
"""

from collections.abc import Iterator
from typing import IO, cast

from lxml import etree

from domain.identity import CityId
from domain.money import Tenge
from sandbox.seller.goods import Availability, Change
from sandbox.seller.lists import ListRefused, Reader, Row, money, whole

_SPACE = "{kaspiShopping}"
_CATALOG = ["company", "merchantid", "offers"]
_OFFER = ["model", "brand", "availabilities", "price", "cityprices", "loanPeriod"]
_AVAILABILITY = frozenset({"available", "storeId", "preOrder", "stockCount"})


def rows(source: IO[bytes], reader: Reader) -> Iterator[Row]:
    """The list's offers. Raises ListRefused for what is no list, or not in its order."""
    try:
        yield from _rows(source, reader)
    except etree.XMLSyntaxError as broken:
        raise ListRefused(f"not XML: {broken}") from broken


def _rows(source: IO[bytes], reader: Reader) -> Iterator[Row]:
    parsing = etree.iterparse(
        source, events=("start", "end"), resolve_entities=False, no_network=True
    )
    path: list[str] = []
    catalog: list[str] = []
    for event, element in parsing:
        if event == "start":
            path.append(_name(element))
            _in_order(path, catalog)
            continue
        if path == ["kaspi_catalog", "merchantid"] and element.text != reader.merchant:
            raise ListRefused(f"line {_line(element)}: merchantid {element.text!r} is not ours")
        if path == ["kaspi_catalog", "offers", "offer"]:
            yield _row(element, reader)
            _forget(element)
        path.pop()
    if catalog != _CATALOG:
        raise ListRefused(f"kaspi_catalog has {', '.join(catalog)}: expected {', '.join(_CATALOG)}")


def _name(element: etree._Element) -> str:
    """A name in the list's own namespace; any other keeps its whole name."""
    return str(element.tag).removeprefix(_SPACE)


def _line(element: etree._Element) -> int:
    """Where an element stands in the list."""
    return cast("int", element.sourceline)


def _in_order(path: list[str], catalog: list[str]) -> None:
    """Refuse a list whose frame is not the guide's."""
    if path[0] != "kaspi_catalog":
        raise ListRefused(f"{path[0]} is no kaspi_catalog of kaspiShopping")
    if len(path) == 2:
        catalog.append(path[1])
        if catalog != _CATALOG[: len(catalog)]:
            raise ListRefused(f"wrong order: {path[1]} in kaspi_catalog")
    if len(path) == 3 and path[1:] != ["offers", "offer"]:
        raise ListRefused(f"{path[2]} is not expected in {path[1]}")


def _forget(element: etree._Element) -> None:
    """Keep a long list out of memory."""
    element.clear()
    while (before := element.getprevious()) is not None:
        before.getparent().remove(before)  # type: ignore[union-attr]


def _row(offer: etree._Element, reader: Reader) -> Row:
    line = _line(offer)
    sku = offer.get("sku", "")
    names = [_name(child) for child in offer.iterchildren(tag=etree.Element)]
    known = [name for name in names if name in _OFFER]
    if known != sorted(known, key=_OFFER.index):
        raise ListRefused(f"line {line}: wrong order in offer {sku}: {', '.join(names)}")
    try:
        return Row(line=line, change=_change(offer, sku, names, reader))
    except ValueError as wrong:
        return Row(line=line, change=Change(sku=sku), wrong=f"offer {sku}: {wrong}")


def _change(offer: etree._Element, sku: str, names: list[str], reader: Reader) -> Change:
    """What an offer asks for. Raises ValueError for what the guide forbids."""
    for name in names:
        if name not in _OFFER or names.count(name) > 1:
            raise ValueError(f"{name} is not expected")
    if "model" not in names or "availabilities" not in names:
        raise ValueError("model and availabilities are needed")
    if ("price" in names) is ("cityprices" in names):
        raise ValueError("either price or cityprices is needed")
    price = money(offer.findtext(f"{_SPACE}price")) if "price" in names else None
    return Change(
        sku=sku,
        model=offer.findtext(f"{_SPACE}model"),
        price=price,
        city_prices=dict(_city_prices(offer)),
        places=tuple(_places(offer, reader)),
    )


def _city_prices(offer: etree._Element) -> Iterator[tuple[CityId, Tenge]]:
    said = offer.findall(f"{_SPACE}cityprices/{_SPACE}cityprice")
    if offer.find(f"{_SPACE}cityprices") is not None and not said:
        raise ValueError("cityprices without a cityprice")
    for one in said:
        if not one.get("cityId"):
            raise ValueError("a cityprice without cityId")
        yield CityId(one.get("cityId", "")), money(one.text)


def _places(offer: etree._Element, reader: Reader) -> Iterator[Availability]:
    said = offer.findall(f"{_SPACE}availabilities/{_SPACE}availability")
    if not said:
        raise ValueError("no availability")
    for one in said:
        said_of_it = dict(one.items())
        if (
            not said_of_it.keys() <= _AVAILABILITY
            or one.get("available") not in {"yes", "no"}
            or not one.get("storeId")
        ):
            raise ValueError(f"availability {said_of_it} is not right")
        place = _availability(one)
        point = reader.point(place.store_id)
        if point is not None:
            yield Availability(
                store_id=point,
                available=place.available,
                stock=place.stock,
                preorder=place.preorder,
            )


def _availability(said: etree._Element) -> Availability:
    stock, days = said.get("stockCount"), said.get("preOrder")
    preorder = None if days is None else whole(days, "preOrder")
    if preorder is not None and preorder > 30:
        raise ValueError(f"preOrder {preorder} is more than 30 days")
    return Availability(
        store_id=said.get("storeId", ""),
        available=said.get("available") == "yes",
        stock=None if stock is None else whole(stock, "stockCount"),
        preorder=preorder,
    )
