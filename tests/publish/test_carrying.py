"""What leaves, what does not and why, and what is known afterwards: over real sockets."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.budget import Budget
from domain.pricing import Action
from tests.building import ALMATY, ASTANA
from tests.publish.carrying import AT_ONCE, PATIENT, carry
from tests.publish.shop import Shop


@pytest.fixture
def item(shop: Shop) -> dict[str, Any]:
    """One of our goods that is sold in Almaty, with a rule."""
    found = shop.on_sale()[0]
    shop.rule(found)
    return found


def lower(item: dict[str, Any], by: int = 5, city: str = ALMATY) -> int:
    price: int = item["city_prices"][city] - by
    return price


def put_back(shop: Shop, item: dict[str, Any]) -> None:
    """As it was before the test, whatever became of it."""
    places = {
        place["store_id"]: {
            "available": place["available"],
            "stockCount": place["stock"] if place["specified"] else None,
            "preOrder": place["preorder"],
        }
        for place in item["places"]
    }
    prices = dict(item["city_prices"])
    shop.ask("seller/edit", {"sku": item["sku"], "cityPrices": prices, "points": places})


@pytest.fixture(autouse=True)
def _unmoved(shop: Shop) -> Any:
    """Each test leaves the store's goods as it found them."""
    before = shop.goods()
    yield
    shop.switch()
    shop.ask("faults", {})
    now = shop.goods()
    for sku, item in before.items():
        if {**item, "version": 0} != {**now[sku], "version": 0}:
            put_back(shop, item)


# --- Leaving ---------------------------------------------------------------------------------


def test_it_is_written_down_before_it_leaves(shop: Shop, item: dict[str, Any]) -> None:
    shop.decide(item, lower(item))
    seen = []
    carry(shop, before_push=lambda: seen.extend(shop.rows("SELECT state, sent_at FROM intentions")))
    assert [row["state"] for row in seen] == ["sending"]
    assert seen[0]["sent_at"] is not None


def test_everything_else_of_the_item_is_said_again(shop: Shop, item: dict[str, Any]) -> None:
    known = shop.book
    shop.decide(item, lower(item))
    carry(shop)
    after = shop.goods()[item["sku"]]
    assert after["places"] == item["places"]
    assert after["city_prices"] == item["city_prices"] | {ALMATY: lower(item)}
    told = shop.book
    assert (told["wrongs"], told["effects"]) == (known["wrongs"], known["effects"])


def test_several_cities_of_a_listing_leave_in_one_push(shop: Shop) -> None:
    found = next(one for one in shop.on_sale() if ASTANA in one["city_prices"])
    shop.rule(found)
    shop.decide(found, lower(found))
    shop.decide(found, lower(found, city=ASTANA), city=ASTANA)
    known = len(shop.changes)
    carried = carry(shop)
    assert carried.pushes == 1
    [change] = shop.changes[known:]
    assert change["city_prices"][ALMATY] == lower(found)
    assert change["city_prices"][ASTANA] == lower(found, city=ASTANA)
    assert [state for _, state, _ in shop.states] == ["accepted"] * 2


def test_several_listings_leave_in_one_batch(shop: Shop) -> None:
    some = shop.on_sale()[:3]
    shop.rule(*some)
    for one in some:
        shop.decide(one, lower(one))
    proven = Budget(proven=100)
    carried = carry(shop, start=proven)
    assert carried.pushes == 1
    assert [state for _, state, _ in shop.states] == ["accepted"] * 3
    numbers = {row["receipt"] for row in shop.rows("SELECT receipt FROM intentions")}
    assert numbers == {change["id"] for change in shop.changes[-3:]}


def test_what_brings_most_leaves_first(shop: Shop) -> None:
    some = shop.on_sale()[:3]
    shop.rule(*some)
    for one, brings in zip(some, (5, 500, 50), strict=True):
        shop.decide(one, lower(one), brings=brings)
    carry(shop, turns=3, most=1)
    sent = shop.rows("SELECT brings FROM intentions WHERE state = 'accepted' ORDER BY sent_at")
    assert [row["brings"] for row in sent] == [500, 50, 5]


