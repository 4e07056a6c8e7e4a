"""Versions of a feed: whole or not at all, kept with their changes, and never a great loss."""

import gzip
import hashlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import attrs
import pytest

from domain.feed_succession import EVERYWHERE, Fate, OwnOffer
from domain.money import Tenge
from domain.price_feed import FeedOffer
from kaspi_crawler.feed.versions import FeedRefused, Shelf
from partners.kaspi import price_feed
from tests.feed.building import NOON, STORE, listing, writer


def served(directory: Path) -> list[FeedOffer]:
    with Shelf(directory, STORE).served.open("rb") as file:
        return list(price_feed.read(file)[1])


def test_a_version_is_served_and_kept(tmp_path: Path) -> None:
    written = writer(tmp_path).write([listing(1), listing(2)])
    shelf = Shelf(tmp_path, STORE)
    assert served(tmp_path) == [listing(1).offer, listing(2).offer]
    assert written.version
    assert (written.version.number, written.version.made_at) == (1, NOON)
    assert (written.version.offers, written.version.on_sale, written.version.added) == (2, 2, 2)
    content = shelf.served.read_bytes()
    assert written.version.sha256 == hashlib.sha256(content).hexdigest()
    assert written.version.size == len(content)
    assert gzip.decompress(shelf.part(1, "xml.gz").read_bytes()) == content
    assert list(shelf.versions()) == [written.version]
    assert not list(tmp_path.rglob("*.partial"))


def test_changes_are_kept_as_a_table(tmp_path: Path) -> None:
    writer(tmp_path).write([listing(1), listing(2)])
    formula = listing(3, model="=1+1")
    written = writer(tmp_path, shrink=True).write([listing(1, price=900), formula])
    again = writer(tmp_path).write([listing(1, price=900), listing(3, model="=2+2")])
    assert "000003,text,'=1+1,'=2+2" in again.changes_path.read_text(encoding="utf-8-sig")
    assert written.changes_path.read_text(encoding="utf-8-sig").splitlines() == [
        "sku,change,before,after",
        "000001,price,1000,900",
        "000002,availability,30000001_PP1: yes (2),30000001_PP1: no (0)",
        "000003,added,,1000",
    ]


def test_a_feed_without_news_keeps_its_bytes(tmp_path: Path) -> None:
    writer(tmp_path).write([listing(1)])
    shelf = Shelf(tmp_path, STORE)
    before = shelf.served.stat()
    written = writer(tmp_path).write([listing(1)])
    assert (written.version, written.is_unchanged) == (None, True)
    assert shelf.served.stat() == before
    assert shelf.numbers == [1]


def test_another_name_of_the_store_is_news(tmp_path: Path) -> None:
    writer(tmp_path).write([listing(1)])
    renamed = attrs.evolve(
        writer(tmp_path), shop=attrs.evolve(writer(tmp_path).shop, company="Магазин")
    )
    assert renamed.write([listing(1)]).version


def test_a_preview_leaves_what_is_served(tmp_path: Path) -> None:
    writer(tmp_path).write([listing(1)])
    written = writer(tmp_path, publish=False).write([listing(1, price=5)])
    assert written.version is None
    assert written.path == tmp_path / "previews" / f"{STORE}.xml"
    assert b"<price>5</price>" in written.path.read_bytes()
    assert "000001,price,1000,5" in written.changes_path.read_text(encoding="utf-8-sig")
    assert served(tmp_path) == [listing(1).offer]
    assert Shelf(tmp_path, STORE).numbers == [1]


def test_so_many_versions_are_kept(tmp_path: Path) -> None:
    for price in range(1, 6):
        writer(tmp_path, keep=2).write([listing(1, price=price)])
    shelf = Shelf(tmp_path, STORE)
    assert shelf.numbers == [4, 5]
    assert sorted(path.name for path in shelf.history.glob("0*")) == [
        f"00000{number}.{form}" for number in (4, 5) for form in ("csv", "json", "xml.gz")
    ]


TWENTY = [listing(number) for number in range(20)]


def test_one_in_twenty_may_go(tmp_path: Path) -> None:
    writer(tmp_path).write(TWENTY)
    written = writer(tmp_path).write(TWENTY[1:])
    assert written.changes["withdrawn"] == 1
    assert served(tmp_path)[0] == TWENTY[0].offer.withdrawn()
    again = writer(tmp_path).write(TWENTY[2:])
    assert again.changes["withdrawn"] == 1, "what was withdrawn before is lost no more"


