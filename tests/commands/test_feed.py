"""`scrapy feed` and `scrapy price_list`: from listings to what Kaspi pulls, and back."""

import asyncio
import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest
from scrapy.exceptions import CloseSpider
from scrapy.utils.test import get_crawler

from domain.identity import MerchantId, ProductId
from domain.money import Tenge
from domain.price_feed import FeedOffer, FeedPoint
from domain.shop import OwnListing, RuleLine, Store
from kaspi_crawler.spiders.price_feed import PriceFeedSpider
from storage import feeds, listings, rules
from tests.commands.console import ROOT, Console

STORE = MerchantId("30000001")


def offer(sku: str, **more: object) -> FeedOffer:
    points = (FeedPoint("PP1", available=True, stock=5),)
    return FeedOffer(**{"sku": sku, "model": f"Чайник {sku}", "points": points, **more})  # type: ignore[arg-type]


@pytest.fixture
def shop(database: str, tmp_path: Path) -> Console:
    """A console over three listings; of the third no point is known."""
    own = [
        OwnListing(
            store=STORE, sku=sku, kaspi_id=ProductId(f"10{sku}"), name=sku, price=Tenge(9_000)
        )
        for sku in ("1", "2", "3")
    ]
    listings.put(database, own, "listings.csv", stores=[Store(id=STORE, name="Лавка")])
    feeds.put_offers(database, STORE, [offer("1"), offer("2")])
    return Console(
        {"DATABASE_URL": database, "DATA_DIR": str(tmp_path), "FEEDS_DIR": str(tmp_path / "feeds")}
    )


Told = pytest.CaptureFixture[str]


def test_by_default_a_preview_is_written(shop: Console, capsys: Told, tmp_path: Path) -> None:
    assert shop.type_here("feed", "write", STORE) == 0
    said = capsys.readouterr()
    assert "2 offers, 2 of them on sale; added 2" in said.out
    assert "Preview, nothing is published" in said.out
    assert "PUBLISH=feed publishes it" in said.out
    assert said.err.startswith(
        "3: not in the feed: none of its points is known: `scrapy feed read`"
    )
    assert "2 offers have one price, which holds in all cities" in said.out
    assert not (tmp_path / "feeds" / f"{STORE}.xml").exists()
    preview = (tmp_path / "feeds" / "previews" / f"{STORE}.xml").read_text(encoding="utf-8")
    assert "<company>Лавка</company>" in preview
    assert 'storeId="30000001_PP1"' in preview


@pytest.mark.parametrize("publish", ["feed", "both"])
def test_when_that_is_wanted_it_is_published(
    shop: Console, capsys: Told, tmp_path: Path, publish: str
) -> None:
    console = shop.having(PUBLISH=publish)
    assert console.type_here("feed", "write", STORE) == 0
    assert "Version 1: " in capsys.readouterr().out
    assert console.type_here("feed", "write", STORE) == 0
    assert "The feed stays as it is: " in capsys.readouterr().out
    assert (tmp_path / "feeds" / f"{STORE}.xml").is_file()


def test_an_intention_is_published_and_no_price_below_the_floor(
    shop: Console, database: str, capsys: Told, tmp_path: Path
) -> None:
    line = RuleLine(store=STORE, sku="1", said={"floor": 8_000})
    low = RuleLine(store=STORE, sku="2", said={"floor": 9_500})
    rules.apply(database, [line, low], "rules.csv")
    with psycopg.connect(database) as connection:
        connection.execute(
            """INSERT INTO intentions (listing_id, rule_id, least, price, lowest, highest, city_id)
               SELECT listing_id, id, least, 8500, 8000, 9000, '750000000'
               FROM price_rules WHERE least = 8000"""
        )
    assert shop.having(PUBLISH="feed").type_here("feed", "write", STORE) == 0
    feed = (tmp_path / "feeds" / f"{STORE}.xml").read_text(encoding="utf-8")
    assert re.findall(r"price cityId=\"(\d+)\">(\d+)", feed) == [("750000000", "8500")]
    said = capsys.readouterr()
    assert "2: not in the feed: its price of 9,000 ₸ is below" in said.err
    assert "1 offers name the price of one city" in said.out
    table = next((tmp_path / "feeds" / "versions" / STORE).glob("*.csv"))
    assert "1,added,750000000: 9000,750000000: 8500" in table.read_text(encoding="utf-8")


