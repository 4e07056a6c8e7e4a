"""`scrapy export`, typed as a person types it; files are read back by what people use."""

import csv
import io
import json
import os
import pty
import re
import resource
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import jsonlines
import psycopg
import pytest
from openpyxl import load_workbook

from kaspi_crawler.commands.export import WHAT
from tests.commands.conftest import Memory
from tests.commands.console import Console
from tests.storage.embedded_processes import eventually

#: What tells one row of each export from another.
KEYS = {
    "products": ("kaspi_id",),
    "offers": ("kaspi_id", "city_id", "merchant_id", "price"),
    "history": ("kaspi_id", "city_id", "merchant_id", "event", "price"),
    "board": ("kaspi_id", "city_id", "merchant_id", "price"),
    "decisions": ("sku", "city_id", "action", "reason"),
}
TRUTH = {
    "products": "SELECT kaspi_id FROM products",
    "offers": """SELECT kaspi_id, city_id, merchant_id, price
                 FROM offers JOIN products ON products.id = product_id
                 WHERE offers.gone_at IS NULL""",
    "history": """SELECT kaspi_id, city_id, merchant_id, event::text, history.price
                  FROM offer_history AS history JOIN offers ON offers.id = offer_id
                  JOIN products ON products.id = offers.product_id""",
    "decisions": """SELECT DISTINCT ON (listing_id, city_id) sku, city_id, action, reason
                    FROM decisions JOIN listings ON listings.id = listing_id
                    ORDER BY listing_id, city_id, board_at DESC""",
}
TRUTH["board"] = TRUTH["offers"]
#: Columns whose names are promised, as the original parser had them.
PROMISED = ["kaspi_id", "name", "description", "category", "image_url", "min_price", "max_price"]
PROMISED += ["rate", "review_amount", "seller_amount"]


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    with jsonlines.open(path) as lines:
        return list(lines)


def read_json(path: Path) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads(path.read_bytes())
    return read


def read_csv(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def read_xlsx(path: Path) -> list[dict[str, Any]]:
    header, *rows = load_workbook(path, read_only=True).active.iter_rows(values_only=True)
    # A row ends with its last value.
    return [dict(zip_longest(header, row)) for row in rows]


READERS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    "jsonl": read_jsonl,
    "json": read_json,
    "csv": read_csv,
    "xlsx": read_xlsx,
}


