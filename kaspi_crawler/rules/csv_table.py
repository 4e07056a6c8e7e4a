"""A table in CSV, as spreadsheets save it: commas, semicolons or tabs; UTF-8 or Windows-1251."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import IO

from kaspi_crawler.rules.mistakes import unsafe
from kaspi_crawler.rules.raw import Raw
from kaspi_crawler.rules.sheet import Row, Sheet, Unreadable
from kaspi_crawler.said import Said

_SEPARATORS = (",", ";", "\t")
#: How a file tells its separator to Excel, in a line of its own.
_TELLS = "sep="
_CYRILLIC = Said(
    "the file is in Windows-1251, which was understood; UTF-8 is safer",
    "файл в Windows-1251, он понят; надёжнее UTF-8",
)
_NO_TEXT = Said(
    "this is no text: save it as CSV UTF-8, or name a workbook .xlsx",
    "это не текст: сохраните как CSV UTF-8 или назовите книгу .xlsx",
)


def csv_sheets(file: IO[bytes]) -> Iterator[Sheet]:
    """The one table of the file. Raises Unreadable."""
    text, notes = _decoded(file.read())
    separator, skipped = _separator(text)
    sheet = Sheet(None, _rows(text, separator, skipped))
    sheet.notes += notes
    yield sheet


def _decoded(body: bytes) -> tuple[str, list[Said]]:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", errors="replace"), []
    if b"\0" in body:
        raise Unreadable(_NO_TEXT)
    try:
        return body.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        # Excel in Russian saves so; every byte but one means something there.
        return body.decode("cp1251", errors="replace"), [_CYRILLIC]


def _separator(text: str) -> tuple[str, int]:
    """What separates the cells, and how many lines say nothing but that."""
    first = text.partition("\n")[0].strip()
    if first.casefold().startswith(_TELLS) and len(first) == len(_TELLS) + 1:
        return first[-1], 1
    head = text[:10_000]
    counts = {sign: _widest(head, sign) for sign in _SEPARATORS}
    return max(counts, key=lambda sign: counts[sign]), 0


def _widest(text: str, separator: str) -> int:
    """How many cells the widest of the first lines has, with this separator."""
    try:
        lines = csv.reader(io.StringIO(text), delimiter=separator)
        return max((len(cells) for cells, _ in zip(lines, range(10), strict=False)), default=0)
    except csv.Error:
        return 0


def _rows(text: str, separator: str, skipped: int) -> Iterator[Row]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    number = 0
    try:
        for number, cells in enumerate(lines, start=1):
            if number > skipped and (said := _said(cells)):
                yield number, said
    except csv.Error as error:
        raise Unreadable(
            Said(f"row {number + 1} is no CSV ({error})", f"строка {number + 1} — не CSV ({error})")
        ) from None


def _said(cells: Sequence[str]) -> dict[int, Raw]:
    return {
        column: unsafe(cell) if cell[0] == "'" else cell.strip()
        for column, cell in enumerate(cells)
        if cell and not cell.isspace()
    }
