"""What the writer promises: every change is remembered once, and nothing else is written."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from decimal import Decimal
from itertools import pairwise
from typing import Any

import attrs
import msgspec
import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity import CityId, MerchantId, ProductId
from domain.offers import DeliveryOption, Offer, OfferBoard
from domain.product import Category, Rung
from domain.readings import Finding
from storage.database import open_engine
from storage.patience import Patience
from storage.statements import (
    MOVING_OFFER_COLUMNS,
    PASSING_OFFER_COLUMNS,
    REMEMBERED_OFFER_COLUMNS,
)
from storage.writer import BatchWriter, NotStored
from tests.building import (
    ALMATY,
    ASTANA,
    KETTLE,
    LAMP,
    at,
    board,
    card,
    incomplete,
    missing,
    offer,
    refresh,
    reviews,
)
from tests.storage.looking import (
    board_at,
    differing_columns,
    everything,
    history,
    minutes_of,
    product_history,
    row,
    rows,
)

BARNAUL = CityId("470000000")


async def save(writer: BatchWriter, *readings: Finding) -> None:
    """Save one after the other."""
    for reading in readings:
        await writer.save(reading)


async def save_together(writer: BatchWriter, *readings: Finding) -> list[BaseException | None]:
    """Save all at once, in one batch if they allow it."""
    return await asyncio.gather(*map(writer.save, readings), return_exceptions=True)


# --- what a board leaves behind --------------------------------------------------------------


@pytest.mark.parametrize(
    ("boards", "remembered"),
    [
        pytest.param(
            [board(offer("1", 100), offer("2", 200))],
            [(0, "seen", "1", 100), (0, "seen", "2", 200)],
            id="each first sighting",
        ),
        pytest.param(
            [board(offer("1", 100)), board(offer("1", 90), minutes=5)],
            [(0, "seen", "1", 100), (5, "changed", "1", 90)],
            id="a change of price, as the price it led to",
        ),
        pytest.param(
            [board(offer("1", 100)), board(offer("1", 100), minutes=5)],
            [(0, "seen", "1", 100)],
            id="nothing of a board that stands still",
        ),
        pytest.param(
            [
                board(offer("1", 100)),
                board(offer("1", 90), minutes=5),
                board(offer("1", 100), minutes=9),
            ],
            [(0, "seen", "1", 100), (5, "changed", "1", 90), (9, "changed", "1", 100)],
            id="a price that comes back",
        ),
        pytest.param(
            [board(offer("1", 100), offer("2", 200)), board(offer("2", 200), minutes=5)],
            [(0, "seen", "1", 100), (0, "seen", "2", 200), (5, "gone", "1", 100)],
            id="a departure, with the last state",
        ),
        pytest.param(
            [board(offer("1", 100)), board(minutes=5), board(minutes=6)],
            [(0, "seen", "1", 100), (5, "gone", "1", 100)],
            id="a departure once, however long the board stays empty",
        ),
        pytest.param(
            [board(offer("1", 100)), board(minutes=5), board(offer("1", 100), minutes=9)],
            [(0, "seen", "1", 100), (5, "gone", "1", 100), (9, "returned", "1", 100)],
            id="a return with the old price",
        ),
        pytest.param(
            [board(offer("1", 100)), board(minutes=5), board(offer("1", 80), minutes=9)],
            [(0, "seen", "1", 100), (5, "gone", "1", 100), (9, "returned", "1", 80)],
            id="a return with a new price as one event",
        ),
        pytest.param(
            [
                board(offer("1", 100), offer("2", 200)),
                incomplete(offer("2", 190), total=2, minutes=5),
            ],
            [(0, "seen", "1", 100), (0, "seen", "2", 200), (5, "changed", "2", 190)],
            id="changes seen on an incomplete board, but no departures",
        ),
        pytest.param(
            [
                board(offer("1", 100), offer("2", 200)),
                incomplete(offer("2", 200), total=2, minutes=5),
                board(offer("2", 200), minutes=9),
            ],
            [(0, "seen", "1", 100), (0, "seen", "2", 200), (9, "gone", "1", 100)],
            id="a departure at the first complete board",
        ),
        pytest.param(
            [
                board(offer("1", 100)),
                board(minutes=5),
                incomplete(offer("1", 100), total=2, minutes=9),
            ],
            [(0, "seen", "1", 100), (5, "gone", "1", 100), (9, "returned", "1", 100)],
            id="a return seen on an incomplete board",
        ),
        pytest.param(
            [incomplete(offer("1", 100), total=9), board(minutes=5)],
            [(0, "seen", "1", 100), (5, "gone", "1", 100)],
            id="the departure of one who was only seen on an incomplete board",
        ),
        pytest.param(
            [board(offer("1", 100)), board(offer("1", 100, seller="Лавка у моста"), minutes=5)],
            [(0, "seen", "1", 100), (5, "changed", "1", 100)],
            id="a renamed seller as one offer that changed",
        ),
        pytest.param(
            [board(offer("1", 100, seller="Тёзка"), offer("2", 100, seller="Тёзка"))],
            [(0, "seen", "1", 100), (0, "seen", "2", 100)],
            id="two merchants of one name as two",
        ),
        pytest.param(
            [board(offer("1", 100), offer("2", 200)), board(offer("2", 200), offer("1", 100))],
            [(0, "seen", "1", 100), (0, "seen", "2", 200)],
            id="nothing of another order of the same offers",
        ),
        pytest.param(
            [
                board(offer("1", 100)),
                board(offer("1", 300), city=ASTANA, minutes=5),
                board(minutes=6),
            ],
            [(0, "seen", "1", 100), (5, "seen", "1", 300), (6, "gone", "1", 100)],
            id="each city for itself",
        ),
        pytest.param(
            [
                board(offer("1", 100)),
                board(offer("1", 300), product=LAMP, minutes=5),
                board(minutes=6),
            ],
            [(0, "seen", "1", 100), (5, "seen", "1", 300), (6, "gone", "1", 100)],
            id="each product for itself",
        ),
    ],
)
@pytest.mark.parametrize("together", [False, True], ids=["one by one", "in one batch"])
async def test_history_remembers(
    writer: BatchWriter,
    database: str,
    boards: list[OfferBoard],
    remembered: list[tuple[int, str, str, int]],
    together: bool,
) -> None:
    if together:
        assert not any(await save_together(writer, *boards))
    else:
        await save(writer, *boards)
    assert history(database) == remembered
    counted = sum(n for name, n in writer.counts.items() if name.startswith("offer_history/"))
    assert counted == len(remembered)


NEW_VALUES: dict[str, Any] = {
    "seller": "Лавка у моста",
    "price": 9_999,
    "price_minus_bonus": 9_500,
    "price_before_discount": 12_000,
    "discount_percent": 5,
    "preorder_days": 3,
    "delivery_type": "PICKUP",
    "delivery_duration": "TILL_5_DAYS",
    "kaspi_delivery": False,
    "merchant_rating": Decimal("4.7"),
    "merchant_sku": "another",
    "merchant_reviews": 251,
    "purchase_count": 7,
    "title": "Чайник",
    "delivery_days": 2,
    "located_in_point": "101_PP9",
    "delivery_at": at(600),
    "pickup_at": at(601),
    "postomat_at": at(602),
    "handed_over_at": at(603),
    "available_at": at(604),
    "delivery_points": ("101_PP7",),
    "pickup_points": (),
    "delivery_options": (
        DeliveryOption(type="TO_DOOR", promised_at=at(600), inter_city=True, cost=None),
    ),
}


def test_every_fact_of_an_offer_is_remembered_passing_or_moving() -> None:
    """What a new field of the domain must be given: a place in one of the three lists."""
    known = REMEMBERED_OFFER_COLUMNS + PASSING_OFFER_COLUMNS + MOVING_OFFER_COLUMNS
    assert {"merchant_id", *known} == set(Offer.__struct_fields__)
    assert set(NEW_VALUES) == set(known)


def _stored(value: Any) -> Any:
    """A value as its column gives it back."""
    if isinstance(value, tuple) and value and isinstance(value[0], DeliveryOption):
        return [
            {**msgspec.structs.asdict(option), "promised_at": "2026-09-18T17:00:00Z"}
            for option in value
        ]
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize(
    ("column", "absent"),
    [pytest.param(name, False, id=f"another {name}") for name in REMEMBERED_OFFER_COLUMNS]
    + [pytest.param(name, True, id=f"no {name}") for name in REMEMBERED_OFFER_COLUMNS[2:]],
)
async def test_a_change_of_a_remembered_column_makes_one_row(
    writer: BatchWriter, database: str, column: str, absent: bool
) -> None:
    value = None if absent else NEW_VALUES[column]
    common: dict[str, Any] = {**NEW_VALUES, "price": 10_000} if absent else {}
    before, after = offer(**common), offer(**{**common, column: value})
    await save(writer, board(before), board(after, minutes=5))
    assert [event for _, event, _, _ in history(database)] == ["seen", "changed"]
    last = row(database, "SELECT * FROM offer_history WHERE event = 'changed'")
    current = row(database, "SELECT * FROM offers")
    assert last[column] == current[column] == value
    assert minutes_of(current["changed_at"]) == 5
    assert minutes_of(current["first_seen_at"]) == 0


@pytest.mark.parametrize("column", PASSING_OFFER_COLUMNS)
async def test_a_change_of_a_passing_column_brings_the_offer_up_to_date_without_a_row(
    writer: BatchWriter, database: str, column: str
) -> None:
    await save(writer, board(offer()), board(offer(**{column: NEW_VALUES[column]}), minutes=5))
    assert [event for _, event, _, _ in history(database)] == ["seen"]
    current = row(database, "SELECT * FROM offers")
    assert current[column] == NEW_VALUES[column]
    assert minutes_of(current["changed_at"]) == 5


@pytest.mark.parametrize("column", MOVING_OFFER_COLUMNS)
async def test_what_moves_with_the_clock_is_written_with_the_next_difference(
    writer: BatchWriter, database: str, column: str
) -> None:
    moved = {column: NEW_VALUES[column]}
    await save(writer, board(offer()), board(offer(**moved), minutes=5))
    assert minutes_of(row(database, "SELECT * FROM offers")["changed_at"]) == 0
    await save(writer, board(offer(price=9_000, **moved), minutes=9))
    assert row(database, "SELECT * FROM offers")[column] == _stored(NEW_VALUES[column])


async def test_an_offer_is_held_with_every_field(writer: BatchWriter, database: str) -> None:
    await writer.save(board(offer(**NEW_VALUES)))
    current = row(database, "SELECT * FROM offers")
    assert {name: current[name] for name in NEW_VALUES} == {
        name: _stored(value) for name, value in NEW_VALUES.items()
    }


async def test_absent_is_not_zero(writer: BatchWriter, database: str) -> None:
    bare = Offer(merchant_id=MerchantId("Satel"), seller="", merchant_sku=None, price=offer().price)
    zero = offer("2", discount_percent=0, preorder_days=0, merchant_reviews=0)
    await writer.save(board(bare, zero))
    one, other = rows(database, "SELECT * FROM offers ORDER BY merchant_id DESC")
    said = {name for name, value in one.items() if value is not None}
    assert said == {
        "id", "product_id", "city_id", "merchant_id", "seller", "price", "delivery_points",
        "pickup_points", "first_seen_at", "changed_at",
    }  # fmt: skip
    assert [other[name] for name in ("discount_percent", "preorder_days")] == [0, 0]


# --- a crawl that finds nothing new ----------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "again", "moved"),
    [
        pytest.param(
            refresh(board(offer("1"), offer("2")), board(offer("1"), city=ASTANA)),
            refresh(
                board(offer("2"), offer("1"), minutes=60),
                board(offer("1"), city=ASTANA, minutes=60),
                minutes=60,
            ),
            {
                "products.checked_at",
                "products.card_checked_at",
                "products.reviews_checked_at",
                "boards.checked_at",
                "boards.completed_at",
            },
            id="a whole refresh",
        ),
        pytest.param(
            refresh(),
            board(offer(), minutes=60),
            {"products.checked_at", "boards.checked_at", "boards.completed_at"},
            id="the home board alone",
        ),
        pytest.param(
            refresh(board(offer()), board(offer(), city=ASTANA)),
            board(offer(), city=ASTANA, minutes=60),
            {"boards.checked_at", "boards.completed_at"},
            id="the board of another city",
        ),
        pytest.param(
            refresh(board()),
            board(minutes=60),
            {"products.checked_at", "boards.checked_at", "boards.completed_at"},
            id="an empty board",
        ),
        pytest.param(
            refresh(),
            reviews(60),
            {"products.checked_at", "products.reviews_checked_at"},
            id="the reviews alone",
        ),
        pytest.param(
            refresh(),
            board(offer(delivery_at=at(999), available_at=at(998)), minutes=60),
            {"products.checked_at", "boards.checked_at", "boards.completed_at"},
            id="promises that only moved with the clock",
        ),
        pytest.param(
            refresh(board(offer(merchant_rating=Decimal("4.8")))),
            board(offer(merchant_rating=Decimal("4.80")), minutes=60),
            {"products.checked_at", "boards.checked_at", "boards.completed_at",
             "boards.fingerprint"},
            id="a number that is only written otherwise",
        ),
    ],
)  # fmt: skip
async def test_what_is_unchanged_only_moves_checked_at(
    writer: BatchWriter, database: str, first: Finding, again: Finding, moved: set[str]
) -> None:
    await writer.save(first)
    before = everything(database)
    await writer.save(again)
    assert differing_columns(before, everything(database)) == moved


@pytest.mark.parametrize(
    "reading",
    [
        pytest.param(refresh(), id="a refresh"),
        pytest.param(board(offer("1"), offer("2")), id="a board"),
        pytest.param(incomplete(offer("1"), total=7), id="an incomplete board"),
    ],
)
async def test_the_same_reading_twice_changes_nothing_and_is_no_error(
    writer: BatchWriter, database: str, reading: Finding
) -> None:
    await writer.save(reading)
    before = everything(database)
    await writer.save(reading)
    assert await save_together(writer, reading, reading) == [None, None]
    assert differing_columns(before, everything(database)) == set()


# --- boards ---------------------------------------------------------------------------------


async def test_an_incomplete_board_keeps_the_figures_of_the_last_complete_one(
    writer: BatchWriter, database: str
) -> None:
    await save(
        writer,
        board(offer("1", 100), offer("2", 200)),
        incomplete(offer("1", 50), total=3, minutes=5),
    )
    held = row(database, "SELECT * FROM boards")
    assert (held["min_price"], held["max_price"], held["seller_amount"]) == (100, 200, 2)
    assert (held["total"], held["complete"], held["fingerprint"]) == (3, False, None)
    assert (minutes_of(held["completed_at"]), minutes_of(held["checked_at"])) == (0, 5)


async def test_gone_at_and_last_seen_at_tell_of_the_departure(
    writer: BatchWriter, database: str
) -> None:
    await save(writer, board(offer("1")), board(offer("1"), minutes=5), board(minutes=9))
    left = row(database, "SELECT * FROM offers")
    assert (minutes_of(left["last_seen_at"]), minutes_of(left["gone_at"])) == (5, 9)
    await writer.save(board(offer("1"), minutes=12))
    back = row(database, "SELECT * FROM offers")
    assert (back["last_seen_at"], back["gone_at"]) == (None, None)
    assert minutes_of(back["first_seen_at"]) == 0


async def test_one_who_was_only_seen_on_incomplete_boards_was_last_seen_there(
    writer: BatchWriter, database: str
) -> None:
    await save(writer, incomplete(offer("1"), total=9), board(minutes=9))
    left = row(database, "SELECT * FROM offers")
    assert (minutes_of(left["last_seen_at"]), minutes_of(left["gone_at"])) == (0, 9)


@pytest.mark.parametrize("together", [False, True], ids=["later", "in the same batch"])
async def test_an_older_reading_never_overwrites_a_newer_one(
    writer: BatchWriter, database: str, together: bool
) -> None:
    await writer.save(board(offer("1", 100), minutes=10))
    before = everything(database)
    older = board(offer("1", 70), offer("2", 80), minutes=9)
    if together:
        told = await save_together(writer, older, board(offer("1"), product=LAMP))
    else:
        told = await save_together(writer, older)
    assert isinstance(told[0], NotStored)
    assert not any(told[1:])
    if not together:
        assert differing_columns(before, everything(database)) == set()
    assert [one["price"] for one in board_at(database, at(11))] == [100]


async def test_a_board_of_an_unknown_product_that_nobody_sells_is_not_stored(
    writer: BatchWriter, database: str
) -> None:
    with pytest.raises(NotStored, match="nothing is known"):
        await writer.save(board())
    assert not any(everything(database).values())


async def test_a_board_puts_itself_on_the_work_list_once(
    writer: BatchWriter, database: str
) -> None:
    await save(writer, board(offer()), board(offer(), city=ASTANA), board(offer(), minutes=5))
    listed = rows(database, "SELECT kaspi_id, city_id FROM work_list ORDER BY city_id")
    assert [(one["kaspi_id"], one["city_id"]) for one in listed] == [
        (KETTLE, ASTANA),
        (KETTLE, ALMATY),
    ]


async def test_a_board_that_was_taken_off_the_work_list_stays_off(
    writer: BatchWriter, database: str
) -> None:
    await writer.save(board(offer()))
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM work_list")
    await writer.save(board(offer(), minutes=5))
    assert rows(database, "SELECT * FROM work_list") == []


# --- products -------------------------------------------------------------------------------


async def test_a_refresh_fills_the_product(writer: BatchWriter, database: str) -> None:
    await writer.save(
        refresh(
            board(offer("1", 100), offer("2", 300)),
            board(offer("1", 50), city=ASTANA),
        )
    )
    held = row(database, "SELECT * FROM products")
    told = card()
    assert held["name"] == told.name
    assert held["category"] == "Чайники"
    assert held["image_url"] == list(told.image_urls)
    assert held["categories"] == [attrs.asdict(step) for step in told.categories]
    assert held["specifications"][0]["features"][0]["values"] == ["1.7"]
    assert held["variants"][0]["characteristics"] == [{"title": "Цвет", "value": "чёрный"}]
    assert (held["min_price"], held["max_price"], held["seller_amount"]) == (100, 300, 2)
    assert (held["rate"], held["review_amount"], held["rating_amount"]) == (Decimal("4.7"), 8, 20)
    assert held["rating_stars"] == [[5, 17], [4, 2], [1, 1]]
    assert product_history(database, "min_price") == [(0, "seen", 100)]


@pytest.mark.parametrize(
    ("later", "column", "remembered"),
    [
        pytest.param(
            board(offer(price=9_000), minutes=5),
            "min_price",
            [(0, "seen", 10_000), (5, "changed", 9_000)],
            id="the home city's lowest price",
        ),
        pytest.param(
            board(offer(), offer("2", 20_000), minutes=5),
            "max_price",
            [(0, "seen", 10_000), (5, "changed", 20_000)],
            id="the home city's highest price",
        ),
        pytest.param(
            board(minutes=5),
            "seller_amount",
            [(0, "seen", 1), (5, "changed", 0)],
            id="that nobody sells it any more",
        ),
        pytest.param(
            board(offer(price=1), city=ASTANA, minutes=5),
            "min_price",
            [(0, "seen", 10_000)],
            id="nothing of another city",
        ),
        pytest.param(
            incomplete(offer(price=1), total=5, minutes=5),
            "min_price",
            [(0, "seen", 10_000)],
            id="nothing of an incomplete board",
        ),
        pytest.param(
            reviews(5, review_amount=9),
            "review_amount",
            [(0, "seen", 8), (5, "changed", 9)],
            id="another review",
        ),
        pytest.param(
            reviews(-5, review_amount=9),
            "review_amount",
            [(0, "seen", 8)],
            id="nothing of older reviews",
        ),
        pytest.param(
            refresh(card=card(5, name="Чайник Tulpar T-200"), minutes=5),
            "name",
            [(0, "seen", "Чайник Tulpar T-200 белый"), (5, "changed", "Чайник Tulpar T-200")],
            id="another title",
        ),
        pytest.param(
            refresh(card=card(5, description=None), minutes=5),
            "description",
            [(0, "seen", card().description), (5, "changed", None)],
            id="a description that was taken away",
        ),
        pytest.param(
            refresh(card=card(-5, name="Старое"), boards=(), reviews=None),
            "name",
            [(0, "seen", "Чайник Tulpar T-200 белый")],
            id="nothing of an older card",
        ),
        pytest.param(missing(5), "name", [(0, "seen", card().name), (5, "gone", card().name)],
                     id="that the card is gone"),
        pytest.param(missing(-5), "name", [(0, "seen", card().name)],
                     id="nothing of an older absence"),
    ],
)  # fmt: skip
async def test_product_history_remembers(
    writer: BatchWriter,
    database: str,
    later: Finding,
    column: str,
    remembered: list[tuple[float, str, Any]],
) -> None:
    await writer.save(refresh())
    with suppress(NotStored):
        await writer.save(later)
    assert product_history(database, column) == remembered
    assert row(database, "SELECT * FROM products")[column] == remembered[-1][2]


NOTHING: dict[str, Any] = {
    **dict.fromkeys(
        ("categories", "image_urls", "specifications", "variants", "base_product_codes"), ()
    ),
    **dict.fromkeys(
        ("brand", "description", "category_id", "price_before_discount", "discount_percent",
         "link", "created_at")
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "poor",
    [
        pytest.param({}, id="that says nothing"),
        pytest.param({"image_urls": card().image_urls[1:]}, id="with one image of two"),
        pytest.param(
            {"categories": (Category(code="", title="Чайники"),)}, id="with the leaf alone"
        ),
        pytest.param({"description": "Чайник в рассрочку"}, id="with words of its own"),
    ],
)
@pytest.mark.parametrize("rung", [Rung.LD_JSON, Rung.META])
async def test_nothing_is_erased_by_a_card_from_a_lower_rung(
    writer: BatchWriter, database: str, rung: Rung, poor: dict[str, Any]
) -> None:
    await writer.save(refresh())
    before = everything(database)
    lower = card(5, rung=rung, **{**NOTHING, **poor})
    await writer.save(refresh(card=lower, boards=(), reviews=None))
    assert differing_columns(before, everything(database)) == {
        "products.rung",
        "products.checked_at",
        "products.card_checked_at",
    }


async def test_gaps_are_filled_by_a_card_from_a_lower_rung(
    writer: BatchWriter, database: str
) -> None:
    await writer.save(refresh(card=card(rung=Rung.META, **NOTHING)))
    await writer.save(refresh(card=card(5, rung=Rung.LD_JSON), boards=(), reviews=None))
    held = row(database, "SELECT * FROM products")
    assert (held["brand"], held["image_url"]) == ("Tulpar", list(card().image_urls))


async def test_a_first_card_from_a_lower_rung_is_held(writer: BatchWriter, database: str) -> None:
    await writer.save(refresh(card=card(rung=Rung.META, specifications=(), brand=None)))
    held = row(database, "SELECT * FROM products")
    assert (held["rung"], held["specifications"], held["brand"]) == ("meta", None, None)


async def test_a_product_that_is_gone_returns_with_its_card(
    writer: BatchWriter, database: str
) -> None:
    await save(writer, refresh(), missing(5), missing(7), reviews(8), refresh(minutes=9))
    assert [event[:2] for event in product_history(database, "name")] == [
        (0, "seen"),
        (5, "gone"),
        (9, "returned"),
    ]
    assert row(database, "SELECT * FROM products")["gone_at"] is None


async def test_a_card_older_than_the_absence_does_not_bring_the_product_back(
    writer: BatchWriter, database: str
) -> None:
    await save(writer, refresh(), missing(10), missing(12))
    await writer.save(refresh(card=card(11), boards=(), reviews=None))
    assert minutes_of(row(database, "SELECT * FROM products")["gone_at"]) == 10
    assert [event for _, event, _ in product_history(database, "name")] == ["seen", "gone"]


async def test_an_absence_is_remembered_though_a_newer_board_is_held(
    writer: BatchWriter, database: str
) -> None:
    await save(writer, refresh(), board(offer(price=9_000), minutes=10), missing(5))
    assert [event for _, event, _ in product_history(database, "name")] == ["seen", "gone"]


async def test_an_unknown_product_that_is_missing_leaves_no_trace(
    writer: BatchWriter, database: str
) -> None:
    await writer.save(missing())
    assert not any(everything(database).values())


async def test_a_product_is_met_on_a_board_before_its_card(
    writer: BatchWriter, database: str
) -> None:
    await writer.save(board(offer(price=100), city=ASTANA))
    met = row(database, "SELECT * FROM products")
    assert (met["name"], met["home_city_id"], met["min_price"]) == (None, ASTANA, 100)
    await writer.save(refresh(minutes=5))
    known = row(database, "SELECT * FROM products")
    assert (known["name"], known["home_city_id"]) == (card().name, ALMATY)
    assert known["min_price"] == 10_000


async def test_another_home_city_brings_its_figures(writer: BatchWriter, database: str) -> None:
    boards = board(offer(price=100)), board(offer(price=70), city=ASTANA)
    later = tuple(attrs.evolve(each, checked_at=at(5)) for each in boards)
    await save(writer, refresh(*boards), refresh(*later, card=card(5), home_city=ASTANA, minutes=5))
    assert product_history(database, "min_price") == [(0, "seen", 100), (5, "changed", 70)]
    await writer.save(board(offer(price=1), minutes=9))
    assert row(database, "SELECT * FROM products")["min_price"] == 70


async def test_a_home_city_without_a_board_has_no_figures(
    writer: BatchWriter, database: str
) -> None:
    await save(writer, refresh(), refresh(card=card(5), home_city=BARNAUL, boards=(), minutes=5))
    held = row(database, "SELECT * FROM products")
    assert (held["min_price"], held["seller_amount"]) == (None, None)


async def test_reviews_of_an_unknown_product_are_held(writer: BatchWriter, database: str) -> None:
    await writer.save(reviews())
    held = row(database, "SELECT * FROM products")
    assert (held["kaspi_id"], held["rate"], held["name"]) == (KETTLE, Decimal("4.7"), None)
    assert product_history(database, "review_amount") == [(0, "seen", 8)]


async def test_reviews_that_nobody_wrote_of_an_unknown_product_leave_no_trace(
    writer: BatchWriter, database: str
) -> None:
    with pytest.raises(NotStored, match="nothing is known"):
        await writer.save(reviews(rate=None, rating_amount=0, review_amount=0, stars=()))
    assert not any(everything(database).values())


# --- batches --------------------------------------------------------------------------------

#: No compression makes it fit the third of a page that an index takes.
ENDLESS = "".join(random.Random(7).choices([chr(code) for code in range(0x400, 0x4FF)], k=5_000))  # noqa: S311

POISONED = [
    pytest.param(board(offer(seller="Лав\0ка"), product=LAMP), id="a NUL"),
    pytest.param(board(offer(title="\ud800"), product=LAMP), id="half a character"),
    pytest.param(board(offer(price=-1), product=LAMP), id="a price below zero"),
    pytest.param(board(offer(price=2**70), product=LAMP), id="a price without bounds"),
    pytest.param(board(offer("1", 5), offer("1", 6), product=LAMP), id="a merchant twice"),
    pytest.param(board(offer(""), product=LAMP), id="an offer of nobody"),
    pytest.param(board(offer(ENDLESS), product=LAMP), id="a code too long for an index"),
    pytest.param(
        board(offer(merchant_rating=Decimal("12345.6")), product=LAMP), id="an absurd rating"
    ),
    pytest.param(refresh(card=card(product=LAMP, name="\0"), boards=()), id="a card with a NUL"),
    pytest.param(
        refresh(card=card(product=LAMP, brand="\udfff"), boards=()), id="a card with half a letter"
    ),
    pytest.param(
        refresh(card=card(product=LAMP, description="x", image_urls=("\0",)), boards=()),
        id="an address with a NUL",
    ),
    pytest.param(reviews(product=LAMP, rate=Decimal(1000)), id="an impossible rate"),
]


@pytest.mark.parametrize("poisoned", POISONED)
async def test_a_poisoned_reading_is_refused_alone(
    writer: BatchWriter, database: str, poisoned: Finding
) -> None:
    if not isinstance(poisoned, OfferBoard):
        await writer.save(refresh())
    good = [board(offer(), product=ProductId(str(number)), minutes=1) for number in range(7)]
    # It is not tried again and again, as what a lost connection fails would be.
    told = await asyncio.wait_for(save_together(writer, *good[:3], poisoned, *good[3:]), 4)
    assert isinstance(told[3], NotStored)
    assert [*told[:3], *told[4:]] == [None] * 7
    stored = rows(database, "SELECT kaspi_id FROM products JOIN boards ON product_id = id")
    assert {one["kaspi_id"] for one in stored} - {KETTLE} == {str(number) for number in range(7)}
    await writer.save(board(offer(), product=LAMP, minutes=99))


async def test_a_thing_that_comes_twice_in_a_batch_is_written_in_order(
    writer: BatchWriter, database: str
) -> None:
    twice = [board(offer(price=100 + n), minutes=n) for n in range(6)]
    assert await save_together(writer, *twice) == [None] * 6
    assert history(database) == [(n, "changed" if n else "seen", "101", 100 + n) for n in range(6)]


async def test_a_batch_spans_the_turn_of_the_month(writer: BatchWriter, database: str) -> None:
    boards = [board(offer(price=100 + n), minutes=n * 60 * 24 * 30) for n in range(5)]
    assert await save_together(writer, *boards) == [None] * 5
    assert [price for *_, price in history(database)] == [100, 101, 102, 103, 104]


async def test_closing_waits_for_what_is_being_written(engine: AsyncEngine, database: str) -> None:
    writer = BatchWriter(engine, Patience(full_at=4, linger=60))
    boards = [board(offer(), product=ProductId(str(number))) for number in range(11)]
    saving = [asyncio.create_task(writer.save(each)) for each in boards]
    await asyncio.sleep(0.01)
    await asyncio.wait_for(writer.close(), 10)
    assert all(task.done() for task in saving)
    assert len(rows(database, "SELECT FROM boards")) == 11


async def test_closing_twice_is_harmless(writer: BatchWriter) -> None:
    await writer.save(board(offer()))
    await writer.close()
    await asyncio.wait_for(writer.close(), 5)


async def test_after_closing_nothing_is_taken(writer: BatchWriter) -> None:
    await writer.close()
    with pytest.raises(RuntimeError, match="closed"):
        await writer.save(board(offer()))


@pytest.mark.parametrize("wait", [0, 0.02, 0.1], ids=["at once", "while it lingers", "later"])
async def test_one_who_gives_up_waiting_does_no_harm_to_others(
    engine: AsyncEngine, database: str, wait: float
) -> None:
    writer = BatchWriter(engine, Patience(linger=0.05))
    impatient = asyncio.create_task(writer.save(board(offer(), product=LAMP)))
    patient = asyncio.create_task(writer.save(board(offer())))
    await asyncio.sleep(wait)
    impatient.cancel()
    await asyncio.wait_for(patient, 10)
    await asyncio.wait_for(writer.save(board(offer(), minutes=5)), 10)
    await writer.close()
    assert len(board_at(database, at(1))) == 1


# --- two crawls at once ---------------------------------------------------------------------


@pytest.fixture
async def writers(database: str) -> AsyncIterator[list[BatchWriter]]:
    """Three crawls of their own."""
    engines = [open_engine(database) for _ in range(3)]
    writers = [BatchWriter(each, Patience(full_at=40, linger=0.01)) for each in engines]
    yield writers
    for writer, engine in zip(writers, engines, strict=True):
        await writer.close()
        await engine.dispose()


def crowd(product: int, minutes: float, price: int) -> OfferBoard:
    """Four sellers who all ask about the same."""
    sellers = (offer(str(merchant), price + merchant) for merchant in range(4))
    return board(*sellers, product=ProductId(str(product)), minutes=minutes)


def _arranged(readings: list[OfferBoard], number: int) -> list[OfferBoard]:
    """An order of its own for each crawl."""
    return sorted(readings, key=lambda reading: hash((number, reading.kaspi_id)) % 1_000)


async def test_crawls_of_the_same_boards_take_turns(
    writers: list[BatchWriter], database: str
) -> None:
    for step in range(6):
        same = [crowd(product, step, 1_000 + step) for product in range(30)]
        told = await asyncio.gather(
            *(
                save_together(writer, *_arranged(same, number))
                for number, writer in enumerate(writers)
            )
        )
        assert not [error for each in told for error in each if error]
    events = [(event, price) for _, event, _, price in history(database)]
    assert len(events) == 30 * 4 * 6
    assert sum(event == "seen" for event, _ in events) == 30 * 4
    assert len(rows(database, "SELECT FROM product_history")) == 30 * 6


async def test_crawls_at_different_moments_leave_a_true_history(
    writers: list[BatchWriter], database: str
) -> None:
    for step in range(6):
        await asyncio.gather(
            *(
                save_together(
                    writer,
                    *(crowd(p, step * 10 + number, 1_000 * (number + 1)) for p in range(20)),
                )
                for number, writer in enumerate(writers)
            )
        )
    for product in range(20):
        told = rows(
            database,
            "SELECT event::text, offer_history.price FROM offer_history JOIN offers "
            "ON offers.id = offer_id JOIN products ON products.id = offers.product_id "
            "WHERE kaspi_id = %s AND merchant_id = '1' ORDER BY created_at",
            str(product),
        )
        prices = [one["price"] for one in told]
        assert all(one != other for one, other in pairwise(prices))
        assert prices[-1] == row(
            database, "SELECT max_price - 2 AS p FROM products WHERE kaspi_id = %s", str(product)
        )["p"]  # fmt: skip


async def test_a_review_read_meanwhile_does_not_bring_back_an_old_price(
    writers: list[BatchWriter], database: str
) -> None:
    """The figures of the home board are read after the product is locked, not before."""
    await writers[0].save(refresh())
    for step in range(1, 40):
        await asyncio.gather(
            writers[0].save(board(offer(price=10_000 + step), minutes=step)),
            writers[1].save(reviews(step + 0.25, review_amount=8 + step)),
            writers[2].save(reviews(step + 0.5, review_amount=8 + step)),
            return_exceptions=True,  # the reviews may come too late
        )
        assert row(database, "SELECT min_price FROM products")["min_price"] == 10_000 + step
    prices = [price for _, _, price in product_history(database, "min_price")]
    assert prices == sorted(prices)


async def test_the_database_that_stays_away_is_told_to_all_who_wait(database: str) -> None:
    engine = open_engine(database + "_of_nobody")
    writer = BatchWriter(engine, Patience(give_up_after=0.3, first_pause=0.1))
    told = await save_together(writer, board(offer()), board(offer(), product=LAMP))
    assert all(isinstance(error, Exception) for error in told)
    assert not any(isinstance(error, NotStored) for error in told)
    await writer.close()
    await engine.dispose()


async def test_a_lost_connection_is_replaced(writer: BatchWriter, database: str) -> None:
    await writer.save(board(offer()))
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND usename = current_user "
            "AND pid <> pg_backend_pid()"
        )
    await writer.save(board(offer(price=9_000), minutes=5))
    assert [price for *_, price in history(database)] == [10_000, 9_000]
