"""What a sale leaves, and the prices at which a lower one leaves as much or more."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Tenge
from domain.pricing import Constraint, Reason, Rule
from repricer.allowed import prepare
from repricer.costs import Costs, costs
from tests.repricer.thinking import TARIFFS


def counted(**more: Any) -> Costs:
    """The costs of goods bought at 1,000, by the newest tariffs."""
    made = costs(Rule(**{"cost": Tenge(1_000), **more}), TARIFFS.on(None))
    assert made is not None
    return made


DEAD_ZONES = {
    "1 kg in town": (
        "city",
        1_000,
        [(1_000, 1_139), (3_000, 3_069), (5_000, 5_701), (10_000, 10_561)],
    ),
    "10 kg across the country": ("country", 10_000, [(10_000, 11_263)]),
    "25 kg across the country": ("country", 25_000, [(10_000, 13_933)]),
    "50 kg across the country": ("country", 50_000, [(10_000, 16_814)]),
}


@pytest.mark.parametrize(("zone", "weight", "zones"), DEAD_ZONES.values(), ids=DEAD_ZONES)
def test_dead_zones_are_those_that_were_measured(
    zone: str, weight: int, zones: list[tuple[int, int]]
) -> None:
    assert set(zones) <= set(counted(zone=zone, weight=weight).dead_zones)


def test_what_a_dead_zone_costs() -> None:
    """City, 1 kg: 4,999 leaves 249 tenge more than 5,400 does."""
    sale = counted(zone="city", cost=Tenge(1))
    assert (sale.profit(4_999), sale.profit(5_400)) == (3_894, 3_645)


steps = st.lists(st.tuples(st.integers(2, 400), st.integers(0, 900_000)), max_size=4).map(
    lambda found: ((1, 0), *sorted(dict(found).items()))
)


@given(taken=st.integers(0, 9_000), steps=steps)
def test_a_price_is_worthwhile_when_it_leaves_more_than_every_lower_one(
    taken: int, steps: tuple[tuple[int, int], ...]
) -> None:
    """Price by price, with fees that rise and fall as no table's do."""
    sale = Costs(outlay=None, taken_bp=taken, steps=steps)
    best: int | None = None
    for price in range(1, 500):
        left = sale.left(price)
        assert (price in sale.worthwhile) == (best is None or left > best)
        best = left if best is None else max(best, left)


@given(
    outlay=st.integers(1, 300),
    margin=st.integers(0, 100),
    margin_bp=st.integers(0, 4_000),
    taken=st.integers(0, 5_000),
    steps=steps,
)
def test_an_allowed_price_earns_both_margins(
    outlay: int, margin: int, margin_bp: int, taken: int, steps: tuple[tuple[int, int], ...]
) -> None:
    sale = Costs(outlay=outlay, taken_bp=taken, steps=steps)
    allowed = sale.allowed(margin, margin_bp, 1, 450)
    for price in range(1, 500):
        exact = sale.left(price) - outlay * 10_000
        earns = exact >= margin * 10_000 and exact >= price * margin_bp
        assert (price in allowed) == (earns and price <= 450 and price in sale.worthwhile)


def test_profit_is_never_rounded_up() -> None:
    assert Costs(outlay=100, taken_bp=1).profit(150) == 49
    assert Costs(outlay=100, taken_bp=1).profit(100) == -1


def test_where_everything_is_taken_no_price_is_allowed() -> None:
    assert not Costs(outlay=1, taken_bp=10_000).worthwhile
    assert not Costs(outlay=1, taken_bp=9_000).allowed(0, 1_000, 1, 1_000_000)


def test_without_a_cost_fees_still_make_dead_zones() -> None:
    plan = prepare(Rule(floor=Tenge(4_000), zone="city"), TARIFFS, None)
    assert (4_000, 4_999) in plan.allowed.pairs
    assert plan.profit(4_999) is None


REFUSALS = {
    "neither a floor nor a cost": (Rule(), Reason.NO_FLOOR_NO_COST),
    "a floor of nothing": (Rule(floor=Tenge(0)), Reason.NO_FLOOR_NO_COST),
    "a floor below nothing": (Rule(floor=Tenge(-5)), Reason.NO_FLOOR_NO_COST),
    "a ceiling below the floor": (
        Rule(floor=Tenge(200), ceiling=Tenge(100)),
        Reason.CEILING_BELOW_FLOOR,
    ),
    "a ceiling below the cost": (
        Rule(cost=Tenge(2_000), ceiling=Tenge(1_500)),
        Reason.NO_ALLOWED_PRICE,
    ),
    "floor and ceiling within a dead zone": (
        Rule(floor=Tenge(5_100), ceiling=Tenge(5_600), zone="city"),
        Reason.NO_ALLOWED_PRICE,
    ),
}


@pytest.mark.parametrize(("rule", "why"), REFUSALS.values(), ids=REFUSALS)
def test_no_price_is_allowed_with(rule: Rule, why: Reason) -> None:
    plan = prepare(rule, TARIFFS, None)
    assert plan.refusal is why
    assert not plan.allowed


def test_what_makes_the_lowest_price_the_lowest_is_named() -> None:
    by_floor = prepare(Rule(cost=Tenge(1_000), floor=Tenge(4_000)), TARIFFS, None)
    by_margin = prepare(Rule(cost=Tenge(3_000), floor=Tenge(3_500)), TARIFFS, None)
    by_zone = prepare(Rule(cost=Tenge(1_000), floor=Tenge(5_100)), TARIFFS, None)
    assert [plan.lowest_is for plan in (by_floor, by_margin, by_zone)] == [
        Constraint.FLOOR,
        Constraint.MARGIN,
        Constraint.DEAD_ZONE,
    ]
