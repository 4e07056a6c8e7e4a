"""Readings with sensible defaults and invented names; tests name what matters to them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.identity import CityId, MerchantId, ProductId
from domain.money import Tenge
from domain.offers import Offer, OfferBoard
from domain.product import (
    Category,
    Characteristic,
    Feature,
    ProductCard,
    Rung,
    SpecificationGroup,
    Variant,
)
from domain.readings import ProductMissing, ProductRefresh
from domain.reviews import ReviewSummary

KETTLE = ProductId("104500100")
LAMP = ProductId("104500200")
ALMATY = CityId("750000000")
ASTANA = CityId("710000000")
#: Noon in Almaty, on a day far from any change of month.
START = datetime(2026, 9, 18, 7, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """The moment so many minutes after START."""
    return START + timedelta(minutes=minutes)


def offer(merchant: str = "101", price: int = 10_000, **more: Any) -> Offer:
    """An offer of Лавка <merchant>, in stock and brought tomorrow."""
    defaults: dict[str, Any] = {
        "merchant_id": MerchantId(merchant),
        "seller": f"Лавка {merchant}",
        "merchant_sku": f"sku-{merchant}",
        "price": Tenge(price),
        "merchant_rating": Decimal("4.8"),
        "merchant_reviews": 250,
        "title": "Чайник Tulpar T-200 белый",
        "preorder_days": 0,
        "delivery_type": "TO_DOOR",
        "delivery_duration": "TOMORROW",
        "delivery_days": 1,
        "kaspi_delivery": True,
        "located_in_point": f"{merchant}_PP1",
        "delivery_points": (f"{merchant}_PP1",),
        "pickup_points": (f"{merchant}_PP1", f"{merchant}_PP2"),
    }
    return Offer(**{**defaults, **more})


def board(
    *offers: Offer,
    minutes: float = 0,
    product: ProductId = KETTLE,
    city: CityId = ALMATY,
    **more: Any,
) -> OfferBoard:
    """A complete board with these offers."""
    known: dict[str, Any] = {"total": len(offers), "complete": True, "checked_at": at(minutes)}
    return OfferBoard(kaspi_id=product, city_id=city, offers=offers, **{**known, **more})


def incomplete(*offers: Offer, total: int, **more: Any) -> OfferBoard:
    """A board on which only these of `total` offers could be read."""
    return board(*offers, total=total, complete=False, **more)


def card(minutes: float = 0, product: ProductId = KETTLE, **more: Any) -> ProductCard:
    """The card of an invented kettle, with every field filled."""
    defaults: dict[str, Any] = {
        "kaspi_id": product,
        "city_id": ALMATY,
        "name": "Чайник Tulpar T-200 белый",
        "brand": "Tulpar",
        "description": "Кипятит 1,7 л.\nМолчит, когда вскипел.",
        "category_id": "01777",
        "categories": (
            Category(code="Kitchen", title="Техника для кухни"),
            Category(code="Kettles", title="Чайники"),
        ),
        "image_urls": ("https://img.example/kettle-1.jpg", "https://img.example/kettle-2.jpg"),
        "specifications": (
            SpecificationGroup(
                code="kettles",
                name="Основные",
                features=(
                    Feature(
                        code="kettles*volume",
                        name="Объём",
                        type="NUMBER",
                        values=("1.7",),
                        unit="л",
                    ),
                ),
            ),
        ),
        "variants": (
            Variant(
                kaspi_id=LAMP,
                characteristics=(Characteristic(title="Цвет", value="чёрный"),),
                available=True,
            ),
        ),
        "base_product_codes": ("10450000b",),
        "price": Tenge(9_990),
        "price_before_discount": Tenge(11_990),
        "discount_percent": 17,
        "link": "/p/chainik-tulpar-t-200-belyi-104500100/",
        "created_at": datetime(2024, 3, 5, 7, 28, tzinfo=UTC),
        "rung": Rung.STATE,
        "checked_at": at(minutes),
    }
    return ProductCard(**{**defaults, **more})


def reviews(minutes: float = 0, product: ProductId = KETTLE, **more: Any) -> ReviewSummary:
    """Ratings of the kettle: 20, of which 8 have a text."""
    defaults: dict[str, Any] = {
        "rate": Decimal("4.7"),
        "rating_amount": 20,
        "review_amount": 8,
        "picture_amount": 2,
        "positive_amount": 7,
        "negative_amount": 1,
        "stars": ((5, 17), (4, 2), (1, 1)),
    }
    return ReviewSummary(kaspi_id=product, checked_at=at(minutes), **{**defaults, **more})


def refresh(*boards: OfferBoard, minutes: float = 0, **more: Any) -> ProductRefresh:
    """The kettle read whole; Almaty is home, and without boards one offer stands there."""
    defaults: dict[str, Any] = {
        "card": card(minutes),
        "home_city": ALMATY,
        "boards": boards or (board(offer(), minutes=minutes),),
        "reviews": reviews(minutes),
    }
    return ProductRefresh(**{**defaults, **more})


def missing(minutes: float = 0, product: ProductId = KETTLE) -> ProductMissing:
    """The shop's answer that there is no such product."""
    return ProductMissing(kaspi_id=product, checked_at=at(minutes))