def test_another_price_waits_until_the_first_has_arrived(shop: Shop, item: dict[str, Any]) -> None:
    shop.decide(item, lower(item))
    carry(shop)
    shop.decide(item, lower(item, 9))
    carry(shop)
    assert [state for _, state, _ in shop.states] == ["accepted", "pending"]
    carry(shop, **AT_ONCE)
    assert [state for _, state, _ in shop.states] == ["applied", "accepted"]
    assert shop.price(item["sku"]) == lower(item, 9)


def test_the_same_price_is_not_intended_again_while_it_is_under_way(
    shop: Shop, item: dict[str, Any]
) -> None:
    shop.decide(item, lower(item))
    carry(shop)
    shop.decide(item, lower(item))
    assert [state for _, state, _ in shop.states] == ["accepted"]


def test_a_share_of_zero_sends_nothing_and_the_share_is_always_the_same(shop: Shop) -> None:
    some = shop.on_sale()[:8]
    shop.rule(*some)
    for one in some:
        shop.decide(one, lower(one))
    assert carry(shop, share=0).pushes == 0
    carry(shop, turns=2, share=5_000, start=Budget(proven=100))
    first = {row["listing_id"] for row in shop.rows(_LISTINGS_SENT)}
    assert 0 < len(first) < 8
    carry(shop, turns=2, share=9_000, start=Budget(proven=100))
    assert first <= {row["listing_id"] for row in shop.rows(_LISTINGS_SENT)}


_LISTINGS_SENT = "SELECT listing_id FROM intentions WHERE state = 'accepted'"


# --- What does not leave ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "outcome"),
    [
        pytest.param({"available": False}, "removed", id="off sale at every point"),
        pytest.param({"stockCount": 0}, "sold_out", id="on sale with nothing left"),
    ],
)
def test_goods_that_are_not_there_are_not_reopened(
    shop: Shop, item: dict[str, Any], points: dict[str, object], outcome: str
) -> None:
    shop.decide(item, lower(item))
    told = {place["store_id"]: points for place in item["places"]}
    shop.ask("seller/edit", {"sku": item["sku"], "points": told})
    carried = carry(shop)
    assert (carried.pushes, shop.states) == (0, [(lower(item), "refused", outcome)])


def test_goods_that_the_cabinet_does_not_know_get_no_price(
    shop: Shop, item: dict[str, Any]
) -> None:
    strange = {**item, "sku": "strange"}
    shop.rule(strange)
    shop.decide(strange, lower(item))
    carried = carry(shop)
    assert (carried.pushes, shop.states[0][2]) == (0, "not_in_cabinet")


def test_a_paused_listing_gets_no_price(shop: Shop, item: dict[str, Any]) -> None:
    shop.decide(item, lower(item))
    shop.do("UPDATE listings SET paused_at = now(), paused_why = 'a test'")
    carried = carry(shop)
    assert (carried.pushes, shop.states[0][1:]) == (0, ("refused", "paused"))


def test_a_price_that_somebody_else_changed_is_decided_on_anew(
    shop: Shop, item: dict[str, Any]
) -> None:
    shop.decide(item, lower(item))
    shop.ask("seller/edit", {"sku": item["sku"], "cityPrices": {ALMATY: lower(item, -30)}})
    carried = carry(shop)
    assert (carried.pushes, shop.states[0][1:]) == (0, ("refused", "changed_before"))


def test_a_price_that_holds_already_is_not_sent(shop: Shop, item: dict[str, Any]) -> None:
    shop.decide(item, lower(item))
    shop.ask("seller/edit", {"sku": item["sku"], "cityPrices": {ALMATY: lower(item)}})
    carried = carry(shop)
    assert (carried.pushes, shop.states[0][1:]) == (0, ("applied", "already_there"))


