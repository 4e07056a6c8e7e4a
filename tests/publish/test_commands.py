"""`scrapy publish`, `undo` and `restore-baseline`: what was, what is, and what is wanted back."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import msgspec
import psycopg
import pytest
from cryptography.fernet import Fernet

from domain.budget import Budget
from domain.identity import CityId, MerchantId
from domain.price_feed import CityPrice, FeedOffer, FeedPoint
from kaspi_crawler.feed.pulls import Pull, PullLog
from kaspi_crawler.feed.versions import Shelf
from storage import accounts, feeds
from storage.writer import BatchWriter
from tests.building import ALMATY, board, offer
from tests.commands.console import Console
from tests.pipelines.leading import OURS, have, leading, line
from tests.publish.carrying import AT_ONCE, carry
from tests.publish.shop import Shop

NBSP = "\N{NO-BREAK SPACE}"


@attrs.define
class Telling:
    """Types a command here, and hears what it says."""

    database: str
    capsys: pytest.CaptureFixture[str]
    code: object = None
    complaint: str = ""
    settings: dict[str, str] = attrs.Factory(dict)

    def __call__(self, *words: str, **settings: str) -> str:
        console = Console(
            {"DATABASE_URL": self.database, "DATA_DIR": "unused", **self.settings, **settings}
        )
        self.code = console.type_here(*words)
        said = self.capsys.readouterr()
        self.complaint = said.err.replace(NBSP, " ")
        return said.out.replace(NBSP, " ")


@pytest.fixture
def told(database: str, capsys: pytest.CaptureFixture[str]) -> Telling:
    return Telling(database, capsys)


@pytest.fixture
def sent(shop: Shop) -> dict[str, Any]:
    """One price that was applied, and one that waits."""
    item, other = shop.on_sale()[:2]
    shop.rule(item, other)
    shop.decide(item, item["city_prices"][ALMATY] - 5)
    carry(shop)
    carry(shop, **AT_ONCE)
    shop.decide(other, other["city_prices"][ALMATY] - 5)
    return item


def test_the_report_says_what_was_sent_and_what_comes_next(
    shop: Shop, sent: dict[str, Any], told: Telling
) -> None:
    said = told("publish", "status", shop.store, PUBLISH="cabinet", PUBLISH_SHARE="100")
    assert told.code == 0
    for part in (
        "Prices leave by: the cabinet",
        "Articles with a rule: 2; within the share of 100 %: 2; paused: 0",
        "Wait to be sent: 1",
        "Applied: 1 (seen after: half of them 0 s",
        "199 of 200 changes left in 30 min; 1 pushes, 0 blocked",
        "Next: stay at 100 %: of 1 prices it is known what became of them, 20 are wanted",
    ):
        assert part in said, said


@pytest.fixture
def waiting(shop: Shop) -> dict[str, Any]:
    """A price that waits."""
    item: dict[str, Any] = shop.on_sale()[0]
    shop.rule(item)
    shop.decide(item, item["city_prices"][ALMATY] - 5)
    return item


def _next(shop: Shop, told: Telling, share: str = "100") -> str:
    status = told("publish", "status", shop.store, PUBLISH="cabinet", PUBLISH_SHARE=share)
    return status.splitlines()[-1]


@pytest.mark.usefixtures("waiting")
def test_what_comes_next_says_why_nothing_was_seen_yet(shop: Shop, told: Telling) -> None:
    assert "run `scrapy crawl publish`" in _next(shop, told)
    assert "within the share of 0 %: PUBLISH_SHARE=5" in _next(shop, told, share="0")
    carry(shop)
    assert "wait until the 1 that were sent are read back" in _next(shop, told)


@pytest.mark.usefixtures("waiting")
def test_of_a_cabinet_that_is_signed_out_that_comes_first(shop: Shop, told: Telling) -> None:
    accounts.add(shop.database, shop.store, "{}", Fernet.generate_key().decode())
    assert "run `scrapy crawl publish`" in _next(shop, told)
    shop.do("UPDATE cabinet_accounts SET failed_at = now(), failure = 'wrong'")
    assert f"signed out, and no price leaves: `scrapy shop login {shop.store}`" in _next(shop, told)


def test_a_dry_run_says_what_would_be_sent(shop: Shop, sent: dict[str, Any], told: Telling) -> None:
    said = told("publish", "status", shop.store, "--language", "ru", PUBLISH="off")
    assert "Было бы отправлено сейчас: 1" in said
    assert "Дальше: см. `scrapy why" in said
    assert "PUBLISH=feed scrapy feed write" in said


def test_a_price_that_came_by_the_feed_is_told_with_its_version_and_pull(
    shop: Shop, told: Telling, tmp_path: Path
) -> None:
    item = shop.on_sale()[0]
    price = item["city_prices"][ALMATY] - 5
    shop.rule(item)
    feeds.put_offers(shop.database, shop.store, [_offer(item)])
    told.settings["FEEDS_DIR"] = str(tmp_path)
    shop.decide(item, price)
    assert "Feed: none was written yet" in told("publish", "status", shop.store, PUBLISH="feed")
    told("feed", "write", shop.store, PUBLISH="feed")
    status = told("publish", "status", shop.store, PUBLISH="feed")
    assert "Wait for the feed: 1;" in status
    assert "which nobody has taken yet" in status
    assert "Next: hand it out" in status
    waits = told("why", shop.store, item["sku"])
    assert re.search(
        r"→ in version 1 of the feed .* → which nobody has taken yet → waits to be taken", waits
    )
    _take(tmp_path, shop.store)
    unseen = told("why", shop.store, item["sku"])
    assert re.search(r"→ taken .*\(192.0.2.1, Kaspi/1\) → waits to be seen: on the board", unseen)
    shop.do("UPDATE intentions SET state = 'applied', outcome = 'already_there', closed_at = now()")
    status = told("publish", "status", shop.store, PUBLISH="feed")
    assert "Live without a push, as by the feed: 1" in status
    assert re.search(r"Feed: version 1 of .*, taken .* by Kaspi/1", status)
    assert "Next: nothing: Kaspi takes the feed" in status
    came = told("why", shop.store, item["sku"])
    assert re.search(
        r"of the feed .* → taken .*\(192.0.2.1, Kaspi/1\) → applied: .*after 0 s", came
    )
    russian = told("why", shop.store, item["sku"], "--language", "ru")
    assert "→ в версии 1 прайс-листа " in russian


def _offer(item: dict[str, Any]) -> FeedOffer:
    points = tuple(FeedPoint(one["store_id"], available=True) for one in item["places"])
    prices = tuple(CityPrice(CityId(city), each) for city, each in item["city_prices"].items())
    return FeedOffer(sku=item["sku"], model=item["model"], points=points, city_prices=prices)


def _take(directory: Path, store: MerchantId) -> None:
    """Note that Kaspi took the feed, as the service does."""
    digest = Shelf(directory, store).served_sha256()
    assert digest
    pull = Pull(
        at=datetime.now(UTC), store=store, source="192.0.2.1", agent="Kaspi/1", status=200,
        etag=digest[:32], size=1, whole=True,
    )  # fmt: skip
    PullLog(directory).write(pull)


@pytest.mark.parametrize("verb", ["status", "reset"])
def test_of_a_store_that_is_not_ours_nothing_is_said(told: Telling, verb: str) -> None:
    assert told("publish", verb, "7") == ""
    assert (told.code, "none of ours" in told.complaint) == (1, True)


@pytest.fixture
def low(shop: Shop) -> dict[str, Any]:
    """A price that waits in a store that has learned to send hardly any, and is blocked."""
    item = shop.on_sale()[0]
    shop.rule(item)
    shop.decide(item, item["city_prices"][ALMATY] - 5)
    until = datetime.now(UTC) + timedelta(minutes=20, seconds=30)
    learned = Budget(limit=9, proven=9, blocks=2, gap=timedelta(seconds=4), blocked_until=until)
    shop.do(
        "INSERT INTO change_budgets (store_id, budget, blocked_until) VALUES (%s, %s::jsonb, %s)",
        *(shop.store, msgspec.json.encode(learned).decode(), until),
    )
    return item


def test_a_reset_says_what_was_learned_and_forgets_it(
    shop: Shop, low: dict[str, Any], told: Telling
) -> None:
    advice = f"`scrapy publish reset {shop.store}`"
    status = told("publish", "status", shop.store)
    assert "few changes or pushes: at most 9 in 30 min" in status
    assert advice in status
    first, second, third = told("publish", "reset", shop.store).splitlines()
    assert first == (f"Learned by store {shop.store}: 9 changes in 30 min, a push in 4 s; blocks 2")
    assert "Forgotten. The next crawl begins with PUBLISH_CHANGES (200 here)" in second
    assert third == "The block lasts all the same: nothing leaves for 20 min"
    assert advice not in told("publish", "status", shop.store)
    again = told("publish", "reset", shop.store, "--language", "ru")
    assert again.startswith(f"Магазин {shop.store} ещё ничего не усвоил")


def test_after_a_reset_the_block_lasts_and_the_settings_hold(
    shop: Shop, low: dict[str, Any], told: Telling
) -> None:
    told("publish", "reset", shop.store)
    few = Budget(limit=50)
    assert carry(shop, start=few).pushes == 0
    shop.do("UPDATE change_budgets SET blocked_until = now()")
    assert carry(shop, start=few).pushes == 1
    [held] = shop.rows("SELECT budget FROM change_budgets")
    assert (held["budget"]["limit"], held["budget"]["blocks"]) == (50, 0)


def test_a_strikingly_low_limit_is_told_of_by_the_alarm(shop: Shop, low: dict[str, Any]) -> None:
    counted = f"publish/low_limit/{shop.store}"
    assert counted not in carry(shop, start=Budget(limit=90)).stats
    assert carry(shop, start=Budget(limit=91)).stats[counted] == 9


def test_a_strikingly_long_gap_is_told_of_as_well(
    shop: Shop, low: dict[str, Any], told: Telling
) -> None:
    learned = msgspec.json.encode(Budget(gap=timedelta(minutes=68))).decode()
    shop.do("UPDATE change_budgets SET budget = %s::jsonb", learned)
    assert carry(shop, start=Budget()).stats[f"publish/low_limit/{shop.store}"] == 1
    assert "few changes or pushes: at most 1 in 30 min" in told("publish", "status", shop.store)
    russian = told("publish", "status", shop.store, "--language", "ru")
    assert "Очень мало изменений или запросов: не больше 1 за 30 мин" in russian


def test_the_baseline_is_kept_before_the_first_push_and_can_be_restored(
    shop: Shop, sent: dict[str, Any], told: Telling
) -> None:
    before = sent["city_prices"][ALMATY]
    [kept] = shop.rows(
        "SELECT price, source FROM baseline_prices WHERE city_id = %s AND price = %s",
        ALMATY,
        before,
    )
    assert kept["source"] == "cabinet"
    said = told("restore-baseline", shop.store, sent["sku"])
    assert "1 to be put back" in said
    assert "PUBLISH=off: they wait" in said
    [wanted] = shop.rows("SELECT price, state FROM intentions WHERE reason = 'baseline'")
    assert (wanted["price"], wanted["state"]) == (before, "pending")
    carry(shop, turns=2)
    assert shop.price(sent["sku"]) == before


def test_a_price_wanted_back_is_not_overruled_until_the_article_is_resumed(
    shop: Shop, sent: dict[str, Any], told: Telling
) -> None:
    told("restore-baseline", shop.store, sent["sku"])
    shop.decide(sent, sent["city_prices"][ALMATY] - 20)
    pending = """
        SELECT reason FROM intentions JOIN listings ON listings.id = listing_id
        WHERE state = 'pending' AND sku = %s
        """
    assert [row["reason"] for row in shop.rows(pending, sent["sku"])] == ["baseline"]
    paused = told("publish", "paused", shop.store)
    assert paused.startswith(f"{sent['sku']}\t")
    assert f"scrapy shop resume {shop.store} ARTICLE…" in told.complaint
    status = told("publish", "status", shop.store)
    assert f"paused: 1 (`scrapy publish paused {shop.store}`, then `scrapy shop resume" in status
    told("shop", "resume", shop.store, sent["sku"])
    shop.decide(sent, sent["city_prices"][ALMATY] - 20)
    assert [row["reason"] for row in shop.rows(pending, sent["sku"])] == ["decision"]


@pytest.fixture
async def history(database: str, writer: BatchWriter) -> str:
    """Our kettle at 10,000, then 9,700, then 8,000, and it was never to be below 9,000."""
    async with leading(database, writer) as pipeline:
        for minutes, price in ((0, 10_000), (10, 9_700), (20, 8_000), (30, 9_500)):
            await pipeline.read(board(offer(OURS, price), offer("1", 9_500), minutes=minutes))
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE intentions SET state = 'withdrawn', closed_at = now()")
    return database


@pytest.mark.usefixtures("history")
async def test_prices_are_put_back_as_they_stood_at_a_moment(told: Telling, database: str) -> None:
    said = told("undo", OURS, "--to", "2026-09-18T12:15")
    assert "1 to be put back" in said
    with psycopg.connect(database) as connection:
        found = connection.execute(
            "SELECT price, lowest, highest FROM intentions WHERE reason = 'undo'"
        ).fetchall()
    assert found == [(9_700, 9_000, 12_000)]


@pytest.mark.usefixtures("history")
async def test_what_is_no_longer_allowed_is_named_and_left(told: Telling, database: str) -> None:
    said = told("undo", OURS, "kettle", "--to", "2026-09-18T12:25")
    assert "0 to be put back" in said
    assert "kettle\t750000000\t9 500 ₸: left as it is; 8 000 ₸: the rule forbids it now" in (
        told.complaint
    )
    have(database, line(floor=7_000, ceiling=12_000))
    assert "1 to be put back" in told("undo", OURS, "kettle", "--to", "2026-09-18T12:25")


@pytest.mark.usefixtures("history")
async def test_what_stands_already_is_kept_from_what_waits(told: Telling, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(
            "UPDATE intentions SET state = 'pending', closed_at = NULL"
            " WHERE id = (SELECT max(id) FROM intentions)"
        )
        connection.execute(
            "UPDATE offer_history SET price = offers.price FROM offers"
            " WHERE offers.id = offer_id AND merchant_id = %s",
            [OURS],
        )
    said = told("undo", OURS, "--to", "2026-09-18T12:35")
    assert told.code == 0
    for part in ("0 to be put back", "1 stand already", "1 articles are paused"):
        assert part in said
    assert "Would be sent now: 0" in told("publish", "status", OURS)
    assert told("publish", "paused", OURS).startswith("kettle\t")


def test_what_stands_is_wanted_all_the_same_while_another_price_is_on_its_way(
    shop: Shop, sent: dict[str, Any], told: Telling
) -> None:
    """It would stand there next, and undo the undo."""
    stands = sent["city_prices"][ALMATY] - 5
    shop.decide(sent, stands - 5, before=stands)
    carry(shop)
    shop.do("UPDATE baseline_prices SET price = %s WHERE price = %s", stands, stands + 5)
    assert "1 to be put back" in told("restore-baseline", shop.store, sent["sku"])
    carry(shop, turns=2, **AT_ONCE)
    assert shop.price(sent["sku"]) == stands


@pytest.mark.parametrize("words", [["restore-baseline", "99"], ["undo", "99", "--to", "1h"]])
def test_a_store_that_nobody_knows_is_said_to_be_unknown(told: Telling, words: list[str]) -> None:
    told(*words)
    assert (told.code, "store 99 is unknown here" in told.complaint) == (1, True)


@pytest.mark.usefixtures("history")
async def test_without_a_push_there_are_no_first_prices(told: Telling) -> None:
    told("restore-baseline", OURS)
    assert (told.code, f"`scrapy undo {OURS} --to MOMENT`" in told.complaint) == (1, True)


@pytest.mark.usefixtures("history")
async def test_of_a_moment_before_the_first_reading_nothing_is_known(told: Telling) -> None:
    assert told("undo", OURS, "--to", "2026-09-17") == ""
    assert (told.code, "nothing is known" in told.complaint) == (1, True)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        pytest.param(["undo", "700"], "name a store, and the moment", id="no moment"),
        pytest.param(["restore-baseline"], "name a store", id="no store"),
        pytest.param(["publish", "status"], "name one store", id="a report on nobody"),
    ],
)
def test_what_is_missing_is_said(told: Telling, words: list[str], complaint: str) -> None:
    told(*words)
    assert (told.code, complaint in told.complaint) == (2, True)


def test_the_moment_of_a_baseline_is_known(shop: Shop, sent: dict[str, Any]) -> None:
    [held] = shop.rows("SELECT made_at FROM baselines")
    assert held["made_at"] <= datetime.now(UTC)
