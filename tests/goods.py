"""Pages of our own goods, as the cabinet's list gives them."""

from typing import Any

import attrs

from domain.cabinet import CabinetOffer, Point, ShopPage, ShopRead
from domain.identity import MerchantId
from domain.money import Tenge
from tests.building import ALMATY, ASTANA, KETTLE, at

STORE = MerchantId("30000001")


def point(code: int = 1, *, stock: int | None = 5, available: bool = True, days: int = 0) -> Point:
    return Point(id=f"{STORE}_PP{code}", available=available, stock=stock, preorder_days=days)


def article(sku: str = "A1", *points: Point, **more: Any) -> CabinetOffer:
    """An article on sale for 9,000 ₸, in Astana for 9,500 ₸."""
    defaults: dict[str, Any] = {
        "store": STORE,
        "sku": sku,
        "kaspi_id": KETTLE,
        "title": "Чайник",
        "model": "Tulpar T-200",
        "brand": "Tulpar",
        "price": Tenge(9_000),
        "city_prices": {ASTANA: Tenge(9_500)},
        "prices": {ALMATY: Tenge(9_000), ASTANA: Tenge(9_500)},
        "points": points or (point(),),
        "on_sale": True,
        "errors": (),
        "updated_at": None,
        "archived_at": None,
    }
    return CabinetOffer(**{**defaults, **more})


def off(sku: str = "A1", errors: tuple[str, ...] = ("NO_AVAILABILITIES",)) -> CabinetOffer:
    """The same, taken off sale."""
    taken_off: dict[str, Any] = {
        "price": None,
        "city_prices": {},
        "prices": {},
        "points": (),
        "on_sale": False,
    }
    return attrs.evolve(article(sku), errors=errors, **taken_off)


def page(
    *offers: CabinetOffer, minutes: int = 0, on_sale: bool = True, number: int = 0
) -> ShopPage:
    return ShopPage(
        store=STORE, on_sale=on_sale, page=number, offers=offers, checked_at=at(minutes)
    )


def whole(*, began: int, minutes: int, believed: bool = False) -> ShopRead:
    return ShopRead(
        store=STORE, count=1, began_at=at(began), checked_at=at(minutes), believed=believed
    )
