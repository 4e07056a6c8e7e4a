"""Tables of rules: a whole import against reading the workbook alone, and against bare COPY.

The same rows, each with 18 cells of every kind, lie in a workbook and in CSV. Ours reads, checks
and applies them through PostgreSQL, all in one transaction. Theirs is openpyxl, read-only, which
reads the same workbook and does nothing with it; and COPY of the same lines, which were read
before, into a table of the same shape and keys.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import psycopg
from openpyxl import load_workbook

from benchmarks.measure import Line, in_turns
from benchmarks.place import Databases, empty
from domain.identity import MerchantId, ProductId
from domain.shop import RuleLine
from kaspi_crawler.rules.columns import RULES
from kaspi_crawler.rules.importing import look
from kaspi_crawler.rules.records import records
from kaspi_crawler.rules.writing import WRITERS
from kaspi_crawler.said import Language
from storage import rules
from storage.files import encode
from storage.schema import libpq_address

#: Seconds that issue 4 gives to 50,000 rows.
GOAL_SECONDS, GOAL_ROWS = 10, 50_000
_STORE = MerchantId("30000001")
_BARE = "CREATE TABLE bare_lines (LIKE rule_lines INCLUDING ALL)"
_COPY = "COPY bare_lines (store_id, sku, city_id, said, change) FROM STDIN"


def of_rules(databases: Databases, directory: Path, rows: int, repeats: int) -> list[Line]:
    """Imports of a workbook and of CSV, each against what it cannot be faster than."""
    lines = list(_lines(rows))
    paths = {form: _written(directory / f"rules.{form}", form, lines) for form in ("xlsx", "csv")}
    with databases.fresh() as database:
        prepare_bare(database)

        def imported(form: str) -> float:
            empty(database)
            return _rate(rows, lambda: _import(database, paths[form]))

        figures = in_turns(
            {
                "xlsx": lambda: imported("xlsx"),
                "openpyxl": lambda: _rate(rows, lambda: _read(paths["xlsx"])),
                "csv": lambda: imported("csv"),
                "COPY": lambda: _rate(rows, lambda: _copy(database, lines)),
            },
            repeats,
        )
        again = _rate(rows, lambda: _import(database, paths["csv"]))
    return [
        _line("workbook, first import", figures["xlsx"], figures["openpyxl"], "openpyxl's reading"),
        _line("CSV, first import", figures["csv"], figures["COPY"], "bare COPY"),
        _line("CSV again, nothing new", [again], [figures["COPY"][-1]], "bare COPY"),
    ]


def _line(name: str, ours: Sequence[float], theirs: Sequence[float], whose: str) -> Line:
    seconds = GOAL_ROWS / sorted(ours)[len(ours) // 2]
    return Line.of_rates(
        f"rules imported (goal: {GOAL_ROWS:,} rows in {GOAL_SECONDS} s)",
        name,
        ours,
        theirs,
        unit="rows/s",
        remark=f"{GOAL_ROWS:,} rows in {seconds:.1f} s, "
        f"{'reached' if seconds <= GOAL_SECONDS else 'missed'}; theirs is {whose}",
    )


def _rate(rows: int, work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return rows / (time.perf_counter() - began)


def prepare_bare(database: str) -> None:
    """Make the table that bare COPY fills."""
    with psycopg.connect(libpq_address(database)) as connection:
        connection.execute(_BARE)


def _import(database: str, path: Path) -> None:
    proposal = look(path, None, lambda: database, partial=False)
    assert proposal.looked.right
    rules.apply(database, proposal.outcome.lines, path.name, seen=proposal.seen)


def _read(path: Path) -> None:
    book = load_workbook(path, read_only=True, data_only=True)
    for sheet in book.worksheets:
        for _ in sheet.iter_rows(values_only=True):
            pass
    book.close()


def _copy(database: str, lines: Sequence[RuleLine]) -> None:
    with psycopg.connect(libpq_address(database)) as connection:
        connection.execute("TRUNCATE bare_lines")
        with connection.cursor().copy(_COPY) as copy:
            for line in lines:
                copy.write_row((line.store, line.sku, "", encode(line.said).decode(), 1))


def _written(path: Path, form: str, lines: Sequence[RuleLine]) -> Path:
    with path.open("wb") as file:
        rows = records(lines, [], {}, Language.RUSSIAN)
        WRITERS[form](file, RULES.columns, rows, Language.RUSSIAN)
    return path


def _lines(count: int) -> Iterator[RuleLine]:
    for number in range(count):
        said = {
            "on": True,
            "cost": 5_000 + number,
            "floor": 6_500 + number,
            "ceiling": 15_000 + 2 * number,
            "margin_bp": 500 + number % 500,
            "strategy": "undercut",
            "step": 1 + number % 7,
            "packaging": 150,
            "category": "Автотовары / Шины",
            "weight_kg": Decimal("0.5"),
            "zone": "city",
            "when_alone": "hold",
            "ignore": ["11271005", "11271006"],
            "windows": [{"from": "22:00", "to": "07:00", "do": "hold"}],
            "min_rating": Decimal("4.5"),
        }
        product = ProductId(str(100_000_000 + number))
        yield RuleLine(store=_STORE, sku=f"KB-{number}", said=said, kaspi_id=product)
