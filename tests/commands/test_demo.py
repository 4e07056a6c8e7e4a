"""`scrapy demo`: the first thing a newcomer types, twice in a row."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from storage.embedded.place import place_at
from tests.commands.console import Console
from tests.storage.embedded_processes import demolish

CARDS = 10
#: The table's words for what the sandbox calls changed, left, arrived, returned.
ROWS = {
    "changed": "offers changed since the first crawl",
    "left": "sellers who left",
    "arrived": "sellers who were never met before",
    "returned": "sellers who returned",
}


@attrs.frozen
class Shown:
    """What one demo wrote on the terminal, and where its files are."""

    said: str
    logged: str
    exports: Path

    def figure(self, words: str) -> int:
        """The figure at the end of the table's row with these words."""
        found = re.search(rf"│ {re.escape(words)} +│ +([\d,]+) │", self.said)
        assert found, f"no row {words!r} in:\n{self.said}"
        return int(found[1].replace(",", ""))

    @property
    def moved(self) -> dict[str, int]:
        """What the sandbox said became of its boards."""
        told = re.search(r"rivals reprice \((.*)\)", self.said)
        assert told
        return {
            name: int(count.replace(",", ""))
            for count, name in (part.split() for part in re.split(r", (?=\d)", told[1]))
        }

    def latest(self, name: str) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = json.loads(
            (self.exports / "latest" / f"{name}.json").read_text(encoding="utf-8")
        )
        return rows


@pytest.fixture(scope="module")
def demos(directory: Path) -> Iterator[list[Shown]]:
    exports = directory / "demo-exports"
    console = Console({"DATA_DIR": str(directory / "demo"), "EXPORTS_DIR": str(exports)})
    shown = []
    for _ in range(2):
        done = console.run("demo", "--products", str(CARDS))
        assert done.returncode == 0, done.stdout + done.stderr
        shown.append(Shown(done.stdout, done.stderr, exports))
    yield shown
    demolish(place_at(directory / "demo"))


def test_the_demo_finds_the_whole_shop(demos: list[Shown]) -> None:
    first = demos[0]
    assert first.figure("products") == CARDS
    assert first.figure("boards (product × city)") == 2 * CARDS
    assert first.figure("offers that stand now") == len(first.latest("offers"))
    assert len(first.latest("products")) == CARDS


def test_the_demo_finds_every_change_that_the_rivals_made(demos: list[Shown]) -> None:
    first = demos[0]
    assert first.moved["changed"] > 0
    assert {name: first.figure(row) for name, row in ROWS.items()} == first.moved


def test_a_second_demo_remembers_the_first(demos: list[Shown]) -> None:
    """Sellers who arrive in its shop were met in the first one's: to the memory they return."""
    first, second = demos
    assert second.figure(ROWS["changed"]) > 0
    assert second.figure(ROWS["arrived"]) == 0
    assert second.figure(ROWS["returned"]) == second.moved["arrived"] + second.moved["returned"]
    assert second.figure("rows of offer history") > first.figure("rows of offer history")


def test_the_demo_shows_an_exit_that_is_banned_and_comes_back(demos: list[Shown]) -> None:
    banned, tried, back = (
        demos[0].logged.find(words)
        for words in ("rests for 2 s", "is tried again", "answers again")
    )
    assert 0 <= banned < tried < back


def test_the_demo_shows_decisions_with_their_sentences(demos: list[Shown]) -> None:
    said = demos[0].said
    counts = re.search(r"Our prices: (.*?)\n *[┏+]", said, re.DOTALL)
    assert counts
    decided = sum(map(int, re.findall(r"\d+", counts[1])))
    goods = re.search(r"with (\d+) goods", said)
    assert goods
    assert int(goods[1]) <= decided <= 2 * int(goods[1])
    assert re.search(r"SKU-\d+ │ (Set|Hold|Look|Do)", said)
    assert re.search("Поставить|Оставить|Проверьте|Ничего", said)
    assert "nothing is sent anywhere" in said


def test_the_demo_says_what_to_try_next(demos: list[Shown]) -> None:
    said = demos[0].said
    for words in ("database psql", "export history", "crawl products", "docs/database.md"):
        assert words in said
