"""What a workbook has around its rows: headers, comments, drop-down lists, explanations."""

from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from kaspi_crawler.rules.columns import EXPLANATIONS, Column
from kaspi_crawler.said import Language, Said

_NAMES_WIDTH, _WIDTH = 16, 12
_WIDE = {"name": 30, "category": 28, "windows": 36, "ignore": 24, "only": 24, "sisters": 24}
_HEADER = PatternFill("solid", fgColor="DDEBF7")
_BOLD = Font(bold=True)

HOW = Said(
    """One row a listing: store and sku name it; the product is needed the first time.
A row without an sku is the store's defaults: they hold wherever a row says nothing.
A row with a city holds in that city, over the row without one.
An empty cell says nothing: the store's defaults hold. A dash (-) says "none, whatever they are".
Columns that you remove keep what they said before; rows that you remove stay as they were.
Money is whole tenge: 9500, 9 500 or 9 500 ₸. A percentage is 12.5 % or 1250 basis points.
Rows that begin with "# " are examples and are not read: take the # away to use them.""",
    """Одна строка — одно предложение: его называют магазин и артикул; товар нужен в первый раз.
Строка без артикула — умолчания магазина: они действуют там, где строка молчит.
Строка с городом действует в этом городе поверх строки без города.
Пустая ячейка ничего не говорит: действуют умолчания. Прочерк (-) говорит «нет, что бы там ни было».
Удалённые столбцы сохраняют прежнее; удалённые строки остаются как были.
Деньги — целые тенге: 9500, 9 500 или 9 500 ₸. Процент — 12,5 % или 1250 базисных пунктов.
Строки, которые начинаются с «# », — примеры, они не читаются: уберите #, чтобы их применить.""",
)
_HEADINGS = Said("Name|Key|Meaning|Right|Example", "Название|Ключ|Что значит|Что подходит|Пример")


def frame(sheet: Any, columns: Sequence[Column], language: Language, rows: int) -> None:
    """The header, which stays in sight, and what helps to fill in the columns."""
    sheet.freeze_panes = "C2"
    for place, column in enumerate(columns, start=1):
        letter = get_column_letter(place)
        dimension = sheet.column_dimensions[letter]
        dimension.width = _WIDE.get(column.key, _NAMES_WIDTH if place < 5 else _WIDTH)
        if column.form.looks != "General":
            dimension.number_format = column.form.looks
        if column.choices:
            sheet.data_validations.append(_drop_down(column, f"{letter}2:{letter}{rows}", language))
    sheet.append([_header(sheet, column, language) for column in columns])


def _header(sheet: Any, column: Column, language: Language) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, column.title(language))
    cell.font, cell.fill = _BOLD, _HEADER
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    cell.comment = Comment(_explained(column), "kaspi", width=320, height=170)
    return cell


def _explained(column: Column) -> str:
    """A column in both languages."""
    form, example = column.form.right, column.example
    return (
        f"{column.russian}: {column.meaning.ru}.\nНужно: {form.ru}.\nПример: {example.ru}\n\n"
        f"{column.key}: {column.meaning.en}.\nRight: {form.en}.\nExample: {example.en}"
    )


def _drop_down(column: Column, cells: str, language: Language) -> DataValidation:
    choices = ",".join(choice.in_(language) for choice in column.choices)
    drop_down = DataValidation(type="list", formula1=f'"{choices}"', allow_blank=True)
    # Other words for the same are understood, so that none is refused here.
    drop_down.showErrorMessage = False
    drop_down.add(cells)
    return drop_down


def add_explanations(book: Workbook, columns: Sequence[Column], language: Language) -> None:
    """A sheet that says how the table is filled in, column by column."""
    sheet = book.create_sheet(EXPLANATIONS.in_(language))
    for letter, width in zip("ABCDE", (24, 20, 60, 50, 30), strict=True):
        sheet.column_dimensions[letter].width = width
    for sentence in HOW.in_(language).splitlines():
        sheet.append([sentence])
    sheet.append([])
    sheet.append([_bold(sheet, heading) for heading in _HEADINGS.in_(language).split("|")])
    for column in columns:
        meaning, right = column.meaning.in_(language), column.form.right.in_(language)
        example = WriteOnlyCell(sheet, column.example.in_(language))
        example.data_type = "s"
        sheet.append([column.russian, column.key, meaning, right, example])


def _bold(sheet: Any, text: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, text)
    cell.font = _BOLD
    return cell
