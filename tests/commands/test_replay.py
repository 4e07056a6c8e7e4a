"""`scrapy replay`, typed as a person types it, over a real PostgreSQL."""

import asyncio
import csv
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from domain.identity import MerchantId
from domain.shop import RuleLine
from storage import rules
from storage.database import open_engine
from storage.patience import Patience
from storage.writer import BatchWriter
from tests.building import ASTANA, KETTLE, LAMP, board, card, offer, refresh
from tests.commands.console import ROOT, Console

#: Three hours of the kettle, as tests/repricer/test_replay.py reckons them by hand.
NO_FEES = '{"commission_bp": 0, "payment_bp": 0, "tax_bp": 0, "delivery_fee": 0}'
BY_HAND = (
    "--floor", "9000", "--ceiling", "12000", "--cost", "8000", "--rule", NO_FEES, "--lag", "0",
)  # fmt: skip
UNDERCUT = ("--merchant", "101", "--strategy", "undercut", *BY_HAND)
HOSTILE = 'Чайник <script>alert("x")</script> & "K"'


async def _fill(address: str) -> None:
    engine = open_engine(address)
    writer = BatchWriter(engine, Patience(linger=0.001))
    await writer.save(refresh(card=card(name=HOSTILE), boards=(), reviews=None))
    for minutes, us, rival in ((0, 10_000, 9_500), (60, 10_000, 9_800), (120, 9_400, 9_800)):
        await writer.save(board(offer("101", us), offer("201", rival), minutes=minutes))
    await writer.save(board(offer("101", 9_400), offer("201", 9_800), minutes=180))
    await writer.save(board(offer("101", 9_900), product=LAMP, city=ASTANA))
    await writer.save(board(offer("101", 9_900), product=LAMP, city=ASTANA, minutes=60))
    await writer.close()
    await engine.dispose()


@pytest.fixture
def console(database: str, tmp_path: Path) -> Console:
    """A console over the past of two boards of merchant 101."""
    asyncio.run(_fill(database))
    return Console({"DATABASE_URL": database, "DATA_DIR": str(tmp_path / "none")})


def row(told: str, name: str) -> list[str]:
    """The first line of a way in the table, cell by cell."""
    (line,) = [line for line in told.splitlines() if re.match(rf"│ {name} ", line)]
    return [cell.strip().replace("\N{NO-BREAK SPACE}", " ") for cell in line.split("│")[2:-1]]


