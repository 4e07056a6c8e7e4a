"""A table in a workbook: openpyxl reads its frame, and its cells are streamed here.

openpyxl takes 12 µs a cell and a seller's file has a million of them. The cells themselves are
plain XML (ECMA-376, part 1, 18.3), which expat reads six times as fast, formats and errors too.
"""

import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import IO, Any, Protocol
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

import attrs
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.cell import column_index_from_string, range_boundaries
from openpyxl.utils.datetime import from_excel
from openpyxl.utils.escape import unescape
from openpyxl.xml.constants import SHARED_STRINGS

from kaspi_crawler.rules.raw import Broken, Percent, Raw, number
from kaspi_crawler.rules.sheet import Merged, Row, Sheet, Unreadable
from kaspi_crawler.said import Said

#: How a file begins that is a compound document: an old workbook, or an encrypted one.
_COMPOUND = b"\xd0\xcf\x11\xe0"
_CHUNK = 1 << 16
_SPACES = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
#: The tags that say something, by their full names, ordinary and strict.
_TAGS = {
    f"{space}{tag}": tag
    for space in _SPACES
    for tag in ("c", "v", "t", "f", "row", "si", "rPh", "mergeCell")
}
_ALL_ROWS = frozenset(f"{space}sheetData" for space in _SPACES)
#: What openpyxl, zipfile and expat raise for a file that is not what it claims to be.
_DAMAGE = (
    BadZipFile, KeyError, IndexError, ValueError, TypeError, AttributeError, SyntaxError, EOFError,
    NotImplementedError, RuntimeError, OSError, zlib.error, expat.ExpatError, OverflowError,
)  # fmt: skip
_COMPOUND_SAID = Said(
    "the workbook has a password, or is an old .xls: save it as .xlsx without a password",
    "книга с паролем или старая .xls: сохраните её как .xlsx без пароля",
)
_NO_WORKBOOK = Said(
    "this is no .xlsx workbook, or a damaged one: open it in a spreadsheet, save it as .xlsx",
    "это не книга .xlsx или она повреждена: откройте её в таблице и сохраните как .xlsx",
)
_NO_VALUE = Said(
    "is a formula whose result is not in the file: open it in a spreadsheet and save it",
    "— формула, результата которой нет в файле: откройте его в таблице и сохраните",
)
_ERROR = Said("is an error of the spreadsheet", "— ошибка таблицы")
_HOUR = Said("is an hour or a date: the cell is formatted so", "— час или дата: таков формат")


def sheets_of(file: IO[bytes]) -> Iterator[Sheet]:
    """The visible sheets of a workbook. Raises Unreadable, while rows are read, too."""
    if file.read(4) == _COMPOUND:
        raise Unreadable(_COMPOUND_SAID)
    file.seek(0)
    try:
        yield from _sheets(file)
    except _DAMAGE as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> Unreadable:
    if isinstance(error, Unreadable):
        return error
    return Unreadable(_NO_WORKBOOK)


def _sheets(file: IO[bytes]) -> Iterator[Sheet]:
    reader = ExcelReader(file, read_only=True, keep_links=False)
    reader.read_manifest()
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)
    strings = _shared_strings(reader)
    styles = _Styles.of(reader.wb)
    for sheet, relation in reader.parser.find_sheets():
        if sheet.state == "visible" and relation.target in reader.valid_files:
            if "chartsheet" in relation.Type:
                continue
            told = Sheet(sheet.name, iter(()))
            told.rows = _rows(reader.archive, relation.target, _Cells(strings, styles, told.merged))
            yield told


def _rows(archive: ZipFile, name: str, cells: "_Cells") -> Iterator[Row]:
    try:
        with archive.open(name) as stream:
            yield from _parsed(stream, cells, cells.ended.append)
    except _DAMAGE as error:
        raise _unreadable(error) from error


class _Handlers(Protocol):
    """What hears of tags and texts; what is ready stands in `done`."""

    done: list[Any]
    text: list[str]

    def start(self, tag: str, attributes: dict[str, str]) -> None: ...

    def finish(self) -> None: ...


def _parsed(stream: IO[bytes], handlers: _Handlers, end: Callable[[str], None]) -> Iterator[Any]:
    """What the handlers have ready, as it comes."""
    parser = expat.ParserCreate(namespace_separator="")
    parser.buffer_text = True
    parser.StartElementHandler = handlers.start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = handlers.text.append
    while chunk := stream.read(_CHUNK):
        parser.Parse(chunk, False)
        yield from handlers.done
        handlers.done.clear()
    parser.Parse(b"", True)
    handlers.finish()
    yield from handlers.done


@attrs.frozen
class _Styles:
    """The numbers of the styles that show a number as something else."""

    percents: frozenset[str]
    dates: frozenset[str]
    epoch: datetime

    @classmethod
    def of(cls, book: Any) -> "_Styles":
        percents = (
            str(place)
            for place, style in enumerate(book._cell_styles)
            if "%" in _format(book, style.numFmtId)
        )
        dates = map(str, (*book._date_formats, *book._timedelta_formats))
        return cls(frozenset(percents), frozenset(dates), book.epoch)