@pytest.mark.parametrize(
    ("listings", "said"),
    [
        pytest.param(
            TWENTY[2:], "2 of 20 offers are listed no more, which is more than 5 %", id="two gone"
        ),
        pytest.param([], "20 of 20 offers are listed no more", id="an empty import"),
        pytest.param(
            [OwnOffer(offer=each.offer.withdrawn(), leasts={}) for each in TWENTY],
            "nothing would be on sale any more, of 20",
            id="a stock of nothing",
        ),
        pytest.param(
            [*TWENTY, listing(20, price=0)], "offer '000020': price is '0'", id="a price of nothing"
        ),
        pytest.param([*TWENTY, TWENTY[-1]], "'000019' behind '000019'", id="an article twice"),
    ],
)  # fmt: skip
def test_a_feed_is_refused_and_the_last_one_stays(
    tmp_path: Path, listings: list[OwnOffer], said: str
) -> None:
    writer(tmp_path).write(TWENTY)
    before = Shelf(tmp_path, STORE).served.read_bytes()
    with pytest.raises(FeedRefused) as refusal:
        writer(tmp_path).write(listings)
    assert said in str(refusal.value)
    assert Shelf(tmp_path, STORE).served.read_bytes() == before
    assert Shelf(tmp_path, STORE).numbers == [1]
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize("omit", [False, True], ids=["withdrawn", "left out"])
def test_more_may_go_when_that_is_said(tmp_path: Path, omit: bool) -> None:
    writer(tmp_path).write(TWENTY)
    written = writer(tmp_path, shrink=True, omit=omit).write(TWENTY[10:])
    assert written.figures.on_sale == 10
    assert written.figures.offers == (10 if omit else 20)
    assert written.version
    assert (written.version.removed, written.version.withdrawn) == ((10, 0) if omit else (0, 10))


def test_the_first_feed_must_have_an_offer(tmp_path: Path) -> None:
    nameless = OwnOffer(offer=FeedOffer(sku="1", model="", points=()), leasts={})
    with pytest.raises(
        FeedRefused, match="no listing can stand in a feed: 1: its name is not known"
    ):
        writer(tmp_path).write([nameless])


def test_faults_are_told(tmp_path: Path) -> None:
    low = OwnOffer(offer=listing(2, price=5).offer, leasts={EVERYWHERE: Tenge(9)})
    written = writer(tmp_path).write([listing(1), low])
    why = "its price of 5 ₸ is below what its rule allows"
    assert written.faults == (("000002", Fate.LEFT_OUT, why),)
    assert served(tmp_path) == [listing(1).offer]


def test_a_served_feed_that_is_broken_is_not_built_upon(tmp_path: Path) -> None:
    writer(tmp_path).write([listing(1)])
    path = Shelf(tmp_path, STORE).served
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(FeedRefused, match=r"30000001\.xml is broken.*line \d+.*take it away"):
        writer(tmp_path).write([listing(1)])


def test_what_is_settled_at_the_end_may_still_refuse(tmp_path: Path) -> None:
    def unsettled() -> AbstractContextManager[None]:
        raise RuntimeError("the rules were changed")

    writer(tmp_path).write([listing(1)])
    with pytest.raises(RuntimeError):
        writer(tmp_path).write([listing(1, price=5)], unsettled)
    assert served(tmp_path) == [listing(1).offer]
    assert Shelf(tmp_path, STORE).numbers == [1]


def test_the_file_has_its_name_while_it_is_settled(tmp_path: Path) -> None:
    seen: list[bool] = []

    @contextmanager
    def settled() -> Iterator[None]:
        yield
        seen.append(Shelf(tmp_path, STORE).served.is_file())

    writer(tmp_path).write([listing(1)], settled)
    assert seen == [True]


def test_one_writes_at_a_time(tmp_path: Path) -> None:
    def slowly() -> Iterator[OwnOffer]:
        yield listing(1)
        with pytest.raises(FeedRefused, match="being written by another"):
            writer(tmp_path).write([listing(2)])

    writer(tmp_path).write(slowly())
    assert served(tmp_path) == [listing(1).offer]


def _write_for_ever(directory: Path) -> None:
    price = 1
    while True:
        price += 1
        writer(directory, keep=3).write(listing(number, price) for number in range(2_000))


def test_a_writer_that_is_killed_leaves_a_whole_feed(tmp_path: Path) -> None:
    writer(tmp_path).write(listing(number) for number in range(2_000))
    processes = multiprocessing.get_context("fork")
    for pause in (0.05, 0.12, 0.21):
        process = processes.Process(target=_write_for_ever, args=(tmp_path,))
        process.start()
        time.sleep(pause)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        assert len({offer.price for offer in served(tmp_path)}) == 1
        assert len(served(tmp_path)) == 2_000
    assert writer(tmp_path).write(listing(number, 7) for number in range(2_000)).version
