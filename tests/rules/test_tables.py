"""CSV and YAML as people save them; headers; remarks."""

from pathlib import Path

import pytest

from kaspi_crawler.arguments import BadArgument
from tests.rules.building import HEADER, STORE, floors, read, row, table, told

LINES = "store,sku,product,floor\n30000001,KB-1,102298401,9001\n"


def encoded(tmp_path: Path, body: bytes) -> Path:
    path = tmp_path / "rules.csv"
    path.write_bytes(body)
    return path


UNDERSTOOD = {
    "plain": LINES.encode(),
    "with a mark": b"\xef\xbb\xbf" + LINES.encode(),
    "with semicolons": LINES.replace(",", ";").encode(),
    "with tabs": LINES.replace(",", "\t").encode(),
    "with lines of Windows": LINES.replace("\n", "\r\n").encode(),
    "with a separator told to Excel": ("sep=;\n" + LINES.replace(",", ";")).encode(),
    "in UTF-16": LINES.encode("utf-16"),
    "in Windows-1251": "Магазин;Артикул;Товар;Минимум\n30000001;KB-1;102298401;9 001 тг\n".encode(
        "cp1251"
    ),
    "with empty lines": ("\n" + LINES + "\n,,,\n\n").encode(),
    "with names in another case": LINES.replace("floor", " FLOOR ").encode(),
}


@pytest.mark.parametrize("body", UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_csv_is_read_however_it_is_saved(tmp_path: Path, body: bytes) -> None:
    wishes = read(encoded(tmp_path, body))
    assert (told(wishes), floors(wishes)) == ([], {"KB-1": 9_001})


def test_windows_1251_is_said_to_be_less_safe(tmp_path: Path) -> None:
    wishes = read(encoded(tmp_path, UNDERSTOOD["in Windows-1251"]))
    assert "Windows-1251" in wishes.reading.notes[0].en


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path: Path) -> None:
    rows = [HEADER, (), (STORE, "KB-1", "102298401", '9"\n"'), row(2, "x")]
    assert [said.partition(":")[0] for said in told(read(table(tmp_path / "a.csv", rows)))] == [
        "row 4, column E",
        "row 3, column D (floor)",
    ]


HEADERS: dict[str, tuple[tuple[object, ...], str]] = {
    "a column that is misspelt": (
        (*HEADER, "ceilling"),
        'row 1, column E: "ceilling" is no column of ours; right: ceiling',
    ),
    "a column of Russian that is misspelt": (
        (*HEADER, "Максимом"),
        'row 1, column E: "Максимом" is no column of ours; right: ceiling',
    ),
    "a column twice": ((*HEADER, "Минимум"), 'row 1, column E: "Минимум" stands in the header twi'),
    "no store": (("sku", "product", "floor"), "row 1: the column store is missing"),
    "another table": (
        ("name of the goods", "shelf"),
        'row 1: "name of the goods; shelf" is no hea',
    ),
}


@pytest.mark.parametrize(("header", "sentence"), HEADERS.values(), ids=HEADERS)
def test_a_wrong_header_spoils_the_file(
    tmp_path: Path, header: tuple[object, ...], sentence: str
) -> None:
    wishes = read(table(tmp_path / "rules.csv", [header, row(1, "1")[: len(header)]]))
    assert told(wishes)[0].startswith(sentence)
    assert wishes.reading.spoilt


def test_cells_without_a_header_are_named(tmp_path: Path) -> None:
    wishes = read(table(tmp_path / "rules.csv", [HEADER, row(1, "", "лишнее")]))
    assert told(wishes)[0].startswith('row 2, column F: "лишнее" stands under no header')


def test_examples_are_not_read(tmp_path: Path) -> None:
    rows = [HEADER, ("# 30000001", "KB-9", "?", "?"), row(1), ("#",)]
    wishes = read(table(tmp_path / "rules.csv", rows))
    assert (told(wishes), floors(wishes)) == ([], {"KB-1": 9_001})


