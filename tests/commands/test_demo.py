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

#: Few enough to be quick, enough for a canary of 25 %.
CARDS = 16
#: The table's words for what the sandbox calls changed, left, arrived, returned.
ROWS = {
    "changed": "offers changed since the first crawl",
    "left": "sellers who left",
    "arrived": "sellers who were never met before",
    "returned": "sellers who returned",
}

#: The table's words for what stands in our memory and in the sandbox's book.
BOTH = (
    "articles pushed through the cabinet",
    "prices live by the cabinet",
    "prices live by the feed",
    "the same live price, one by one",
    "refused or not verified",
)
WIDTH = 80


@attrs.frozen
class Shown:
    """What one demo wrote on the terminal, and where its files are."""

    said: str
    exports: Path

    @property
    def flat(self) -> str:
        """All of it on one line, without the frames that run down between its parts."""
        return re.sub(r"\s+", " ", self.said)

    def numbers(self, pattern: str) -> list[int]:
        """The numbers that a sentence names."""
        found = re.search(pattern, self.flat)
        assert found, f"nothing like {pattern!r} in:\n{self.said}"
        return [int(number.replace(",", "")) for number in found.groups()]

    def both(self, words: str) -> tuple[int, int]:
        """What our memory and the sandbox's book say in the table's row with these words."""
        found = re.search(rf"│ {re.escape(words)} +│ +([\d,]+) │ +([\d,]+) │", self.said)
        assert found, f"no row {words!r} in:\n{self.said}"
        ours, theirs = (int(number.replace(",", "")) for number in found.groups())
        return ours, theirs

    def figure(self, words: str) -> int:
        """The figure at the end of the table's row with these words."""
        found = re.search(rf"│ {re.escape(words)} +│(?: +│)? +([\d,]+) │", self.said)
        assert found, f"no row {words!r} in:\n{self.said}"
        return int(found[1].replace(",", ""))

    @property
    def moved(self) -> dict[str, int]:
        """What the sandbox said became of its boards."""
        told = re.search(r"rivals reprice \((.*?)\)", self.flat)
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
    places = {"DATA_DIR": str(directory / "demo"), "EXPORTS_DIR": str(exports)}
    console = Console({**places, "COLUMNS": str(WIDTH)})
    shown = []
    for _ in range(2):
        done = console.run("demo", "--products", str(CARDS))
        assert done.returncode == 0, done.stdout + done.stderr
        shown.append(Shown(done.stdout, exports))
    yield shown
    demolish(place_at(directory / "demo"))


def test_the_demo_finds_the_whole_shop(demos: list[Shown]) -> None:
    first = demos[0]
    assert first.figure("products") == CARDS
    assert first.figure("boards (product × city)") == 2 * CARDS
    assert first.figure("offers that stand now") > CARDS
    assert len(first.latest("offers")) > CARDS
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
    refused, rested, tried, answered = demos[0].numbers(
        r"it refused us (\d+) times; by our memory it rested (\d+) times, was tried again (\d+) "
        r"times, and answered (\d+) questions"
    )
    assert refused >= rested > 0
    assert tried > 0
    assert answered > tried


def test_the_demo_shows_decisions_with_their_sentences(demos: list[Shown]) -> None:
    said = demos[0].flat
    counts = re.search(r"Our prices: (.*?) [┏+]", said)
    assert counts
    decided = sum(map(int, re.findall(r"\d+", counts[1])))
    [goods] = demos[0].numbers(r"; (\d+) goods stand on the boards")
    assert goods <= decided
    assert re.search(r"\d+_\d+ │ (Set|Hold|Look|Do)", said)
    assert re.search("Поставить|Оставить|Проверьте|Ничего", said)


def test_the_demo_lets_prices_out_by_both_ways_and_reads_them_back(demos: list[Shown]) -> None:
    """What we remember is what the marketplace wrote into its own book."""
    for shown in demos:
        [waiting] = shown.numbers(r"(\d+) prices wait, nothing has left")
        [accepted] = shown.numbers(r": (\d+) prices accepted in \d+ pushes")
        both = {words: shown.both(words) for words in BOTH}
        assert all(ours == theirs for ours, theirs in both.values()), both
        pushed, by_cabinet, by_feed, live, _ = (both[words][0] for words in BOTH)
        assert 0 < pushed <= by_cabinet == accepted
        assert by_feed > 0
        assert by_cabinet + by_feed == live <= waiting
        assert shown.figure("points dropped, sold-out goods reopened") == 0
        assert "from accepted to seen: half of them " in shown.flat


def test_the_demo_says_when_the_feed_was_taken(demos: list[Shown]) -> None:
    """Each time anew, though a second demo in the same shop comes to the same feed."""
    moments = []
    for shown in demos:
        [version] = shown.numbers(r"carries all of them: version (\d+) with \d+ offers")
        assert version >= 1
        taken = re.search(r"took it at (\S+), by our log .* its own book says: taken", shown.flat)
        assert taken
        moments.append(taken[1])
    assert moments[0] != moments[1]


def test_the_demo_shows_what_the_market_answers(demos: list[Shown]) -> None:
    assert re.search(r"nobody asks less than we │ +\d+ │ +\d+ │ +\d+ │", demos[0].said)
    assert re.search(r"Since our prices were live: [\d,]+ changed", demos[0].flat)
    assert "Our next prices: " in demos[0].flat


def test_the_demo_tells_one_price_from_beginning_to_end(demos: list[Shown]) -> None:
    story = demos[0].flat.partition("5. One price")[2]
    assert re.search(
        r"Decided by the board of .* Outbox: .* → sent .* → accepted .*\(receipt \w+\) → applied: ",
        story,
    )


def test_no_line_is_wider_than_the_terminal(demos: list[Shown]) -> None:
    wide = [line for line in demos[0].said.splitlines() if len(line) > WIDTH]
    assert [line for line in wide if str(demos[0].exports.parent) not in line] == []


def test_the_demo_says_what_to_try_next(demos: list[Shown]) -> None:
    said = demos[0].said
    for words in ("database psql", "export history", "publish status", "docs/publishing.md"):
        assert words in said
