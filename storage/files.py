"""Rows into files: four formats, in constant memory, whole or not at all."""

import csv
import errno
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import jsonlines
import msgspec
from lxml import etree

from domain.moments import ALMATY

if TYPE_CHECKING:
    from openpyxl import Workbook

Row = Mapping[str, Any]
RowWriter = Callable[[IO[bytes], tuple[str, ...], Iterable[Row]], None]

_encode = msgspec.json.Encoder(decimal_format="number").encode

#: How the name of a file ends until it is whole.
PARTIAL = ".partial"
#: Seconds after which an unfinished file that nobody writes to is left by a killed program.
_ABANDONED = 3_600
#: A worksheet ends here; what does not fit goes on in the next one.
SHEET_ROWS = 1_000_000
#: A cell holds no more characters.
_CELL_TEXT = 32_767
#: Signs that XML 1.0 forbids, so that a workbook cannot hold them.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: A text that begins so is run by spreadsheets, some of which skip white space first.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def encode(value: object) -> bytes:
    """One value as JSON: moments in ISO 8601, ratings as numbers."""
    return _encode(value)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name when it is complete and on disk, or never."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    try:
        with unfinished.open("w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Remove what killed programs left of this file: nobody has written to it for an hour."""
    for left in path.parent.glob(f".{path.name}.*{PARTIAL}"):
        with suppress(FileNotFoundError):  # another program sweeps, too
            if left.stat().st_mtime < time.time() - _ABANDONED:
                left.unlink()


def write_jsonl(file: IO[bytes], _columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    """One JSON object a line."""
    with jsonlines.Writer(file, dumps=encode) as writer:
        writer.write_all(rows)


def write_json(file: IO[bytes], _columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    """One JSON array, an object a line."""
    separator = b"[\n"
    for row in rows:
        file.write(separator + encode(row))
        separator = b",\n"
    file.write(b"\n]\n" if separator == b",\n" else b"[]\n")


def write_csv(file: IO[bytes], columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    """Comma-separated values in UTF-8 with a mark, as spreadsheets like them."""
    file.write(b"\xef\xbb\xbf")
    lines = csv.writer(_Text(file))
    lines.writerow(columns)
    for row in rows:
        lines.writerow([_safe_cell(row[column]) for column in columns])


def write_xlsx(file: IO[bytes], columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    """A workbook, written row by row; a new sheet after a million rows.

    Sheets lie in the directory of temporary files until the end. Raises OSError.
    """
    from openpyxl import Workbook  # noqa: PLC0415  (a fifth of a second that crawls do not need)

    book = Workbook(write_only=True)
    with _ended(book):
        sheet = _new_sheet(book, columns)
        for number, row in enumerate(rows):
            if number and number % SHEET_ROWS == 0:
                sheet = _new_sheet(book, columns)
            sheet.append([_xlsx_cell(sheet, row[column]) for column in columns])
        book.save(file)


FORMATS: dict[str, RowWriter] = {
    "jsonl": write_jsonl,
    "json": write_json,
    "csv": write_csv,
    "xlsx": write_xlsx,
}


@contextmanager
def _ended(book: "Workbook") -> Iterator[None]:
    """End the streams of the sheets here, lest they complain when they are collected."""
    try:
        yield
    except etree.LxmlError as error:
        raise _beneath(error) from None
    finally:
        for sheet in book.worksheets:
            for stream in filter(None, (sheet._rows, sheet._writer)):
                with suppress(etree.LxmlError):
                    stream.close()


def _beneath(error: etree.LxmlError) -> BaseException:
    """What really happened: an interruption, or a system's error that lxml calls IO_ENOSPC."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KeyboardInterrupt):
            return cause
        cause = cause.__context__
    if not isinstance(error, etree.SerialisationError):
        return error
    number = getattr(errno, str(error).removeprefix("IO_"), errno.EIO)
    return OSError(number, os.strerror(number), tempfile.gettempdir())


class _Text:
    """What the csv module needs of a file: a write of text."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode())


def _new_sheet(book: "Workbook", columns: tuple[str, ...]) -> Any:
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    sheet.append(columns)
    return sheet


def _flat(value: Any) -> Any:
    """Lists and objects as JSON; moments as text with their zone."""
    if isinstance(value, list | dict):
        return encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else value


def _safe_cell(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula is made a text again."""
    flat = _flat(value)
    if isinstance(flat, str) and flat.startswith(_FORMULA):
        return f"'{flat}"
    return flat


def _xlsx_cell(sheet: Any, value: Any) -> Any:
    """Moments are Almaty time, which a workbook can sort and subtract; texts are no formulas."""
    if isinstance(value, datetime):
        return value.astimezone(ALMATY).replace(tzinfo=None)
    flat = _flat(value)
    if not isinstance(flat, str):
        return flat
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    cell = WriteOnlyCell(sheet, _NO_XML.sub("", flat)[:_CELL_TEXT])
    cell.data_type = "s"
    return cell
