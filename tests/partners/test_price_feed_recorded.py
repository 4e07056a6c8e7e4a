"""Feeds as they are in use, read with every field right. They are no part of the project."""

from pathlib import Path

import pytest

from domain.identity import CityId, MerchantId
from domain.money import Tenge
from domain.price_feed import CityPrice, FeedOffer, FeedPoint, FeedShop
from partners.kaspi import price_feed

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "recorded" / "kaspi_merchant"


def read(name: str) -> tuple[FeedShop, list[FeedOffer]]:
    path = RECORDED / name
    if not path.is_file():
        pytest.skip(f"no recording {path}: the folder `shared` is not beside the project")
    with path.open("rb") as file:
        shop, offers = price_feed.read(file)
        return shop, list(offers)


def test_kaspis_own_export_is_read() -> None:
    shop, offers = read("feed_active_export_with_preorder.xml")
    assert shop == FeedShop(
        merchant=MerchantId("30000002"), company="30000002", date="2026-08-13 00:37"
    )
    assert len(offers) == 25
    assert offers[0] == FeedOffer(
        sku="522754716",
        model="Картина 70x100 см",
        points=(FeedPoint("30000002_PP1", available=True, stock=10, preorder=1),),
        city_prices=(CityPrice(CityId("750000000"), Tenge(33_333)),),
    )


def test_a_suppliers_feed_is_read() -> None:
    shop, offers = read("feed_alstyle_supplier.xml")
    assert (shop.merchant, shop.company, shop.date) == ("01", "Al-Style", "2026-08-22T22:02:12")
    assert len(offers) == 40
    assert max(len(offer.sku) for offer in offers) == 47
    assert offers[2] == FeedOffer(
        sku="ST/UPC-ST/UPC MM OM1 62.5/125 Simplex 3.0мм 1 м",
        model="Патч Корд Оптоволоконный ST/UPC-ST/UPC MM OM1 62.5/125 Simplex 3.0мм 1 м",
        brand="АЗОП",
        points=(FeedPoint("myFavoritePickupPoint1", available=False, stock=0, preorder=0),),
        price=Tenge(1_200),
    )


def test_the_smallest_feed_is_read() -> None:
    assert read("feed_cityprice_minimal.xml") == (
        FeedShop(
            merchant=MerchantId("1234567"), company="My Kaspi Store", date="2026-06-08 17:16:15"
        ),
        [
            FeedOffer(
                sku="1001",
                model="Iphone 13 128gb Black",
                brand="Apple",
                points=(FeedPoint("PP1", available=True, stock=10, preorder=0),),
                city_prices=(CityPrice(CityId("710000000"), Tenge(349_989)),),
            )
        ],
    )


def test_the_guides_example_is_read() -> None:
    shop, [one, other] = read("official_guide_feed_example.xml")
    points = (
        FeedPoint("myFavoritePickupPoint1", available=True, stock=234, preorder=3),
        FeedPoint("myFavoritePickupPoint2", available=True, stock=234, preorder=20),
    )
    assert (shop.merchant, shop.company, shop.date) == ("CompanyID", "CompanyName", "string")
    assert one == FeedOffer(
        sku="232130213",
        model="iphone 5s white 32gb",
        brand="Apple",
        points=points,
        price=Tenge(6_418),
    )
    assert other == FeedOffer(
        sku="232130223",
        model="iphone 6s white 32gb",
        brand="Apple",
        points=points,
        city_prices=(
            CityPrice(CityId("750000000"), Tenge(193_000)),
            CityPrice(CityId("710000000"), Tenge(195_000)),
        ),
    )
