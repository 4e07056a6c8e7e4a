"""Engines that meet: they settle, or stop at a limit; they never go round and round."""

from collections.abc import Sequence
from random import Random
from typing import Protocol

import attrs
import pytest

from domain.identity import MerchantId
from domain.money import Tenge
from domain.pricing import (
    Action,
    MarketOffer,
    Reason,
    Rule,
    Situation,
    Strategy,
    WhenFollowed,
    WhenUnbeatable,
)
from repricer.allowed import Plan, prepare
from repricer.decision import decide
from sandbox.market.public import PUBLIC
from sandbox.market.sight import Offer, PriceRule, Sight
from tests.repricer.thinking import TARIFFS

Prices = dict[str, int]


class Player(Protocol):
    """Somebody on the board who may move its price."""

    name: str

    def move(self, board: Prices) -> int: ...


@attrs.define
class Engine:
    """Ours: remembers how far it went today and why, as the outbox does, unless told to forget."""

    name: str
    rule: Rule
    remembers: bool
    sisters: frozenset[MerchantId] = frozenset()
    moved: int = 0
    changed_for: Reason | None = None
    plan: Plan = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.plan = prepare(self.rule, TARIFFS, None)

    def move(self, board: Prices) -> int:
        own = board[self.name]
        offers = tuple(MarketOffer(MerchantId(name), price) for name, price in board.items())
        seen = Situation(
            store=MerchantId(self.name),
            offers=offers,
            moved_today=self.moved,
            changed_for=self.changed_for,
            sisters=self.sisters,
        )
        decision = decide(seen, self.plan)
        if decision.action is not Action.SET or decision.price is None:
            return own
        if self.remembers:
            self.moved += abs(decision.price - own)
            self.changed_for = decision.reason
        return decision.price


@attrs.define
class Rival:
    """Somebody who follows a public rule."""

    name: str
    rule: PriceRule
    floor: int
    ceiling: int
    minute: int = 720

    def move(self, board: Prices) -> int:
        own = board[self.name]
        others = tuple(Offer(name, price, 0) for name, price in board.items() if name != self.name)
        return self.rule(
            Sight(
                own=own,
                remembered=own,
                offers=others,
                floor=self.floor,
                ceiling=self.ceiling,
                minute=self.minute,
            )
        )


def settles(board: Prices, players: Sequence[Player], *, patient: Sequence[str] = ()) -> bool:
    """Whether nobody moves any more, or only those who move by themselves for ever.

    A round in which only `patient` players move counts as rest when it lasts.
    """
    quiet = 0
    for _ in range(30_000):
        moved = set()
        for player in players:
            price = player.move(board)
            if price != board[player.name]:
                board[player.name] = price
                moved.add(player.name)
        if not moved:
            return True
        quiet = quiet + 1 if moved <= set(patient) else 0
        if quiet > 50:
            return True
    return False


