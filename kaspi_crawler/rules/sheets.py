"""A file of tables, whatever its format: its sheets, each a stream of rows that say something."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs

from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.rules.raw import Raw
from kaspi_crawler.rules.said import Said

FORMATS = ("xlsx", "csv", "yaml")
_ENDINGS = {".xlsx": "xlsx", ".xlsm": "xlsx", ".csv": "csv", ".yaml": "yaml", ".yml": "yaml"}

#: A row that says something: its number, and its cells by column.
Row = tuple[int, Mapping[int, Raw]]


class Unreadable(ValueError):
    """A file that is no table; `why` says what it is, and the remedy."""

    def __init__(self, why: Said) -> None:
        super().__init__(why.en)
        self.why = why


@attrs.frozen
class Merged:
    """Merged cells: from row to row, from column to column."""

    top: int
    left: int
    bottom: int
    right: int
    name: str


@attrs.define
class Sheet:
    """A sheet, read once from top to bottom; `merged` and `notes` are known at the end.

    Rows have no columns in a file that names each value: then `lettered` is false, and `named_at`
    has the row in which each name stands first.
    """

    name: str | None
    rows: Iterator[Row]
    lettered: bool = True
    named_at: Mapping[int, int] = attrs.field(factory=dict)
    merged: list[Merged] = attrs.field(factory=list)
    notes: list[Said] = attrs.field(factory=list)


def format_of(path: Path) -> str:
    """The format that a file's name says. Raises BadArgument."""
    found = _ENDINGS.get(path.suffix.lower())
    if found is None:
        raise BadArgument(
            f"{path.name} ends in none of {', '.join(FORMATS)}. A right one: rules.xlsx"
        )
    return found


@contextmanager
def opened(path: Path) -> Iterator[Iterator[Sheet]]:
    """The sheets of a file. Raises BadArgument, OSError, Unreadable (while it is read, too)."""
    form = format_of(path)
    with path.open("rb") as file:
        if not file.read(1):
            raise Unreadable(Said("the file is empty", "файл пуст"))
        file.seek(0)
        if form == "xlsx":
            from kaspi_crawler.rules.workbook import sheets_of  # noqa: PLC0415  (openpyxl is slow)

            yield sheets_of(file)
        elif form == "csv":
            from kaspi_crawler.rules.csv_table import csv_sheets  # noqa: PLC0415

            yield csv_sheets(file)
        else:
            from kaspi_crawler.rules.yaml_table import yaml_sheets  # noqa: PLC0415

            yield yaml_sheets(file)
