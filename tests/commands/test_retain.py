"""`scrapy database retain`: old months become days, and boards stay as they stood."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from storage.partitions import following, month_of, partition_name
from storage.retention import kept_from
from tests.commands.console import Console

NOW = datetime.now(UTC)
#: The start of what `--months 1` keeps, and a month before it.
KEPT = kept_from(NOW, 1)
OLD = month_of(KEPT - timedelta(days=1))


@pytest.fixture
def old_history(lone_offer: str) -> str:
    """A database whose one offer changed twice on one old day, and once lately."""
    with psycopg.connect(lone_offer) as connection:
        for month in (OLD, KEPT):
            connection.execute(
                f"CREATE TABLE {partition_name(month)} PARTITION OF offer_history"
                f" FOR VALUES FROM ('{month}') TO ('{following(month)}')".encode()
            )
        for moment, event, price in (
            (OLD + timedelta(days=3), "seen", 100),
            (OLD + timedelta(days=3, hours=1), "changed", 110),
            (KEPT + timedelta(days=3), "changed", 120),
        ):
            connection.execute(
                "INSERT INTO offer_history (offer_id, product_id, event, seller, price, created_at)"
                " SELECT id, product_id, %s, seller, %s, %s FROM offers",
                [event, price, moment],
            )
    return lone_offer


def board(address: str, moment: datetime) -> list[int]:
    with psycopg.connect(address) as connection:
        found = connection.execute("SELECT price FROM board_at('1045', '75', %s)", [moment])
        return [price for (price,) in found]


@pytest.mark.parametrize("words", [["--months", "1"], ["--months=1"]])
def test_old_months_become_days_and_later_boards_stay(
    console: Console, capsys: pytest.CaptureFixture[str], old_history: str, words: list[str]
) -> None:
    moments = [KEPT, KEPT + timedelta(days=2), KEPT + timedelta(days=4)]
    assert [board(old_history, moment) for moment in moments] == [[110], [110], [120]]
    assert console.having(DATABASE_URL=old_history).type_here("database", "retain", *words) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"rolled up {OLD:%Y-%m}: 2 changes are 1 rows of days now",
        "carried on 1 offers that stood",
        f"offer_history is kept in full from {KEPT:%Y-%m-%d} (UTC)",
    ]
    assert [board(old_history, moment) for moment in moments] == [[110], [110], [120]]
    with psycopg.connect(old_history) as connection:
        days = "SELECT min_price, max_price, last_price, changes FROM offer_history_daily"
        assert connection.execute(days).fetchall() == [(100, 110, 110, 2)]


def test_when_nothing_is_old_nothing_is_forgotten(
    console: Console, capsys: pytest.CaptureFixture[str], old_history: str
) -> None:
    keeping = console.having(DATABASE_URL=old_history)
    assert keeping.type_here("database", "retain", "--months", "2") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert board(old_history, OLD + timedelta(days=4)) == [110]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param([], "say how many months", id="no number"),
        pytest.param(["6"], "say how many months", id="a number without its name"),
        pytest.param(["--months", "0"], "'0' is not 1 to 999", id="none at all"),
        pytest.param(["--months", "-1"], "'-1' is not 1 to 999", id="the future"),
        pytest.param(["--months", "six"], "'six' is not 1 to 999", id="a word"),
        pytest.param(["--months", "1000"], "'1000' is not 1 to 999", id="for ever"),
        pytest.param(["--months", "6", "--force"], "say how many months", id="one word too many"),
    ],
)
def test_without_a_number_of_months_nothing_is_forgotten(
    console: Console,
    capsys: pytest.CaptureFixture[str],
    old_history: str,
    words: list[str],
    said: str,
) -> None:
    assert console.having(DATABASE_URL=old_history).type_here("database", "retain", *words) == 2
    complained = capsys.readouterr().err
    assert said in complained
    assert complained.endswith("A right one: scrapy database retain --months 6\n")
    assert board(old_history, OLD + timedelta(days=4)) == [110]