def keys(what: str, rows: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    """The rows by what tells them apart, as text: CSV knows nothing else."""
    return sorted(tuple(str(row[key]) for key in KEYS[what]) for row in rows)


#: Exports lines to standard output.
Told = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def told(console: Console, capfd: pytest.CaptureFixture[str]) -> Told:
    def export(*words: str) -> list[dict[str, Any]]:
        assert console.type_here("export", *words, "--output", "-") == 0
        return lines(capfd.readouterr().out)

    return export


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("form", READERS)
@pytest.mark.parametrize("what", WHAT)
def test_every_format_holds_every_row(
    console: Console, memory: Memory, capsys: pytest.CaptureFixture[str], what: str, form: str
) -> None:
    path = Path(console.settings["EXPORTS_DIR"]) / f"отчёт 1.{form}"
    assert console.type_here("export", what, "--output", str(path)) == 0
    rows = READERS[form](path)
    assert keys(what, rows) == keys(what, memory.rows(TRUTH[what]))
    assert capsys.readouterr() == ("", f"{len(rows):,} rows of {what} to {path}\n")
    assert list(path.parent.iterdir()) == [path]


def test_the_names_of_the_columns_are_those_that_were_promised(told: Told) -> None:
    row = told("products")[0]
    assert set(PROMISED) <= set(row)
    assert isinstance(row["image_url"], list)
    assert isinstance(row["min_price"], int | None)


def test_by_default_a_new_file_of_lines_appears_among_the_exports(console: Console) -> None:
    done = console.run("export", "offers")
    assert done.returncode == 0, done.stderr
    (path,) = Path(console.settings["EXPORTS_DIR"]).iterdir()
    assert re.fullmatch(r"offers-\d{8}T\d{6}Z\.jsonl", path.name)
    assert done.stderr.endswith(f" rows of offers to {path}\n")
    assert read_jsonl(path)


def test_a_directory_gets_a_new_file(console: Console, tmp_path: Path) -> None:
    words = ("export", "products", "--format", "csv", "--output", str(tmp_path))
    assert console.type_here(*words) == 0
    (path,) = tmp_path.iterdir()
    assert re.fullmatch(r"products-\d{8}T\d{6}Z\.csv", path.name)
    assert len(read_csv(path)) == 20


@pytest.mark.parametrize(
    ("form", "read"),
    [
        pytest.param("jsonl", lines, id="lines"),
        pytest.param("json", json.loads, id="an array"),
        pytest.param("csv", lambda text: list(csv.DictReader(io.StringIO(text[1:]))), id="a table"),
    ],
)
def test_standard_output_holds_rows_alone(
    console: Console,
    capfd: pytest.CaptureFixture[str],
    form: str,
    read: Callable[[str], list[dict[str, Any]]],
) -> None:
    assert console.type_here("export", "products", "--format", form, "--output", "-") == 0
    printed, said = capfd.readouterr()
    assert len(read(printed)) == 20
    assert said == "20 rows of products to standard output\n"
    assert not Path(console.settings["EXPORTS_DIR"]).exists()


def test_products_and_cities_narrow_what_is_exported(
    told: Told, memory: Memory, tmp_path: Path
) -> None:
    in_astana = f"{TRUTH['offers']} AND city_id = '710000000'"
    some = sorted({row["kaspi_id"] for row in memory.rows(in_astana)})[:2]
    listed = tmp_path / "products.txt"
    listed.write_text(f"https://kaspi.kz/shop/p/-{some[0]}/  # the kettle\n{some[1]}\n")
    rows = told("offers", "--products", f"@{listed}", "--cities", "astana")
    assert {row["kaspi_id"] for row in rows} == set(some)
    assert {row["city_id"] for row in rows} == {"710000000"}


def names(rows: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {(row["kaspi_id"], row["city_id"], row["merchant_id"]) for row in rows}


def test_since_a_moment_between_two_crawls_only_the_second_is_told(
    told: Told, memory: Memory
) -> None:
    since = ("--since", memory.between.isoformat())
    history = told("history", *since)
    after = memory.rows(f"{TRUTH['history']} WHERE created_at >= %s", memory.between)
    assert keys("history", history) == keys("history", after)
    moved = names(history)
    changed = memory.rows(
        "SELECT kaspi_id, city_id, merchant_id "
        "FROM offers JOIN products ON products.id = product_id "
        "WHERE greatest(offers.changed_at, offers.gone_at) >= %s",
        memory.between,
    )
    # Behind midnight in Almaty the promises of all offers are a day nearer, which is no history.
    assert moved <= names(told("offers", *since)) == names(changed)
    assert 0 < len(history) < len(told("history", "--since", "1h"))


def test_a_past_board_is_the_one_that_stood_then(told: Told, memory: Memory) -> None:
    def standing(rows: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
        return sorted((row["city_id"], row["merchant_id"], row["price"]) for row in rows)

    then = standing(told("board", "--at", memory.between.isoformat()))
    assert then == standing(memory.first_board)
    assert then != standing(told("board"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["offers", "--since", "soon"], "since: 'soon' is no moment", id="no moment"),
        pytest.param(["board", "--at", "2999-01-01"], "at: .* has not come yet", id="the future"),
        pytest.param(["offers", "--at", "1h"], "at: only board", id="a moment for what has none"),
        pytest.param(["board", "--since", "1h"], "since: .* --at 24h", id="a span for a board"),
        pytest.param(["offers", "--products", "чайник"], "products: 'чайник' names", id="no id"),
        pytest.param(["offers", "--products", ","], "one: --products 10", id="an empty list"),
        pytest.param(["offers", "--products", "@/no"], "as --products @file", id="no such list"),
        pytest.param(["offers", "--cities", "paris"], "cities: 'paris' names", id="no city"),
        pytest.param(
            ["offers", "--format", "xlsx", "--output", "-"], "needs a file", id="no workbook there"
        ),
        pytest.param(["offers", "--sinse", "1h"], "there is no '--sinse'", id="a misspelt option"),
        pytest.param(["offers", "boards"], "there is no 'boards'", id="two things at once"),
    ],
)
def test_a_word_that_cannot_be_used_is_answered_with_a_sentence(
    console: Console, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert console.type_here("export", *words) == 2
    printed, complained = capsys.readouterr()
    assert printed == ""
    assert re.fullmatch(f"scrapy export: .*{said}.*\n", complained)
    assert not Path(console.settings["EXPORTS_DIR"]).exists()


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([], id="nothing"),
        pytest.param(["prices"], id="an unknown thing"),
        pytest.param(["offers", "--format", "pdf"], id="an unknown format"),
    ],
)
def test_without_a_right_word_the_right_ones_are_shown(
    console: Console, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert console.type_here("export", *words) == 2
    assert "products|offers|history|board" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("address", "said"),
    [
        pytest.param("mysql://u:secret@h/d", "no PostgreSQL address", id="another database"),
        pytest.param("postgres://u:secret@127.0.0.1:1/d", "Connection refused", id="nobody there"),
        pytest.param("postgres://u:secret@h/d?wrong=1", '"wrong"', id="an unknown parameter"),
    ],
)
def test_without_a_database_it_says_so(
    console: Console, capsys: pytest.CaptureFixture[str], address: str, said: str
) -> None:
    assert console.having(DATABASE_URL=address).type_here("export", "offers") == 2
    complained = capsys.readouterr().err
    assert re.fullmatch(f"scrapy export: .*{said}.*\n", complained)
    assert "secret" not in complained


def test_an_older_database_is_not_read(
    console: Console, capsys: pytest.CaptureFixture[str], empty_database: str
) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE TABLE alembic_version AS SELECT '0000' AS version_num")
    assert console.having(DATABASE_URL=empty_database).type_here("export", "offers") == 2
    assert re.fullmatch("scrapy export: .*run `scrapy database upgrade`\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("form", "size"),
    [pytest.param("json", 3, id="an empty array"), pytest.param("csv", None, id="headers alone")],
)
def test_an_empty_database_gives_an_empty_file(
    console: Console, database: str, tmp_path: Path, form: str, size: int | None
) -> None:
    path = tmp_path / f"offers.{form}"
    words = ("export", "offers", "--output", str(path))
    assert console.having(DATABASE_URL=database).type_here(*words) == 0
    assert READERS[form](path) == []
    assert size in (None, path.stat().st_size)


def a_small_disk() -> None:
    """Files may not grow: a stand-in for a disk that is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.parametrize("form", ["jsonl", "xlsx"])
def test_a_full_disk_leaves_the_older_file_as_it_was(
    console: Console, tmp_path: Path, form: str
) -> None:
    path = tmp_path / f"offers.{form}"
    path.write_text("yesterday's")
    done = console.run("export", "offers", "--output", str(path), before=a_small_disk)
    assert done.returncode == 2
    # Sheets of a workbook lie among the temporary files until the end.
    full = tempfile.gettempdir() if form == "xlsx" else path
    assert done.stderr == f"scrapy export: {full}: File too large\n"
    assert path.read_text() == "yesterday's"
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_that_cannot_be_made_is_named(
    console: Console, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "file" / "offers.csv"
    path.parent.touch()
    assert console.type_here("export", "offers", "--output", str(path)) == 2
    assert capsys.readouterr().err == f"scrapy export: {path.parent}: File exists\n"


def test_a_link_stays_a_link(console: Console, tmp_path: Path) -> None:
    link, target = tmp_path / "link.json", tmp_path / "target.json"
    target.touch()
    link.symlink_to(target)
    assert console.type_here("export", "products", "--output", str(link)) == 0
    assert link.is_symlink()
    assert len(read_json(target)) == 20


def test_a_pipe_is_written_to_and_stays_a_pipe(console: Console, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    assert console.type_here("export", "products", "--output", str(pipe)) == 0
    reader.join(timeout=20)
    assert len(lines(read[0])) == 20
    assert pipe.is_fifo()


def test_a_reader_that_has_seen_enough_ends_it_in_silence(console: Console) -> None:
    process = console.start(
        "export", "offers", "--output", "-", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    assert process.stderr
    assert json.loads(process.stdout.readline())
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=30) == 141
    process.stderr.close()


def test_a_person_who_watches_sees_rows_counted(console: Console) -> None:
    ours, theirs = pty.openpty()
    process = console.start("export", "history", stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 1000):
            shown += part
    except OSError:
        # Linux ends a terminal that nobody holds with an error.
        pass
    finally:
        os.close(ours)
    assert process.communicate(timeout=30)[0] == b""
    counted, last = shown.rsplit(b"\x1b", maxsplit=1)
    assert b"history: " in counted
    assert re.search(rb"\d rows of history to ", last)


LONG_HISTORY = (
    """CREATE TABLE september PARTITION OF offer_history
       FOR VALUES FROM ('2026-09-01Z') TO ('2026-10-01Z')""",
    """INSERT INTO offer_history (offer_id, product_id, event, seller, price, created_at)
       SELECT id, product_id, 'changed', seller, price,
              '2026-09-18Z'::timestamptz + number * interval '1 second'
       FROM offers, generate_series(1, 100000) AS number""",
)


@pytest.fixture
def long_history(console: Console, lone_offer: str) -> Console:
    """A database whose history takes a while to write."""
    with psycopg.connect(lone_offer) as connection:
        for statement in LONG_HISTORY:
            connection.execute(statement.encode())
    return console.having(DATABASE_URL=lone_offer)


@pytest.mark.parametrize(
    ("sent", "code", "said"),
    [
        pytest.param(signal.SIGKILL, -9, b"", id="kill -9"),
        pytest.param(signal.SIGINT, 130, b"scrapy export: stopped\n", id="Ctrl-C"),
    ],
)
def test_an_export_that_is_killed_leaves_no_half_file_under_its_name(
    long_history: Console, tmp_path: Path, sent: signal.Signals, code: int, said: bytes
) -> None:
    path, sheets = tmp_path / "there" / "history.xlsx", tmp_path / "sheets"
    sheets.mkdir()
    console = long_history.having(TMPDIR=str(sheets))
    process = console.start("export", "history", "--output", str(path), stderr=subprocess.PIPE)
    # Rows are being written: before, Ctrl-C may meet an import that swallows it.
    eventually(lambda: any(sheet.stat().st_size for sheet in sheets.iterdir()))
    assert list(path.parent.iterdir())
    process.send_signal(sent)
    _, complained = process.communicate(timeout=30)
    assert (process.returncode, complained) == (code, said)
    assert not path.exists()


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--output", "prices.pdf"], id="an ending that is none of ours"),
        pytest.param(["--output", "prices.csv", "--format", "xlsx"], id="another's ending"),
    ],
)
def test_a_name_that_says_another_format_is_refused(
    console: Console,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert console.type_here("export", "offers", *words) == 2
    assert "A right one: --output prices.xlsx" in capsys.readouterr().err
    assert list(tmp_path.glob("prices*")) == []


def test_a_directory_that_is_not_there_yet_is_made(console: Console, tmp_path: Path) -> None:
    assert console.type_here("export", "products", "--output", f"{tmp_path}/new/") == 0
    (path,) = (tmp_path / "new").iterdir()
    assert path.name.startswith("products-")


@pytest.mark.parametrize("what", ["offers", "history", "board"])
def test_each_row_names_its_product(told: Told, memory: Memory, what: str) -> None:
    names = {row["kaspi_id"]: row["name"] for row in memory.rows("SELECT * FROM products")}
    rows = told(what)
    assert rows
    assert all(row["name"] == names[row["kaspi_id"]] for row in rows)
