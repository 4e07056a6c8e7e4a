"""Cells: what people type, and what it is worth."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from kaspi_crawler.rules.cells import Wrong
from kaspi_crawler.rules.columns import LISTINGS, RULES
from kaspi_crawler.rules.raw import Broken, Percent, Raw, number
from kaspi_crawler.said import same

BROKEN = Broken("#REF!", same("is an error"))

RIGHT = {
    "money as it is": ("floor", 9_500, 9_500),
    "money with a space": ("floor", "9 500", 9_500),
    "money with a space that does not break": ("floor", "9\u00a0500\u00a0₸", 9_500),
    "money with a narrow space and its name": ("floor", "1\u202f234\u202f500 тг.", 1_234_500),
    "money with zeros behind the comma": ("floor", "9500,00", 9_500),
    "money as programs write it": ("floor", "9500.0", 9_500),
    "money below zero where it may be": ("offset", "−100", -100),
    "money out of a spreadsheet's arithmetic": ("cost", number("9500.0000000000018"), 9_500),
    "money in a large number's short form": ("cost", number("1E+5"), 100_000),
    "a percentage": ("margin_bp", "12,5 %", 1_250),
    "a percentage with a point": ("margin_bp", "0.95%", 95),
    "a cell shown as a percentage": ("margin_bp", Percent(Decimal("0.07")), 700),
    "a whole in percent": ("max_change_day_bp", Percent(Decimal(1)), 10_000),
    "basis points": ("margin_bp", 1_250, 1_250),
    "basis points as a text": ("margin_bp", "1 250", 1_250),
    "a switch in Russian": ("on", "ДА", True),
    "a switch that is off": ("on", "выкл", False),
    "a switch of a workbook": ("on", True, True),
    "a switch as a number": ("on", 0, False),
    "a strategy": ("strategy", "Undercut", "undercut"),
    "a strategy in Russian": ("strategy", "подрезать", "undercut"),
    "what people call a strategy": ("strategy", "Демпинг", "undercut"),
    "two words": ("compare_delivery", "не  медленнее", "same_or_faster"),
    "with an underscore": ("compare_delivery", "same-or-faster", "same_or_faster"),
    "a town": ("zone", "по городу", "city"),
    "a weight with a comma": ("weight_kg", "0,5", Decimal("0.5")),
    "a weight with its unit": ("weight_kg", "12 кг", 12),
    "a rating": ("min_rating", Decimal("4.5"), Decimal("4.5")),
    "a few merchants": ("ignore", "11271005; 30000001 , 5", ["11271005", "30000001", "5"]),
    "one merchant as a number": ("ignore", 11271005, ["11271005"]),
    "merchants of a list": ("ignore", ("11271005", "5"), ["11271005", "5"]),
    "shares": ("shares_bp", "50 %, 22 %; 1200", [5_000, 2_200, 1_200]),
    "one share": ("shares_bp", 5_000, [5_000]),
    "a product's address": ("product", "https://kaspi.kz/shop/p/a-b-102298404/?c=7", "102298404"),
    "a product as a number": ("product", 102298404, "102298404"),
    "a merchant's address": ("store", "https://kaspi.kz/shop/info/merchant/11271005/", "11271005"),
    "a city by its name": ("city", "Almaty", "750000000"),
    "an article as a number": ("sku", 100, "100"),
    "an article that is a formula's twin": ("sku", "=1+1", "=1+1"),
    "an article with zeros": ("sku", "007", "007"),
}


@pytest.mark.parametrize(("key", "raw", "value"), RIGHT.values(), ids=RIGHT)
def test_what_people_type_is_understood(key: str, raw: Raw, value: Any) -> None:
    read = RULES.by_key[key].form.read(raw)
    assert read == value
    assert type(read) is type(value) or isinstance(read, str)


WRONG = {
    "half a tenge": ("floor", "9500.5"),
    "half a tenge in a workbook": ("floor", Decimal("9500.5")),
    "a comma that may mean two things": ("floor", "9,5"),
    "thousands behind a comma": ("floor", "9,500"),
    "thousands behind a point": ("floor", "9.500"),
    "spaces in the wrong places": ("floor", "95 00"),
    "words": ("floor", "дорого"),
    "another currency": ("floor", "95 $"),
    "money below zero": ("floor", -1),
    "a cost of nothing": ("cost", 0),
    "more than anything costs": ("ceiling", 10**9 + 1),
    "a percentage for money": ("floor", Percent(Decimal("0.5"))),
    "a switch for money": ("floor", True),
    "a date for money": ("floor", date(2026, 5, 1)),
    "an error": ("floor", BROKEN),
    "half a basis point": ("margin_bp", "12,345 %"),
    "a fraction without its sign": ("margin_bp", Decimal("0.125")),
    "more than all": ("margin_bp", "101 %"),
    "neither on nor off": ("on", "может быть"),
    "two for a switch": ("on", 2),
    "a strategy nobody knows": ("strategy", "быстро"),
    "a weight below zero": ("weight_kg", "-1"),
    "a rating of six": ("min_rating", 6),
    "two merchants to follow": ("follow", "11271005, 5"),
    "no merchant": ("ignore", "Лавка у дома"),
    "a share of words": ("shares_bp", "half"),
    "hours without an end": ("windows", "22:00 hold"),
    "an hour that no clock shows": ("windows", "25:00-26:00 hold"),
    "hours in which nothing is to be done": ("windows", "22:00-07:00"),
    "a day that no week has": ("windows", "22:00-07:00 hold пк"),
    "a group of variants": ("product", "102298404b"),
    "no product": ("product", "чайник"),
    "an article that became a date": ("sku", date(2026, 5, 1)),
    "an article that a spreadsheet shortened": ("sku", "1.23457E+12"),
    "an article that a spreadsheet rounded": ("sku", 10**15),
    "an article of two lines": ("sku", "a\nb"),
    "a city nobody knows": ("city", "Готэм"),
    "a day that no month has": ("stocked_on", "31.02.2026"),
}


@pytest.mark.parametrize(("key", "raw"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_meant_is_wrong(key: str, raw: Raw) -> None:
    column = RULES.by_key.get(key) or LISTINGS.by_key[key]
    with pytest.raises(Wrong):
        column.form.read(raw)


@pytest.mark.parametrize("column", [*RULES.columns, *LISTINGS.columns], ids=lambda one: one.key)
def test_the_example_of_a_column_is_right(column: Any) -> None:
    english, russian = column.form.read(column.example.en), column.form.read(column.example.ru)
    assert english == russian or column.key in {"name", "owner"}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        pytest.param("2026-11-05", date(2026, 11, 5), id="as programs write it"),
        pytest.param("05.11.2026", date(2026, 11, 5), id="as people write it"),
        pytest.param(date(2026, 11, 5), date(2026, 11, 5), id="as workbooks have it"),
    ],
)
def test_a_day_is_read(text: Raw, day: date) -> None:
    assert LISTINGS.by_key["stocked_on"].form.read(text) == day
