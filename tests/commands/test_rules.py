"""`scrapy rules`: tables in, mistakes named, changes counted and taken back."""

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from openpyxl import Workbook, load_workbook

from kaspi_crawler.rules.columns import RULES
from kaspi_crawler.rules.mistakes import letter
from tests.commands.console import Console

STORE = "30000001"
PRODUCT = "102298404"
Said = pytest.CaptureFixture[str]


@pytest.fixture
def shop(database: str, tmp_path: Path) -> Console:
    """A console over an empty database."""
    return Console({"DATABASE_URL": database, "DATA_DIR": str(tmp_path)})


def table(path: Path, *rows: Sequence[object]) -> str:
    path.write_text("".join(";".join(map(str, cells)) + "\n" for cells in rows), encoding="utf-8")
    return str(path)


def in_force(database: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The lines that hold, by sku and city."""
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT sku, city_id, said FROM rule_lines WHERE replaced_by IS NULL"
        )
        return {(sku, city): said for sku, city, said in rows}


HEADER = ("store", "sku", "product", "cost", "floor", "ceiling")


def test_a_table_holds_from_now_on_and_is_taken_back(
    shop: Console, database: str, tmp_path: Path, capsys: Said
) -> None:
    first = table(
        tmp_path / "rules.csv",
        (*HEADER, "name", "margin_bp"),
        (STORE, "", "", "", "", "", "Лавка", "5 %"),
        (STORE, "KB-1", PRODUCT, "6 500", "9 000 ₸", 12_000, "Чайник", ""),
    )
    assert shop.type_here("rules", "import", first) == 0
    assert "2 lines changed, 0 unchanged" in capsys.readouterr().out
    held = {
        ("", ""): {"margin_bp": 500},
        ("KB-1", ""): {"cost": 6_500, "floor": 9_000, "ceiling": 12_000},
    }
    assert in_force(database) == held

    assert shop.type_here("rules", "import", first, "--language", "ru") == 0
    assert "ничего не изменилось" in capsys.readouterr().out

    second = table(tmp_path / "more.csv", ("store", "sku", "floor"), (STORE, "KB-1", 9_500))
    assert shop.type_here("rules", "import", second) == 0
    said = capsys.readouterr().out
    assert in_force(database)["KB-1", ""] == held["KB-1", ""] | {"floor": 9_500}

    number = said.partition("this is change ")[2].partition(",")[0]
    assert shop.type_here("rules", "undo", number) == 0
    assert in_force(database) == held
    assert shop.type_here("rules", "undo", "1") == 1
    assert "changed again since" in capsys.readouterr().err

    assert shop.type_here("rules", "history") == 0
    sources = [line.split("\t")[3] for line in capsys.readouterr().out.splitlines()]
    assert sources == [f"undo of change {number}", "more.csv", "rules.csv"]


def test_an_empty_cell_takes_back_and_a_dash_overrules(
    shop: Console, database: str, tmp_path: Path
) -> None:
    columns = ("store", "sku", "product", "floor", "aged_days")
    told = table(
        tmp_path / "a.csv", columns, (STORE, "", "", "", 30), (STORE, "1", PRODUCT, 900, 60)
    )
    assert shop.type_here("rules", "import", told) == 0
    told = table(tmp_path / "b.csv", columns, (STORE, "1", PRODUCT, "", "-"))
    assert shop.type_here("rules", "import", told) == 0
    assert in_force(database) == {("", ""): {"aged_days": 30}, ("1", ""): {"aged_days": None}}


def test_what_empty_cells_take_back_is_told_before_and_after(
    shop: Console, database: str, tmp_path: Path, capsys: Said
) -> None:
    columns = ("store", "sku", "product", "floor", "strategy", "on")
    told = table(tmp_path / "a.csv", columns, (STORE, "1", PRODUCT, 9_000, "match", "yes"))
    assert shop.type_here("rules", "import", told) == 0
    kept = in_force(database)

    part = table(tmp_path / "b.csv", ("store", "sku", "floor"), (STORE, "1", 9_500))
    assert shop.type_here("rules", "check", part) == 0
    assert "taken back" not in "".join(capsys.readouterr())

    told = table(tmp_path / "c.csv", columns, (STORE, "1", PRODUCT, "", "", "yes"))
    assert shop.type_here("rules", "check", told, "--language", "ru") == 0
    said = capsys.readouterr()
    assert "будет снято значений, которые действуют сейчас: 2" in said.out
    assert "столбец E «Стратегия»: «сравняться» действует сейчас и будет снято" in said.err
    assert in_force(database) == kept

    assert shop.type_here("rules", "import", told) == 0
    said = capsys.readouterr()
    assert "2 values that held were taken back, for the cells are empty" in said.out
    assert 'row 2, column D (floor): "9000" holds now, and is taken back' in said.err
    assert in_force(database) == {("1", ""): {"on": True}}


def test_a_rule_that_cannot_be_is_told_once_and_in_the_language_of_the_reader(
    shop: Console, tmp_path: Path, capsys: Said
) -> None:
    header = (*HEADER, "strategy")
    told = table(tmp_path / "a.csv", header, (STORE, "1", PRODUCT, "", 900, "", "follow"))
    assert shop.type_here("rules", "check", told, "--language", "ru") == 1
    assert capsys.readouterr().err.count("follow") == 0


#: Fifty cells that cannot be meant, each in a row of its own.
CELLS: list[tuple[str, object]] = [
    ("store", "Лавка у дома"),
    ("product", "102298404b"),
    ("product", "чайник"),
    ("city", "Готэм"),
    ("on", "может быть"),
    ("cost", 0),
    ("cost", "9,5"),
    ("cost", -5),
    ("floor", 9_500.5),
    ("floor", "9,500"),
    ("floor", "дорого"),
    ("floor", "=B2*2"),
    ("floor", "#REF!"),
    ("floor", True),
    ("floor", date(2026, 5, 1)),
    ("ceiling", 10**10),
    ("ceiling", "12 00"),
    ("margin_bp", "101 %"),
    ("margin_bp", 0.125),
    ("margin_bp", "12,345 %"),
    ("strategy", "быстро"),
    ("step", 0),
    ("step", "1,5"),
    ("step_bp", "много"),
    ("position", 0),
    ("position", 1_001),
    ("follow", "11271005, 5"),
    ("offset", "вниз"),
    ("premium", -1),
    ("margin", "10 %"),
    ("packaging", "коробка"),
    ("category", "a\nb"),
    ("weight_kg", -1),
    ("zone", "Луна"),
    ("when_alone", "минимум"),
    ("when_unbeatable", "подрезать"),
    ("when_tied", "потолок"),
    ("stock_low", 1.5),
    ("stock_low_raise_bp", "больше"),
    ("aged_days", "месяц"),
    ("windows", "22:00 hold"),
    ("ignore", "Лавка № 1"),
    ("only", "?"),
    ("compare_delivery", "быстро"),
    ("min_rating", 6),
    ("skip_preorder", 2),
    ("max_change_bp", "30,001 %"),
    ("cooldown_minutes", "час"),
    ("shares_bp", "половина"),
    ("absurd_high_bp", -1),
]  # fmt: skip


def fifty_mistakes(path: Path) -> str:
    """A workbook with a right row, and fifty rows with a mistake each."""
    book = Workbook()
    sheet = book.active
    keys = list(RULES.by_key)
    sheet.append([column.russian for column in RULES.columns])
    right = {"store": STORE, "sku": "right", "product": PRODUCT, "floor": 900, "ceiling": 1_900}
    sheet.append([right.get(key) for key in keys])
    for number, (key, value) in enumerate(CELLS):
        told = {**right, "sku": f"wrong-{number}", key: value}
        sheet.append([told.get(key) for key in keys])
    book.save(path)
    return str(path)


def test_fifty_different_mistakes_are_all_named_and_nothing_is_applied(
    shop: Console, database: str, tmp_path: Path, capsys: Said
) -> None:
    path = fifty_mistakes(tmp_path / "rules.xlsx")
    assert shop.type_here("rules", "import", path) == 1
    said = capsys.readouterr()
    keys = list(RULES.by_key)
    places = [
        f'sheet "Sheet", row {number}, column {letter(keys.index(key))} ({key}): "'
        for number, (key, _) in enumerate(CELLS, start=3)
    ]
    lines = said.err.splitlines()
    assert len(CELLS) == len(lines) == 50
    for line, place in zip(lines, places, strict=True):
        assert line.startswith(place)
        assert "; right: " in line
    assert "51 rows, 50 mistakes; nothing is applied" in said.out
    assert in_force(database) == {}


def test_they_are_named_in_russian_and_written_as_a_table(
    shop: Console, tmp_path: Path, capsys: Said
) -> None:
    path = fifty_mistakes(tmp_path / "rules.xlsx")
    errors = tmp_path / "errors.csv"
    assert shop.type_here("rules", "check", path, "--language", "ru", "--errors", str(errors)) == 1
    said = capsys.readouterr()
    assert "строк: 51, ошибок: 50" in said.out
    assert "лист «Sheet», строка 11, столбец H «Минимум»: «9500.5» не подходит; нужно: " in said.err
    with errors.open(encoding="utf-8-sig", newline="") as file:
        heading, *lines = csv.reader(file, delimiter=";")
    assert heading[:4] == ["вид", "лист", "строка", "столбец"]
    assert len(lines) == 50
    assert lines[8][1:6] == ["Sheet", "11", "H", "Минимум", "9500.5"]


def test_they_are_marked_in_a_copy(shop: Console, tmp_path: Path) -> None:
    path = fifty_mistakes(tmp_path / "rules.xlsx")
    marked = tmp_path / "marked.xlsx"
    assert shop.type_here("rules", "check", path, "--marked", str(marked)) == 1
    sheet = load_workbook(marked)["Sheet"]
    commented = [cell for cells in sheet.iter_rows() for cell in cells if cell.comment]
    assert len(commented) == 50
    assert {cell.fill.fgColor.rgb for cell in commented} == {"00FFC7CE"}
    assert sheet["H11"].comment.text.startswith("is not right; right: whole tenge")


def test_what_is_right_is_applied_when_that_is_said(
    shop: Console, database: str, tmp_path: Path, capsys: Said
) -> None:
    path = fifty_mistakes(tmp_path / "rules.xlsx")
    assert shop.type_here("rules", "import", path, "--partial") == 1
    assert "left out: 50 rows" in capsys.readouterr().out
    assert in_force(database) == {("right", ""): {"floor": 900, "ceiling": 1_900}}


def test_a_misspelt_column_lets_nothing_pass(
    shop: Console, database: str, tmp_path: Path, capsys: Said
) -> None:
    path = table(
        tmp_path / "a.csv", ("store", "sku", "product", "flor"), (STORE, "1", PRODUCT, 900)
    )
    assert shop.type_here("rules", "import", path, "--partial") == 1
    assert 'row 1, column D: "flor" is no column of ours; right: floor' in capsys.readouterr().err
    assert in_force(database) == {}


CROSS = {
    "a ceiling below the floor": (
        [("1", PRODUCT, "", 900, 800, "")],
        'row 2, column F (ceiling): "800" leaves no price: the ceiling 800 is below the floor 90',
    ),
    "an article that is not listed": (
        [("1", "", "", 900, "", "")],
        "row 2, column C (product): is empty, and this article is not listed yet",
    ),
    "two products for an article": (
        [("1", PRODUCT, "", 900, "", ""), ("1", "102298405", "", 950, "", "", "almaty")],
        'row 3, column C (product): "102298405" is another product than in another row',
    ),
    "nobody to follow": (
        [("1", PRODUCT, "", 900, "", "follow")],
        "row 2 (follow): is empty, and the strategy follow needs a merchant's id",
    ),
    "a floor that the store's ceiling forbids": (
        [("", "", "", "", 800, ""), ("1", PRODUCT, "", 900, "", "")],
        'row 3, column E (floor): "900" leaves no price',
    ),
}


@pytest.mark.parametrize(("rows", "sentence"), CROSS.values(), ids=CROSS)
def test_what_rows_make_of_each_other_is_checked(
    shop: Console, tmp_path: Path, capsys: Said, rows: list[tuple[object, ...]], sentence: str
) -> None:
    header = (*HEADER, "strategy", "city")
    told = table(tmp_path / "a.csv", header, *((STORE, *cells) for cells in rows))
    assert shop.type_here("rules", "check", told) == 1
    assert sentence in capsys.readouterr().err


ODD = {
    "neither floor nor cost": (("1", PRODUCT, "", "", 800), "neither floor nor cost is said"),
    "a margin that no price earns": (
        ("1", PRODUCT, 900, "", 910),
        "cost, margin, floor and ceiling leave no allowed price",
    ),
    "a zero too many": (("1", PRODUCT, "", 900, 9_000), '"9000" is ten times the floor of 900'),
    "dear goods of no weight": (("1", PRODUCT, 9_000, "", 20_000), "delivery is counted for 1 kg"),
    "a guard that lets everything pass": (
        ("1", PRODUCT, "", 900, "", "3000 %"),
        "keeps nothing back",
    ),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_what_is_seldom_meant_is_said_and_applied(
    shop: Console,
    database: str,
    tmp_path: Path,
    capsys: Said,
    odd: tuple[tuple[object, ...], str],
) -> None:
    cells, sentence = odd
    told = table(tmp_path / "a.csv", (*HEADER, "max_change_bp"), (STORE, *cells))
    assert shop.type_here("rules", "import", told) == 0
    warning = capsys.readouterr().err
    assert warning.startswith("warning: row 2")
    assert sentence in warning
    assert ("1", "") in in_force(database)


def test_new_defaults_are_checked_against_the_lines_that_are_kept(
    shop: Console, database: str, tmp_path: Path, capsys: Said
) -> None:
    lines = [(STORE, str(number), PRODUCT, "", 900 + number, "") for number in range(3)]
    assert shop.type_here("rules", "import", table(tmp_path / "a.csv", HEADER, *lines)) == 0
    defaults = table(tmp_path / "b.csv", ("store", "ceiling"), (STORE, 901))
    capsys.readouterr()
    assert shop.type_here("rules", "import", defaults) == 1
    assert capsys.readouterr().err == (
        'row 2, column B (ceiling): "901" leaves no price: the ceiling 901 is below the floor 902; '
        "right: 902 or more, or a lower floor "
        "(in rules that the file does not name: 1, the first is 2)\n"
    )
    assert ("", "") not in in_force(database)


def test_rows_that_lean_on_a_row_left_out_are_left_out_too(
    shop: Console, database: str, tmp_path: Path
) -> None:
    told = table(
        tmp_path / "a.csv",
        (*HEADER, "city"),
        (STORE, "1", PRODUCT, "", "нет", "", ""),
        (STORE, "1", "", "", 900, "", "almaty"),
        (STORE, "2", PRODUCT, "", 900, "", ""),
    )
    assert shop.type_here("rules", "import", told, "--partial") == 1
    assert in_force(database) == {("2", ""): {"floor": 900}}


def test_of_two_rows_for_one_price_neither_is_applied(
    shop: Console, database: str, tmp_path: Path, capsys: Said
) -> None:
    rows = [(STORE, sku, PRODUCT, "", floor, "") for sku, floor in (("1", 9), ("1", 8), ("2", 7))]
    told = table(tmp_path / "a.csv", HEADER, *rows)
    assert shop.type_here("rules", "import", told, "--partial") == 1
    assert "left out: 2 rows" in capsys.readouterr().out
    assert set(in_force(database)) == {("2", "")}


@pytest.mark.parametrize("form", ["xlsx", "csv", "yaml"])
def test_what_is_exported_changes_nothing_when_it_is_imported(
    shop: Console, database: str, tmp_path: Path, capsys: Said, form: str
) -> None:
    told = table(
        tmp_path / "a.csv",
        (*HEADER, "weight_kg", "owner", "name"),
        (STORE, "", "", "", "", "", "0,5", "мы", "Лавка"),
        (STORE, "=1+1", PRODUCT, "", 900, "", "12,5", "", ""),
        (STORE, "007", PRODUCT, "", 901, "", "", "", ""),
        ("30000002", "007", PRODUCT, "", 902, "", "", "", ""),
    )
    assert shop.type_here("rules", "import", told) == 0
    before = in_force(database)
    out = str(tmp_path / f"out.{form}")
    assert shop.type_here("rules", "export", out, "--store", STORE, "--language", "ru") == 0
    assert f"строк: 3, файл: {out}" in capsys.readouterr().out
    assert shop.type_here("rules", "import", out) == 0
    assert "3 lines, all as they were" in capsys.readouterr().out
    assert in_force(database) == before


@pytest.mark.parametrize("form", ["xlsx", "csv", "yaml"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_template_explains_itself_and_applies_nothing(
    shop: Console, tmp_path: Path, capsys: Said, form: str, language: str
) -> None:
    path = tmp_path / f"new.{form}"
    assert shop.type_here("rules", "template", str(path), "--language", language) == 0
    assert shop.type_here("rules", "check", str(path)) == 1
    assert "there are no rows" in capsys.readouterr().err
    assert shop.type_here("rules", "template", str(path)) == 2
    assert "is there already" in capsys.readouterr().err


def test_what_is_seldom_meant_of_all_articles_is_said_too(
    shop: Console, tmp_path: Path, capsys: Said
) -> None:
    told = table(tmp_path / "a.csv", ("store", "margin_bp", "max_change_bp"), (STORE, 12, 30_000))
    assert shop.type_here("rules", "check", told) == 0
    warned = capsys.readouterr().err
    assert "row 2, column B (margin_bp)" in warned
    assert "0.12 %" in warned
    assert "column C (max_change_bp)" in warned
    assert "keeps nothing back" in warned


def test_the_examples_of_a_template_are_right_once_their_sign_is_gone(
    shop: Console, database: str, tmp_path: Path
) -> None:
    path = tmp_path / "new.xlsx"
    assert shop.type_here("rules", "template", str(path), "--language", "ru") == 0
    book = load_workbook(path)
    sheet = book["Правила"]
    for number in (2, 3, 4):
        sheet.cell(number, 1).value = sheet.cell(number, 1).value.removeprefix("# ")
    assert sheet["A1"].comment.text.startswith("Магазин: ")
    headings = [cell.value for cell in sheet[1]]
    name = headings.index("Название") + 1
    assert [sheet.cell(row, name).value for row in (2, 3)] == ["Чай и чайники", "Чайник KB-100"]
    assert sheet.freeze_panes == "C2"
    assert any('"да,нет"' in one.formula1 for one in sheet.data_validations.dataValidation)
    book.save(path)
    assert shop.type_here("rules", "import", str(path)) == 0
    assert set(in_force(database)) == {("", ""), ("KB-100", ""), ("KB-100", "750000000")}


USAGE = {
    "another verb": (["guess"], "template|check|import|export|history|undo"),
    "no file": (["import"], "name one file"),
    "a file that is not there": (["import", "/nowhere/rules.csv"], "No such file"),
    "a format of others": (["export", "rules.ods"], "ends in none of xlsx, csv, yaml"),
    "no number": (["undo", "last"], "scrapy rules undo 7"),
    "no store": (["check", "a.csv", "--store", "?"], "store: '?' names no merchant"),
}


@pytest.mark.parametrize(("words", "said"), USAGE.values(), ids=USAGE)
def test_a_wrong_use_is_told(shop: Console, capsys: Said, words: Sequence[str], said: str) -> None:
    assert shop.type_here("rules", *words) == 2
    told = capsys.readouterr()
    assert said in told.err + told.out


IN_RUSSIAN = [
    (["check"], "check: назовите один файл. Например: scrapy … check rules.xlsx"),
    (["check", "none.xlsx"], "none.xlsx: такого файла нет"),
    (["check", "rules.txt"], "имя rules.txt должно кончаться на одно из: xlsx, csv, yaml"),
    (["undo", "x"], "undo: назовите номер. Например: scrapy rules undo 7"),
    (["undo", "999"], "изменения 999 нет: их перечисляет `scrapy rules history`"),
]


@pytest.mark.parametrize(("words", "said"), IN_RUSSIAN, ids=[" ".join(w) for w, _ in IN_RUSSIAN])
def test_whoever_asked_for_russian_is_answered_in_it(
    shop: Console, capsys: Said, words: list[str], said: str
) -> None:
    assert shop.type_here("rules", *words, "--language", "ru") != 0
    assert said in capsys.readouterr().err


def test_an_article_that_moves_to_another_card_is_told_and_new_cards_are_read(
    shop: Console, database: str, tmp_path: Path, capsys: Said
) -> None:
    for product in (PRODUCT, "102298405"):
        told = table(tmp_path / "a.csv", HEADER, (STORE, "1", product, "", 900, ""))
        assert shop.type_here("rules", "import", told) == 0
    assert "1 article moved to another card" in capsys.readouterr().out
    with psycopg.connect(database) as connection:
        watched = connection.execute("SELECT kaspi_id, city_id FROM work_list").fetchall()
    assert sorted(watched) == [(PRODUCT, "750000000"), ("102298405", "750000000")]
