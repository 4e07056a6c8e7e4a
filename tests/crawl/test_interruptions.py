"""Nothing is lost: crawls that are stopped, killed, robbed of their database or of their disk."""

import contextlib
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from tests.crawl.conftest import Opener
from tests.crawl.crawling import Crawl, Line, Workplace, eventually, lines_of, listed
from tests.crawl.market import ALMATY, ASTANA, Market
from tests.crawl.outage import away
from tests.crawl.remembered import (
    assert_consistent,
    assert_remembers,
    boards_read_by,
    events,
    offers,
    rows,
    runs,
)

CITIES = (ALMATY, ASTANA)
#: Seconds between two questions: slow enough to be met in the middle.
SLOWLY = {"KASPI_DELAY": "0.01", "KASPI_PAGE_DELAY": "0.01"}


def told(market: Market) -> dict[str, str]:
    return {"products": listed(market.offers), "cities": ",".join(CITIES)}


def after_answers(market: Market, count: int) -> None:
    """Wait until the market has answered so many questions from now on."""
    before = market.asked()
    eventually(lambda: market.asked() >= before + count)


def assert_holds_the_market(database: str, market: Market) -> None:
    for product in market.offers:
        for city in CITIES:
            assert offers(database, product, city) == market.ledger(product, city)


# --- Asked to stop -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_crawl_that_is_asked_to_stop_stores_and_exports_what_it_read(
    workplace: Workplace, market: Market, number: int
) -> None:
    with workplace.started("offers", told(market), environment=SLOWLY) as crawl:
        after_answers(market, 25)
        ended = crawl.end(number)
    assert (ended.code, ended.reason) == (1, "shutdown")
    assert "Traceback" not in ended.said
    lines = workplace.lines("offers")
    assert 0 < len(lines) < len(CITIES) * len(market.offers)
    assert len(lines) == ended.figures["read and stored"]
    assert len(lines) == boards_read_by(workplace.database, "offers")
    assert_remembers(workplace.database, lines)
    (run,) = runs(workplace.database)
    assert run["close_reason"] == "shutdown"
    assert run["stored"] == events(workplace.database)
    assert workplace.partial_files() == []
    assert len(workplace.latest("offers")) == run["stored"]["offer_history/seen"]


def test_a_crawl_that_is_asked_to_stop_while_it_opens_has_an_end(
    workplace: Workplace, market: Market
) -> None:
    with workplace.started("offers", told(market), environment=SLOWLY) as crawl:
        eventually(lambda: runs(workplace.database))
        ended = crawl.end(signal.SIGINT)
    assert (ended.code, ended.reason) == (1, "shutdown")
    (run,) = runs(workplace.database)
    assert run["close_reason"] == "shutdown"
    assert workplace.partial_files() == []


# --- Killed --------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Killed:
    """Three crawls of one place that were killed, and one that was not."""

    place: Workplace
    exported: list[list[Line]]


@pytest.fixture(scope="module")
def killed(open_workplace: Opener, market: Market) -> Killed:
    place = open_workplace()
    slowly = {"KASPI_DELAY": "0.03", "KASPI_PAGE_DELAY": "0.03"}
    for moment in (at_some_moment, at_some_moment, once_a_line_is_written):
        with place.started("products", told(market), environment=slowly) as crawl:
            moment(place, market)
            assert crawl.end(signal.SIGKILL).code == -signal.SIGKILL
        # The server may still be at work on what the dead have sent.
        eventually(lambda: not others(place.database))
        assert_consistent(place.database)
    ended = place.crawl("products", told(market))
    assert (ended.code, ended.reason) == (0, "finished")
    exported = [lines_of(path) for path in place.files("products")]
    return Killed(place=place, exported=exported)


def at_some_moment(_place: Workplace, market: Market) -> None:
    after_answers(market, random.randint(20, 160))  # noqa: S311


def once_a_line_is_written(place: Workplace, market: Market) -> None:
    """Wait until the crawl has filled what it keeps in memory of its export, and goes on."""
    (place.exports / "products").mkdir(parents=True, exist_ok=True)
    eventually(lambda: any(path.stat().st_size for path in place.exports.rglob("*.jsonl.partial")))
    after_answers(market, 1)


