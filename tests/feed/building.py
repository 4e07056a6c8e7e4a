"""Listings and shelves for the tests of feeds."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain.feed_succession import OwnOffer
from domain.identity import MerchantId
from domain.money import Tenge
from domain.price_feed import FeedOffer, FeedPoint, FeedShop
from kaspi_crawler.feed.versions import FeedWriter, Shelf, Terms

STORE = MerchantId("30000001")
NOON = datetime(2026, 8, 13, 7, tzinfo=UTC)


def listing(number: int, price: int = 1_000, **more: Any) -> OwnOffer:
    """One of our listings: articles are in the order of their numbers."""
    said: dict[str, Any] = {
        "model": f"Чайник {number}",
        "points": (FeedPoint("30000001_PP1", available=True, stock=number),),
        "price": Tenge(price),
        **more,
    }
    return OwnOffer(offer=FeedOffer(sku=f"{number:06}", **said), leasts={})


def writer(directory: Path, **terms: Any) -> FeedWriter:
    """Writes the next version of our store's feed, and publishes it unless told otherwise."""
    shop = FeedShop(merchant=STORE, company="Лавка", date="2026-08-13 12:00:00")
    said = Terms(**{"publish": True, **terms})
    return FeedWriter(shelf=Shelf(directory, STORE), shop=shop, terms=said, made_at=NOON)
