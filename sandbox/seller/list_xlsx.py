"""The Excel price list: the first sheet, ten columns by name, one row a product (guide q3348)."""

from collections.abc import Iterator, Sequence
from typing import IO
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from sandbox.seller.goods import Availability, Change
from sandbox.seller.lists import ListRefused, Reader, Row, money, whole
from sandbox.seller.switches import SellerSwitches

COLUMNS = ("SKU", "model", "brand", "price", "PP1", "PP2", "PP3", "PP4", "PP5", "preorder")
_POINTS = slice(4, 9)


def rows(source: IO[bytes], reader: Reader, switches: SellerSwitches) -> Iterator[Row]:
    """The list's rows. Raises ListRefused for what is no workbook, or has other columns."""
    try:
        book = load_workbook(source, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError) as broken:
        raise ListRefused(f"not a workbook: {broken}") from broken
    sheet = book.worksheets[0]
    lines = sheet.iter_rows(values_only=True)
    head = tuple(next(lines, ()))
    if head[: len(COLUMNS)] != COLUMNS:
        raise ListRefused(f"columns {head}: expected {', '.join(COLUMNS)}")
    for number, line in enumerate(lines, 2):
        cells = (*line, *[None] * len(COLUMNS))[: len(COLUMNS)]
        if any(cell not in (None, "") for cell in cells):
            yield _row(number, cells, reader, switches)


def _row(number: int, cells: Sequence[object], reader: Reader, switches: SellerSwitches) -> Row:
    sku = cells[0]
    if not isinstance(sku, str):
        return Row(line=number, change=Change(sku=str(sku)), wrong=f"SKU {sku!r} is not text")
    try:
        return Row(line=number, change=_change(sku, cells, reader, switches))
    except ValueError as wrong:
        return Row(line=number, change=Change(sku=sku), wrong=f"{sku}: {wrong}")


def _change(sku: str, cells: Sequence[object], reader: Reader, switches: SellerSwitches) -> Change:
    """What a row asks for. Raises ValueError for a price, stock or days that are none."""
    if not cells[1]:
        raise ValueError("no model")
    preorder = _days(cells[9])
    places = []
    for code, cell in zip(COLUMNS[_POINTS], cells[_POINTS], strict=True):
        point = reader.point(code)
        if point is None or (cell in (None, "") and switches.empty_point == "dropped"):
            continue
        places.append(_availability(point, cell, preorder))
    return Change(sku=sku, model=str(cells[1]), price=money(_text(cells[3])), places=tuple(places))


def _days(cell: object) -> int | None:
    """Days of preorder, None for an empty cell. Raises ValueError for more than 30."""
    if cell in (None, ""):
        return None
    days = whole(_text(cell), "preorder")
    if not 1 <= days <= 30:
        raise ValueError(f"preorder {days} is not 1 to 30 days")
    return days


def _availability(point: str, cell: object, preorder: int | None) -> Availability:
    """A point's cell: yes, no, how many there are, or nothing."""
    said = _text(cell)
    if said in {"yes", "no", None}:
        return Availability(store_id=point, available=said == "yes", preorder=preorder)
    stock = whole(said, "stock")
    return Availability(store_id=point, available=stock > 0, stock=stock, preorder=preorder)


def _text(cell: object) -> str | None:
    """A cell's text; a number with a fraction keeps it, so that it is refused."""
    return None if cell in (None, "") else str(cell)