def test_what_is_taken_off_sale_is_told_so(shop: Console, database: str, capsys: Told) -> None:
    console = shop.having(PUBLISH="feed")
    assert console.type_here("feed", "write", STORE) == 0
    rules.apply(database, [RuleLine(store=STORE, sku="2", said={"floor": 9_500})], "rules.csv")
    capsys.readouterr()
    assert console.type_here("feed", "write", STORE) == 0
    assert "2: taken off sale at all its points: its price of 9,000 ₸" in capsys.readouterr().err


def test_a_feed_is_written_without_the_weight_of_sqlalchemy() -> None:
    """Which alone would take a fifth of the memory that a million offers may take."""
    needed = "kaspi_crawler.commands.crawl, kaspi_crawler.feed.versions, storage.feeds"
    said = f"import sys, {needed}, storage.ready; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", said], cwd=ROOT, check=False).returncode == 0


def test_a_feed_that_would_lose_much_is_refused(shop: Console, database: str, capsys: Told) -> None:
    console = shop.having(PUBLISH="feed")
    console.type_here("feed", "write", STORE)
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM listings WHERE sku = '2'")
    capsys.readouterr()
    assert console.type_here("feed", "write", STORE) == 1
    assert "not written, the last feed stays: 1 of 2 offers" in capsys.readouterr().err
    assert console.type_here("feed", "write", STORE, "--shrink") == 0
    assert "availability 1, withdrawn 1" in capsys.readouterr().out


def test_the_spider_writes_what_the_command_writes(
    shop: Console, database: str, tmp_path: Path
) -> None:
    """As the timetable starts it: all stores that have listings, and a reason of its own."""
    console = shop.having(PUBLISH="feed")
    done = console.run("crawl", "price_feed")
    assert done.returncode == 0, done.stderr
    assert f"{STORE}: Version 1: " in done.stderr
    assert f"{STORE}: 3: not in the feed: none of its points is known" in done.stderr
    written = (tmp_path / "feeds" / f"{STORE}.xml").read_bytes()
    assert written.count(b"<offer ") == 2
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM listings WHERE sku = '2'")
    refused = console.run("crawl", "price_feed", "-a", f"stores={STORE}")
    assert refused.returncode == 1
    assert "not written, the last feed stays: 1 of 2 offers" in refused.stderr
    assert "Closed (feed_refused)" in refused.stderr
    assert (tmp_path / "feeds" / f"{STORE}.xml").read_bytes() == written


def test_a_store_whose_feed_cannot_be_written_leaves_the_others_theirs(
    shop: Console, database: str, tmp_path: Path
) -> None:
    other = MerchantId("30000000")
    own = OwnListing(store=other, sku="4", kaspi_id=ProductId("104"), name="4", price=Tenge(9_000))
    listings.put(database, [own], "listings.csv", stores=[Store(id=other, name="Лавка")])
    feeds.put_offers(database, other, [offer("4")])
    (tmp_path / "feeds" / "versions").mkdir(parents=True)
    (tmp_path / "feeds" / "versions" / other).touch()
    done = shop.having(PUBLISH="feed").run("crawl", "price_feed")
    assert (done.returncode, "Closed (feed_refused)" in done.stderr) == (1, True), done.stderr
    assert f"{other}: not written, the last feed stays: {tmp_path}" in done.stderr
    assert "FEEDS_DIR has to be a directory" in done.stderr
    assert f"{STORE}: Version 1: " in done.stderr


