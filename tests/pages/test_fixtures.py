"""Saved answers, one folder each (`input.*`, `output.json`): one test for every field of the item.

A folder's first word says which page reads it. Goods, shops and values are invented.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest

from domain.identity import CityId, ProductId
from domain.listing import ListingKind, ListingQuery
from kaspi_crawler.pages.listing import ListingAnswer
from kaspi_crawler.pages.navigation import MenuPage
from kaspi_crawler.pages.offers import OffersPage
from kaspi_crawler.pages.product import ProductPage
from kaspi_crawler.pages.reviews import ReviewsPage, TextsPage
from kaspi_crawler.pages.sitemap import CitySitemapPage
from partners.call import Answer

FIXTURES = Path(__file__).parent / "fixtures"
NAMES = sorted(folder.name for folder in FIXTURES.iterdir() if folder.is_dir())
LAPTOP = ProductId("130700452")
ALMATY = CityId("750000000")
KETTLES = ListingQuery(ListingKind.CATEGORY, "Kettles")
NOW = datetime(2026, 9, 18, 18, tzinfo=UTC)


def as_json(value: object) -> object:
    """A value of ours as the outputs spell it."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        return [as_json(one) for one in value]
    if isinstance(value, msgspec.Struct):
        return as_json_object(msgspec.structs.asdict(value))
    if attrs.has(type(value)):
        return as_json_object(attrs.asdict(value, recurse=False))  # type: ignore[arg-type]
    return value


def as_json_object(fields: dict[str, object]) -> dict[str, object]:
    return {name: as_json(one) for name, one in fields.items()}


@cache
def read(name: str) -> Any:
    (source,) = (FIXTURES / name).glob("input.*")
    answer = Answer(
        status=200,
        body=source.read_bytes(),
        address=f"https://kaspi.kz/shop/p/-{LAPTOP}/?c={ALMATY}",
    )
    pages: dict[str, Any] = {
        "product": ProductPage(answer, LAPTOP, NOW),
        "offers": OffersPage(answer, LAPTOP, ALMATY, NOW),
        "reviews": ReviewsPage(answer, LAPTOP, NOW),
        "texts": TextsPage(answer, LAPTOP, 0, 5, NOW),
        "listing": ListingAnswer(answer, KETTLES, ALMATY, 1, NOW),
        "menu": MenuPage(answer, ALMATY, NOW),
        "sitemap": CitySitemapPage(answer, ALMATY, NOW),
    }
    return as_json(pages[name.partition("_")[0]].to_item())


@cache
def expected(name: str) -> Any:
    return json.loads((FIXTURES / name / "output.json").read_text(encoding="utf-8"))


def fields() -> Iterator[Any]:
    for name in NAMES:
        for field in expected(name):
            yield pytest.param(name, field, id=f"{name}: {field}")


@pytest.mark.parametrize(("name", "field"), list(fields()))
def test_a_field_is_read(name: str, field: str) -> None:
    assert read(name)[field] == expected(name)[field]


@pytest.mark.parametrize("name", NAMES)
def test_no_field_is_forgotten(name: str) -> None:
    assert read(name).keys() == expected(name).keys()


def test_every_page_has_a_fixture() -> None:
    assert {name.partition("_")[0] for name in NAMES} == {
        "product",
        "offers",
        "reviews",
        "texts",
        "listing",
        "menu",
        "sitemap",
    }
