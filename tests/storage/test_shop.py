"""What the cabinet shows of our goods becomes our listings: change by change, and never twice."""

from datetime import timedelta
from typing import Any

import attrs
import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.cabinet import CabinetOffer, ShopPage
from domain.identity import ProductId
from domain.money import Tenge
from domain.shop import OwnListing, RuleLine
from storage import listings, rules
from storage.patience import Patience
from storage.shop import MOST_VANISHED, resume
from storage.writer import BatchWriter
from tests.building import ALMATY, ASTANA, at
from tests.goods import STORE, article, off, page, point, whole
from tests.storage.looking import row, rows

TABLES = ("listings", "listing_points", "listing_prices", "work_list", "price_rules")
#: What a rule asks for before a price may be intended, and an intention that was sent.
_SENT = """
WITH listing AS (SELECT id FROM listings WHERE sku = 'A1'), change AS (
    INSERT INTO rule_changes (source) VALUES ('rules.csv') RETURNING id
), rule AS (
    INSERT INTO price_rules (listing_id, said, change)
    SELECT listing.id, '{"floor": 900}', change.id FROM listing, change
    RETURNING id, listing_id, least
)
INSERT INTO intentions (
    listing_id, rule_id, least, price, lowest, highest, city_id, state, sent_at, accepted_at)
SELECT listing_id, id, least, 8999, 900, 9999, '750000000', 'accepted', %(sent)s, %(sent)s
FROM rule
"""


