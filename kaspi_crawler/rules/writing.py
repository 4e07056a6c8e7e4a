"""Tables written for people: a workbook, CSV or YAML, row by row."""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import IO, Any

import yaml

from domain.pricing import WHOLE
from kaspi_crawler.rules.cells import PERCENT
from kaspi_crawler.rules.columns import Column
from kaspi_crawler.rules.mistakes import SEPARATORS, safe
from kaspi_crawler.rules.raw import Percent, plain, shown
from kaspi_crawler.rules.records import Cell, Record
from kaspi_crawler.said import Language, Said

Writer = Callable[[IO[bytes], Sequence[Column], Iterable[Record], Language], int]

#: How a remark begins, and a row that is only an example.
REMARK = "# "
#: Signs that XML 1.0 forbids, so that a workbook cannot hold them.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CELL_TEXT = 32_767
_SHEET = Said("Rules", "Правила")
_DROP_DOWN_ROWS = 100_000


def write_csv(
    file: IO[bytes], columns: Sequence[Column], rows: Iterable[Record], language: Language
) -> int:
    """CSV in UTF-8 with a mark, with the separator and the decimal sign of the language."""
    russian = language is Language.RUSSIAN
    text = _Text(file)
    text.write("\ufeff")
    lines = csv.writer(text, delimiter=SEPARATORS[language])
    lines.writerow([column.title(language) for column in columns])
    count = 0
    for row in rows:
        lines.writerow([_csv_cell(row.get(column.key), russian) for column in columns])
        count += 1
    return count


def _csv_cell(value: Cell, russian: bool) -> object:
    if isinstance(value, Decimal | Percent):
        return shown(value).replace(".", ",") if russian else shown(value)
    return safe(value) if isinstance(value, str) and value != "-" else value


class _Text:
    """What the csv module needs of a file: a write of text."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode())


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes decimal numbers as they are."""


_Dumper.add_representer(
    Decimal, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:float", plain(value))
)
_Dumper.add_representer(
    Percent, lambda dumper, value: dumper.represent_int(int(value.share * WHOLE))
)


def write_yaml(
    file: IO[bytes], columns: Sequence[Column], rows: Iterable[Record], _language: Language
) -> int:
    """A list of lines; a line says all that holds for it."""
    count = 0
    for row in rows:
        told = {
            column.key: row[column.key] for column in columns if row.get(column.key) is not None
        }
        file.write(yaml.dump([told], Dumper=_Dumper, allow_unicode=True, sort_keys=False).encode())
        count += 1
    if not count:
        file.write(b"[]\n")
    return count


def write_workbook(
    file: IO[bytes], columns: Sequence[Column], rows: Iterable[Record], language: Language
) -> int:
    """A workbook whose headers explain themselves, with a page of explanations."""
    from openpyxl import Workbook  # noqa: PLC0415  (a fifth of a second that others do not need)

    from kaspi_crawler.rules.frame import add_explanations, frame  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet(_SHEET.in_(language))
    frame(sheet, columns, language, _DROP_DOWN_ROWS)
    texts = frozenset(column.key for column in columns if column.form.looks == "@")
    count = 0
    for row in rows:
        example = str(row.get(columns[0].key, "")).startswith(REMARK)
        sheet.append([_xlsx_cell(sheet, row, column.key, texts, example) for column in columns])
        count += 1
    add_explanations(book, columns, language)
    book.save(file)
    return count


def _xlsx_cell(sheet: Any, row: Record, key: str, texts: frozenset[str], example: bool) -> object:
    """A text stays a text whatever it begins with, and when somebody edits it."""
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.styles import Font  # noqa: PLC0415

    value = row.get(key)
    if isinstance(value, Percent):
        cell = WriteOnlyCell(sheet, value.share)
        cell.number_format = PERCENT
    elif isinstance(value, str):
        cell = WriteOnlyCell(sheet, _NO_XML.sub("", value)[:_CELL_TEXT])
        cell.data_type = "s"
        if key in texts:
            cell.number_format = "@"
    else:
        return value
    if example:
        cell.font = Font(italic=True, color="808080")
    return cell


WRITERS: Mapping[str, Writer] = {"xlsx": write_workbook, "csv": write_csv, "yaml": write_yaml}