def _format(book: Any, number_: int) -> str:
    if number_ < BUILTIN_FORMATS_MAX_SIZE:
        return str(BUILTIN_FORMATS.get(number_, ""))
    return str(book._number_formats[number_ - BUILTIN_FORMATS_MAX_SIZE])


class _Strings:
    """Handlers that gather the workbook's shared texts."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.text: list[str] = []
        self._aside = 0

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        name = _TAGS.get(tag)
        if name == "si":
            self.text.clear()
        elif name == "rPh":  # how it is pronounced
            self._aside = len(self.text)

    def end(self, tag: str) -> None:
        name = _TAGS.get(tag)
        if name == "rPh":
            del self.text[self._aside :]
        elif name == "si":
            self.done.append(_unescaped("".join(self.text)))

    def finish(self) -> None:
        """Nothing is left."""


def _shared_strings(reader: ExcelReader) -> list[str]:
    part = reader.package.find(SHARED_STRINGS)
    if part is None:
        return []
    strings = _Strings()
    with reader.archive.open(part.PartName[1:]) as stream:
        return list(_parsed(stream, strings, strings.end))


def _unescaped(text: str) -> str:
    return unescape(text) if "_x" in text else text


class _Cells:
    """Handlers that gather the rows of a sheet which say something.

    A cell ends where the next one starts: to hear of ends, too, would take twice the time. `ended`
    holds the last tag that ended.
    """

    def __init__(self, strings: list[str], styles: _Styles, merged: list[Merged]) -> None:
        self.done: list[Row] = []
        self.text: list[str] = []
        self.ended: deque[str] = deque(maxlen=1)
        self._strings, self._styles, self._merged = strings, styles, merged
        self._letters: dict[str, int] = {}
        self._number = 0
        self._cells: dict[int, Raw] = {}
        self._column = -1
        self._attributes: Mapping[str, str] = {}
        self._is_formula = self._awaits = self._is_over = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _TAGS.get(tag)
        if name == "v":
            self.text.clear()  # a formula may stand before its value
            self._awaits = False
        elif name == "c":
            if self.text or self._is_formula:
                self._take()
            self._attributes = attributes
            reference = attributes.get("r")
            self._column = self._column_of(reference) if reference else self._column + 1
        elif name == "f":
            self._is_formula = self._awaits = True
        elif name == "row":
            self.finish()
            self._number = int(attributes.get("r", self._number + 1))
        elif name == "mergeCell":
            self._merge(attributes["ref"])
        elif name is None and self.ended and self.ended[0] in _ALL_ROWS:
            self.finish()
            self._is_over = True

    def finish(self) -> None:
        """End the row."""
        if self._is_over:
            return
        if self.text or self._is_formula:
            self._take()
        if self._cells:
            self.done.append((self._number, self._cells))
            self._cells = {}
        self._column = -1

    def _column_of(self, reference: str) -> int:
        letters = reference.rstrip("0123456789")
        found = self._letters.get(letters)
        if found is None:
            found = self._letters[letters] = int(column_index_from_string(letters)) - 1
        return found

    def _merge(self, reference: str) -> None:
        left, top, right, bottom = range_boundaries(reference)
        self._merged.append(Merged(top, left - 1, bottom, right - 1, reference))

    def _take(self) -> None:
        """Keep the cell that ends here, unless it says nothing."""
        text = self.text[0] if len(self.text) == 1 else "".join(self.text)
        self.text.clear()
        if self._is_formula:
            text = self._computed(text)
            if not text:
                return
        kind = self._attributes.get("t", "n")
        if kind == "n" and text.isdecimal() and "s" not in self._attributes:
            self._cells[self._column] = int(text)
        elif (value := _READERS.get(kind, _text)(self, text.strip())) != "":
            self._cells[self._column] = value

    def _computed(self, text: str) -> str:
        """The result of a formula, empty when the file has none."""
        text = "" if self._awaits else text.strip()
        self._is_formula = self._awaits = False
        if not text and self._attributes.get("t") != "str":  # those may come out as empty texts
            self._cells[self._column] = Broken("=…", _NO_VALUE)
        return text

    def _number_of(self, value: str) -> Raw:
        if not value:
            return ""
        style = self._attributes.get("s")
        if style in self._styles.dates:
            return self._date(value)
        try:
            read = number(value)
        except InvalidOperation:
            return value
        return Percent(Decimal(read)) if style in self._styles.percents else read

    def _date(self, value: str) -> Raw:
        made = from_excel(float(value), self._styles.epoch)
        return made.date() if isinstance(made, datetime) else Broken(str(made), _HOUR)

    def _shared(self, value: str) -> Raw:
        return self._strings[int(value)].strip() if value else ""


def _text(_cells: _Cells, value: str) -> Raw:
    return _unescaped(value).strip()


def _error(_cells: _Cells, value: str) -> Raw:
    return Broken(value, _ERROR) if value else ""


def _switch(_cells: _Cells, value: str) -> Raw:
    return value == "1" if value else ""


def _iso_date(_cells: _Cells, value: str) -> Raw:
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return Broken(value, _HOUR)


_READERS: Mapping[str, Callable[[_Cells, str], Raw]] = {
    "n": _Cells._number_of,
    "s": _Cells._shared,
    "b": _switch,
    "e": _error,
    "d": _iso_date,
}
