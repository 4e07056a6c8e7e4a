"""The market in miniature: the same from the same seed, whole tenge, buyers who choose."""

from collections.abc import Callable
from random import Random

import pytest

from sandbox.market.buyers import Buyer, arrivals, crowd
from sandbox.market.public import cube_demper, demper_main
from sandbox.market.shapes import SHAPES, Stage, shape
from sandbox.market.sight import DAY, Sight
from sandbox.market.trading import Ledger, Seller, trade

STAGE = Stage(usual=10_000, lowest=9_000, ceiling=11_500, days=3)


def stays(sight: Sight) -> int:
    return sight.own


def seller(name: str, first: int, rule: Callable[[Sight], int] = stays, **more: object) -> Seller:
    given: dict[str, object] = {"floor": 9_000, "ceiling": 12_000, "turns": range(0, DAY, 15)}
    return Seller(name=name, rule=rule, first=first, **{**given, **more})  # type: ignore[arg-type]


def market(name: str, seed: int) -> Ledger:
    random = Random(seed)  # noqa: S311
    made = shape(name, random, STAGE)
    sellers = [*made.rivals, seller("us", 10_000, cube_demper, turns=range(7, 3 * DAY, 15))]
    return trade(sellers, arrivals(random, crowd(random), 10_000, len(sellers), 3), 3)


@pytest.mark.parametrize("name", SHAPES)
def test_a_market_is_the_same_from_the_same_seed(name: str) -> None:
    ledger = market(name, 1)
    assert ledger == market(name, 1)
    assert ledger != market(name, 2)
    assert all(type(sale.price) is int and sale.price > 0 for sale in ledger.sales)
    assert sum(ledger.first.values()) <= 3 * DAY


BOARD = [(9_500, 0, 5), (9_600, 1, 1), (9_900, 2, 0)]


@pytest.mark.parametrize(
    ("buyer", "expected"),
    [
        pytest.param(Buyer(0, 10_000, 1, 0, (0, 0, 0)), 0, id="who looks at one takes the first"),
        pytest.param(Buyer(0, 10_000, 3, 50, (0, 0, 0)), 1, id="who waits unwillingly pays more"),
        pytest.param(Buyer(0, 10_000, 3, 0, (200, 200, 0)), 0, id="a taste that costs too much"),
        pytest.param(Buyer(0, 10_000, 3, 0, (500, 500, 0)), 2, id="a taste that is worth it"),
        pytest.param(Buyer(0, 9_550, 3, 50, (0, 0, 0)), 0, id="a budget bars the dearer ones"),
        pytest.param(Buyer(0, 9_499, 3, 0, (0, 0, 0)), None, id="or all"),
    ],
)
def test_a_buyer_chooses(buyer: Buyer, expected: int | None) -> None:
    assert buyer.choose(BOARD) == expected


def test_fewer_buy_when_all_is_dearer() -> None:
    random = Random(3)  # noqa: S311
    buyers = arrivals(random, crowd(random), 10_000, 1, 28)
    sold = [
        sum(buyer.choose([(price, 0, 2)]) is not None for buyer in buyers)
        for price in range(8_000, 17_000, 1_000)
    ]
    assert sold == sorted(sold, reverse=True)
    assert sold[0] == len(buyers)
    assert sold[-1] == 0


def test_buyers_come_by_day() -> None:
    random = Random(4)  # noqa: S311
    comings = [buyer.minute % DAY for buyer in arrivals(random, crowd(random), 10_000, 1, 28)]
    by_day = sum(9 * 60 <= minute < 23 * 60 for minute in comings)
    assert by_day > len(comings) * 3 // 4


def test_a_war_ends_at_the_floors_and_its_turns_are_counted() -> None:
    ours, theirs = seller("us", 9_100, demper_main), seller("it", 9_099, cube_demper, floor=9_050)
    ledger = trade([ours, theirs], [], 1)
    assert 20 < ledger.changes["us"] <= 50
    assert ledger.first["us"] + ledger.first["it"] == DAY
    assert ledger.first["us"] > DAY // 2, "its floor is higher than ours"


def test_who_is_away_sells_nothing_and_sees_nothing() -> None:
    away = seller("it", 9_000, cube_demper, away=((0, 600),))
    buyers = [Buyer(minute, 20_000, 1, 0, (0, 0)) for minute in (300, 900)]
    ledger = trade([seller("us", 9_500), away], buyers, 1)
    assert [(sale.minute, sale.seller) for sale in ledger.sales] == [(300, "us"), (900, "it")]
    assert ledger.first == {"us": 600, "it": DAY - 600}


def test_sisters_are_told_apart_from_strangers() -> None:
    seen: list[Sight] = []

    def looks(sight: Sight) -> int:
        seen.append(sight)
        return sight.own

    sellers = [
        seller("one", 9_100, looks, owner="we", turns=(5,)),
        seller("two", 9_200, owner="we"),
        seller("it", 9_300),
    ]
    trade(sellers, [], 1)
    assert [offer.name for offer in seen[0].sisters] == ["two"]
    assert seen[0].rivals == [9_300]
    assert seen[0].others == [9_200, 9_300]
    assert seen[0].page == [9_100, 9_200, 9_300]
