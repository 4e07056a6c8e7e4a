"""Kaspi's price list as a workbook: `SKU, model, brand, price, PP1 … PP5, preorder`.

The columns are those of the guide (pages q2962 and q3348, 2026): on the first sheet, in this order
and under these names; the article is a text; a point's cell holds pieces, or yes or no where stock
is not kept; days of preorder are said once a row. What a row cannot say is not written: another
price in some city, a point beyond the fifth, days that differ from point to point.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile

import attrs
import openpyxl
from lxml import etree
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils.exceptions import InvalidFileException

from domain.money import DEAREST, Tenge
from domain.price_feed import MOST_PREORDER_DAYS, FeedOffer, FeedPoint

POINTS = ("PP1", "PP2", "PP3", "PP4", "PP5")
COLUMNS = ("SKU", "model", "brand", "price", *POINTS, "preorder")
#: What stands for the brand of goods that have none.
NO_BRAND = "Без бренда"
#: Bytes that a workbook may unpack to: 50,000 rows take 40 MB.
_MOST_BYTES = 500_000_000
#: How files begin that Excel wrote before 2007, and those that it writes with a password.
_OLD_FILE = bytes.fromhex("d0cf11e0a1b11ae1")
#: More pieces than these are a typing error, in a feed as here.
_MOST_PIECES = 1_000_000_000
#: What openpyxl raises, the last two for parts of other kinds than it expects, as sheets of charts.
_NO_WORKBOOK = (
    InvalidFileException, BadZipFile, KeyError, IndexError, etree.XMLSyntaxError, AttributeError,
    TypeError,
)  # fmt: skip
_LETTERS = "ABCDEFGHIJ"
_TEXT_FORMAT = "@"
#: Signs that XML 1.0 forbids, so that a workbook cannot hold them.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class NotAPriceList(ValueError):
    """A file that is no workbook with these columns; the text says what is wrong, and where."""


@attrs.frozen
class Mistake:
    """What is wrong in one cell; `column` is empty where it is the whole row."""

    row: int
    column: str
    reason: str

    def __str__(self) -> str:
        place = f"row {self.row}, column {self.column}" if self.column else f"row {self.row}"
        return f"{place}: {self.reason}"


@attrs.frozen
class Unwritable:
    """An offer that a row cannot say, and why."""

    sku: str
    reason: str


def write(file: BinaryIO, offers: Iterable[FeedOffer]) -> tuple[int, list[Unwritable]]:
    """Write a workbook row by row; how many rows, and the offers that no row can say.

    Until the end its sheet lies in the directory of temporary files. Raises OSError.
    """
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Лист1")
    sheet.append(COLUMNS)
    count, unwritable = 0, list[Unwritable]()
    for offer in offers:
        if reason := _unsayable(offer):
            unwritable.append(Unwritable(offer.sku, reason))
        else:
            sheet.append(_row(sheet, offer))
            count += 1
    book.save(file)
    return count, unwritable


def read(file: BinaryIO) -> Iterator[FeedOffer | Mistake]:
    """Each row of the first sheet, as an offer or as its mistakes. Raises NotAPriceList."""
    _not_too_large(file)
    sheet = _first_sheet(file)
    try:
        sheet.reset_dimensions()  # some programs write wrong ones
        rows = sheet.iter_rows(values_only=True)
        _check_headings(next(rows, ()))
        yield from _Rows().read(rows)
    except (BadZipFile, KeyError, etree.XMLSyntaxError) as error:
        raise NotAPriceList(f"this is no workbook (xlsx) that can be read: {error}") from None


def _first_sheet(file: BinaryIO) -> Any:
    """The sheet with the price list, unread. Raises NotAPriceList."""
    try:
        return openpyxl.load_workbook(file, read_only=True, data_only=True).worksheets[0]
    except _NO_WORKBOOK as error:
        raise NotAPriceList(f"this is no workbook (xlsx) that can be read: {error}") from None


def _not_too_large(file: BinaryIO) -> None:
    if file.read(len(_OLD_FILE)) == _OLD_FILE:
        raise NotAPriceList(
            "this is an old workbook (xls), or one with a password: save the price list as xlsx, "
            "without a password"
        )
    try:
        with ZipFile(file) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except BadZipFile:
        raise NotAPriceList("this is no workbook: save the price list as xlsx") from None
    if size > _MOST_BYTES:
        raise NotAPriceList(f"the workbook unpacks to {size:,} bytes: that is no price list")
    file.seek(0)


def _check_headings(cells: Sequence[Any]) -> None:
    said = [str(cell).strip() if cell is not None else "" for cell in cells]
    while said and not said[-1]:
        said.pop()
    for place, right in enumerate(COLUMNS):
        found = said[place] if place < len(said) else ""
        if found != right:
            raise NotAPriceList(
                f"row 1, column {_LETTERS[place]}: the heading is {found!r}, and must be {right}. "
                f"Right are: {', '.join(COLUMNS)}"
            )
    if len(said) > len(COLUMNS):
        raise NotAPriceList(f"row 1: there is a column too many, {said[len(COLUMNS)]!r}")


class _Rows:
    """Reads rows, and remembers where each article stood."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def read(self, rows: Iterable[Sequence[Any]]) -> Iterator[FeedOffer | Mistake]:
        for number, cells in enumerate(rows, start=2):
            if any(_is_said(cell) for cell in cells):
                yield from self._row(number, (*cells, *[None] * len(COLUMNS))[: len(COLUMNS)])

    def _row(self, number: int, cells: Sequence[Any]) -> Iterator[FeedOffer | Mistake]:
        said = _Cells(number, dict(zip(COLUMNS, cells, strict=True)))
        sku, model, price = said.sku(), said.text("model"), said.price()
        preorder = said.preorder()
        points = tuple(filter(None, (said.point(name, preorder) for name in POINTS)))
        if not points and not said.mistakes:
            said.mistakes.append(Mistake(number, "", "it stands at no point (PP1 to PP5)"))
        if sku and self._seen.setdefault(sku, number) != number:
            said.wrong("SKU", f"{sku!r} stands in row {self._seen[sku]} already")
        if said.mistakes:
            yield from said.mistakes
            return
        brand = said.brand()
        yield FeedOffer(sku=sku, model=model, brand=brand, points=points, price=Tenge(price))