def test_rules_that_are_held_for_long_refuse_a_feed_in_a_sentence(
    shop: Console,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(feeds, "_PATIENCE", "SET LOCAL lock_timeout = '50ms'")
    settings = {
        "DATABASE_URL": database, "DATA_DIR": "unused", "FEEDS_DIR": str(tmp_path),
        "KASPI_URL": "http://127.0.0.1:9", "PUBLISH": "feed", "FEED_VERSIONS": 9,
    }  # fmt: skip
    crawler = get_crawler(PriceFeedSpider, settings)
    spider = PriceFeedSpider.from_crawler(crawler)
    spider.prepare(crawler.settings)
    with psycopg.connect(database) as connection:
        connection.execute("LOCK rule_changes IN ROW EXCLUSIVE MODE")
        asyncio.run(_ended(spider))
    assert "not written, the last feed stays: the rules were being changed" in caplog.text
    with pytest.raises(CloseSpider) as closed:
        spider.idle()
    assert closed.value.reason == "feed_refused"


async def _ended(spider: PriceFeedSpider) -> None:
    assert [question async for question in spider.questions()] == []


def test_a_store_without_listings_has_no_feed_to_write(shop: Console) -> None:
    done = shop.run("crawl", "price_feed", "-a", "stores=7")
    assert (done.returncode, "7 has no listings here" in done.stderr) == (2, True)


def test_it_is_served_and_told_who_took_it(shop: Console, capsys: Told, tmp_path: Path) -> None:
    shop.having(PUBLISH="feed").type_here("feed", "write", STORE)
    with shop.start("feed", "serve", "--port", "0", stdout=subprocess.PIPE) as process:
        assert process.stdout
        line = process.stdout.readline().decode()
        address = line.split()[0].replace("STORE", STORE)
        assert "FEED_USER" in process.stdout.readline().decode()
        with urlopen(address, timeout=20) as answer:  # noqa: S310
            assert answer.read() == (tmp_path / "feeds" / f"{STORE}.xml").read_bytes()
        process.terminate()
        assert process.wait(timeout=20) == 0
    capsys.readouterr()
    assert shop.type_here("feed", "status") == 0
    said = capsys.readouterr().out
    assert re.search(
        r"^\* .* version 1: 2 offers, 2 on sale; added 2, faults 1$", said, re.MULTILINE
    )
    assert "127.0.0.1 took version 1 (200): Python-urllib" in said
    assert "(from this machine: not Kaspi)" in said


def test_what_an_export_says_is_taken_over(shop: Console, capsys: Told, tmp_path: Path) -> None:
    shop.type_here("feed", "write", STORE)
    preview = tmp_path / "feeds" / "previews" / f"{STORE}.xml"
    changed = tmp_path / "ACTIVE.xml"
    changed.write_text(
        preview.read_text(encoding="utf-8").replace('stockCount="5"', 'stockCount="8"'),
        encoding="utf-8",
    )
    capsys.readouterr()
    assert shop.type_here("feed", "read", str(changed), "--store", STORE) == 0
    assert "2 of 2 offers are listings of store 30000001: written down" in capsys.readouterr().out
    shop.type_here("feed", "write", STORE)
    assert preview.read_text(encoding="utf-8").count('stockCount="8"') == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param(
            "<merchantid>30000001", "<merchantid>7", "of merchant 7, not of", id="another's"
        ),
        pytest.param("</kaspi_catalog>", "", "ends too soon", id="one that was cut off"),
    ],
)
def test_of_a_wrong_file_nothing_is_taken_over(
    shop: Console, database: str, capsys: Told, tmp_path: Path, *, old: str, new: str, said: str
) -> None:
    shop.type_here("feed", "write", STORE)
    preview = tmp_path / "feeds" / "previews" / f"{STORE}.xml"
    feed = preview.read_text(encoding="utf-8").replace('stockCount="5"', 'stockCount="8"')
    preview.write_text(feed.replace(old, new), encoding="utf-8")
    assert shop.type_here("feed", "read", str(preview), "--store", STORE) != 0
    assert said in capsys.readouterr().err
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT DISTINCT stock FROM listing_points").fetchall() == [(5,)]


def test_a_file_is_checked(shop: Console, capsys: Told, tmp_path: Path) -> None:
    shop.type_here("feed", "write", STORE)
    preview = tmp_path / "feeds" / "previews" / f"{STORE}.xml"
    capsys.readouterr()
    assert shop.type_here("feed", "check", str(preview)) == 0
    assert "2 offers, all of them right" in capsys.readouterr().out
    preview.write_text(preview.read_text(encoding="utf-8").replace("9000", "9000.5", 1))
    assert shop.type_here("feed", "check", str(preview)) == 1
    assert "line 6: offer '1': price is '9000.5'" in capsys.readouterr().err


