"""What a price feed says: a store's offers, each with its points and its prices."""

import attrs

from domain.identity import CityId, MerchantId
from domain.money import Tenge

#: More days of preorder than these the marketplace does not take (its guide, 2024-11).
MOST_PREORDER_DAYS = 30


@attrs.frozen(kw_only=True)
class FeedShop:
    """Whose feed it is. `date` is free text, as the marketplace's own exports write it."""

    merchant: MerchantId
    company: str
    date: str


@attrs.frozen(cache_hash=True)  # many offers share their points
class FeedPoint:
    """One point of the store: `point` is its code (PP1, 30000001_PP1).

    `stock` counts pieces, None where stock is not kept; `preorder` counts days, None or 0 without.
    """

    point: str
    available: bool
    stock: int | None = None
    preorder: int | None = None


@attrs.frozen
class CityPrice:
    """The price in one city, whole tenge with VAT."""

    city: CityId
    price: Tenge


@attrs.frozen(kw_only=True)
class FeedOffer:
    """One article: one price everywhere, or a price a city; never both.

    `brand` is empty where there is none.
    """

    sku: str
    model: str
    brand: str = ""
    points: tuple[FeedPoint, ...]
    price: Tenge | None = None
    city_prices: tuple[CityPrice, ...] = ()

    @property
    def on_sale(self) -> bool:
        """Whether it can be bought at any point."""
        return any(point.available for point in self.points)

    @property
    def prices(self) -> tuple[Tenge, ...]:
        """Every price that it names, whole tenge."""
        if self.price is not None:
            return (self.price,)
        return tuple(each.price for each in self.city_prices)

    def withdrawn(self) -> "FeedOffer":
        """The same offer, not to be bought anywhere."""
        points = tuple(
            FeedPoint(each.point, available=False, stock=None if each.stock is None else 0)
            for each in self.points
        )
        return attrs.evolve(self, points=points)


def named_point(merchant: MerchantId, point: str) -> str:
    """The point's code as the marketplace's own export writes it: PP1 becomes 30000001_PP1.

    Codes of another form stay as they are.
    """
    is_bare = point.startswith("PP") and point[2:].isdecimal()
    return f"{merchant}_{point}" if is_bare else point
