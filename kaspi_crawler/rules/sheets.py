"""A file of tables, whatever its format."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.rules.sheet import Sheet, Unreadable
from kaspi_crawler.said import Said

FORMATS = ("xlsx", "csv", "yaml")
_ENDINGS = {".xlsx": "xlsx", ".xlsm": "xlsx", ".csv": "csv", ".yaml": "yaml", ".yml": "yaml"}


def format_of(path: Path) -> str:
    """The format that a file's name says. Raises BadArgument."""
    found = _ENDINGS.get(path.suffix.lower())
    if found is None:
        forms = ", ".join(FORMATS)
        raise BadArgument(
            Said(
                f"{path.name} ends in none of {forms}. A right one: rules.xlsx",
                f"имя {path.name} должно кончаться на одно из: {forms}. Например: rules.xlsx",
            )
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