def test_the_table_says_what_was_reckoned_by_hand(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console.type_here("replay", *UNDERCUT, "--products", KETTLE) == 0
    told = capsys.readouterr().out
    assert row(told, "real prices") == [
        "52 666 ₸", "-", "33.3 %", "1.6", "9 800 ₸", "8.0", "0", "0",
    ]  # fmt: skip
    assert row(told, "undercut") == [
        "84 950 ₸", "32 283 ₸", "100.0 %", "1.0", "9 699 ₸", "16.0", "0", "0",
    ]  # fmt: skip
    assert "Rivals do not answer" in told


def test_strategies_stand_side_by_side_over_all_boards(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console.type_here("replay", *UNDERCUT, "--strategy", "hold") == 0
    told = capsys.readouterr().out
    assert "2 listings" in told
    assert row(told, "undercut")
    assert row(told, "hold")[5] == "0.0"


def test_a_first_look_needs_no_more_than_shares_of_the_real_price(
    console: Console, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "rule.json"
    file.write_text('{"strategy": "profit", "zone": "city"}', encoding="utf-8")
    shares = ("--cost-bp", "6000", "--floor-bp", "9400", "--ceiling-bp", "11000")
    assert console.type_here("replay", "--merchant", "101", "--rule", str(file), *shares) == 0
    assert row(capsys.readouterr().out, "profit")[7] == "0"


def test_each_change_is_a_line_that_says_why(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "changes.csv"
    assert console.type_here("replay", *UNDERCUT, "--csv", str(file), "--city", "almaty") == 0
    lines = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert [(one["way"], one["moment"][11:], one["before"], one["price"]) for one in lines] == [
        ("undercut", "12:00:00+05:00", "10000", "9499"),
        ("undercut", "13:00:00+05:00", "9499", "9799"),
        ("real", "14:00:00+05:00", "10000", "9400"),
    ]
    first = lines[0]
    assert (first["product"], first["city"], first["cheapest_other"]) == (
        KETTLE, "750000000", "9500",
    )  # fmt: skip
    assert first["ru"].startswith("Поставить 9")
    assert first["en"].startswith("Set 9")


class _Elements(HTMLParser):
    """Collects elements and whatever they point at."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        for name, value in attrs:
            if name in {"src", "href", "xlink:href", "data", "action", "poster", "srcset"}:
                self.targets.append(value or "")


def test_the_page_needs_nothing_else_and_runs_nothing(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    assert console.type_here("replay", *UNDERCUT, "--html", str(file), "--charts", "1") == 0
    page = file.read_text(encoding="utf-8")
    read = _Elements()
    read.feed(page)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(read.names)
    assert all(target.startswith("#") for target in read.targets)
    assert not re.search(r"https?:|@import|url\((?!#)", page)
    assert "&lt;script&gt;alert" in page
    assert read.names.count("svg") == 3  # the sum, one board's prices, its profits
    assert "listings without a chart: 1" in page
    assert "Конкуренты не отвечают" in page


def test_the_same_past_makes_the_same_files(console: Console, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        files = [tmp_path / f"{name}.csv", tmp_path / f"{name}.html"]
        told = ("--csv", str(files[0]), "--html", str(files[1]))
        assert console.type_here("replay", *UNDERCUT, *told) == 0
        made.append([file.read_bytes() for file in files])
    assert made[0] == made[1]


RULED = ("--merchant", "101", "--strategy", "undercut")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param((), "merchant: say whose past", id="nobody's past"),
        pytest.param(
            ("--merchant", "999", "--floor", "1"), "no offer of 999 is remembered", id="a stranger"
        ),
        pytest.param(
            (*RULED, "--floor", "1", "--products", "123456789"),
            "no offer of 101 is remembered for what was named",
            id="a product without us",
        ),
        pytest.param(
            (*RULED, "--floor", "1", "--to", "2020-01-02"),
            "101 stood on none of its 2 boards in that time",
            id="too early",
        ),
        pytest.param(
            (*RULED, "--from", "1d", "--to", "2d"), "to: it is not after --from", id="back in time"
        ),
        pytest.param(
            (*RULED, "--from", "soon"), "from: 'soon' is no moment", id="a word for a moment"
        ),
        pytest.param(
            (*RULED, "--floor", "cheap"), 'rule.floor: "cheap" is not right', id="a word for money"
        ),
        pytest.param(
            ("--merchant", "101", "--strategy", "win"), 'rule.strategy: "win"', id="no strategy"
        ),
        pytest.param(
            ("--merchant", "101", "--rule", '{"flor": 1}'),
            "rule.flor: there is no such key; right: floor",
            id="a key that does not exist",
        ),
        pytest.param(
            ("--merchant", "101", "--rule", "{floor"), "rule: this is no object", id="no JSON"
        ),
        pytest.param(("--merchant", "101", "--rule", "[1]"), "[1]: No such file", id="no file"),
        pytest.param((*RULED, "--lag", "-1"), "lag: '-1' is no whole number", id="back in minutes"),
        pytest.param((*RULED, "--sisters", "1 2"), "sisters: ", id="no merchant"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(
    console: Console, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert console.type_here("replay", *words) == 2
    told = capsys.readouterr().err
    assert told.startswith("scrapy replay: ")
    assert said in told
    assert told.count("\n") == 1


def test_other_commands_do_not_wait_for_charts_or_the_engine() -> None:
    code = "import kaspi_crawler.commands.replay, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "kaspi_crawler.commands.replay" in loaded
    assert not {"matplotlib", "numpy", "psycopg", "rich", "repricer.replay"} & loaded


def test_the_rules_that_are_kept_can_be_replayed_beside_others(
    console: Console, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {"floor": 9000, "ceiling": 12000, "cost": 8000, "commission_bp": 0, "payment_bp": 0,
            "tax_bp": 0, "delivery_fee": 0}  # fmt: skip
    line = RuleLine(store=MerchantId("101"), sku="kettle", said=said, kaspi_id=KETTLE)
    rules.apply(database, [line], "rules.csv")
    assert console.type_here("replay", *UNDERCUT, "--products", KETTLE) == 0
    by_hand = row(capsys.readouterr().out, "undercut")
    assert console.type_here("replay", "--store", "101", "--lag", "0") == 0
    assert row(capsys.readouterr().out, "kept rule") == by_hand
    words = ("--store", "101", "--sku", "kettle", "--strategy", "undercut", "--lag", "0")
    assert console.type_here("replay", *words) == 0
    assert row(capsys.readouterr().out, "undercut") == by_hand


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        pytest.param(["--store", "101"], "no rule is kept for store 101", id="no rule"),
        pytest.param(["--store", "1", "--merchant", "1"], "by --merchant or by --store", id="both"),
        pytest.param(["--merchant", "1", "--sku", "a"], "of which --store", id="no store"),
    ],
)
def test_what_cannot_be_kept_is_said(
    console: Console, capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    assert console.type_here("replay", *words) == 2
    assert complaint in capsys.readouterr().err
