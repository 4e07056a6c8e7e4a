"""Versions of a feed follow each other: nothing is withdrawn by omission, no price is too low."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.feed_succession import Aspect, Change, NotInOrder, OwnOffer, Step, prices_said, succeed
from domain.identity import CityId
from domain.money import Tenge
from domain.price_feed import CityPrice, FeedOffer, FeedPoint

ALMATY, ASTANA = CityId("750000000"), CityId("710000000")


def offer(sku: str = "b", price: int | None = 1_000, **more: Any) -> FeedOffer:
    said: dict[str, Any] = {
        "model": "Чайник",
        "points": (FeedPoint("PP1", available=True, stock=3, preorder=2),),
        "price": None if price is None else Tenge(price),
        **more,
    }
    return FeedOffer(sku=sku, **said)


def own(
    sku: str = "b", least: int | None = None, *, removed: bool = False, **more: Any
) -> OwnOffer:
    leasts = {} if least is None else {CityId(""): Tenge(least)}
    return OwnOffer(offer=offer(sku, **more), leasts=leasts, removed=removed)


def cities(almaty: int, astana: int) -> dict[str, Any]:
    prices = (CityPrice(ALMATY, Tenge(almaty)), CityPrice(ASTANA, Tenge(astana)))
    return {"price": None, "city_prices": prices}


@pytest.mark.parametrize(
    ("before", "now", "after", "fault"),
    [
        pytest.param(None, own(), offer(), None, id="what is new is added"),
        pytest.param(offer(price=900), own(), offer(), None, id="a new price is taken"),
        pytest.param(
            offer(), own(removed=True), offer().withdrawn(), None,
            id="what is archived is withdrawn",
        ),
        pytest.param(None, own(removed=True), None, None, id="what is archived is not brought in"),
        pytest.param(
            offer(price=900), own(price=None), offer(price=900), "price is not known",
            id="without a price it stays as it was",
        ),
        pytest.param(
            None, own(price=None), None, "price is not known",
            id="without a price it is not brought in",
        ),
        pytest.param(offer(), own(points=()), offer(), "none of its points", id="without points"),
        pytest.param(offer(), own(model=""), offer(), "name is not known", id="without a name"),
        pytest.param(offer(), own(least=1_000), offer(), None, id="a price at the floor stands"),
        pytest.param(
            offer(price=1_200), own(price=900, least=1_000), offer(price=1_200),
            "its price of 900 ₸ is below", id="below the floor it stays as it was",
        ),
        pytest.param(
            offer(price=950), own(price=900, least=1_000), offer(price=1_000).withdrawn(),
            "is below", id="where that is below the floor, too, it is withdrawn",
        ),
        pytest.param(
            None, own(price=900, least=1_000), None, "is below",
            id="below the floor it is not brought in",
        ),
        pytest.param(
            None, own(**cities(900, 1_000), least=950), None, "900 ₸ is below",
            id="too low in one city",
        ),
        pytest.param(
            offer(price=800), own(price=None, removed=True, least=1_000),
            offer(price=1_000).withdrawn(), None,
            id="what is archived names no price below the floor",
        ),
    ],
)  # fmt: skip
def test_a_listing_stands_as_it_may(
    before: FeedOffer | None, now: OwnOffer, after: FeedOffer | None, fault: str | None
) -> None:
    [step] = succeed([before] if before else [], [now])
    assert step.after == after
    assert (step.fault is None) if fault is None else fault in (step.fault or "")


def test_a_rule_of_a_city_holds_there_in_place_of_the_general_one() -> None:
    leasts = {CityId(""): Tenge(950), ASTANA: Tenge(700)}
    [step] = succeed([], [OwnOffer(offer=offer(**cities(960, 710)), leasts=leasts)])
    assert step.after == offer(**cities(960, 710))
    [everywhere] = succeed([], [OwnOffer(offer=offer(price=710), leasts=leasts)])
    assert everywhere.after is None, "one price holds in all cities"


def test_what_is_listed_no_more_is_carried_on_and_withdrawn() -> None:
    gone = offer("a")
    [carried, kept] = succeed([gone, offer("b")], [own("b")])
    assert carried == Step(sku="a", before=gone, after=gone.withdrawn(), missing=True)
    assert carried.after
    assert carried.after.points == (FeedPoint("PP1", available=False, stock=0),)
    assert kept.changes == ()


def test_what_is_listed_no_more_is_left_out_when_that_is_wanted() -> None:
    [step] = succeed([offer("a")], [], omit=True)
    assert step.after is None
    assert step.changes == (Change("a", Aspect.REMOVED, "1000", ""),)


def test_changes_are_told_in_words() -> None:
    after = offer(
        price=None,
        brand="Tefal",
        city_prices=(CityPrice(ALMATY, Tenge(900)),),
        points=(FeedPoint("PP1", available=False, stock=0), FeedPoint("PP2", available=True)),
    )
    assert Step(sku="b", before=offer(), after=after).changes == (
        Change("b", Aspect.PRICE, "1000", "750000000: 900"),
        Change("b", Aspect.AVAILABILITY, "PP1: yes (3) in 2 days", "PP1: no (0), PP2: yes"),
        Change("b", Aspect.TEXT, "Чайник", "Tefal Чайник"),
    )


@given(some.integers(1, 10**9), some.dictionaries(some.sampled_from("1234"), some.integers(1)))
def test_the_prices_that_a_change_says_are_read_back(price: int, by_city: dict[str, int]) -> None:
    said: dict[CityId | None, Tenge] = {CityId(city): Tenge(each) for city, each in by_city.items()}
    prices = tuple(CityPrice(CityId(city), Tenge(each)) for city, each in by_city.items())
    new = offer(price=None if prices else price, city_prices=prices)
    [change] = Step(sku="b", before=None, after=new).changes
    assert prices_said(change.after) == (said or {None: Tenge(price)})
    assert prices_said("") == {}


@pytest.mark.parametrize("skus", [("b", "a"), ("a", "a")], ids=["behind", "twice"])
def test_articles_out_of_order_are_refused(skus: tuple[str, str]) -> None:
    with pytest.raises(NotInOrder, match=r"the listings has 'a' behind"):
        list(succeed([], [own(sku) for sku in skus]))
    with pytest.raises(NotInOrder, match="the last version"):
        list(succeed([offer(sku) for sku in skus], []))


SKUS = some.lists(some.text("abЯ0", min_size=1, max_size=2), unique=True, max_size=8).map(sorted)
PRICES = some.none() | some.integers(1, 30)


@given(some.data(), SKUS, SKUS)
def test_nothing_is_left_out_and_no_price_is_too_low(
    data: some.DataObject, old: list[str], new: list[str]
) -> None:
    before = [offer(sku, data.draw(PRICES.filter(bool))) for sku in old]
    now = [
        own(sku, data.draw(PRICES), price=data.draw(PRICES), removed=data.draw(some.booleans()))
        for sku in new
    ]
    steps = list(succeed(before, now))
    after = {step.sku: step.after for step in steps if step.after}
    assert [step.sku for step in steps if step.before] == old
    assert set(old) <= set(after)
    assert list(after) == sorted(after)
    for listed in now:
        standing = after.get(listed.offer.sku)
        if standing:
            assert min(standing.prices) >= (listed.least(None) or 0)
            assert not (standing.on_sale and listed.removed)
    for sku in set(old) - set(new):
        assert not after[sku].on_sale
    again = succeed(list(after.values()), now)
    assert not [change for step in again for change in step.changes], (
        "a second time changes nothing"
    )