def test_a_rule_that_changes_while_the_item_is_read_stops_the_price(
    shop: Shop, item: dict[str, Any]
) -> None:
    shop.decide(item, lower(item))
    shop.do("UPDATE price_rules SET replaced_by = change")
    carried = carry(shop)
    assert (carried.pushes, shop.states[0][1]) == (0, "pending")


@pytest.mark.parametrize("price", [1, 99_999_999], ids=["below the floor", "above the ceiling"])
def test_another_citys_forbidden_price_is_not_said_again(shop: Shop, price: int) -> None:
    found = next(one for one in shop.on_sale() if ASTANA in one["city_prices"])
    shop.rule(found)
    shop.decide(found, lower(found))
    shop.decide(found, lower(found, city=ASTANA), city=ASTANA, action=Action.HOLD)
    shop.ask("seller/edit", {"sku": found["sku"], "cityPrices": {ASTANA: price}})
    carried = carry(shop)
    assert (carried.pushes, shop.states[0][1:]) == (0, ("refused", "endangered"))


def test_another_citys_rule_that_changes_while_the_item_is_read_is_heeded(shop: Shop) -> None:
    """Its price would be said again, and is forbidden by now."""
    found = next(one for one in shop.on_sale() if ASTANA in one["city_prices"])
    shop.rule(found)
    shop.rule(found, city=ASTANA)
    shop.decide(found, lower(found))

    def raise_floor() -> None:
        shop.rule(found, city=ASTANA, floor=found["city_prices"][ASTANA] + 1)

    carried = carry(shop, turns=2, while_read=raise_floor)
    assert (carried.pushes, shop.states[0][1:]) == (0, ("refused", "endangered"))


# --- Budget ----------------------------------------------------------------------------------


def test_no_more_leaves_than_the_budget_allows(shop: Shop) -> None:
    some = shop.on_sale()[:5]
    shop.rule(*some)
    for one in some:
        shop.decide(one, lower(one))
    window = timedelta(seconds=1.5)
    few = Budget(limit=3, gap=timedelta(milliseconds=1), window=window, grows=False)
    shop.switch(changes_per_window=3, window_seconds=1.5)
    known = shop.book["refusals"]
    carried = carry(shop, turns=9, naps=True, start=few)
    assert [state for _, state, _ in shop.states] == ["accepted"] * 5
    assert carried.pushes >= 2
    assert shop.book["refusals"] == known


def test_a_block_stops_the_store_and_is_learned_from(shop: Shop, item: dict[str, Any]) -> None:
    other = shop.on_sale()[1]
    shop.rule(other)
    for one in (item, other):
        shop.decide(one, lower(one))
    shop.switch(per_second=1, block_seconds=0.2)
    carried = carry(shop, turns=3, most=1, start=Budget(gap=timedelta(microseconds=1)))
    assert carried.pushes == 2
    assert sorted(state for _, state, _ in shop.states) == ["accepted", "refused"]
    [held] = shop.rows(
        "SELECT blocked_until > now() + interval '29 min' AS rests, budget FROM change_budgets"
    )
    assert held["rests"]
    assert held["budget"]["blocks"] == 1
    assert [row["outcome"] for row in shop.rows("SELECT outcome FROM pushes ORDER BY id")] == [
        "accepted",
        "blocked",
    ]


def test_what_a_block_refused_is_intended_anew_by_the_next_decision(
    shop: Shop, item: dict[str, Any]
) -> None:
    shop.decide(item, lower(item))
    shop.do("UPDATE intentions SET state = 'refused', sent_at = now(), closed_at = now()")
    shop.decide(item, lower(item))
    assert [state for _, state, _ in shop.states] == ["refused", "pending"]


