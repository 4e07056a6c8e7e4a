"""`scrapy worklist`: what a crawl reads when it is given no products."""

from pathlib import Path

import psycopg
import pytest

from tests.commands.console import Console


@pytest.fixture
def worklist(console: Console, database: str) -> Console:
    """A console over an empty database."""
    return console.having(DATABASE_URL=database)


def held(address: str) -> list[tuple[str, str]]:
    with psycopg.connect(address) as connection:
        found = connection.execute("SELECT kaspi_id, city_id FROM work_list ORDER BY 1, 2")
        return [(row[0], row[1]) for row in found]


def test_products_are_put_on_it_in_every_form(
    worklist: Console, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "https://kaspi.kz/shop/p/chainik-tulpar-102298404/?c=710000000#reviews"
    assert worklist.type_here("worklist", "add", address, "106185651") == 0
    assert worklist.type_here("worklist", "add", "106185651", "--cities", "almaty,astana") == 0
    assert held(database) == [
        ("102298404", "750000000"),
        ("106185651", "710000000"),
        ("106185651", "750000000"),
    ]
    assert capsys.readouterr().out.splitlines() == [
        "2 boards were put on the work list",
        "1 boards were put on the work list, 1 were on it",
    ]


def test_an_empty_list_says_so(worklist: Console, capsys: pytest.CaptureFixture[str]) -> None:
    assert worklist.type_here("worklist", "list") == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "scrapy worklist add" in said.err


@pytest.mark.parametrize(
    ("words", "left"),
    [
        pytest.param(["101"], [("102", "710000000"), ("102", "750000000")], id="in all cities"),
        pytest.param(
            ["101,102", "--cities", "astana"],
            [("101", "750000000"), ("102", "750000000")],
            id="in one city",
        ),
        pytest.param(
            ["103"],
            [(product, city) for product in ("101", "102") for city in ("710000000", "750000000")],
            id="what is not on it",
        ),
    ],
)
def test_products_are_taken_off_it(
    worklist: Console, database: str, words: list[str], left: list[tuple[str, str]]
) -> None:
    worklist.type_here("worklist", "add", "101,102", "--cities", "almaty,astana")
    assert worklist.type_here("worklist", "remove", *words) == 0
    assert held(database) == left


def test_it_is_shown_with_what_is_known(
    worklist: Console, lone_offer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    console = worklist.having(DATABASE_URL=lone_offer)
    console.type_here("worklist", "add", "1045", "--cities", "almaty,astana")
    with psycopg.connect(lone_offer) as connection:
        connection.execute("UPDATE products SET name = 'Чайник'")
        connection.execute(
            "UPDATE boards SET city_id = '750000000', checked_at = '2026-09-18 07:00Z'"
        )
    capsys.readouterr()
    assert console.type_here("worklist", "list") == 0
    assert capsys.readouterr().out == (
        "1045\t710000000\tnever\tЧайник\n1045\t750000000\t2026-09-18 12:00\tЧайник\n"
    )
    assert console.type_here("worklist", "list", "--cities", "astana") == 0
    assert capsys.readouterr().out == "1045\t710000000\tnever\tЧайник\n"


def test_a_workbook_is_no_csv(
    worklist: Console, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "watched.xlsx"
    path.write_bytes(b"PK\x03\x04\x14\x00\xff\xfe\x00\x00")
    assert worklist.type_here("worklist", "import", str(path)) == 2
    assert "is no CSV in UTF-8" in capsys.readouterr().err


def test_a_file_is_put_on_it_and_its_wrong_lines_are_named(
    worklist: Console, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "watched.csv"
    path.write_text(
        "product;city\n"
        "102298404;750000000\n"
        "https://kaspi.kz/shop/p/-106185651/#!/item;Astana\n"
        "\n"
        "# those below are ours\n"
        "чайник;750000000\n"
        "107000001;Narnia\n"
        "108000001  # no city\n"
        "108000001\n",
        encoding="utf-8-sig",
    )
    assert worklist.type_here("worklist", "import", str(path)) == 1
    told = capsys.readouterr()
    assert told.out == "3 boards were put on the work list\n"
    first, second = told.err.splitlines()
    assert f"{path}, line 6: 'чайник' names no product" in first
    assert f"{path}, line 7: 'Narnia' names no city" in second
    assert held(database) == [
        ("102298404", "750000000"),
        ("106185651", "710000000"),
        ("108000001", "750000000"),
    ]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        pytest.param(["add"], "products: say which", id="add nothing"),
        pytest.param(["add", "kettle"], "'kettle' names no product", id="add what is none"),
        pytest.param(["add", "101", "--cities", "Narnia"], "'Narnia' names no city", id="nowhere"),
        pytest.param(["list", "101"], "list takes no '101'", id="list something"),
        pytest.param(["import"], "name one file", id="import nothing"),
        pytest.param(["import", "/no/such.csv"], "/no/such.csv", id="import what is not there"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    worklist: Console,
    database: str,
    words: list[str],
    complaint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert worklist.type_here("worklist", *words) == 2
    said = capsys.readouterr().err
    assert said.startswith("scrapy worklist: ")
    assert complaint in said
    assert held(database) == []
