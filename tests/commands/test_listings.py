"""`scrapy listings`: our articles, and the cards that they are sold under."""

from pathlib import Path

import psycopg
import pytest

from tests.commands.console import Console
from tests.commands.test_rules import PRODUCT, STORE, Said, table

HEADER = ("Магазин", "Артикул", "Товар", "Название", "Цена", "Остаток", "Поступил")
ROWS = [
    (STORE, "KB-1", PRODUCT, "Чайник", "9 990 ₸", 7, "01.11.2026"),
    (STORE, "KB-2", "https://kaspi.kz/shop/p/x-102298405/?c=1", "", "", "", ""),
]


@pytest.fixture
def shop(database: str, tmp_path: Path) -> Console:
    """A console over an empty database."""
    return Console({"DATABASE_URL": database, "DATA_DIR": str(tmp_path)})


def test_listings_are_taken_watched_and_shown(
    shop: Console, database: str, tmp_path: Path, capsys: Said
) -> None:
    path = table(tmp_path / "listings.csv", HEADER, *ROWS)
    assert shop.type_here("listings", "import", path, "--cities", "almaty,astana") == 0
    assert capsys.readouterr().out.startswith("2 listings added, 0 changed, 0 as they were")
    with psycopg.connect(database) as connection:
        watched = connection.execute("SELECT kaspi_id, city_id FROM work_list").fetchall()
    assert sorted(watched) == [
        ("102298404", "710000000"), ("102298404", "750000000"),
        ("102298405", "710000000"), ("102298405", "750000000"),
    ]  # fmt: skip
    assert shop.type_here("listings", "list") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{STORE}\tKB-1\t{PRODUCT}\t9990\t7\t2026-11-01\tЧайник",
        f"{STORE}\tKB-2\t102298405\t\t\t\t",
    ]


def test_the_same_file_again_changes_nothing(shop: Console, tmp_path: Path, capsys: Said) -> None:
    path = table(tmp_path / "listings.csv", HEADER, *ROWS)
    assert shop.type_here("listings", "import", path) == 0
    assert shop.type_here("listings", "import", path, "--language", "ru") == 0
    assert "добавлено: 0, изменено: 0, без изменений: 2" in capsys.readouterr().out


def test_a_store_may_be_said_for_all_rows(shop: Console, tmp_path: Path, capsys: Said) -> None:
    path = table(tmp_path / "listings.csv", HEADER[1:], *(cells[1:] for cells in ROWS))
    assert shop.type_here("listings", "import", path) == 1
    assert "the column store is missing" in capsys.readouterr().err
    assert shop.type_here("listings", "import", path, "--store", STORE) == 0


MISTAKES = [
    ((STORE, "KB-3", "", "", "", "", ""), "row 4, column C (product): is empty"),
    ((STORE, "", PRODUCT, "", "", "", ""), "row 4, column B (sku): is empty"),
    ((STORE, "KB-3", PRODUCT, "", "9,5", "", ""), 'row 4, column E (price): "9,5" is not right'),
    ((STORE, "KB-3", PRODUCT, "", "", -1, ""), 'row 4, column F (stock): "-1" is not right'),
    (
        (STORE, "KB-3", PRODUCT, "", "", "", "31.02.2026"),
        'row 4, column G (stocked_on): "31.02.2026" is not right; right: a day',
    ),
    ((STORE, "KB-1", PRODUCT, "", "", "", ""), 'row 4, column B (sku): "KB-1" stands in row 2'),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one[1])
def test_a_mistake_is_named_and_nothing_is_taken(
    shop: Console,
    database: str,
    tmp_path: Path,
    capsys: Said,
    mistake: tuple[tuple[object, ...], str],
) -> None:
    cells, sentence = mistake
    path = table(tmp_path / "listings.csv", HEADER, *ROWS, cells)
    assert shop.type_here("listings", "import", path) == 1
    assert capsys.readouterr().err.startswith(sentence)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT FROM listings").fetchall() == []
    assert shop.type_here("listings", "import", path, "--partial") == 1
    # Of two rows for one article neither is taken.
    taken = "1 listing added" if "stands in" in sentence else "2 listings added"
    assert taken in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["import"], "name one file", id="no file"),
        pytest.param(["list", "all"], "list takes no 'all'", id="a word too many"),
        pytest.param(["import", "a.csv", "--cities", "Gotham"], "names no city", id="no city"),
    ],
)
def test_a_wrong_use_is_told(shop: Console, capsys: Said, words: list[str], said: str) -> None:
    assert shop.type_here("listings", *words) == 2
    assert said in capsys.readouterr().err
