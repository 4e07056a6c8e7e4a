"""Workbooks with all that Excel does to them."""

from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.styles import Font

from kaspi_crawler.said import Language
from tests.rules.building import HEADER, STORE, edited, floors, read, row, told, workbook

SHEET = "xl/worksheets/sheet1.xml"
RIGHT_FLOOR = "right: whole tenge from 0 to 1 000 000 000"


def test_rows_are_read(tmp_path: Path) -> None:
    wishes = read(workbook(tmp_path / "rules.xlsx", [HEADER, row(1), row(2)]))
    assert told(wishes) == []
    assert floors(wishes) == {"KB-1": 9_001, "KB-2": 9_002}


def cell(value: object, format_: str | None = None) -> Callable[[Any], None]:
    """Put something into the floor of the first listing."""

    def dress(sheet: Any) -> None:
        sheet["D2"] = value
        if format_ is not None:
            sheet["D2"].number_format = format_

    return dress


SPOILT = {
    "half a tenge": (cell(9_500.5), '"9500.5" is not right'),
    "a percentage": (cell(0.5, "0%"), '"50 %" is not right'),
    "a percentage with decimals of its own": (cell(0.125, '#,##0.0"x"%'), '"12.5 %" is not right'),
    "a date": (cell(date(2026, 5, 1)), '"01.05.2026" is a date: the spreadsheet made it one'),
    "a moment": (cell(datetime(2026, 5, 1, 9)), '"01.05.2026" is a date'),  # noqa: DTZ001
    "an hour": (cell(time(9, 30)), '"09:30:00" is an hour or a date'),
    "a formula that nobody computed": (cell("=C2*1.2"), '"=…" is a formula whose result'),
    "an error": (cell("#REF!"), '"#REF!" is an error of the spreadsheet'),
    "a switch": (cell(True), '"TRUE" is not right'),
    "words": (cell("дорого"), '"дорого" is not right'),
}


@pytest.mark.parametrize(("dress", "sentence"), SPOILT.values(), ids=SPOILT)
def test_a_spoilt_cell_is_named(
    tmp_path: Path, dress: Callable[[Any], None], sentence: str
) -> None:
    wishes = read(workbook(tmp_path / "rules.xlsx", [HEADER, row(1), row(2)], dress))
    [said] = told(wishes)
    assert said.startswith(f'sheet "Prices", row 2, column D (floor): {sentence}')
    assert said.endswith(RIGHT_FLOOR)
    assert floors(wishes)["KB-2"] == 9_002


def test_a_mistake_is_told_in_russian(tmp_path: Path) -> None:
    wishes = read(workbook(tmp_path / "rules.xlsx", [HEADER, row(1)], cell(9_500.5)))
    [said] = told(wishes, Language.RUSSIAN)
    assert said == (
        "лист «Prices», строка 2, столбец D «Минимум»: «9500.5» не подходит; "
        "нужно: целое число тенге от 0 до 1 000 000 000"
    )


ODD = {
    "a formula that was computed": '<c r="D2"><f>C2*2</f><v>9500</v></c>',
    "noise of arithmetic": '<c r="D2"><v>9500.0000000000018</v></c>',
    "a short form": '<c r="D2"><v>9.5E+3</v></c>',
    "a text": '<c r="D2" t="inlineStr"><is><t>9 500 ₸</t></is></c>',
    "a text in parts": '<c r="D2" t="inlineStr"><is><r><t>9 </t></r><r><t>500</t></r></is></c>',
    "a text that a formula made": '<c r="D2" t="str"><f>TEXT(1,"0")</f><v>9500</v></c>',
    "a cell without an address": "<c><v>9500</v></c>",
    "white space between tags": '\n <c r="D2">\n  <v>9500</v>\n </c>\n',
    "a price format": '<c r="D2" s="0"><v>9500</v></c>',
}


@pytest.mark.parametrize("xml", ODD.values(), ids=ODD)
def test_a_cell_is_read_however_it_is_written(tmp_path: Path, xml: str) -> None:
    path = workbook(tmp_path / "rules.xlsx", [HEADER, row(1)])

    def edit(sheet: str) -> str:
        assert '<c r="D2" t="n"><v>9001</v></c>' in sheet
        return sheet.replace('<c r="D2" t="n"><v>9001</v></c>', xml)

    wishes = read(edited(path, SHEET, edit))
    assert (told(wishes), floors(wishes)) == ([], {"KB-1": 9_500})


def test_a_formula_that_comes_out_empty_says_nothing(tmp_path: Path) -> None:
    path = workbook(tmp_path / "rules.xlsx", [HEADER, row(1)])
    empty = '<c r="D2" t="str"><f>IF(1,"","x")</f><v></v></c>'
    wishes = read(
        edited(path, SHEET, lambda xml: xml.replace('<c r="D2" t="n"><v>9001</v></c>', empty))
    )
    assert (told(wishes), floors(wishes)) == ([], {"KB-1": None})


def test_shared_texts_are_read_without_their_pronunciation(tmp_path: Path) -> None:
    path = workbook(tmp_path / "rules.xlsx", [HEADER, row(1)])
    own = '<c r="B2" t="inlineStr"><is><t>KB-1</t></is></c>'
    shared = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>x</t></si>'
        "<si><r><t>KB</t></r><r><t>-7_x0031_</t></r><rPh><t>кабэ</t></rPh></si></sst>"
    )

    def edit(xml: str) -> str:
        assert own in xml
        return xml.replace(own, '<c r="B2" t="s"><v>1</v></c>')

    assert floors(read(edited(path, SHEET, edit, shared=shared))) == {"KB-71": 9_001}


