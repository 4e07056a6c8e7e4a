"""`scrapy why`: the story of a price, told from what is remembered."""

from collections.abc import AsyncIterator

import pytest

from storage.writer import BatchWriter
from tests.building import board, card, offer, refresh
from tests.commands.console import Console
from tests.pipelines.leading import OURS, Pipeline, have, leading, line

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
async def pipeline(database: str, writer: BatchWriter) -> AsyncIterator[Pipeline]:
    """A kettle of ours that costs 6,000, and one rival who went from 9,500 to 9,300 to 4,000."""
    async with leading(database, writer) as pipeline:
        have(database, line(floor=9_000, ceiling=12_000, cost=6_000))
        for minutes, rival in enumerate((9_500, 9_300, 4_000)):
            offers = (offer(OURS, 9_990), offer("1", rival), offer("2", 10))
            await pipeline.read(refresh(board(*offers, minutes=minutes), card=card(minutes)))
        yield pipeline


@pytest.fixture
def told(console: Console, pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> "Telling":
    """Types `scrapy why` and hears what it says."""
    return Telling(console.having(DATABASE_URL=pipeline.database), capsys)


class Telling:
    """The command and its two outputs."""

    def __init__(self, console: Console, capsys: pytest.CaptureFixture[str]) -> None:
        self._console, self._capsys = console, capsys
        self.code: object = None
        self.complaint = ""

    def __call__(self, *words: str) -> str:
        self.code = self._console.type_here("why", *words)
        said = self._capsys.readouterr()
        self.complaint = said.err
        return said.out.replace(NBSP, " ")


def test_the_whole_story_is_told(told: Telling) -> None:
    said = told(OURS, "kettle")
    assert told.code == 0
    for part in (
        "store 700, article kettle: Чайник Tulpar T-200 белый (product 104500100)",
        "City 750000000",
        "Decided by the board of 2026-09-18 12:02:00",
        "Hold 9 990 ₸",
        "allowed prices: 9 000 ₸–9 999 ₸",
        "rule: cost 6000, floor 9000, ceiling 12000 (rules.csv, since",
        "a sale at: 9 990 ₸: commission 1 248.75, Kaspi Pay 94.90, tax 399.60, delivery ",
        "Not rivals: Лавка 700 9 990 ₸: ourselves; Лавка 2 10 ₸: an absurd price",
        "Outbox: ",
        "9 299 ₸ → withdrawn: decided otherwise, or the rule changed (",
        "9 499 ₸ → superseded by a newer decision (",
        "Before that: 2026-09-18 12:01:00 Set 9 299 ₸ instead of 9 990 ₸: under Лавка 1",
    ):
        assert part in said, part


def test_it_is_told_as_it_was_at_any_moment(told: Telling) -> None:
    said = told(OURS, "kettle", "--at", "2026-09-18T12:01:30")
    assert "Decided by the board of 2026-09-18 12:01:00" in said
    assert "Set 9 299 ₸ instead of 9 990 ₸" in said
    before = told(OURS, "kettle", "--at", "2026-09-18T11:00")
    assert "No rule held then" in before


def test_it_is_told_in_russian(told: Telling) -> None:
    said = told(OURS, "kettle", "--language", "ru")
    assert "допустимые цены: 9 000 ₸–9 999 ₸" in said
    assert "ограничено: минимум" in said
    assert "правило: Закупка 6000, Минимум 9000, Максимум 12000 (rules.csv, с " in said
    assert "До этого: 2026-09-18 12:01:00 Поставить 9 299 ₸ вместо 9 990 ₸: ниже Лавка 1" in said


def test_without_an_article_each_price_has_a_line(told: Telling) -> None:
    [line] = told(OURS).splitlines()
    sku, city, moment, action, sentence = line.split("\t")
    assert (sku, city, moment, action) == ("kettle", "750000000", "2026-09-18 12:02:00", "hold")
    assert sentence.startswith("Hold 9 990 ₸")
    assert told(OURS, "--action", "set") == ""
    assert told.code == 1


@pytest.mark.parametrize(
    ("words", "complaint", "code"),
    [
        pytest.param(["700", "lamp"], "store 700 has no article 'lamp'", 1, id="unknown article"),
        pytest.param(["7"], "store 7 has no articles here", 1, id="unknown store"),
        pytest.param(["700", "--action", "review"], "ask without --city", 1, id="other decisions"),
        pytest.param([], "name a store", 2, id="no store"),
        pytest.param(["700", "kettle", "--at", "soon"], "is no moment", 2, id="no moment"),
        pytest.param(
            ["700", "lamp", "--language", "ru"],
            "в магазине 700 нет артикула 'lamp'",
            1,
            id="an unknown article, in Russian",
        ),
        pytest.param(
            ["700", "kettle", "--at", "soon", "--language", "ru"],
            "at: 'soon' — не момент",
            2,
            id="no moment, in Russian",
        ),
    ],
)
def test_what_cannot_be_told_is_said(
    told: Telling, words: list[str], complaint: str, code: int
) -> None:
    assert told(*words) == ""
    assert complaint in told.complaint
    assert told.code == code


def test_before_its_boards_are_read_a_store_is_told_to_read_them(
    console: Console, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    have(database, line(floor=9_000, ceiling=12_000, cost=6_000))
    assert console.having(DATABASE_URL=database).type_here("why", OURS) == 1
    assert "run `scrapy crawl offers`" in capsys.readouterr().err
