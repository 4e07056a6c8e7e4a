"""What is exported: which rows, which values of them, in how much memory."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonlines
import msgspec
import psycopg
import pytest

from storage.exports import STATEMENTS, Selection, export, selected, write_latest
from storage.files import write_json
from storage.writer import BatchWriter
from tests.building import (
    ALMATY,
    ASTANA,
    KETTLE,
    LAMP,
    at,
    board,
    card,
    incomplete,
    missing,
    offer,
    refresh,
)
from tests.pipelines.leading import OURS, leading

ROOT = Path(__file__).parent.parent.parent


def told(database: str, what: str, **selection: Any) -> list[dict[str, Any]]:
    with selected(database, what, Selection(**selection)) as (columns, rows):
        found = [dict(row) for row in rows]
    assert all(tuple(row) == columns for row in found)
    return found


@pytest.fixture
async def market(writer: BatchWriter) -> None:
    """The kettle in two cities and the lamp in one; in Almaty one seller changes, one leaves."""
    await writer.save(
        refresh(
            board(offer("1", 100), offer("2", 200), offer("3", 300)),
            board(offer("1", 110), city=ASTANA),
        )
    )
    lamp = card(1, LAMP, name="Лампа")
    await writer.save(refresh(board(offer("9", 900), product=LAMP, minutes=1), card=lamp))
    await writer.save(board(offer("1", 90), offer("2", 200), minutes=10))


pytestmark = pytest.mark.usefixtures("market")


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        pytest.param({}, [90, 200, 110, 900], id="all that stand, by board and price"),
        pytest.param({"products": (LAMP,)}, [900], id="one product"),
        pytest.param({"products": ()}, [], id="no product"),
        pytest.param({"cities": (ASTANA,)}, [110], id="one city"),
        pytest.param({"products": (LAMP,), "cities": (ASTANA,)}, [], id="a city without it"),
        pytest.param({"since": at(10)}, [90, 300], id="who changed or left since"),
        pytest.param({"since": at(11)}, [], id="nobody since"),
    ],
)
def test_offers(database: str, selection: dict[str, Any], wanted: list[int]) -> None:
    found = sorted(
        told(database, "offers", **selection),
        key=lambda one: (one["kaspi_id"], one["city_id"] != ALMATY, one["price"]),
    )
    assert [one["price"] for one in found] == wanted


def test_an_offer_that_stands_was_last_seen_at_the_last_complete_reading(database: str) -> None:
    found = {one["price"]: one for one in told(database, "offers", cities=(ALMATY,), since=at(0))}
    assert found[200]["last_seen_at"] == at(10)
    assert (found[300]["last_seen_at"], found[300]["gone_at"]) == (at(0), at(10))


async def test_an_incomplete_reading_does_not_say_who_was_seen(
    writer: BatchWriter, database: str
) -> None:
    await writer.save(incomplete(offer("1", 90), total=2, minutes=20))
    found = {one["price"]: one for one in told(database, "offers", products=(KETTLE,))}
    assert found[200]["last_seen_at"] == at(10)


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        pytest.param({}, [(KETTLE, 90), (LAMP, 900)], id="all"),
        pytest.param({"products": (KETTLE,)}, [(KETTLE, 90)], id="one product"),
        pytest.param({"cities": (ALMATY,)}, [(KETTLE, 90), (LAMP, 900)], id="their home city"),
        pytest.param({"cities": (ASTANA,)}, [], id="a city that is nobody's home"),
        pytest.param({"since": at(10)}, [(KETTLE, 90)], id="which changed since"),
    ],
)
def test_products(database: str, selection: dict[str, Any], wanted: list[tuple[str, int]]) -> None:
    found = told(database, "products", **selection)
    assert [(one["kaspi_id"], one["min_price"]) for one in found] == wanted


async def test_a_product_that_is_gone_is_told_with_its_end(
    writer: BatchWriter, database: str
) -> None:
    await writer.save(missing(30, LAMP))
    assert [one["gone_at"] for one in told(database, "products", since=at(30))] == [at(30)]


def test_history_is_told_in_the_order_of_events(database: str) -> None:
    found = told(database, "history", products=(KETTLE,), cities=(ALMATY,))
    assert {(one["created_at"], one["merchant_id"], one["event"]) for one in found[-2:]} == {
        (at(10), "1", "changed"),
        (at(10), "3", "gone"),
    }
    assert [one["created_at"] for one in found] == [at(0)] * 3 + [at(10)] * 2
    assert len(told(database, "history", since=at(10))) == 2


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        pytest.param(None, [90, 200], id="now"),
        pytest.param(at(10), [90, 200], id="at the last reading"),
        pytest.param(at(9), [100, 200, 300], id="before it"),
        pytest.param(at(-1), [], id="before the first"),
    ],
)
def test_boards_of_any_moment(database: str, moment: datetime | None, wanted: list[int]) -> None:
    found = told(database, "board", products=(KETTLE,), cities=(ALMATY,), at=moment)
    assert [one["price"] for one in found] == wanted


async def test_decisions_are_the_last_ones_or_all_since_a_moment(
    database: str, writer: BatchWriter
) -> None:
    async with leading(database, writer) as pipeline:
        for minutes, rival in ((20, 9_500), (30, 9_400)):
            await pipeline.read(board(offer(OURS, 9_999), offer("1", rival), minutes=minutes))
    [last] = told(database, "decisions")
    assert (last["sku"], last["price"], last["rival_name"]) == ("kettle", 9_399, "Лавка 1")
    assert (last["board_at"], last["intention"]) == (at(30), "pending")
    both = told(database, "decisions", since=at(0))
    assert [row["intention"] for row in both] == ["superseded", "pending"]
    assert told(database, "decisions", since=at(31)) == []


@pytest.mark.parametrize("what", STATEMENTS.keys() - {"decisions"})
def test_the_number_of_rows_is_told(database: str, tmp_path: Path, what: str) -> None:
    path = tmp_path / f"{what}.jsonl"
    count = export(database, what, "jsonl", path, Selection())
    with jsonlines.open(path) as lines:
        assert len(list(lines)) == count > 0


def test_latest_is_two_arrays_of_what_is_held_now(database: str, tmp_path: Path) -> None:
    (tmp_path / "products.json").write_text("older")
    write_latest(database, tmp_path)
    products = msgspec.json.decode((tmp_path / "products.json").read_bytes())
    offers = msgspec.json.decode((tmp_path / "offers.json").read_bytes())
    assert {one["kaspi_id"] for one in products} == {KETTLE, LAMP}
    assert sorted(one["price"] for one in offers) == [90, 110, 200, 900]
    assert {path.name for path in tmp_path.iterdir()} == {"products.json", "offers.json"}


def test_both_arrays_tell_of_one_moment(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disturbed(*arguments: Any) -> None:
        """Write, then let another crawl store something."""
        write_json(*arguments)
        with psycopg.connect(database) as connection:
            connection.execute("UPDATE offers SET price = 1")

    monkeypatch.setattr("storage.exports.write_json", disturbed)
    write_latest(database, tmp_path)
    offers = msgspec.json.decode((tmp_path / "offers.json").read_bytes())
    assert sorted(one["price"] for one in offers) == [90, 110, 200, 900]


LONG_HISTORY = """
INSERT INTO offer_history (offer_id, product_id, event, seller, price, created_at)
SELECT offers.id, product_id, 'changed', seller, number, '2026-09-18 08:00Z'::timestamptz
    + number * interval '1 second'
FROM offers, generate_series(1, 60000) AS number
WHERE city_id = '750000000'
"""
MEASURED = """
import resource, sys
from pathlib import Path
from storage.exports import Selection, export
count = export(sys.argv[1], "history", "jsonl", Path(sys.argv[2]), Selection())
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def measured(database: str, path: Path) -> tuple[int, int]:
    """Rows and the most memory that their export took, in MB (Linux counts in KB)."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, database, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    count, peak = map(int, done.stdout.split())
    return count, peak // 1024


def test_a_long_history_is_exported_in_constant_memory(database: str, tmp_path: Path) -> None:
    few, little = measured(database, tmp_path / "short.jsonl")
    with psycopg.connect(database) as connection:
        connection.execute(LONG_HISTORY)
    many, much = measured(database, tmp_path / "long.jsonl")
    assert (few, many) == (7, 240_007)
    assert much < little + 15
