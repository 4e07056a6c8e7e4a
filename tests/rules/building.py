"""Files of rules as tests need them: rows of cells in, a path out."""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook

from kaspi_crawler.rules.wishes import Wishes, read_wishes
from kaspi_crawler.said import Language

_SHARED = (
    '<Override PartName="/xl/sharedStrings.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)
HEADER = ("store", "sku", "product", "floor")
STORE = "30000001"


def row(number: int, *more: object) -> tuple[object, ...]:
    """A row of one listing."""
    return (STORE, f"KB-{number}", f"10229840{number}", 9_000 + number, *more)


def workbook(
    path: Path, rows: Iterable[Sequence[Any]], dress: Callable[[Any], None] | None = None
) -> Path:
    """A workbook of one sheet, as openpyxl makes it; `dress` does more to the sheet."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Prices"
    for cells in rows:
        sheet.append(list(cells))
    if dress is not None:
        dress(sheet)
    book.save(path)
    return path


def edited(path: Path, name: str, edit: Callable[[str], str], **more: str) -> Path:
    """The same workbook with one of its parts edited as a text, and shared texts added."""
    with ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    assert name in parts
    parts[name] = edit(parts[name].decode()).encode()
    if "shared" in more:
        parts["xl/sharedStrings.xml"] = more["shared"].encode()
        types = parts["[Content_Types].xml"].decode()
        parts["[Content_Types].xml"] = types.replace("</Types>", f"{_SHARED}</Types>").encode()
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for part, body in parts.items():
            archive.writestr(part, body)
    return path


def table(path: Path, rows: Iterable[Sequence[object]], separator: str = ",") -> Path:
    """A CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=separator).writerows(rows)
    return path


def read(path: Path) -> Wishes:
    """What the file wishes."""
    return read_wishes(path, None)


def told(wishes: Wishes, language: Language = Language.ENGLISH) -> list[str]:
    """All mistakes as sentences."""
    reading = wishes.reading
    return [mistake.in_(language) for mistake in (*reading.spoilt, *reading.mistakes)]


def floors(wishes: Wishes) -> dict[str, Any]:
    """The floors that are wished, by sku."""
    return {wish.rule.sku: wish.rule.said.get("floor") for wish in wishes.wishes}
