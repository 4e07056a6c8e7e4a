"""The rules as they are kept: lines laid over defaults, changes, undo."""

from typing import Any

import psycopg
import pytest

from domain.identity import CityId, MerchantId, ProductId
from domain.shop import OwnListing, RuleLine, Store
from storage import listings, rules
from storage.stores import sisters

STORE = MerchantId("30000001")
ALMATY, ASTANA = CityId("750000000"), CityId("710000000")


def line(sku: str = "", city: CityId | None = None, **said: Any) -> RuleLine:
    product = ProductId(f"10{sku}") if sku else None
    return RuleLine(store=STORE, sku=sku, city=city, said=said, kaspi_id=product)


def in_force(database: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The whole rules that hold, by sku and city."""
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT sku, city_id, said FROM price_rules JOIN listings ON listings.id = listing_id "
            "WHERE replaced_by IS NULL"
        )
        return {(sku, city): said for sku, city, said in rows}


def test_a_line_is_laid_over_the_defaults_and_a_city_over_both(database: str) -> None:
    rules.apply(
        database,
        [
            line(step=5, strategy="match"),
            line("1", floor=900),
            line("1", ASTANA, floor=950, step=1),
            line("2"),
        ],
        "rules.xlsx",
    )
    assert in_force(database) == {
        ("1", ""): {"step": 5, "strategy": "match", "floor": 900},
        ("1", ASTANA): {"step": 1, "strategy": "match", "floor": 950},
        ("2", ""): {"step": 5, "strategy": "match"},
    }


def test_defaults_in_a_city_hold_for_every_listing_there(database: str) -> None:
    rules.apply(database, [line(city=ASTANA, step=9), line("1", floor=900)], "rules.csv")
    assert in_force(database)["1", ASTANA] == {"step": 9, "floor": 900}


def test_the_same_lines_again_change_nothing(database: str) -> None:
    told = [line(step=5), line("1", floor=900)]
    first = rules.apply(database, told, "rules.csv")
    again = rules.apply(database, told, "rules.csv")
    assert (first.changed, first.rules) == (2, 1)
    assert (again.change, again.changed, again.rules) == (None, 0, 0)
    assert [change.source for change in rules.changes(database)] == ["rules.csv"]


def test_new_defaults_make_new_rules_of_the_old_lines(database: str) -> None:
    rules.apply(database, [line("1", floor=900), line("2", step=3)], "rules.csv")
    applied = rules.apply(database, [line(step=7)], "defaults.csv")
    assert (applied.changed, applied.rules) == (1, 1)
    assert in_force(database) == {("1", ""): {"floor": 900, "step": 7}, ("2", ""): {"step": 3}}


def test_a_listing_that_is_imported_later_gets_the_defaults(database: str) -> None:
    rules.apply(database, [line(step=7)], "defaults.csv")
    new = OwnListing(store=STORE, sku="3", kaspi_id=ProductId("103"), stock=4)
    imported = listings.put(database, [new], "listings.csv", watched_in=[ALMATY])
    assert (imported.added, imported.changed, imported.rules) == (1, 0, 1)
    assert in_force(database) == {("3", ""): {"step": 7}}
    again = listings.put(database, [new], "listings.csv")
    assert (again.added, again.changed, again.rules) == (0, 0, 0)


def test_lines_for_articles_that_are_not_listed_are_refused_together(database: str) -> None:
    unlisted = RuleLine(store=STORE, sku="404", said={})
    with pytest.raises(rules.UnknownListings) as refusal:
        rules.apply(database, [line("1", floor=900), unlisted], "rules.csv")
    assert refusal.value.skus == [(STORE, "404")]
    assert in_force(database) == {}


def test_an_undone_change_leaves_everything_as_it_was(database: str) -> None:
    rules.apply(database, [line(step=5), line("1", floor=900)], "first.csv")
    before = in_force(database), list(rules.lines(database))
    second = rules.apply(database, [line(step=6), line("1", floor=1), line("2")], "second.csv")
    assert second.change is not None
    rules.undo(database, second.change)
    assert list(rules.lines(database)) == before[1]
    assert in_force(database) == before[0] | {("2", ""): {"step": 5}}
    assert [change.undoes for change in rules.changes(database)] == [second.change, None, None]


def test_an_undo_can_be_undone(database: str) -> None:
    rules.apply(database, [line("1", floor=900)], "first.csv")
    second = rules.apply(database, [line("1", floor=950)], "second.csv").change
    assert second is not None
    undone = rules.undo(database, second).change
    assert undone is not None
    rules.undo(database, undone)
    assert in_force(database) == {("1", ""): {"floor": 950}}


def test_a_change_is_not_undone_under_a_later_one(database: str) -> None:
    first = rules.apply(database, [line("1", floor=900)], "first.csv").change
    rules.apply(database, [line("1", floor=950)], "second.csv")
    assert first is not None
    with pytest.raises(rules.CannotUndo, match="changed again since"):
        rules.undo(database, first)
    with pytest.raises(rules.CannotUndo, match="there is no change 999"):
        rules.undo(database, 999)


def test_sisters_are_the_same_owners_other_stores_and_nobody_elses(database: str) -> None:
    shops = {"1": "we", "2": "we", "3": "they", "4": "they"}
    told = [Store(id=MerchantId(shop), owner=owner) for shop, owner in shops.items()]
    told.append(Store(id=MerchantId("1"), sisters=frozenset({MerchantId("9")})))
    rules.apply(database, [line("1")], "rules.csv", told)
    assert sisters(database, "1") == {"2", "9"}
    assert sisters(database, "2") == {"1"}
    assert sisters(database, "3") == {"4"}
    assert sisters(database, "stranger") == frozenset()


def test_rules_that_somebody_else_changed_meanwhile_are_looked_at_anew(database: str) -> None:
    seen = rules.latest(database)
    rules.apply(database, [line("1", floor=900)], "theirs.csv")
    with pytest.raises(rules.ChangedMeanwhile):
        rules.apply(database, [line("1", floor=800)], "ours.csv", seen=seen)
    assert in_force(database) == {("1", ""): {"floor": 900}}


def test_stores_keep_what_is_not_said_again(database: str) -> None:
    shop = Store(id=STORE, owner="a", sisters=frozenset({MerchantId("5")}))
    rules.apply(database, [line("1")], "rules.csv", [shop])
    rules.apply(database, [line("1")], "rules.csv", [Store(id=STORE, name="Shop")])
    with psycopg.connect(database) as connection:
        kept = connection.execute("SELECT name, owner, sisters FROM stores").fetchall()
    assert kept == [("Shop", "a", ["5"])]