# --- Answers that are none -------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", ["no_certificate", "html_for_json", "reset", "truncated", "reset_midway", "hanging"]
)
def test_of_an_answer_that_is_none_nobody_knows_and_nothing_is_sent_again(
    shop: Shop, item: dict[str, Any], fault: str
) -> None:
    shop.decide(item, lower(item))
    script = [{"kind": fault, "path": "pricefeed", "times": 1}]
    shop.ask("faults", {"script": script, "hang_seconds": 3})
    carried = carry(shop, turns=3)
    assert carried.pushes == 1
    assert shop.states == [(lower(item), "sending", "no_answer")]
    carry(shop, turns=2, **AT_ONCE)
    was_queued = shop.price(item["sku"]) == lower(item)
    assert shop.states == [
        (lower(item), "applied", None) if was_queued else (lower(item), "unverified", "not_applied")
    ]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        pytest.param("too_many_requests", "blocked", id="429"),
        pytest.param("signed_out", "session_gone", id="a session that has ended"),
    ],
)
def test_what_was_certainly_not_queued_is_refused(
    shop: Shop, item: dict[str, Any], fault: str, outcome: str
) -> None:
    shop.decide(item, lower(item))
    shop.ask("faults", {"script": [{"kind": fault, "path": "pricefeed", "times": 1}]})
    known = len(shop.changes)
    carried = carry(shop)
    assert carried.pushes == 1
    assert shop.states == [(lower(item), "refused", outcome)]
    assert len(shop.changes) == known


def test_when_the_cabinet_cannot_be_read_nothing_is_sent_and_nothing_is_lost(
    shop: Shop, item: dict[str, Any]
) -> None:
    shop.decide(item, lower(item))
    shop.ask("faults", {"script": [{"kind": "no_certificate", "path": "cabinet", "times": 1}]})
    assert carry(shop).pushes == 0
    assert shop.states == [(lower(item), "pending", None)]
    assert carry(shop).pushes == 1


def test_a_gone_session_sends_nothing_and_says_so(shop: Shop, item: dict[str, Any]) -> None:
    shop.decide(item, lower(item))
    carried = carry(shop, cookie="mc-sid=gone")
    assert carried.stats["publish/stopped/session_gone"] == 1
    assert shop.states == [(lower(item), "pending", None)]


# --- Reading back ----------------------------------------------------------------------------


def test_a_price_that_came_is_applied_and_remembered(shop: Shop, item: dict[str, Any]) -> None:
    shop.decide(item, lower(item))
    carry(shop)
    carried = carry(shop, **PATIENT)
    assert shop.states == [(lower(item), "applied", None)]
    assert carried.stats["publish/applied"] == 1
    [held] = shop.rows("SELECT price FROM listings WHERE sku = %s", item["sku"])
    assert held["price"] == lower(item)


def test_a_price_that_is_not_there_yet_is_waited_for(shop: Shop, item: dict[str, Any]) -> None:
    shop.switch(apply_seconds=570)
    shop.decide(item, lower(item))
    carry(shop)
    carry(shop, **PATIENT)
    assert shop.states == [(lower(item), "accepted", None)]
    shop.ask("advance", {"seconds": 570})
    carry(shop, **PATIENT)
    assert shop.states == [(lower(item), "applied", None)]


def test_a_price_that_never_comes_is_unverified_and_its_board_is_hurried(
    shop: Shop, item: dict[str, Any]
) -> None:
    shop.switch(lost=1)
    shop.decide(item, lower(item))
    carry(shop)
    carried = carry(shop, **AT_ONCE)
    assert shop.states == [(lower(item), "unverified", "not_applied")]
    assert carried.stats["publish/unverified"] == 1
    [board] = shop.rows("SELECT kaspi_id, hurry_since FROM work_list")
    assert board["kaspi_id"] == item["product"]
    assert board["hurry_since"] is not None


def test_what_is_unverified_is_decided_on_anew_only_by_a_later_reading(
    shop: Shop, item: dict[str, Any]
) -> None:
    shop.switch(lost=1)
    read_at = datetime.now(UTC)
    shop.decide(item, lower(item), at=read_at)
    carry(shop)
    carry(shop, **AT_ONCE)
    shop.decide(item, lower(item), at=read_at + timedelta(microseconds=1))
    assert [state for _, state, _ in shop.states] == ["unverified"]
    shop.decide(item, lower(item))
    assert [state for _, state, _ in shop.states] == ["unverified", "pending"]


