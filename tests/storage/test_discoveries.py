"""What leads to products is kept once, brought up to date, and never taken for an offer."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.categories import CategorySource
from domain.identity import ProductId
from domain.money import Tenge
from domain.readings import Discovery
from storage.review_horizons import review_horizons
from storage.writer import BatchWriter, NotStored
from tests.building import ALMATY, ASTANA, KETTLE, LAMP, board, offer
from tests.discoveries import (
    GROUP,
    category,
    group,
    listed,
    listing,
    review,
    sitemap,
    texts,
    tree,
    variants,
)
from tests.storage.looking import Rows, minutes_of, row, rows

TABLES = (
    "listing_hints",
    "listing_hint_history",
    "found_in",
    "found_variants",
    "categories",
    "category_counts",
    "sitemap_categories",
    "review_texts",
    "reviewed_products",
    "review_readings",
    "work_list",
)


async def save(writer: BatchWriter, *found: Discovery) -> None:
    for one in found:
        await writer.save(one)


def held(database: str) -> dict[str, Rows]:
    return {
        table: rows(database, f"SELECT * FROM {table} ORDER BY 1, 2")  # noqa: S608
        for table in TABLES
    }


def on_the_list(database: str) -> list[tuple[str, str]]:
    found = rows(database, "SELECT kaspi_id, city_id FROM work_list ORDER BY 1, 2")
    return [(one["kaspi_id"], one["city_id"]) for one in found]


#: One discovery of each kind.
EACH: list[Any] = [
    pytest.param(listing(listed(), group(LAMP, 2)), id="a listing"),
    pytest.param(variants(KETTLE, LAMP), id="variants"),
    pytest.param(tree(category(), category("Kitchen", None, count=7)), id="a tree"),
    pytest.param(sitemap("kettles", "men t-shirts"), id="a sitemap"),
    pytest.param(texts(review(1), review(2)), id="reviews"),
]


@pytest.mark.parametrize("found", EACH)
async def test_writing_twice_changes_nothing(
    writer: BatchWriter, database: str, found: Discovery
) -> None:
    await save(writer, found)
    before = held(database)
    assert any(before.values())
    await save(writer, found)
    assert held(database) == before


# --- listings --------------------------------------------------------------------------------


async def test_a_hint_is_kept_as_it_was_listed_with_its_place(
    writer: BatchWriter, database: str
) -> None:
    await save(writer, listing(listed(place=7)))
    hint = row(database, "SELECT * FROM listing_hints")
    assert (hint["card_id"], hint["city_id"], hint["kaspi_id"]) == (KETTLE, ALMATY, KETTLE)
    assert (hint["unit_price"], hint["sale_price"]) == (9_990, 9_490)
    assert (hint["rating"], hint["review_amount"]) == (Decimal("4.88"), 85)
    assert hint["category_codes"] == ["Kettles", "Kitchen", "Categories"]
    found = row(database, "SELECT * FROM found_in")
    assert (found["listing"], found["query"], found["place"]) == ("category", "Kettles", 7)


async def test_a_hint_is_no_offer(writer: BatchWriter, database: str) -> None:
    await writer.save(board(offer(price=9_000)))
    before = [rows(database, f"SELECT * FROM {t}") for t in ("boards", "offers", "products")]  # noqa: S608
    await save(writer, listing(listed(), minutes=5))
    after = [rows(database, f"SELECT * FROM {t}") for t in ("boards", "offers", "products")]  # noqa: S608
    assert before == after


async def test_only_a_change_makes_a_row_of_history(writer: BatchWriter, database: str) -> None:
    cheaper = listed(sale_price=Tenge(9_000))
    moved = listed(sale_price=Tenge(9_000), delivery_duration="TODAY", place=3)
    for minutes, card in enumerate([listed(), listed(), cheaper, moved]):
        await save(writer, listing(card, minutes=minutes))
    told = rows(database, "SELECT * FROM listing_hint_history ORDER BY seen_at")
    assert [(minutes_of(one["seen_at"]), one["sale_price"]) for one in told] == [
        (0, 9_490),
        (2, 9_000),
    ]
    assert row(database, "SELECT place FROM found_in")["place"] == 3
    assert row(database, "SELECT * FROM listing_hints")["delivery_duration"] == "TODAY"


async def test_a_listing_that_comes_late_overwrites_nothing(
    writer: BatchWriter, database: str
) -> None:
    await save(writer, listing(listed(), minutes=5))
    await save(writer, listing(listed(sale_price=Tenge(1), place=9), minutes=1))
    assert row(database, "SELECT sale_price FROM listing_hints")["sale_price"] == 9_490
    assert row(database, "SELECT place FROM found_in")["place"] == 1


@pytest.mark.parametrize(
    ("page", "watched"),
    [
        pytest.param(listing(listed()), [(KETTLE, ALMATY)], id="a product"),
        pytest.param(listing(group(LAMP)), [(LAMP, ALMATY)], id="the variant that a group names"),
        pytest.param(listing(group(None)), [], id="no group of variants itself"),
        pytest.param(listing(listed(), watched=False), [], id="nothing that is only looked at"),
        pytest.param(listing(listed(), city_id=ASTANA), [(KETTLE, ASTANA)], id="in its city"),
        pytest.param(
            variants(KETTLE, LAMP),
            [(p, c) for p in (KETTLE, LAMP) for c in (ASTANA, ALMATY)],
            id="all variants in all cities",
        ),
        pytest.param(variants(LAMP, watched=False), [], id="no variants only looked at"),
    ],
)
async def test_on_the_work_list_goes(
    writer: BatchWriter, database: str, page: Discovery, watched: list[tuple[str, str]]
) -> None:
    await save(writer, page)
    assert on_the_list(database) == watched
    assert writer.counts["work_list/added"] == len(watched)


async def test_a_group_that_once_named_a_product_keeps_it(
    writer: BatchWriter, database: str
) -> None:
    await save(writer, listing(group(LAMP)), listing(group(None), minutes=1))
    hint = row(database, "SELECT * FROM listing_hints")
    assert (hint["card_id"], hint["kaspi_id"]) == (GROUP, LAMP)


async def test_a_refused_page_does_not_take_others_with_it(
    writer: BatchWriter, database: str
) -> None:
    with pytest.raises(NotStored):
        await writer.save(listing(listed(title="по\x00лом")))
    await save(writer, listing(listed(LAMP)))
    assert on_the_list(database) == [(LAMP, ALMATY)]


# --- categories ------------------------------------------------------------------------------


async def test_the_menu_knows_best_and_facets_fill_gaps(writer: BatchWriter, database: str) -> None:
    facets = tree(
        category(parent="Categories", title="Чай", count=12, popularity=3),
        source=CategorySource.FACETS,
    )
    await save(writer, facets, tree(category(), minutes=1))
    known = row(database, "SELECT * FROM categories")
    assert (known["parent"], known["title"], known["popularity"]) == ("Kitchen", "Чайники", 3)
    await save(writer, tree(category(title="?", count=5), source=CategorySource.FACETS, minutes=2))
    known = row(database, "SELECT * FROM categories")
    assert (known["parent"], known["title"]) == ("Kitchen", "Чайники")
    counted = row(database, "SELECT * FROM category_counts")
    assert (counted["cards"], minutes_of(counted["counted_at"])) == (5, 2)
    assert [minutes_of(known[name]) for name in ("in_menu_at", "in_facets_at")] == [1, 2]


async def test_the_sitemap_finds_its_categories_by_their_codes_in_small_letters(
    writer: BatchWriter, database: str
) -> None:
    await save(writer, tree(category("Men fashion", None)), sitemap("men fashion", "new ones"))
    found = rows(
        database,
        "SELECT slug, code FROM sitemap_categories LEFT JOIN categories ON slug = lower(code)"
        " ORDER BY slug",
    )
    assert [(one["slug"], one["code"]) for one in found] == [
        ("men fashion", "Men fashion"),
        ("new ones", None),
    ]


# --- texts of reviews ------------------------------------------------------------------------


async def test_an_edited_review_is_brought_up_to_date(writer: BatchWriter, database: str) -> None:
    await save(writer, texts(review(1), review(2)))
    await save(writer, texts(review(1, text="Сломался.", rating=1), review(2), minutes=9))
    told = rows(database, "SELECT * FROM review_texts ORDER BY id")
    assert [(one["text"], minutes_of(one["changed_at"])) for one in told] == [
        ("Сломался.", 9),
        ("Кипятит.", 0),
    ]
    assert {minutes_of(one["first_seen_at"]) for one in told} == {0}
    assert writer.counts["review_texts/seen"] == 2
    assert writer.counts["review_texts/changed"] == 1


async def test_sizes_of_a_colour_share_a_review(writer: BatchWriter, database: str) -> None:
    await save(writer, texts(review(1)), texts(review(1), review(2), product=LAMP, minutes=1))
    assert len(rows(database, "SELECT * FROM review_texts")) == 2
    shown = rows(database, "SELECT kaspi_id, count(*) FROM reviewed_products GROUP BY 1 ORDER BY 1")
    assert [(one["kaspi_id"], one["count"]) for one in shown] == [(KETTLE, 1), (LAMP, 2)]


async def test_a_horizon_is_what_a_whole_reading_left(
    writer: BatchWriter, engine: AsyncEngine
) -> None:
    newest = review(2).id
    await save(writer, texts(review(2), final=False), texts(review(1), page=1, product=LAMP))
    assert await review_horizons(engine, [KETTLE, LAMP]) == {LAMP: frozenset({review(1).id})}
    await save(writer, texts(page=1, newest=(newest,), minutes=1))
    assert (await review_horizons(engine, [KETTLE]))[KETTLE] == frozenset({newest})
    await save(writer, texts(review(3), final=False, minutes=2))
    assert (await review_horizons(engine, [KETTLE]))[KETTLE] == frozenset({newest})


async def test_the_day_and_the_merchant_are_kept(writer: BatchWriter, database: str) -> None:
    await save(writer, texts(review(1, photos=3), review(2, merchant_id=None)))
    told = rows(database, "SELECT * FROM review_texts ORDER BY id")
    assert told[0]["written_on"] == date(2026, 9, 18)
    assert [one["merchant_id"] for one in told] == ["101", None]
    assert told[0]["photos"] == 3


async def test_no_table_has_a_place_for_who_wrote(database: str) -> None:
    found = rows(
        database,
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name ~* 'author|order_?n|buyer|customer'",
    )
    assert found == []


async def test_nothing_is_known_of_who_was_never_read(engine: AsyncEngine) -> None:
    assert await review_horizons(engine, [ProductId("1")]) == {}