def test_a_prefix_of_the_tags_changes_nothing(tmp_path: Path) -> None:
    path = workbook(tmp_path / "rules.xlsx", [HEADER, row(1)])

    def prefixed(xml: str) -> str:
        for tag in ("worksheet", "sheetData", "row", "c", "v"):
            xml = xml.replace(f"<{tag} ", f"<x:{tag} ").replace(f"<{tag}>", f"<x:{tag}>")
            xml = xml.replace(f"</{tag}>", f"</x:{tag}>")
        return xml.replace('xmlns="', 'xmlns:x="')

    assert floors(read(edited(path, SHEET, prefixed))) == {"KB-1": 9_001}


def test_blank_and_hidden_rows_say_nothing(tmp_path: Path) -> None:
    def dress(sheet: Any) -> None:
        for number in range(4, 200):
            sheet.cell(number, 1).font = Font(bold=True)
            sheet.cell(number, 4, "  ")
            sheet.row_dimensions[number].hidden = True
        sheet.cell(200, 1, STORE)
        sheet.cell(200, 2, "KB-9")
        sheet.cell(200, 3, "102298409")
        sheet.cell(200, 4, "дорого")

    wishes = read(workbook(tmp_path / "rules.xlsx", [HEADER, row(1), row(2)], dress))
    assert wishes.rows == 3
    [said] = told(wishes)
    assert 'row 200, column D (floor): "дорого"' in said


def test_a_title_may_stand_above_the_header(tmp_path: Path) -> None:
    rows = [("Прайс",), (), ("Магазин", "АРТИКУЛ ", "товар", "Минимальная цена"), row(1)]
    wishes = read(workbook(tmp_path / "rules.xlsx", rows))
    assert (told(wishes), floors(wishes)) == ([], {"KB-1": 9_001})


def test_merged_cells_are_named(tmp_path: Path) -> None:
    wishes = read(
        workbook(
            tmp_path / "rules.xlsx",
            [HEADER, row(1), row(2)],
            lambda sheet: sheet.merge_cells("D2:D3"),
        )
    )
    assert told(wishes)[0].startswith('sheet "Prices", row 2, column D: "D2:D3" are merged')
    assert wishes.reading.spoilt


def test_merged_cells_aside_do_no_harm(tmp_path: Path) -> None:
    def dress(sheet: Any) -> None:
        sheet.merge_cells("A9:D9")

    assert told(read(workbook(tmp_path / "rules.xlsx", [HEADER, row(1)], dress))) == []


def test_each_sheet_with_such_a_header_is_read_and_hidden_ones_are_not(tmp_path: Path) -> None:
    path = tmp_path / "rules.xlsx"
    book = Workbook()
    for name, number in (("Almaty", 1), ("Astana", 2), ("Hidden", 3)):
        sheet = book.create_sheet(name)
        sheet.append(HEADER)
        sheet.append(row(number))
    book["Hidden"].sheet_state = "hidden"
    book["Sheet"].append(("Notes",))
    book.save(path)
    wishes = read(path)
    assert floors(wishes) == {"KB-1": 9_001, "KB-2": 9_002}
    assert [note.en for note in wishes.reading.notes] == [
        'sheet "Sheet" has no such header and is passed over'
    ]


FILES = {
    "an empty file": (b"", "the file is empty"),
    "no archive": (b"store,sku\n1,2\n", "this is no .xlsx workbook"),
    "half an archive": (b"PK\x03\x04" + b"\0" * 50, "this is no .xlsx workbook"),
    "an old or an encrypted workbook": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
        "the workbook has a password, or is an old .xls",
    ),
}


@pytest.mark.parametrize(("body", "sentence"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_workbook_is_told(tmp_path: Path, body: bytes, sentence: str) -> None:
    path = tmp_path / "rules.xlsx"
    path.write_bytes(body)
    [said] = told(read(path))
    assert said.startswith(sentence)


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9])
def test_a_workbook_that_was_cut_off_is_told(tmp_path: Path, cut: float) -> None:
    path = workbook(tmp_path / "rules.xlsx", [HEADER, row(1)])
    body = path.read_bytes()
    path.write_bytes(body[: int(len(body) * cut)])
    [said] = told(read(path))
    assert said.startswith("this is no .xlsx workbook")


def test_a_sheet_that_is_cut_off_in_the_middle_is_told(tmp_path: Path) -> None:
    path = workbook(tmp_path / "rules.xlsx", [HEADER, row(1), row(2)])
    wishes = read(edited(path, SHEET, lambda xml: xml[: xml.index('<row r="3"')]))
    assert told(wishes)[0].startswith("this is no .xlsx workbook")
    assert wishes.reading.spoilt


def test_a_bomb_of_entities_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "rules.xlsx", [HEADER, row(1)])
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 50}">' for n in range(12))
    wishes = read(
        edited(
            path,
            SHEET,
            lambda xml: (
                f"<!DOCTYPE worksheet [{lines}]>" + xml.replace("<v>9001</v>", "<v>&e11;</v>")
            ),
        )
    )
    assert told(wishes)[0].startswith("this is no .xlsx workbook")