def test_an_edit_from_outside_closes_it(shop: Shop, item: dict[str, Any]) -> None:
    shop.decide(item, lower(item))
    carry(shop)
    shop.ask("seller/edit", {"sku": item["sku"], "cityPrices": {ALMATY: lower(item, -99)}})
    carry(shop, **PATIENT)
    assert shop.states == [(lower(item), "unverified", "changed_outside")]


def test_goods_that_vanished_after_our_push_pause_the_listing(
    shop: Shop, item: dict[str, Any]
) -> None:
    shop.decide(item, lower(item))
    carry(shop)
    off = {place["store_id"]: {"available": False} for place in item["places"]}
    shop.ask("seller/edit", {"sku": item["sku"], "points": off})
    carried = carry(shop, **PATIENT)
    assert shop.states == [(lower(item), "unverified", "vanished")]
    assert carried.stats["publish/vanished"] == 1
    [held] = shop.rows("SELECT paused_why FROM listings WHERE sku = %s", item["sku"])
    assert "off sale" in held["paused_why"]


def test_a_push_of_a_crawl_that_was_killed_is_never_sent_again(
    shop: Shop, item: dict[str, Any]
) -> None:
    shop.decide(item, lower(item))

    def die() -> None:
        raise _Killed

    with pytest.raises(_Killed):
        carry(shop, before_push=die)
    assert shop.states == [(lower(item), "sending", None)]
    assert carry(shop, turns=3).pushes == 0
    assert carry(shop, turns=2, **AT_ONCE).pushes == 0
    assert shop.states == [(lower(item), "unverified", "not_applied")]


def test_what_is_certain_not_to_have_left_costs_no_budget_and_is_decided_anew(
    shop: Shop, item: dict[str, Any]
) -> None:
    shop.decide(item, lower(item))
    assert carry(shop, closes=True).pushes == 0
    assert shop.states == [(lower(item), "refused", "not_sent")]
    assert shop.rows("SELECT FROM pushes") == []
    shop.decide(item, lower(item))
    assert carry(shop).pushes == 1


class _Killed(BaseException):
    """As if by kill -9: nobody tidies up."""


def test_what_nobody_can_read_back_is_given_up(shop: Shop, item: dict[str, Any]) -> None:
    shop.decide(item, lower(item))
    carry(shop)
    shop.ask("faults", {"script": [{"kind": "no_certificate", "path": "cabinet", "times": 9}]})
    carry(shop, **AT_ONCE)
    assert shop.states == [(lower(item), "unverified", "not_read")]


# --- What nobody knows for sure: both positions of what is disputed ---------------------------


@pytest.mark.parametrize(
    ("switches", "state", "outcome"),
    [
        pytest.param({"unnamed_cities": "lost"}, "applied", None, id="cities that are not named"),
        pytest.param({"unnamed_cities": "kept"}, "applied", None, id="cities that are kept"),
        pytest.param(
            {"price_needed": True}, "unverified", "not_applied", id="prices that need a base price"
        ),
        pytest.param({"stock_count": "harmless"}, "applied", None, id="a harmless stockCount"),
        pytest.param(
            {"stock_count": "unspecified"}, "applied", None, id="a stockCount that is dangerous"
        ),
        pytest.param(
            {"stock_count": "always"}, "unverified", "vanished", id="a stockCount that takes off"
        ),
        pytest.param({"partial": 1}, "applied", None, id="only the first city applies"),
    ],
)
def test_whatever_the_marketplace_does_it_is_noticed(
    shop: Shop, switches: dict[str, object], state: str, outcome: str | None
) -> None:
    item = next(
        one
        for one in shop.on_sale()
        if any(place["specified"] for place in one["places"]) and len(one["city_prices"]) > 1
    )
    first = min(item["city_prices"])
    shop.rule(item)
    shop.decide(item, lower(item, city=first), city=first)
    shop.switch(**switches)
    known = shop.book["wrongs"]
    carry(shop)
    carry(shop, **AT_ONCE)
    assert shop.states == [(lower(item, city=first), state, outcome)]
    assert shop.book["wrongs"] == known
    if state == "applied":
        others = {city: price for city, price in item["city_prices"].items() if city != first}
        assert others.items() <= shop.goods()[item["sku"]]["city_prices"].items()


