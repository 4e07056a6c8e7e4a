"""Who is a rival, and how much a rule minds it."""

from typing import Any

import pytest

from domain.identity import MerchantId
from domain.money import Tenge
from domain.pricing import CompareDelivery, MarketOffer, NoRival
from repricer.rivals import meet, screen
from tests.repricer.thinking import decided, rival, rule, said, situation

A = frozenset({MerchantId("A")})


def drop(offer: MarketOffer, **more: Any) -> NoRival | None:
    """Why that offer is no rival under such a rule; None: it is one."""
    median = more.pop("median", None)
    ours = rival("us", 10_000, delivery_days=1)
    by = rule(**more)
    market = meet(situation(10_000, ours, offer, median=median), by, screen(by))
    return next((why for one, why in market.dropped if one is offer), None)


PICKY = {
    "an ignored merchant": (rival("A", 9_500), {"ignore": A}, NoRival.IGNORED),
    "a merchant who is not on the list": (rival("B", 9_500), {"only": A}, NoRival.NOT_FOLLOWED),
    "a merchant who is on the list": (rival("A", 9_500), {"only": A}, None),
    "goods on preorder": (
        rival("A", 9_500, preorder_days=5),
        {"skip_preorder": True},
        NoRival.PREORDER,
    ),
    "goods in stock": (rival("A", 9_500, preorder_days=0), {"skip_preorder": True}, None),
    "a low rating": (rival("A", 9_500, rating=399), {"min_rating": 400}, NoRival.RATING),
    "a rating that is just enough": (rival("A", 9_500, rating=400), {"min_rating": 400}, None),
    "a rating that nobody knows": (rival("A", 9_500), {"min_rating": 400}, None),
    "few reviews": (rival("A", 9_500, reviews=9), {"min_reviews": 10}, NoRival.REVIEWS),
    "no review at all": (rival("A", 9_500, reviews=0), {"min_reviews": 1}, NoRival.REVIEWS),
    "reviews that nobody counted": (rival("A", 9_500), {"min_reviews": 10}, None),
    "a price of nothing": (rival("A", 0), {}, NoRival.ABSURD),
    "a price below a tenth of the ceiling": (rival("A", 1_199), {}, NoRival.ABSURD),
    "a price of three ceilings and more": (rival("A", 36_001), {}, NoRival.ABSURD),
    "a price below a third of the cost": (
        rival("A", 2_099),
        {"cost": Tenge(7_000)},
        NoRival.ABSURD,
    ),
    "a price far below the recent median": (
        rival("A", 2_999),
        {"median": Tenge(10_000)},
        NoRival.ABSURD,
    ),
    "a price far above the recent median": (
        rival("A", 30_001),
        {"median": Tenge(10_000)},
        NoRival.ABSURD,
    ),
    "a price that is merely low": (rival("A", 3_000), {"median": Tenge(10_000)}, None),
    "slower delivery, when that counts": (
        rival("A", 9_500, delivery_days=2),
        {"compare_delivery": CompareDelivery.SAME_OR_FASTER},
        NoRival.SLOWER,
    ),
    "delivery on the same day": (
        rival("A", 9_500, delivery_days=1),
        {"compare_delivery": CompareDelivery.SAME_OR_FASTER},
        None,
    ),
    "delivery that is not promised": (
        rival("A", 9_500),
        {"compare_delivery": CompareDelivery.SAME_OR_FASTER},
        None,
    ),
}


@pytest.mark.parametrize(("offer", "more", "why"), PICKY.values(), ids=PICKY)
def test_a_rule_looks_at(offer: MarketOffer, more: dict[str, Any], why: NoRival | None) -> None:
    assert drop(offer, **more) is why


FASTER = rule(compare_delivery=CompareDelivery.FASTER_BY, faster_by_days=5, faster_premium=500)


@pytest.mark.parametrize(
    ("theirs", "answer"),
    [
        pytest.param(6, "9800", id="five days faster, we may be dearer by the premium"),
        pytest.param(5, "9299", id="four days faster are not enough"),
        pytest.param(None, "9299", id="without their date nothing is known to be faster"),
    ],
)
def test_faster_delivery_is_worth_a_premium(theirs: int | None, answer: str) -> None:
    ours = rival("us", 10_000, delivery_days=1)
    assert said(decided(10_000, ours, rival("A", 9_300, delivery_days=theirs), by=FASTER)) == answer


def test_within_the_premium_the_slow_offer_does_not_move_us() -> None:
    ours, slow = rival("us", 9_800, delivery_days=1), rival("A", 9_300, delivery_days=6)
    assert said(decided(9_800, ours, slow, by=FASTER)) == "hold"
    assert said(decided(9_800, slow, by=FASTER)) == "9299", "our own date has to be known, too"


def test_our_delivery_is_said_where_the_board_does_not_say_it() -> None:
    by = rule(compare_delivery=CompareDelivery.SAME_OR_FASTER)
    board = rival("us", 10_000), rival("A", 9_500, delivery_days=7), rival("B", 9_990)
    assert said(decided(10_000, *board, by=by, delivery_days=3)) == "9989"


def test_with_the_bonus_counted_a_buyer_pays_less() -> None:
    offer = rival("A", 9_900, price_minus_bonus=9_400)
    assert said(decided(10_000, offer)) == "9899"
    assert said(decided(10_000, offer, by=rule(use_bonus=True))) == "9399"


def test_a_bonus_that_makes_dearer_is_none() -> None:
    offer = rival("A", 9_900, price_minus_bonus=99_000)
    assert said(decided(10_000, offer, by=rule(use_bonus=True))) == "9899"
