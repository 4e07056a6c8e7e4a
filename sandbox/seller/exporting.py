"""The cabinet's own export of the goods that are on sale, as XML: what sellers know as ACTIVE.xml.

As a recorded export has it: the merchant's id stands in both company and merchantid, points have
their whole names, and a brand may be empty.
"""

from lxml import etree

from sandbox.seller.goods import Listing, Place
from sandbox.seller.shelf import Shelf

_SPACE = "{kaspiShopping}"


def active_xml(shelf: Shelf) -> bytes:
    """The price list of what a store has on sale."""
    catalog = etree.fromstring('<kaspi_catalog xmlns="kaspiShopping" date="string"/>')
    _say(catalog, "company", shelf.merchant)
    _say(catalog, "merchantid", shelf.merchant)
    offers = _part(catalog, "offers")
    for listing in shelf.listings.values():
        if listing.on_sale:
            _offer(offers, listing)
    return etree.tostring(catalog, encoding="utf-8", xml_declaration=True, pretty_print=True)


def _offer(offers: etree._Element, listing: Listing) -> None:
    offer = _part(offers, "offer", sku=listing.sku)
    _say(offer, "model", listing.model)
    _part(offer, "brand")
    places = _part(offer, "availabilities")
    for place in listing.places:
        _part(places, "availability", **_said(place))
    if not listing.city_prices:
        _say(offer, "price", str(listing.price))
        return
    prices = _part(offer, "cityprices")
    for city, price in listing.city_prices.items():
        _part(prices, "cityprice", cityId=city).text = str(price)


def _said(place: Place) -> dict[str, str]:
    said = {"available": "yes" if place.available else "no", "storeId": place.store_id}
    if place.preorder:
        said["preOrder"] = str(place.preorder)
    if place.specified:
        said["stockCount"] = str(place.stock)
    return said


def _say(parent: etree._Element, name: str, text: str) -> None:
    _part(parent, name).text = text


def _part(parent: etree._Element, name: str, **said: str) -> etree._Element:
    return etree.SubElement(parent, f"{_SPACE}{name}", said)