def test_a_cabinet_that_wants_a_base_price_is_served(shop: Shop) -> None:
    item = next(one for one in shop.on_sale() if len(one["city_prices"]) > 1)
    first = min(item["city_prices"])
    shop.rule(item)
    shop.decide(item, lower(item, city=first), city=first)
    shop.switch(price_needed=True)
    carry(shop, names_base=True)
    carry(shop, names_base=True, **AT_ONCE)
    assert shop.states == [(lower(item, city=first), "applied", None)]
    [after] = [one for one in shop.on_sale() if one["sku"] == item["sku"]]
    assert after["city_prices"] == {**item["city_prices"], first: lower(item, city=first)}


@pytest.mark.parametrize(
    ("new", "rule"),
    [
        pytest.param(-5, {"floor": 8_000_000, "ceiling": 9_000_000}, id="below a floor"),
        pytest.param(2_000, {"ceiling": 1_000}, id="above a ceiling"),
    ],
)
def test_a_base_price_that_another_city_does_not_bear_stays_here(
    shop: Shop, new: int, rule: dict[str, Any]
) -> None:
    item = next(one for one in shop.on_sale() if ASTANA not in one["city_prices"])
    shop.rule(item)
    shop.rule(item, city=ASTANA, **{"floor": 1, **rule})
    shop.decide(item, item["city_prices"][ALMATY] + new)
    assert carry(shop, names_base=True).pushes == 0
    assert shop.states[0][1:] == ("refused", "endangered")


def test_cities_of_a_listing_that_were_judged_together_leave_together(shop: Shop) -> None:
    """One is decided on anew while the item is read: what stands there would be said again."""
    found = next(one for one in shop.on_sale() if ASTANA in one["city_prices"])
    shop.rule(found)
    shop.decide(found, lower(found))
    shop.decide(found, lower(found, city=ASTANA), city=ASTANA)

    def decide_anew() -> None:
        shop.decide(found, lower(found, 9, city=ASTANA), city=ASTANA)

    carried = carry(shop, while_read=decide_anew)
    assert carried.pushes == 0
    assert {state for _, state, _ in shop.states} == {"pending", "superseded"}


# --- The outbox ------------------------------------------------------------------------------


def test_a_paused_listing_is_decided_on_but_nothing_is_intended(
    shop: Shop, item: dict[str, Any]
) -> None:
    shop.do("UPDATE listings SET paused_at = now(), paused_why = 'a test'")
    shop.decide(item, lower(item))
    assert shop.states == []
    assert len(shop.rows("SELECT FROM decisions")) == 1


@pytest.mark.parametrize(
    ("newer", "stands"),
    [
        pytest.param(111, 111, id="by more than a tenth"),
        pytest.param(89, 89, id="downwards, too"),
        pytest.param(110, 100, id="what moved less is not written again"),
        pytest.param(-1, -1, id="what brought something and costs now"),
    ],
)
def test_what_is_pending_moves_with_what_it_brings(
    shop: Shop, item: dict[str, Any], newer: int, stands: int
) -> None:
    shop.decide(item, lower(item), brings=100)
    shop.decide(item, lower(item), brings=newer)
    assert [row["brings"] for row in shop.rows("SELECT brings FROM intentions")] == [stands]


def test_a_price_under_way_is_not_taken_back_by_a_decision(
    shop: Shop, item: dict[str, Any]
) -> None:
    shop.decide(item, lower(item))
    carry(shop)
    shop.decide(item, lower(item), action=Action.HOLD)
    assert [state for _, state, _ in shop.states] == ["accepted"]