BAD_FILES = {
    "nothing": (b"", "the file is empty"),
    "a picture": (b"\x89PNG\0\0", "this is no text: save it as CSV UTF-8"),
    "a header alone": (b"store,sku\n", 'row 1: there are no rows (those that begin with "# "'),
    "white space": (b"\n \n", "there are no rows"),
}


@pytest.mark.parametrize(("body", "sentence"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_no_table_is_told(tmp_path: Path, body: bytes, sentence: str) -> None:
    assert told(read(encoded(tmp_path, body)))[0].startswith(sentence)


ROWS: dict[str, tuple[tuple[object, ...], str]] = {
    "without a store": (("", "KB-1", "102298401", 1), "row 2, column A (store) is empty"),
    "without an article, with a product": (
        (STORE, "", "102298401", 1),
        "row 2, column B (sku) is empty",
    ),
}


@pytest.mark.parametrize(("cells", "sentence"), ROWS.values(), ids=ROWS)
def test_a_row_says_what_it_is_about(
    tmp_path: Path, cells: tuple[object, ...], sentence: str
) -> None:
    [said] = told(read(table(tmp_path / "rules.csv", [HEADER, cells])))
    assert said.replace("): is", ") is").startswith(sentence)


def test_a_row_is_said_once(tmp_path: Path) -> None:
    [said] = told(read(table(tmp_path / "rules.csv", [HEADER, row(1), row(2), row(1)])))
    assert said == (
        'row 4, column B (sku): "30000001 KB-1" says the same store, sku and city as row 2: '
        "leave one of both"
    )


def test_sisters_belong_to_the_store_s_own_row(tmp_path: Path) -> None:
    header = (*HEADER, "sisters")
    [said] = told(read(table(tmp_path / "rules.csv", [header, row(1, "5")])))
    assert said.startswith('row 2, column E (sisters): "5" is only for a store\'s row')


def yaml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_yaml_means_what_is_written(tmp_path: Path) -> None:
    """No octal numbers, no hours of sixty minutes, no `on` that is a truth."""
    text = """
    - {store: 30000001, on: off, strategy: match}
    - store: "30000001"
      sku: 007
      product: 102298401
      floor: 9_001
    """
    [said] = told(read(yaml(tmp_path, text)))
    assert said.startswith('row 3 (floor): "9_001" is not right')
    wishes = read(yaml(tmp_path, text.replace("9_001", "9 001 ₸")))
    assert [(wish.rule.sku, dict(wish.rule.said)) for wish in wishes.wishes] == [
        ("", {"on": False, "strategy": "match"}),
        ("007", {"floor": 9_001}),
    ]


def test_lists_of_yaml_are_lists(tmp_path: Path) -> None:
    text = """
    - store: 30000001
      ignore: [5, 7]
      windows: ["22:00-07:00 hold", "9-18 work"]
      cost: null
    """
    [wish] = read(yaml(tmp_path, text)).wishes
    assert wish.rule.said["ignore"] == ["5", "7"]
    assert len(wish.rule.said["windows"]) == 2
    assert "cost" not in wish.rule.said


BAD_YAML = {
    "no list": ("store: 1", "right: a list of lines"),
    "a list of words": ("- store\n- sku", "line 1: right: a list of lines"),
    "torn": ("- {store: 1", "this is no YAML"),
    "a key twice": ("- {store: 1, store: 2}", 'line 1: "store" is said twice'),
    "an object within": ("- {store: 1, cost: {a: 1}}", "line 1: right: a value or a list"),
    "a key nobody knows": (
        "- {store: 1, sku: 2}\n- {store: 1, flor: 2}",
        'row 2: "flor" is no col',
    ),
    "remarks alone": ("# - store: 1", "there are no rows"),
}


@pytest.mark.parametrize(("text", "sentence"), BAD_YAML.values(), ids=BAD_YAML)
def test_wrong_yaml_is_told(tmp_path: Path, text: str, sentence: str) -> None:
    assert told(read(yaml(tmp_path, text)))[0].startswith(sentence)


def test_a_file_with_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match="ends in none of xlsx, csv, yaml"):
        read(tmp_path / "rules.ods")