def random_rule(
    random: Random,
    around: int,
    strategies: Sequence[Strategy],
    other: str,
    *,
    fees: bool = True,
) -> Rule:
    """Any rule that is at home about this price. All engines of a duel pay the same fees."""
    return Rule(
        strategy=random.choice(strategies),
        step=random.choice((1, 1, 5, 20)),
        position=random.randint(1, 3),
        follow=MerchantId(other),
        offset=random.randint(
            -20, 30
        ),  # further down than the shadow reaches, only the day ends it
        premium=random.randint(0, 50),
        floor=Tenge(around * random.randint(70, 95) // 100),
        ceiling=Tenge(around * random.randint(105, 125) // 100),
        cost=Tenge(around * random.randint(40, 60) // 100),
        uses_tariffs=fees,
        zone="city",
        when_unbeatable=random.choice(tuple(WhenUnbeatable)),
        when_followed=random.choice(tuple(WhenFollowed)),
        elasticity=random.choice((0, 5)),
    )


def some_rival(random: Random, around: int, name: str) -> Rival:
    """Somebody by this public rule, with limits of its own."""
    floor = around * random.randint(70, 95) // 100
    return Rival("theirs", PUBLIC[name], floor, around * random.randint(100, 125) // 100)


def still(random: Random, around: int) -> Prices:
    """Sellers who never move."""
    return {
        f"still {number}": around * random.randint(60, 130) // 100
        for number in range(random.randint(0, 4))
    }


ALL = tuple(Strategy)
#: The others leave a duel upwards by themselves and come back: only our limits end that.
BY_THEMSELVES = [name for name in PUBLIC if name != "marketpilot"]


@pytest.mark.parametrize("fees", [True, False], ids=["with fees", "without fees"])
@pytest.mark.parametrize("seed", range(100))
def test_two_of_our_engines_settle_without_remembering_anything(seed: int, fees: bool) -> None:
    assert_two_settle(seed, fees=fees)


@pytest.mark.long
@pytest.mark.parametrize("fees", [True, False], ids=["with fees", "without fees"])
def test_thousands_of_duels_settle(fees: bool) -> None:
    for seed in range(1_000, 11_000):
        assert_two_settle(seed, fees=fees)


def assert_two_settle(seed: int, *, fees: bool) -> None:
    random = Random(seed)  # noqa: S311
    around = random.choice((1_100, 4_000, 5_200, 9_900, 12_000))
    board = {"one": around, "two": around * random.randint(90, 110) // 100, **still(random, around)}
    players = [
        Engine("one", random_rule(random, around, ALL, "two", fees=fees), remembers=False),
        Engine("two", random_rule(random, around, ALL, "one", fees=fees), remembers=False),
    ]
    assert settles(board, players), f"{board}\n{players}"


@pytest.mark.parametrize("seed", range(60))
def test_three_of_our_engines_settle_or_stop_at_a_limit(seed: int) -> None:
    random = Random(seed)  # noqa: S311
    around = random.choice((1_100, 4_000, 5_200, 9_900, 12_000))
    names = ("one", "two", "three")
    board = {name: around * random.randint(90, 110) // 100 for name in names}
    board |= still(random, around)
    players = [
        Engine(name, random_rule(random, around, ALL, "one"), remembers=True) for name in names
    ]
    assert settles(board, players)


@pytest.mark.parametrize("name", PUBLIC)
@pytest.mark.parametrize("seed", range(40))
def test_ours_against_a_public_rule_settles_or_stops_at_a_limit(name: str, seed: int) -> None:
    random = Random(seed)  # noqa: S311
    around = random.choice((1_100, 4_000, 5_200, 9_900, 12_000))
    board = {"ours": around, "theirs": around * random.randint(90, 110) // 100}
    board |= still(random, around)
    ours = Engine("ours", random_rule(random, around, ALL, "theirs"), remembers=True)
    floor, ceiling = (
        around * random.randint(70, 95) // 100,
        around * random.randint(100, 125) // 100,
    )
    # At the first of these minutes the price monitor may go up.
    theirs = Rival("theirs", PUBLIC[name], floor, ceiling, random.choice((300, 720)))
    # One of the public rules never comes to rest, whoever stands by.
    assert settles(board, [ours, theirs], patient=["theirs"])


@pytest.mark.parametrize("name", BY_THEMSELVES)
@pytest.mark.parametrize("seed", range(40))
def test_ours_undercutting_settles_with_a_public_rule_by_itself(name: str, seed: int) -> None:
    """Without any memory: what stops it is that we do not lead a close rival up again."""
    random = Random(seed)  # noqa: S311
    around = random.choice((1_100, 4_000, 5_200, 9_900, 12_000))
    board = {"ours": around, "theirs": around * random.randint(90, 110) // 100}
    board |= still(random, around)
    by = (Strategy.UNDERCUT, Strategy.MATCH, Strategy.PROFIT)
    ours = Engine("ours", random_rule(random, around, by, "theirs"), remembers=False)
    floor, ceiling = (
        around * random.randint(70, 95) // 100,
        around * random.randint(100, 125) // 100,
    )
    assert settles(board, [ours, Rival("theirs", PUBLIC[name], floor, ceiling)])


@pytest.mark.parametrize("seed", range(40))
def test_sisters_never_undercut_each_other(seed: int) -> None:
    random = Random(seed)  # noqa: S311
    around = random.randint(2_000, 20_000)
    rule = random_rule(random, around, (Strategy.UNDERCUT,), "")
    family = frozenset({MerchantId("one"), MerchantId("two")})
    board = {
        "one": around,
        "two": around - 1,
        "stranger": around * 110 // 100,
        **still(random, around),
    }
    players = [
        Engine(name, rule, remembers=False, sisters=family - {MerchantId(name)})
        for name in ("one", "two")
    ]
    alone = {name: price for name, price in board.items() if name != "two"}
    assert settles(board, players)
    assert settles(alone, players[:1])
    assert alone["one"] == board["one"], "a sister on the board moves nothing"


def test_without_the_shadow_two_engines_go_round_for_ever() -> None:
    """What the shadow is for: the cycle is real, and the switch that allows it is the owner's."""

    def two(*, shadow: int, remembers: bool) -> list[Engine]:
        return [
            Engine(name, bounded(floor, shadow), remembers=remembers)
            for name, floor in (("one", 9_000), ("two", 8_900))
        ]

    def bounded(floor: int, shadow: int) -> Rule:
        top = Tenge(11_500)
        return Rule(floor=Tenge(floor), ceiling=top, uses_tariffs=False, shadow_bp=shadow)

    start = {"one": 9_500, "two": 9_600, "still": 11_000}
    assert not settles(dict(start), two(shadow=0, remembers=False))
    assert settles(dict(start), two(shadow=300, remembers=False))
    assert settles(dict(start), two(shadow=0, remembers=True)), "the day's limit stops it"
