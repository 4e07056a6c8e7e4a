"""Situations by the million, from a seed: near cliffs, floors, ties and one another."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from domain.identity import MerchantId
from domain.money import Tenge
from domain.pricing import (
    CompareDelivery,
    Doing,
    MarketOffer,
    Reason,
    Rule,
    Situation,
    Strategy,
    WhenAlone,
    WhenFollowed,
    WhenTied,
    WhenUnbeatable,
    Window,
)
from tests.repricer.thinking import US

MERCHANTS = tuple(
    MerchantId(name) for name in ("A", "B", "C", "D", "E", "F", "G", "us", "s1", "s2")
)
SISTERS = frozenset({MerchantId("s1"), MerchantId("s2")})
#: Where fees step, and so where mistakes would hide.
CLIFFS = (1_000, 3_000, 5_000, 10_000)
START = datetime(2026, 3, 1, tzinfo=UTC)


def cases(seed: int, count: int) -> Iterator[tuple[Situation, Rule]]:
    """So many situations with their rules; the same seed gives the same ones."""
    random = Random(seed)  # noqa: S311  (no secret)
    for number in range(count):
        around = _around(random)
        yield _situation(random, number, around), _rule(random, around)


def _around(random: Random) -> int:
    """The price about which everybody on the board stands."""
    if random.random() < 0.5:
        return max(20, random.choice(CLIFFS) + random.randint(-300, 900))
    return random.randint(50, 60_000)


def _near(random: Random, around: int, share: int = 25) -> int:
    """A price within so many percent of another one, often just beside it."""
    if random.random() < 0.2:
        return max(1, around + random.randint(-3, 3))
    return max(1, around * random.randint(100 - share, 100 + share) // 100 + random.randint(-2, 2))


def _perhaps(random: Random, chance: float, value: int) -> int | None:
    return value if random.random() < chance else None


def _offer(random: Random, merchant: MerchantId, around: int) -> MarketOffer:
    price = _near(random, around)
    if random.random() < 0.03:
        price = random.choice((0, 1, 10, price * 50, 9_999_999))
    return MarketOffer(
        merchant,
        price,
        price_minus_bonus=_perhaps(random, 0.3, price - price // 20),
        delivery_days=_perhaps(random, 0.8, random.randint(0, 9)),
        rating=_perhaps(random, 0.8, random.randint(300, 500)),
        reviews=_perhaps(random, 0.8, random.randint(0, 60)),
        preorder_days=_perhaps(random, 0.8, random.choice((0, 0, 0, 5))),
    )


def _situation(random: Random, number: int, around: int) -> Situation:
    offers = [
        _offer(random, name, around) for name in random.sample(MERCHANTS, random.randint(0, 8))
    ]
    current = _perhaps(random, 0.95, _near(random, around))
    now = START + timedelta(minutes=random.randint(0, 300_000))
    return Situation(
        id=number,
        store=US,
        current=None if current is None else Tenge(current),
        remembered=None if random.random() < 0.5 else Tenge(_near(random, around, 30)),
        stock=_perhaps(random, 0.5, random.randint(0, 30)),
        offered=random.random() < 0.98,
        stock_age_days=_perhaps(random, 0.3, random.randint(0, 90)),
        delivery_days=_perhaps(random, 0.3, random.randint(0, 5)),
        offers=tuple(offers),
        sisters=SISTERS,
        median=None if random.random() < 0.8 else Tenge(_near(random, around, 40)),
        moved_today=random.choice((0, 0, around // 2)),
        changed_for=random.choice((None, None, Reason.PROFIT, Reason.MEET, Reason.UNDERCUT_AGAIN)),
        changed_at=now - timedelta(minutes=random.randint(0, 200)),
        now=now,
    )


def _rule(random: Random, around: int) -> Rule:
    cost = _perhaps(random, 0.6, max(1, around * random.randint(30, 90) // 100))
    floor = _perhaps(random, 0.7, max(1, around * random.randint(60, 105) // 100))
    ceiling = _perhaps(random, 0.7, max(1, around * random.randint(95, 150) // 100))
    return Rule(
        strategy=random.choice(tuple(Strategy)),
        step=random.choice((1, 1, 1, 1, 5, 37)),
        step_bp=random.choice((0, 0, 0, 50, 200)),
        position=random.randint(1, 4),
        follow=random.choice(MERCHANTS),
        offset=random.randint(-200, 200),
        premium=random.randint(0, 500),
        when_alone=random.choice(tuple(WhenAlone)),
        when_unbeatable=random.choice(tuple(WhenUnbeatable)),
        when_tied=random.choice(tuple(WhenTied)),
        when_followed=random.choice(tuple(WhenFollowed)),
        elasticity=random.choice((0, 0, 2, 4)),
        floor=None if floor is None else Tenge(floor),
        ceiling=None if ceiling is None else Tenge(ceiling),
        cost=None if cost is None else Tenge(cost),
        packaging=random.choice((0, 0, 150)),
        margin=random.choice((0, 0, 100, 700)),
        margin_bp=random.choice((0, 0, 500, 1500)),
        uses_tariffs=random.random() < 0.7,
        category=random.choice((None, "Украшения", "Продукты питания")),
        zone=random.choice(("city", "country")),
        weight=random.choice((300, 1_000, 5_001, 25_000, 50_000, 200_000)),
        compare_delivery=random.choice((CompareDelivery.ANY, *CompareDelivery)),
        faster_by_days=random.randint(1, 5),
        faster_premium=random.choice((0, 100, 500)),
        min_rating=_perhaps(random, 0.1, 400),
        min_reviews=_perhaps(random, 0.1, 10),
        skip_preorder=random.random() < 0.2,
        use_bonus=random.random() < 0.2,
        ignore=frozenset(random.sample(MERCHANTS, random.choice((0, 0, 0, 1)))),
        max_change_bp=random.choice((3_000, 3_000, 500, 10_000)),
        cooldown_minutes=random.choice((0, 0, 0, 60)),
        patience_minutes=random.choice((0, 0, 90)),
        min_gain=random.choice((0, 1, 1, 1, 50)),
        shadow_bp=random.choice((300, 300, 0, 500)),
        stock_low=_perhaps(random, 0.2, 5),
        stock_low_raise_bp=random.choice((0, 500, 1_000)),
        aged_days=_perhaps(random, 0.2, 60),
        windows=_windows(random),
    )


def _windows(random: Random) -> tuple[Window, ...]:
    if random.random() < 0.85:
        return ()
    hours = random.sample(range(1, 1_440), 2)
    return (Window(begins=hours[0], ends=hours[1], doing=random.choice(tuple(Doing))),)
