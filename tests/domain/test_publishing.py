"""Whether a price may leave, and whether it arrived: promises that hold whatever is read."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cabinet import CabinetOffer, Point
from domain.identity import CityId, MerchantId
from domain.money import Tenge
from domain.publishing import (
    Intention,
    Outcome,
    Patience,
    Sent,
    Shown,
    endangered,
    obstacle,
    verdict,
)
from domain.shop import ListingId
from tests.building import ALMATY, ASTANA, KETTLE, START

OURS = MerchantId("700")
prices = st.integers(1, 20_000).map(Tenge)
maybe = st.none() | prices


def shown(**more: Any) -> CabinetOffer:
    known: dict[str, Any] = {
        "store": OURS, "sku": "kettle", "kaspi_id": KETTLE, "title": None, "model": None,
        "brand": None, "price": Tenge(10_000), "city_prices": {ALMATY: Tenge(10_000)},
        "prices": {}, "points": (Point(id="700_PP1", available=True, stock=5),), "on_sale": True,
        "errors": (), "updated_at": None, "archived_at": None,
    }  # fmt: skip
    return CabinetOffer(**{**known, **more})


def intention(**more: Any) -> Intention:
    known: dict[str, Any] = {
        "id": 1, "listing": ListingId(1), "store": OURS, "sku": "kettle", "city": ALMATY,
        "price": Tenge(9_499), "before": Tenge(10_000), "least": Tenge(9_000),
        "bounds": {"": (Tenge(9_000), Tenge(12_000))},
    }  # fmt: skip
    return Intention(**{**known, **more})


def sent(**more: Any) -> Sent:
    known: dict[str, Any] = {
        "id": 1, "listing": ListingId(1), "store": OURS, "sku": "kettle", "city": ALMATY,
        "price": Tenge(9_499), "before": Tenge(10_000), "sent_at": START, "accepted_at": START,
    }  # fmt: skip
    return Sent(**{**known, **more})


@pytest.mark.parametrize(
    ("wanted", "item", "why"),
    [
        pytest.param({}, {}, None, id="a price that was decided on what stands there leaves"),
        pytest.param({"paused": True}, {}, Outcome.PAUSED, id="a paused one stays"),
        pytest.param({}, {"on_sale": False}, Outcome.REMOVED, id="goods off sale get no price"),
        pytest.param({}, {"points": ()}, Outcome.SOLD_OUT, id="nor goods without a point"),
        pytest.param(
            {},
            {"points": (Point(id="700_PP1", available=True, stock=0),)},
            Outcome.SOLD_OUT,
            id="nor goods of which none is left",
        ),
        pytest.param(
            {"least": Tenge(9_500)}, {}, Outcome.BELOW_LEAST, id="nor one below the rule's least"
        ),
        pytest.param(
            {}, {"city_prices": {ALMATY: Tenge(9_800)}}, Outcome.CHANGED_BEFORE,
            id="nor where somebody changed ours",
        ),
        pytest.param(
            {"known": Tenge(9_800)}, {"city_prices": {ALMATY: Tenge(9_800)}}, None,
            id="unless it was ourselves",
        ),
        pytest.param(
            {}, {"city_prices": {ALMATY: Tenge(9_499)}}, Outcome.ALREADY_THERE,
            id="what is there already is not sent",
        ),
    ],
)  # fmt: skip
def test_what_may_leave(wanted: dict[str, Any], item: dict[str, Any], why: Outcome | None) -> None:
    assert obstacle(intention(**wanted), shown(**item)) is why


@given(price=prices, least=prices, live=maybe, before=maybe, known=maybe)
def test_no_price_below_the_rules_least_ever_leaves(
    price: Tenge, least: Tenge, live: Tenge | None, before: Tenge | None, known: Tenge | None
) -> None:
    wanted = intention(price=price, least=least, before=before, known=known)
    item = shown(city_prices={} if live is None else {ALMATY: live})
    if price < least:
        assert obstacle(wanted, item) is not None


@given(other=prices, floor=prices, ceiling=maybe, watched=st.booleans())
def test_no_price_below_a_floor_is_ever_said_again(
    other: Tenge, floor: Tenge, ceiling: Tenge | None, watched: bool
) -> None:
    one = intention(bounds={"": (floor, ceiling)}, watched=frozenset({ASTANA} if watched else ()))
    item = shown(city_prices={ALMATY: Tenge(10_000), ASTANA: other})
    found = endangered(one, item, {ALMATY: Tenge(9_499)})
    is_dear = ceiling is not None and other > ceiling and watched
    assert (found == ASTANA) is (other < floor or is_dear)
    assert endangered(one, item, {ALMATY: Tenge(9_499), ASTANA: floor}) is None


@pytest.mark.parametrize(
    ("asked", "base", "bounds", "watched", "found"),
    [
        pytest.param(6_000, 6_000, {ASTANA: (8_000, None)}, {ASTANA}, ASTANA,
                     id="below the floor of a city that follows"),
        pytest.param(12_000, 12_000, {ASTANA: (1, 9_000)}, {ASTANA}, ASTANA,
                     id="above its ceiling"),
        pytest.param(12_000, 12_000, {ASTANA: (1, 9_000)}, set(), ASTANA,
                     id="above its ceiling, where nobody decides: it is moved by our hand"),
        pytest.param(9_000, 10_000, {ASTANA: (1, 9_000)}, set(), None,
                     id="one that stays may be above a ceiling where nobody decides"),
        pytest.param(6_000, 6_000, {"": (8_000, None), ALMATY: (1, None)}, set(), "",
                     id="below the floor of all other cities"),
        pytest.param(12_000, 12_000, {"": (1, 9_000), ALMATY: (1, None)}, set(), "",
                     id="above the ceiling of all other cities"),
        pytest.param(8_500, 10_000, {"": (8_000, 12_000)}, {ASTANA}, None,
                     id="within every rule"),
        pytest.param(6_000, None, {ASTANA: (8_000, None)}, {ASTANA}, None,
                     id="where it is not said, nobody gets it"),
    ],
)  # fmt: skip
def test_a_price_for_all_cities_leaves_only_where_those_that_follow_bear_it(
    asked: int, base: Tenge | None, bounds: Any, watched: set[CityId], found: str | None
) -> None:
    one = intention(bounds=bounds, watched=frozenset(watched))
    item = shown(price=Tenge(10_000))
    assert endangered(one, item, {ALMATY: Tenge(asked)}, base) == found
    if found == ASTANA:
        assert endangered(one, item, {ALMATY: Tenge(asked), ASTANA: Tenge(8_500)}, base) is None


@given(
    price=prices,
    before=maybe,
    accepted=st.booleans(),
    read=st.tuples(maybe, st.integers(-100, 100), st.booleans()),
)
def test_a_verdict_is_only_by_what_was_read_afterwards(
    price: Tenge, before: Tenge | None, accepted: bool, read: tuple[Tenge | None, int, bool]
) -> None:
    seen, minutes, vanished = read
    one = sent(price=price, before=before, accepted_at=START if accepted else None)
    came = verdict(one, Shown(seen, START + timedelta(minutes=minutes), vanished), Patience())
    if minutes <= 0:
        assert came is None
    elif came is not None and came.applied:
        assert seen == price
        assert not vanished
    elif came is None:
        assert minutes < (30 if accepted else 15)
        assert seen in {None, before} or before is None
    else:
        assert came.outcome is not None