def held(database: str) -> dict[str, list[dict[str, Any]]]:
    return {table: rows(database, f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES}  # noqa: S608


def points(database: str) -> dict[str, list[Any]]:
    found = rows(database, "SELECT * FROM listing_points")
    return {one["point"]: [one["available"], one["stock"], one["preorder"]] for one in found}


async def test_an_article_is_held_with_its_points_and_prices(
    writer: BatchWriter, database: str
) -> None:
    two = (point(1, stock=5), point(10, stock=2, available=False, days=7))
    await writer.save(page(article("A1", *two)))
    found = row(database, "SELECT * FROM listings")
    wanted: dict[str, Any] = {
        "store_id": STORE,
        "sku": "A1",
        "kaspi_id": "104500100",
        "name": "Tulpar T-200",
    }
    wanted |= {"brand": "Tulpar", "price": 9_000, "stock": 7, "removed_at": None}
    assert {name: found[name] for name in wanted} == wanted
    assert found["seen_at"] == at(0)
    assert points(database) == {
        f"{STORE}_PP1": [True, 5, None],
        f"{STORE}_PP10": [False, 2, 7],
    }
    [price] = rows(database, "SELECT city_id, price FROM listing_prices")
    assert price == {"city_id": ASTANA, "price": 9_500}
    assert writer.counts["listings/seen"] == 1


async def test_stock_that_one_point_does_not_count_is_not_known(
    writer: BatchWriter, database: str
) -> None:
    await writer.save(page(article("A1", point(1, stock=5), point(2, stock=None))))
    assert row(database, "SELECT stock FROM listings")["stock"] is None


async def test_reading_the_same_again_changes_nothing_but_the_moment(
    writer: BatchWriter, database: str
) -> None:
    await writer.save(page(article(), article("A2")))
    before = held(database)
    await writer.save(page(article(), article("A2")))
    assert held(database) == before
    await writer.save(page(article(), article("A2"), minutes=5))
    after = held(database)
    assert {one.pop("seen_at") for one in after["listings"]} == {at(5)}
    for one in before["listings"]:
        del one["seen_at"]
    assert after == before
    assert writer.counts["listings/changed"] == 0


CHANGES = [
    pytest.param({"price": Tenge(8_000)}, {"price": 8_000}, id="the price"),
    pytest.param({"model": "T-300"}, {"name": "T-300"}, id="the name"),
    pytest.param({"model": None}, {"name": "Чайник"}, id="the card's name where ours is none"),
    pytest.param({"kaspi_id": ProductId("1")}, {"kaspi_id": "1"}, id="the card"),
    pytest.param({"price": None}, {"price": 9_000}, id="no price is no news"),
    pytest.param({"brand": None}, {"brand": "Tulpar"}, id="no brand is no news"),
    pytest.param({"points": (point(1, stock=None),)}, {"stock": 5}, id="no count is no news"),
]


@pytest.mark.parametrize(("changed", "wanted"), CHANGES)
async def test_what_changed_is_brought_up_to_date(
    writer: BatchWriter, database: str, changed: dict[str, Any], wanted: dict[str, Any]
) -> None:
    await writer.save(page(article()))
    await writer.save(page(article(**changed), minutes=5))
    found = row(database, "SELECT * FROM listings")
    assert {name: found[name] for name in wanted} == wanted


async def test_points_and_prices_that_are_no_longer_named_are_forgotten(
    writer: BatchWriter, database: str
) -> None:
    await writer.save(page(article("A1", point(1), point(2)), article("A2", point(2))))
    await writer.save(page(article("A1", point(2), city_prices={}), minutes=5))
    found = rows(database, "SELECT sku, point FROM listing_points JOIN listings ON id = listing_id")
    assert sorted((one["sku"], one["point"]) for one in found) == [
        ("A1", f"{STORE}_PP2"),
        ("A2", f"{STORE}_PP2"),
    ]
    assert len(rows(database, "SELECT * FROM listing_prices")) == 1


async def test_an_older_reading_overwrites_nothing(writer: BatchWriter, database: str) -> None:
    await writer.save(page(article(price=Tenge(8_000)), minutes=5))
    before = held(database)
    await writer.save(page(article("A1", point(3), city_prices={}, price=Tenge(1)), minutes=1))
    assert held(database) == before


async def test_what_is_off_sale_is_marked_and_comes_back(
    writer: BatchWriter, database: str
) -> None:
    await writer.save(page(article()))
    await writer.save(page(off(), minutes=5, on_sale=False))
    found = row(database, "SELECT * FROM listings")
    assert (found["removed_at"], found["price"]) == (at(5), 9_000)
    assert points(database) == {f"{STORE}_PP1": [False, 5, None]}
    await writer.save(page(off(), minutes=6, on_sale=False))
    assert row(database, "SELECT removed_at FROM listings")["removed_at"] == at(5)
    await writer.save(page(article(), minutes=9))
    assert row(database, "SELECT removed_at FROM listings")["removed_at"] is None
    assert points(database) == {f"{STORE}_PP1": [True, 5, None]}


async def test_new_articles_get_the_stores_defaults_and_their_products_are_watched(
    writer: BatchWriter, database: str
) -> None:
    rules.apply(database, [RuleLine(store=STORE, sku="", city=None, said={"step": 5})], "rules.csv")
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO work_list VALUES ('7', %s), ('8', %s)", [ALMATY, ASTANA])
    await writer.save(page(article()))
    await writer.save(page(article(), article("A2", kaspi_id=ProductId("2")), minutes=5))
    found = rows(
        database,
        "SELECT sku, said FROM price_rules JOIN listings ON listings.id = listing_id"
        " WHERE replaced_by IS NULL ORDER BY sku",
    )
    assert found == [{"sku": sku, "said": {"step": 5}} for sku in ("A1", "A2")]
    watched = rows(database, "SELECT kaspi_id, city_id FROM work_list WHERE length(kaspi_id) > 1")
    assert sorted(one["city_id"] for one in watched) == [ASTANA, ALMATY]
    assert next(change.source for change in rules.changes(database)).startswith("new goods")


async def test_a_product_that_was_taken_off_the_work_list_stays_off(
    writer: BatchWriter, database: str
) -> None:
    await writer.save(page(article()))
    assert rows(database, "SELECT city_id FROM work_list") == [{"city_id": ALMATY}]
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM work_list")
    await writer.save(page(article(price=Tenge(8_000)), minutes=5))
    assert rows(database, "SELECT * FROM work_list") == []


async def test_what_a_whole_reading_did_not_show_has_vanished(
    writer: BatchWriter, database: str
) -> None:
    goods = [OwnListing(store=STORE, sku=sku, kaspi_id=ProductId("9")) for sku in ("new", "old")]
    listings.put(database, goods, "listings.csv")
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE listings SET added_at = %s WHERE sku = 'old'", [at(-9)])
    await writer.save(page(article("A1"), article("A2")))
    await writer.save(page(article("A1"), minutes=5))
    await writer.save(whole(began=5, minutes=6))
    found = rows(database, "SELECT sku, removed_at FROM listings ORDER BY sku")
    assert found == [
        {"sku": "A1", "removed_at": None},
        {"sku": "A2", "removed_at": at(6)},
        {"sku": "new", "removed_at": None},
        {"sku": "old", "removed_at": at(6)},
    ]
    assert writer.counts["listings/vanished"] == 2


@pytest.mark.parametrize(
    ("believed", "vanished"),
    [
        pytest.param(False, 0, id="not believed"),
        pytest.param(True, MOST_VANISHED + 1, id="believed when somebody has looked"),
    ],
)
async def test_a_shop_that_is_nearly_empty(
    writer: BatchWriter, database: str, *, believed: bool, vanished: int
) -> None:
    goods = [article(f"A{number}") for number in range(MOST_VANISHED + 2)]
    await writer.save(page(*goods))
    await writer.save(page(goods[0], minutes=5))
    await writer.save(whole(began=5, minutes=6, believed=believed))
    assert writer.counts["listings/vanished"] == vanished
    assert writer.counts["listings/not_believed"] == (0 if believed else MOST_VANISHED + 1)


PAUSES = [
    pytest.param(page(off(), minutes=30, on_sale=False), 0, True, id="half an hour after a price"),
    pytest.param(page(off(), minutes=30, on_sale=False), -25 * 60, False, id="a day after it"),
    pytest.param(page(off(errors=()), minutes=30, on_sale=False), 0, False, id="by somebody else"),
    pytest.param(page(article(), minutes=30), 0, False, id="it is on sale"),
]


@pytest.mark.parametrize(("seen", "sent", "paused"), PAUSES)
async def test_an_article_that_went_off_sale_is_paused(
    writer: BatchWriter, database: str, seen: ShopPage, sent: int, *, paused: bool
) -> None:
    await writer.save(page(article(), minutes=-10))
    with psycopg.connect(database) as connection:
        connection.execute(_SENT.encode(), {"sent": at(sent)})
    await writer.save(seen)
    found = row(database, "SELECT paused_at, paused_why FROM listings")
    assert (found["paused_at"] is not None) is paused
    assert writer.counts["listings/vanished_after_push"] == paused
    if paused:
        assert "scrapy shop resume" in found["paused_why"]
        assert resume(database, STORE, ["A1", "A2"]) == 1
        await writer.save(attrs.evolve(seen, checked_at=seen.checked_at + timedelta(minutes=1)))
        assert row(database, "SELECT paused_at FROM listings")["paused_at"] is None


async def test_two_crawls_at_once_lose_nothing(engine: AsyncEngine, database: str) -> None:
    import asyncio  # noqa: PLC0415

    rules.apply(database, [RuleLine(store=STORE, sku="", city=None, said={"step": 5})], "rules.csv")
    writers = [BatchWriter(engine, Patience(linger=0.001)) for _ in range(2)]
    goods: list[CabinetOffer] = [article(f"A{number}") for number in range(40)]
    readings = [
        (writer, page(*goods[start : start + 10], minutes=place, number=start))
        for place, writer in enumerate(writers)
        for start in (range(0, 40, 10) if place else range(30, -1, -10))
    ]
    await asyncio.gather(*(writer.save(one) for writer, one in readings))
    for writer in writers:
        await writer.close()
    assert len(rows(database, "SELECT * FROM listings")) == 40
    held_rules = rows(database, "SELECT * FROM price_rules WHERE replaced_by IS NULL")
    assert len(held_rules) == 40
