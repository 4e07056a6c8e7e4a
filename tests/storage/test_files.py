"""Rows into files: read back as they were, harmless to spreadsheets, whole or not at all."""

import csv
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonlines
import pytest
from openpyxl import load_workbook

from storage import files
from storage.files import FORMATS, Row, whole_file

COLUMNS = ("name", "price", "rate", "checked_at", "image_url", "specifications", "gone_at")
MOMENT = datetime(2026, 9, 18, 7, 0, tzinfo=UTC)
FULL: Row = {
    "name": 'Чайник "Tulpar", белый;\nв коробке',
    "price": 9_990,
    "rate": Decimal("4.70"),
    "checked_at": MOMENT,
    "image_url": ["https://img.example/1.jpg", "https://img.example/2.jpg"],
    "specifications": [{"name": "Объём", "values": ["1.7"], "unit": None}],
    "gone_at": None,
}
BARE: Row = {**dict.fromkeys(COLUMNS), "name": "", "price": 0, "image_url": []}


def written(form: str, *rows: Row) -> bytes:
    file = io.BytesIO()
    FORMATS[form](file, COLUMNS, iter(rows))
    return file.getvalue()


def as_json(row: Row) -> dict[str, Any]:
    """What a reader of JSON gets back: the rating as a number, the moment as a text."""
    told = {**row}
    if row["rate"] is not None:
        told |= {"rate": 4.7, "checked_at": "2026-09-18T07:00:00Z"}
    return told


def sheet_rows(body: bytes) -> list[list[Any]]:
    book = load_workbook(io.BytesIO(body))
    return [[cell.value for cell in row] for sheet in book for row in sheet.rows]


def csv_rows(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def test_jsonl_is_read_back_as_it_was() -> None:
    lines = written("jsonl", FULL, BARE)
    assert list(jsonlines.Reader(io.BytesIO(lines))) == [as_json(FULL), as_json(BARE)]
    assert lines.count(b"\n") == 2


def test_json_is_read_back_as_it_was() -> None:
    assert json.loads(written("json", FULL, BARE)) == [as_json(FULL), as_json(BARE)]


def test_csv_is_read_back_with_its_columns() -> None:
    head, full, bare = csv_rows(written("csv", FULL, BARE))
    assert tuple(head) == COLUMNS
    assert full[:4] == [FULL["name"], "9990", "4.70", "2026-09-18T07:00:00+00:00"]
    assert json.loads(full[4]) == FULL["image_url"]
    assert json.loads(full[5]) == FULL["specifications"]
    assert bare == ["", "0", "", "", "[]", "", ""]


def test_csv_is_known_as_utf_8_by_spreadsheets() -> None:
    assert written("csv", FULL).startswith(b"\xef\xbb\xbfname,price")


def test_a_workbook_is_read_back_with_its_types() -> None:
    head, full, bare = sheet_rows(written("xlsx", FULL, BARE))
    assert tuple(head) == COLUMNS
    assert full[:4] == [FULL["name"], 9990, 4.7, datetime(2026, 9, 18, 12, 0)]  # noqa: DTZ001
    assert json.loads(full[5]) == FULL["specifications"]
    assert bare == [None, 0, None, None, "[]", None, None]


def test_a_day_is_a_day_in_every_format() -> None:
    row = {**BARE, "checked_at": date(2026, 9, 18)}
    assert json.loads(written("json", row))[0]["checked_at"] == "2026-09-18"
    assert csv_rows(written("csv", row))[1][3] == "2026-09-18"
    assert sheet_rows(written("xlsx", row))[1][3] == "2026-09-18"


@pytest.mark.parametrize(
    ("form", "nothing"),
    [
        pytest.param("jsonl", b"", id="no line"),
        pytest.param("json", b"[]\n", id="an empty array"),
        pytest.param("csv", f"\ufeff{','.join(COLUMNS)}\r\n".encode(), id="the columns alone"),
    ],
)
def test_no_rows_are_a_file_all_the_same(form: str, nothing: bytes) -> None:
    assert written(form) == nothing


def test_a_workbook_without_rows_has_its_columns() -> None:
    assert sheet_rows(written("xlsx")) == [list(COLUMNS)]


FORMULAS = [
    pytest.param('=HYPERLINK("https://thief.example","Скидка")', id="a formula"),
    pytest.param("+7 700 000-00-00", id="a plus"),
    pytest.param("-2+3", id="a minus"),
    pytest.param("@SUM(A1)", id="an at sign"),
    pytest.param("\t=1+1", id="a tab"),
    pytest.param("\r=1+1", id="a carriage return"),
    pytest.param("\n=1+1", id="a new line"),
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_is_no_formula_in_csv(text: str) -> None:
    assert csv_rows(written("csv", {**BARE, "name": text}))[1][0] == f"'{text}"


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_is_no_formula_in_a_workbook(text: str) -> None:
    body = written("xlsx", {**BARE, "name": text})
    (sheet,) = load_workbook(io.BytesIO(body))
    assert sheet["A2"].data_type != "f"
    assert sheet["A2"].value.strip() == text.strip()


def test_a_number_below_zero_stays_a_number_in_csv() -> None:
    assert csv_rows(written("csv", {**BARE, "price": -5}))[1][1] == "-5"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Чай\x0bник", id="a control character"),
        pytest.param("Чай\ufffeник", id="what is no character"),
        pytest.param("Чай\x00ник", id="a NUL"),
    ],
)
def test_a_sign_that_a_workbook_cannot_hold_costs_itself_alone(text: str) -> None:
    assert sheet_rows(written("xlsx", {**BARE, "name": text}))[1][0] == "Чайник"


