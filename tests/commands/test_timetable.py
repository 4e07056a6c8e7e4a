"""`scrapy timetable`: what a person sees of it and tells it."""

from datetime import UTC, datetime, timedelta

import pytest

from storage import timetable
from tests.building import START
from tests.commands.console import Console


@pytest.fixture
def at_the_table(console: Console, database: str) -> Console:
    """A console over an empty database."""
    return console.having(DATABASE_URL=database)


def lines(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    return [line.split("\t") for line in capsys.readouterr().out.splitlines()]


def test_the_entries_are_listed_with_what_became_of_the_last(
    at_the_table: Console, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    timetable.add_tick(database, "offers", START, outcome="finished")
    timetable.add_tick(database, "reviews", START + timedelta(hours=1))
    timetable.pause(database, "products")
    assert at_the_table.type_here("timetable", "list") == 0
    offers, products, reviews = lines(capsys)
    assert offers[:3] + offers[4:] == [
        "offers", "offers", "*/15 * * * *", "2026-09-18 12:00", "finished", "",
    ]  # fmt: skip
    next_due = datetime.fromisoformat(f"{offers[3]}:00+05:00")
    assert timedelta(0) < next_due - datetime.now(UTC) <= timedelta(minutes=15)
    assert products == ["products", "products", "30 1 * * *", "paused", "never", "", ""]
    assert reviews[4:6] == ["2026-09-18 13:00", "waits"]


def test_the_history_is_told_newest_first(
    at_the_table: Console, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    timetable.add_tick(database, "offers", START, outcome="missed", note="the timetable was away")
    timetable.add_tick(database, "reviews", START + timedelta(hours=1), by_hand=True)
    timetable.add_tick(database, "offers", START + timedelta(hours=2), outcome="finished")
    assert at_the_table.type_here("timetable", "history", "offers") == 0
    assert lines(capsys) == [
        ["2026-09-18 14:00", "offers", "finished", "", "offers-20260918T090000Z-1", "clock", ""],
        [
            "2026-09-18 12:00", "offers", "missed", "", "offers-20260918T070000Z-1", "clock",
            "the timetable was away",
        ],
    ]  # fmt: skip
    assert at_the_table.type_here("timetable", "history", "--last", "2") == 0
    assert [line[1] for line in lines(capsys)] == ["offers", "reviews"]


def test_a_person_asks_for_a_run(
    at_the_table: Console, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert at_the_table.type_here("timetable", "run-now", "reviews") == 0
    (tick,) = timetable.open_ticks(database)
    assert (tick.entry, tick.by_hand) == ("reviews", True)
    assert capsys.readouterr().out == (
        f"{tick.job_id} waits: nobody carries the timetable out. `scrapy timetable run` does\n"
    )


def test_an_entry_rests_and_wakes(
    at_the_table: Console, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert at_the_table.type_here("timetable", "pause", "offers") == 0
    assert timetable.entry(database, "offers").paused
    assert at_the_table.type_here("timetable", "resume", "offers") == 0
    assert not timetable.entry(database, "offers").paused
    said = capsys.readouterr().out
    assert said.startswith("offers rests; ")
    assert "\noffers goes on; it is due at " in said


def test_an_entry_is_added_and_forgotten(
    at_the_table: Console, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("timetable", "add", "price_feed", "5-59/15 * * * *", "stores=30000001")
    assert at_the_table.type_here(*words) == 0
    assert capsys.readouterr().out.startswith("price_feed is due first at ")
    added = timetable.entry(database, "price_feed")
    assert (added.spider, added.arguments) == ("price_feed", {"stores": "30000001"})
    assert added.lateness == timedelta(minutes=15)
    assert at_the_table.type_here(*words) == 2
    assert "has 'price_feed' already" in capsys.readouterr().err
    assert at_the_table.type_here("timetable", "remove", "price_feed") == 0
    assert "price_feed" not in {entry.name for entry in timetable.entries(database)}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        pytest.param(["add", "nights"], "say its name and when it is due", id="add without when"),
        pytest.param(["add", "Nights", "0 1 * * *"], "small letters, digits", id="a large letter"),
        pytest.param(["add", "offers", "hourly"], "'hourly' is no schedule", id="no schedule"),
        pytest.param(["add", "nights", "0 1 * * *"], "no spider 'nights'", id="no such spider"),
        pytest.param(["add", "offers", "0 1 * * *", "x"], "'x' is no argument", id="no argument"),
        pytest.param(["add", "offers", "0 1 * * *", "x=1"], "no such argument", id="unknown one"),
        pytest.param(["remove", "nights"], "no 'nights'", id="remove an unknown one"),
        pytest.param([], "say what to do: scrapy timetable run|list|", id="nothing"),
        pytest.param(["stop"], "say what to do", id="another verb"),
        pytest.param(["pause"], "pause: name one entry. A right one:", id="pause nothing"),
        pytest.param(["run-now", "offers", "reviews"], "run-now: name one entry", id="two"),
        pytest.param(["pause", "nights"], "no 'nights': there are offers, prod", id="unknown"),
        pytest.param(["run-now", "nights"], "no 'nights'", id="run-now of an unknown one"),
        pytest.param(["history", "nights"], "no 'nights'", id="history of an unknown one"),
        pytest.param(["list", "offers"], "list takes no 'offers'", id="list of one"),
        pytest.param(["run", "offers"], "run takes no 'offers'", id="run of one"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    at_the_table: Console, words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert at_the_table.type_here("timetable", *words) == 2
    assert complaint in "".join(capsys.readouterr())
