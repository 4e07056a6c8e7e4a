"""A copy of a workbook in which the wrong cells are coloured and say what is wrong."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO

from openpyxl import load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

from kaspi_crawler.rules.mistakes import Mistake
from kaspi_crawler.said import Language

_WRONG = PatternFill("solid", fgColor="FFC7CE")
_ODD = PatternFill("solid", fgColor="FFEB9C")


def write_marked(
    path: Path, file: IO[bytes], mistakes: Sequence[Mistake], language: Language
) -> None:
    """Write the copy; a mistake of a whole row is marked in its first cell.

    All of the workbook is held in memory, as openpyxl changes one.
    """
    book = load_workbook(path)
    for mistake in mistakes:
        place = mistake.place
        if place.sheet is None or place.row is None:
            continue
        cell = book[place.sheet].cell(place.row, (place.column or 0) + 1)
        before = f"{cell.comment.text}\n" if cell.comment and _is_ours(cell.comment) else ""
        cell.comment = Comment(before + mistake.what.in_(language), _US, width=320, height=120)
        if not (mistake.warns and before):
            cell.fill = _ODD if mistake.warns else _WRONG
    book.save(file)


#: Who wrote a comment: others' are replaced, ours go on.
_US = "scrapy rules"


def _is_ours(comment: Comment) -> bool:
    return bool(comment.author == _US)
