"""The Excel price list: rows become offers, and mistakes are named by row and column."""

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.identity import CityId
from domain.money import Tenge
from domain.price_feed import CityPrice, FeedOffer, FeedPoint
from partners.kaspi import price_list
from partners.kaspi.price_list import COLUMNS, Mistake, NotAPriceList

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "recorded" / "kaspi_merchant"
KETTLE = FeedOffer(
    sku="0012",
    model="Чайник",
    brand="Tefal",
    points=(FeedPoint("PP1", True, 5),),
    price=Tenge(9_990),
)


def workbook(*rows: Any, heading: Any = COLUMNS) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (heading, *rows):
        sheet.append(row)
    book.create_sheet("Лист2").append(["not read"])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def read(content: bytes) -> list[FeedOffer | Mistake]:
    return list(price_list.read(io.BytesIO(content)))


def row(**cells: Any) -> list[Any]:
    said = {"SKU": "0012", "model": "Чайник", "brand": "Tefal", "price": 9_990, "PP1": 5, **cells}
    return [said.get(column) for column in COLUMNS]


def kettle(**changes: Any) -> FeedOffer:
    return attrs.evolve(KETTLE, **changes)


def at(*points: FeedPoint) -> FeedOffer:
    return kettle(points=points)


@pytest.mark.parametrize(
    ("cells", "offer"),
    [
        pytest.param({}, KETTLE, id="pieces at a point"),
        pytest.param({"PP1": "5", "price": "9990"}, KETTLE, id="numbers that are texts"),
        pytest.param({"price": 9990.0}, KETTLE, id="a whole number with a decimal point"),
        pytest.param({"brand": "Без бренда"}, kettle(brand=""), id="no brand"),
        pytest.param({"brand": None}, kettle(brand=""), id="an empty brand"),
        pytest.param(
            {"PP1": "yes", "PP3": "No"},
            at(FeedPoint("PP1", available=True), FeedPoint("PP3", available=False)),
            id="yes and no, where stock is not kept",
        ),
        pytest.param({"PP1": 0}, at(FeedPoint("PP1", False, 0)), id="no piece left"),
        pytest.param(
            {"PP2": 0, "preorder": 7},
            at(FeedPoint("PP1", True, 5, 7), FeedPoint("PP2", False, 0)),
            id="days of preorder, where there is something",
        ),
        pytest.param({"preorder": 0}, KETTLE, id="no days of preorder"),
    ],
)
def test_a_row_is_read(cells: dict[str, Any], offer: FeedOffer) -> None:
    assert read(workbook(row(**cells), [None] * 10)) == [offer]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        pytest.param({"SKU": 12}, "row 2, column A (SKU): 12 is no text", id="a number as article"),
        pytest.param({"SKU": None}, "row 2, column A (SKU): it is empty", id="no article"),
        pytest.param({"model": " "}, "row 2, column B (model): it is empty", id="no model"),
        pytest.param(
            {"price": "9 990"},
            "row 2, column D (price): it is '9 990', and must be whole tenge without blanks",
            id="a price with a blank",
        ),
        pytest.param({"price": 9990.5}, "column D (price): it is '9990.5'", id="half a tenge"),
        pytest.param({"price": 0}, "column D (price): it is '0'", id="a price of nothing"),
        pytest.param({"price": None}, "column D (price): it is empty", id="no price"),
        pytest.param({"PP2": "есть"}, "column F (PP2): it is 'есть'", id="a stock in words"),
        pytest.param({"PP2": -1}, "column F (PP2): it is '-1'", id="less than no pieces"),
        pytest.param({"preorder": 31}, "column J (preorder): it is '31'", id="a preorder too long"),
        pytest.param({"PP1": None}, "row 2: it stands at no point", id="no point"),
        pytest.param(
            {"SKU": date(2026, 1, 2)}, "column A (SKU): 2026-01-02", id="a date as article"
        ),
        pytest.param(
            {"price": date(2026, 1, 2)}, "(price): it is '2026-01-02", id="a date as price"
        ),
        pytest.param(
            {"price": "=1+1"}, "column D (price): it is empty", id="an unreckoned formula"
        ),
        pytest.param({"price": True}, "column D (price): it is 'True'", id="a truth as price"),
        pytest.param({"price": "9990 ₸"}, "column D (price): it is '9990 ₸'", id="a currency"),
        pytest.param({"price": "9,990"}, "column D (price): it is '9,990'", id="a comma"),
        pytest.param({"price": 10**10}, "column D (price): it is '10000000000'", id="too dear"),
        pytest.param({"price": "#REF!"}, "column D (price): it is '#REF!'", id="an error"),
        pytest.param({"PP2": 5.5}, "column F (PP2): it is '5.5'", id="half a piece"),
        pytest.param(
            {"PP2": 10**12}, "column F (PP2): it is '1000000000000'", id="pieces past count"
        ),
        pytest.param(
            {"preorder": "неделя"}, "(preorder): it is 'неделя'", id="a preorder in words"
        ),
    ],
)
def test_a_mistake_is_named_by_row_and_column(cells: dict[str, Any], said: str) -> None:
    [mistake] = read(workbook(row(**cells)))
    assert said in str(mistake)