def others(database: str) -> list[dict[str, object]]:
    return rows(
        database,
        "SELECT pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


def test_the_next_crawl_completes_what_was_killed(killed: Killed, market: Market) -> None:
    assert_holds_the_market(killed.place.database, market)
    assert_consistent(killed.place.database)


def test_what_was_read_again_is_not_remembered_twice(killed: Killed, market: Market) -> None:
    sellers = sum(sum(cities.values()) for cities in market.offers.values())
    assert events(killed.place.database) == {
        "offer_history/seen": sellers,
        "product_history/seen": len(market.offers),
    }


def test_a_killed_crawl_is_seen_as_one_without_an_end(killed: Killed) -> None:
    reasons = [run["close_reason"] for run in runs(killed.place.database)]
    assert reasons == [None, None, None, "finished"]


def test_interrupted_exports_are_finished_by_the_next_crawl(killed: Killed) -> None:
    names = [path.name for path in killed.place.files("products")]
    assert [name.endswith("-interrupted.jsonl") for name in names] == [True, True, True, False]
    assert killed.place.partial_files() == []


def test_every_line_of_an_interrupted_export_is_whole_and_stored(killed: Killed) -> None:
    """lines_of has read them already, and had stumbled over half a line."""
    assert any(killed.exported[:-1])
    for lines in killed.exported:
        for line in lines:
            assert line["kind"] == "product"
            assert_remembers(killed.place.database, line["boards"])


# --- Without a database for a while --------------------------------------------------------------


@attrs.frozen
class OwnServer:
    """The embedded PostgreSQL of one place, seen from outside."""

    place: Workplace

    @property
    def pid(self) -> int:
        """The server's process; 0 when there is none that is ready."""
        told = self._told("postgres/postmaster.pid")
        return int(told[0]) if len(told) > 7 and told[7].strip() == "ready" else 0

    @property
    def address(self) -> str:
        """Where it is asked, without becoming one of its users."""
        return f"postgresql://kaspi@/kaspi?host={self._told('postgres/postmaster.pid')[4]}"

    def end(self) -> None:
        """Tell its keeper to stop it, and wait until that is done."""
        with contextlib.suppress(ProcessLookupError, IndexError):
            os.kill(int(self._told("keeper.lock")[0]), signal.SIGTERM)
            eventually(lambda: not self.pid)

    def _told(self, name: str) -> list[str]:
        try:
            return (self.place.data / name).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []


@pytest.fixture
def own_server(market: Market) -> Iterator[OwnServer]:
    """A place with an embedded database, below a directory that the server's user may enter."""
    directory = Path(tempfile.mkdtemp(prefix="kaspi-crawl-"))
    directory.chmod(0o755)
    server = OwnServer(Workplace(kaspi_url=market.address, database="", directory=directory))
    yield server
    server.end()
    shutil.rmtree(directory, ignore_errors=True)


def test_a_crawl_outlives_its_database(own_server: OwnServer, market: Market) -> None:
    place = own_server.place
    lingering = {**SLOWLY, "KASPI_DATABASE_LINGER": "60"}
    with place.started("offers", told(market), environment=lingering) as crawl:
        after_answers(market, 30)
        first = own_server.pid
        os.kill(first, signal.SIGKILL)
        ended = crawl.end()
    assert (ended.code, ended.reason) == (0, "finished")
    assert own_server.pid not in (0, first)
    assert ended.sentences_about("Database is away", "readings wait")
    database = own_server.address
    assert_holds_the_market(database, market)
    assert_consistent(database)
    sellers = sum(sum(cities.values()) for cities in market.offers.values())
    assert events(database)["offer_history/seen"] == sellers
    assert [run["close_reason"] for run in runs(database)] == ["finished"]
    assert_remembers(database, place.lines("offers"))
    assert len(place.lines("offers")) == ended.figures["read and stored"]
    # One product is sold nowhere: the offers alone do not say that it exists.
    unsold = next(product for product, sold in market.offers.items() if not any(sold.values()))
    assert ended.figures["read and stored"] == 2 * (len(market.offers) - 1)
    assert len(ended.sentences_about(f"product {unsold}", "not stored")) == 2


def test_a_database_that_others_keep_is_waited_for(
    workplace: Workplace, market: Market, server: str
) -> None:
    with workplace.started("offers", told(market), environment=SLOWLY) as crawl:
        after_answers(market, 25)
        with away(workplace, server):
            time.sleep(3)
        ended = crawl.end()
    assert (ended.code, ended.reason) == (0, "finished")
    assert ended.sentences_about("Database is away", "readings wait")
    assert_holds_the_market(workplace.database, market)
    assert_remembers(workplace.database, workplace.lines("offers"))


def test_a_database_that_stays_away_ends_the_crawl(
    workplace: Workplace, market: Market, server: str
) -> None:
    impatient: dict[str, object] = {"STORE_PATIENCE": 1}
    with workplace.started("offers", told(market), settings=impatient, environment=SLOWLY) as crawl:
        after_answers(market, 25)
        with away(workplace, server):
            ended = crawl.end()
    assert (ended.code, ended.reason) == (1, "database_away")
    (complaint,) = ended.sentences_about("stayed away for 1 seconds")
    assert "scrapy doctor" in complaint
    assert "Traceback" not in ended.said
    assert_consistent(workplace.database)
    assert len(workplace.lines("offers")) == boards_read_by(workplace.database, "offers")
    assert [run["close_reason"] for run in runs(workplace.database)] == [None]


# --- Without a disk for exports ------------------------------------------------------------------


def test_when_the_disk_is_full_everything_is_stored_and_the_next_crawl_exports_again(
    workplace: Workplace, market: Market
) -> None:
    first = next(iter(market.offers))
    assert workplace.crawl("offers", {"products": first}).code == 0
    before = workplace.latest("offers")
    ended = workplace.crawl("offers", told(market), largest_file=400)
    assert ended.reason == "finished"
    assert_holds_the_market(workplace.database, market)
    (complaint,) = ended.sentences_about("Exports stop here")
    assert "File too large" in complaint
    assert "scrapy export offers" in complaint
    assert "Traceback" not in ended.said
    assert len(workplace.files("offers")) == 1, "half a file stands under a final name"
    assert workplace.latest("offers") == before

    ended = workplace.crawl("offers", {"products": first})
    assert ended.code == 0
    _, interrupted, _ = workplace.files("offers")
    assert interrupted.name.endswith("-interrupted.jsonl")
    lines = lines_of(interrupted)
    assert 0 < len(lines) < len(CITIES) * len(market.offers)
    assert len(workplace.latest("offers")) > len(before)
    assert workplace.partial_files() == []


def test_when_the_directory_of_exports_cannot_be_made_everything_is_stored(
    workplace: Workplace, market: Market
) -> None:
    (workplace.directory / "file").write_text("not a directory", encoding="utf-8")
    nowhere = str(workplace.directory / "file" / "exports")
    ended = workplace.crawl("offers", told(market), environment={"EXPORTS_DIR": nowhere})
    assert ended.reason == "finished"
    assert_holds_the_market(workplace.database, market)
    (complaint,) = ended.sentences_about("Exports stop here")
    assert nowhere in complaint
    assert "Traceback" not in ended.said


# --- Together ------------------------------------------------------------------------------------


def test_two_crawls_of_the_same_products_at_once_remember_everything_once(
    open_workplace: Opener, own_market: Market
) -> None:
    """The rivals move meanwhile, so that the two do not read the same."""
    place = open_workplace(own_market.address)
    with (
        place.started("products", told(own_market), environment=SLOWLY) as one,
        place.started("offers", told(own_market), environment=SLOWLY) as other,
    ):
        moving(own_market, one, other)
        ended = one.end(), other.end()
    assert [crawl.code for crawl in ended] == [0, 0], [crawl.said for crawl in ended]
    assert_consistent(place.database)
    # A board that came as a part of a refresh may have been overtaken before it was stored.
    assert_remembers(place.database, place.lines("offers"))
    assert events(place.database)["product_history/seen"] == len(own_market.offers)
    assert place.partial_files() == []


def moving(market: Market, *crawls: Crawl) -> None:
    """Let an hour pass now and then until one of the crawls has ended."""
    while all(crawl.process.poll() is None for crawl in crawls):
        market.advance(60)
        time.sleep(0.2)