def test_what_is_doubtful_in_a_file_is_named_and_not_refused(
    shop: Console, capsys: Told, tmp_path: Path
) -> None:
    shop.type_here("feed", "write", STORE)
    preview = tmp_path / "feeds" / "previews" / f"{STORE}.xml"
    preview.write_text(preview.read_text(encoding="utf-8").replace('"30000001_PP1"', '"7_PP1"', 1))
    capsys.readouterr()
    assert shop.type_here("feed", "check", str(preview)) == 0
    said = capsys.readouterr()
    assert "doubtful: offer '1': storeId '7_PP1' is of another merchant" in said.err
    assert "2 offers, all of them right" in said.out


def test_a_price_list_is_written_and_taken_over(
    shop: Console, capsys: Told, tmp_path: Path
) -> None:
    book = str(tmp_path / "price.xlsx")
    assert shop.type_here("price_list", "write", book, STORE) == 1, "one listing is left out"
    said = capsys.readouterr()
    assert "2 rows, 1 listings left out" in said.out
    assert "3: left out: none of its points is known" in said.err
    assert shop.type_here("price_list", "read", book) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["sku"], each["price"]) for each in told] == [("1", 9_000), ("2", 9_000)]
    assert shop.type_here("price_list", "read", book, "--store", STORE) == 0
    assert "2 of 2 offers are listings" in capsys.readouterr().out
    assert shop.type_here("price_list", "read", book, "--store", "99") == 2
    assert "store 99 has no listings here: `scrapy listings import`" in capsys.readouterr().err


def test_what_is_no_listing_is_named(
    shop: Console, database: str, capsys: Told, tmp_path: Path
) -> None:
    book = str(tmp_path / "price.xlsx")
    shop.type_here("price_list", "write", book, STORE)
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM listings WHERE sku = '2'")
    capsys.readouterr()
    assert shop.type_here("price_list", "read", book, "--store", STORE) == 0
    said = capsys.readouterr()
    assert "1 of 2 offers are listings" in said.out
    assert "2: passed over: no listing" in said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["feed", "push"], "write|serve", id="another verb"),
        pytest.param(["feed", "write"], "scrapy feed write 30000001", id="no store"),
        pytest.param(["feed", "write", "../x"], "names no merchant", id="a store that is a path"),
        pytest.param(["feed", "write", "404"], "has no listings here", id="an unknown store"),
        pytest.param(["feed", "check"], "scrapy feed check", id="no file"),
        pytest.param(["feed", "check", "none.xml"], "No such file", id="no such file"),
        pytest.param(["feed", "serve", "--port", "ssh"], "no port", id="a port that is none"),
        pytest.param(["feed", "serve", "all"], "hands out all feeds", id="a word too many"),
        pytest.param(["price_list", "read"], "scrapy price_list read", id="no workbook"),
        pytest.param(["price_list", "read", "README.md"], "save the price list", id="no xlsx"),
        pytest.param(["price_list", "write", "x.xlsx"], "a file and a store", id="half of it"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    shop: Console, capsys: Told, words: list[str], said: str
) -> None:
    assert shop.type_here(*words) == 2
    assert said in capsys.readouterr().err


def test_a_port_that_is_taken_is_told_in_a_sentence(shop: Console, capsys: Told) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert shop.type_here("feed", "serve", "--port", port) == 2
    said = capsys.readouterr().err
    assert f"port {port} of 127.0.0.1 is taken by another program" in said
    assert "Errno" not in said
    assert ".." not in said


def test_a_password_without_a_name_is_refused(shop: Console, capsys: Told) -> None:
    assert shop.having(FEED_PASSWORD="x").type_here("feed", "serve") == 2  # noqa: S106
    assert "go together" in capsys.readouterr().err


def test_a_wrong_way_of_publishing_ends_the_program(shop: Console) -> None:
    ended = shop.having(PUBLISH="everywhere").run("feed", "status")
    assert ended.returncode == 2
    assert ended.stderr == "PUBLISH=everywhere: choose off, feed, cabinet or both\n"