def test_every_mistake_of_a_row_is_named_and_other_rows_are_read() -> None:
    told = read(workbook(row(price="x", PP1="y"), row(SKU="2"), row(SKU="2"), row(SKU="3")))
    assert [str(each) for each in told if isinstance(each, Mistake)] == [
        "row 2, column D (price): it is 'x', and must be whole tenge without blanks",
        "row 2, column E (PP1): it is 'y', and must be whole pieces, yes or no",
        "row 4, column A (SKU): '2' stands in row 3 already",
    ]
    assert [each.sku for each in told if isinstance(each, FeedOffer)] == ["2", "3"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"SKU,model,brand", "save the price list as xlsx", id="a CSV file"),
        pytest.param(b"", "save the price list as xlsx", id="an empty file"),
        pytest.param(workbook(row())[:-300], "no workbook", id="a workbook that was cut off"),
        pytest.param(
            bytes.fromhex("d0cf11e0a1b11ae1") + bytes(5_000),
            "an old workbook .xls., or one with a password",
            id="xls, or one with a password",
        ),
        pytest.param(workbook(heading=[]), "the heading is ''", id="an empty sheet"),
        pytest.param(
            workbook(COLUMNS, row(), heading=["Прайс"]), "heading is 'Прайс'", id="a title above"
        ),
        pytest.param(workbook(heading=row()), "heading is '0012'", id="no headings"),
        pytest.param(
            workbook(heading=["SKU", "name"]),
            "row 1, column B: the heading is 'name', and must be model",
            id="another heading",
        ),
        pytest.param(
            workbook(heading=COLUMNS[:-1]), "column J: the heading is ''", id="one too few"
        ),
        pytest.param(
            workbook(heading=[*COLUMNS, "PP6"]), "a column too many, 'PP6'", id="one too many"
        ),
    ],
)
def test_what_is_no_price_list_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(NotAPriceList, match=said.replace("'", ".")):
        read(content)


def edited(edit: Callable[[openpyxl.Workbook], object]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(workbook(row(), row(SKU="2"))))
    edit(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_of_merged_cells_only_the_first_is_said() -> None:
    [offer, *mistakes] = read(edited(lambda book: book.worksheets[0].merge_cells("A2:B3")))
    assert [str(each) for each in (offer, *mistakes)] == [
        "row 2, column B (model): it is empty",
        "row 3, column A (SKU): it is empty",
        "row 3, column B (model): it is empty",
    ]


def test_a_sheet_of_charts_before_it_is_refused() -> None:
    with pytest.raises(NotAPriceList, match="no workbook"):
        read(edited(lambda book: book.create_chartsheet("Диаграмма", 0)))


def test_an_archive_that_is_no_workbook_is_refused() -> None:
    import zipfile  # noqa: PLC0415

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(NotAPriceList, match="no workbook"):
        read(file.getvalue())


def test_texts_stay_texts_in_the_workbook() -> None:
    file = io.BytesIO()
    price_list.write(file, [kettle(model="=1+1")])
    [sheet] = openpyxl.load_workbook(file).worksheets
    cells = {
        cell.column_letter: (cell.value, cell.data_type, cell.number_format) for cell in sheet[2]
    }
    assert cells["A"] == ("0012", "s", "@")
    assert cells["B"] == ("=1+1", "s", "@")
    assert cells["D"] == (9_990, "n", "General")


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        pytest.param(
            kettle(
                price=None,
                city_prices=(CityPrice(CityId("1"), Tenge(1)), CityPrice(CityId("2"), Tenge(2))),
            ),
            "from city to city",
            id="prices that differ",
        ),
        pytest.param(
            at(FeedPoint("7_PP6", available=True)), "no column for 7_PP6", id="a sixth point"
        ),
        pytest.param(
            at(FeedPoint("PP1", True, None, 3), FeedPoint("PP2", available=True)),
            "days of preorder differ",
            id="days that differ",
        ),
    ],
)
def test_what_a_row_cannot_say_is_not_written(offer: FeedOffer, said: str) -> None:
    rows, [unwritable] = price_list.write(io.BytesIO(), [offer])
    assert rows == 0
    assert said in unwritable.reason


TEXTS = some.text("абвXYZ 0123&<'\"", min_size=1, max_size=12).map(str.strip).filter(bool)
POINTS = some.dictionaries(
    some.sampled_from(price_list.POINTS), some.none() | some.booleans() | some.integers(0, 999),
    min_size=1,
)  # fmt: skip


def points_of(said: dict[str, Any], days: int | None) -> tuple[FeedPoint, ...]:
    points = []
    for name in sorted(said):
        stock = None if isinstance(said[name], bool) else said[name] or 0
        available = bool(said[name])
        points.append(FeedPoint(name, available, stock, days if available else None))
    return tuple(points)


OFFERS = some.builds(
    lambda said, days, **more: FeedOffer(points=points_of(said, days), **more),
    sku=TEXTS,
    model=TEXTS,
    brand=TEXTS | some.just(""),
    price=some.integers(1, 10**9).map(Tenge),
    said=POINTS,
    days=some.none() | some.integers(1, 30),
)


@given(some.lists(OFFERS, max_size=4, unique_by=lambda offer: offer.sku))
def test_what_is_written_is_read_again(offers: list[FeedOffer]) -> None:
    file = io.BytesIO()
    assert price_list.write(file, offers) == (len(offers), [])
    assert read(file.getvalue()) == offers


def test_the_columns_are_those_that_were_recorded() -> None:
    path = RECORDED / "excel_price_list_columns.tsv"
    if not path.is_file():
        pytest.skip(f"no recording {path}: the folder `shared` is not beside the project")
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    assert tuple(line.split("\t")[0] for line in lines) == COLUMNS
