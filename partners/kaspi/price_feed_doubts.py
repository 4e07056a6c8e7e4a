"""What in a price feed is allowed by its schema, and yet may not be what the marketplace takes.

Of each it is not known whether the marketplace minds: the guide says one thing, and feeds in use do
another. So it is said, and refuses nothing.
"""

import re
from collections import Counter
from collections.abc import Iterator

from domain.price_feed import FeedOffer, FeedPoint, FeedShop, named_point

#: The guide (2024-11): 20 characters, digits and latin letters; Kaspi's own have an underscore.
_ARTICLE = re.compile(r"[0-9A-Za-z_]{1,20}")
_POINT = re.compile(r"(?:([0-9]+)_)?PP[1-9][0-9]*")
_CITY = re.compile(r"[0-9]{9}")


def doubts(shop: FeedShop, offer: FeedOffer) -> Iterator[str]:
    """What is doubtful about an offer, a sentence each."""
    if not _ARTICLE.fullmatch(offer.sku):
        yield "the guide allows 20 characters, digits and latin letters, in an article"
    for point in offer.points:
        yield from _of_point(shop, point)
    for name in _twice(named_point(shop.merchant, each.point) for each in offer.points):
        yield f"point {name!r} stands twice"
    for each in offer.city_prices:
        if not _CITY.fullmatch(each.city):
            yield f"cityId {each.city!r} has no nine digits, as 750000000"
    for city in _twice(each.city for each in offer.city_prices):
        yield f"city {city!r} stands twice"


def _of_point(shop: FeedShop, point: FeedPoint) -> Iterator[str]:
    form = _POINT.fullmatch(point.point)
    if not form:
        yield f"storeId {point.point!r} has no form that points have: PP1, {shop.merchant}_PP1"
    elif form[1] not in {None, shop.merchant}:
        yield f"storeId {point.point!r} is of another merchant than {shop.merchant}"
    if point.preorder and not point.available:
        yield f"point {point.point!r} has days of preorder, and nothing to buy"
    if point.stock == 0 and point.available:
        yield f"point {point.point!r} is available, with 0 pieces"


def _twice(names: Iterator[str]) -> Iterator[str]:
    return (name for name, times in Counter(names).items() if times > 1)