class _Cells:
    """The cells of one row by their headings; what is wrong with them is collected."""

    def __init__(self, row: int, cells: dict[str, Any]) -> None:
        self._row, self._cells = row, cells
        self.mistakes: list[Mistake] = []

    def wrong(self, column: str, reason: str) -> None:
        letter = _LETTERS[COLUMNS.index(column)]
        self.mistakes.append(Mistake(self._row, f"{letter} ({column})", reason))

    def sku(self) -> str:
        said = self._cells["SKU"]
        if isinstance(said, str) or said is None:
            return self.text("SKU")
        self.wrong("SKU", f"{said} is no text. The cell must be a text, or zeros are lost")
        return ""

    def text(self, column: str) -> str:
        said = self._cells[column]
        text = "" if said is None else str(said).strip()
        if not text:
            self.wrong(column, "it is empty")
        return text

    def brand(self) -> str:
        said = self._cells["brand"]
        text = "" if said is None else str(said).strip()
        return "" if text.casefold() == NO_BRAND.casefold() else text

    def price(self) -> int:
        price = _whole(self._cells["price"])
        if price is None or not 0 < price <= DEAREST:
            said = self._cells["price"]
            self.wrong("price", f"{_shown(said)}, and must be whole tenge without blanks")
            return 1
        return price

    def preorder(self) -> int | None:
        said = self._cells["preorder"]
        if not _is_said(said):
            return None
        days = _whole(said)
        if days is None or not 0 <= days <= MOST_PREORDER_DAYS:
            self.wrong("preorder", f"{_shown(said)}, and must be 1 to 30 days, or empty")
        return days or None

    def point(self, name: str, preorder: int | None) -> FeedPoint | None:
        """None for an empty cell, and for one that is wrong."""
        said = self._cells[name]
        if not _is_said(said):
            return None
        word = str(said).strip().casefold()
        if word in {"yes", "no"}:
            return FeedPoint(name, word == "yes", None, preorder if word == "yes" else None)
        pieces = _whole(said)
        if pieces is None or not 0 <= pieces <= _MOST_PIECES:
            self.wrong(name, f"{_shown(said)}, and must be whole pieces, yes or no")
            return None
        return FeedPoint(name, pieces > 0, pieces, preorder if pieces else None)


def _is_said(cell: Any) -> bool:
    return cell is not None and str(cell).strip() != ""


def _shown(cell: Any) -> str:
    return f"it is {str(cell)!r}" if _is_said(cell) else "it is empty"


def _whole(cell: Any) -> int | None:
    """A whole number, however the cell holds it; None for what is none."""
    if isinstance(cell, str):
        text = cell.strip()
        return int(text) if text.isascii() and text.isdecimal() else None
    if isinstance(cell, bool) or cell is None:
        return None
    with suppress(TypeError, ValueError, OverflowError):
        return int(cell) if int(cell) == cell else None
    return None


def _unsayable(offer: FeedOffer) -> str | None:
    """Why no row can say the offer, or None."""
    beyond = [point.point for point in offer.points if _bare(point.point) not in POINTS]
    days = {point.preorder or 0 for point in offer.points if point.available}
    if len(set(offer.prices)) != 1:
        return "its price differs from city to city"
    if beyond:
        return f"the price list has no column for {', '.join(beyond)}"
    if len(days) > 1:
        return "its days of preorder differ from point to point"
    return None


def _bare(point: str) -> str:
    """PP1 of 30000001_PP1."""
    return point.rpartition("_")[2]


def _row(sheet: Any, offer: FeedOffer) -> list[Any]:
    points = {_bare(point.point): point for point in offer.points}
    days = {point.preorder for point in offer.points if point.available and point.preorder}
    return [
        _text(sheet, offer.sku),
        _text(sheet, offer.model),
        _text(sheet, offer.brand or NO_BRAND),
        int(offer.prices[0]),
        *(_stock(points.get(name)) for name in POINTS),
        next(iter(days), None),
    ]


def _stock(point: FeedPoint | None) -> int | str | None:
    """Pieces where they are kept and say the same as yes or no would."""
    if point is None:
        return None
    if point.stock is not None and point.available == (point.stock > 0):
        return point.stock
    return "yes" if point.available else "no"


def _text(sheet: Any, text: str) -> WriteOnlyCell:
    """A text that no spreadsheet takes for a number or a formula."""
    cell = WriteOnlyCell(sheet, _NO_XML.sub("", text))
    cell.data_type = "s"
    cell.number_format = _TEXT_FORMAT
    return cell