def test_a_text_that_a_cell_cannot_hold_is_cut() -> None:
    assert len(sheet_rows(written("xlsx", {**BARE, "name": "а" * 40_000}))[1][0]) == 32_767


def test_what_one_sheet_cannot_hold_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SHEET_ROWS", 3)
    body = written("xlsx", *({**BARE, "price": number} for number in range(7)))
    sheets = [[row[1].value for row in sheet.rows] for sheet in load_workbook(io.BytesIO(body))]
    assert sheets == [["price", 0, 1, 2], ["price", 3, 4, 5], ["price", 6]]


# --- whole or not at all ---------------------------------------------------------------------


def failing_rows() -> Iterator[Row]:
    yield FULL
    raise RuntimeError("the database is away")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("older", [None, b"older"], ids=["a new file", "over an older one"])
def test_what_breaks_off_leaves_what_was_there(
    tmp_path: Path, form: str, older: bytes | None
) -> None:
    path = tmp_path / f"offers.{form}"
    if older:
        path.write_bytes(older)
    with pytest.raises(RuntimeError, match="away"), whole_file(path) as file:
        FORMATS[form](file, COLUMNS, failing_rows())
    assert [each.read_bytes() for each in tmp_path.iterdir()] == ([older] if older else [])


def test_a_file_is_unseen_until_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "offers.json"
    with whole_file(path) as file:
        file.write(b"[]")
        file.flush()
        assert not path.exists()
        assert not list(path.parent.glob("*.json"))
    assert path.read_bytes() == b"[]"


KILLED = """
import os, signal, sys
from pathlib import Path
from storage.files import whole_file
with whole_file(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_in_the_middle_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "offers.json"
    path.write_bytes(b"older")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert killed.returncode == -9
    assert path.read_bytes() == b"older"
    with whole_file(path) as file:
        file.write(b"newer")
    assert path.read_bytes() == b"newer"


MEASURED = """
import os, resource, sys
from storage.files import FORMATS
from tests.storage.test_files import COLUMNS, FULL
rows = ({**FULL, "price": number} for number in range(int(sys.argv[2])))
with open(os.devnull, "wb") as file:
    FORMATS[sys.argv[1]](file, COLUMNS, rows)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(form: str, rows: int) -> int:
    """The most memory that writing so many rows took, in MB (Linux counts in KB)."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, form, str(rows)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent.parent.parent,
        env={**os.environ, "PYTHONPATH": "."},
    )
    return int(done.stdout) // 1024


@pytest.mark.parametrize(
    ("form", "rows"),
    [
        pytest.param("jsonl", 200_000, id="lines"),
        pytest.param("json", 200_000, id="an array"),
        pytest.param("csv", 200_000, id="csv"),
        pytest.param("xlsx", 20_000, id="a workbook"),
    ],
)
def test_memory_does_not_grow_with_the_rows(form: str, rows: int) -> None:
    assert peak(form, rows) < peak(form, 10) + 10


def test_what_a_killed_program_left_is_swept_and_the_work_of_another_is_not(tmp_path: Path) -> None:
    left, other = (tmp_path / f".offers.json.{number}.partial" for number in (1, 2))
    for path in (left, other):
        path.write_text("[")
    two_hours_ago = time.time() - 7_200
    os.utime(left, (two_hours_ago, two_hours_ago))
    with whole_file(tmp_path / "offers.json") as file:
        file.write(b"[]")
    assert sorted(path.name for path in tmp_path.iterdir()) == [other.name, "offers.json"]
