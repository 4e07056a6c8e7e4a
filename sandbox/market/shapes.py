"""Shapes of markets: who sells beside us, with what limits and how quick to answer."""

from collections.abc import Callable, Mapping
from random import Random

import attrs

from sandbox.market import public
from sandbox.market.sight import DAY, PriceRule, Sight
from sandbox.market.trading import Seller

#: How often bots look at the board, in minutes, as their makers say: the quick one reads its
#: first products, the slow one has thirty thousand to read.
PACES = (5, 15, 30, 30, 45, 75)


@attrs.frozen(kw_only=True)
class Stage:
    """What a market is set up around, in tenge: the usual price, and our lowest and highest."""

    usual: int
    lowest: int
    ceiling: int
    days: int


@attrs.frozen(kw_only=True)
class Shape:
    """A market but for us: the rivals, how long our own delivery takes, and how many shops we
    have in it.
    """

    rivals: tuple[Seller, ...]
    ours: int = 2
    shops: int = 1


@attrs.frozen
class Person:
    """Somebody who reprices by hand: `whims` says what comes into his mind at which minute."""

    whims: Mapping[int, tuple[int, int]]

    def __call__(self, sight: Sight) -> int:
        """Half of the time he meets the cheapest, else he asks what he likes, within his limits.

        He rounds to fifty tenge, or to ten where fifty is much.
        """
        mood, wish = self.whims[sight.minute]
        rivals = sight.rivals
        aim = rivals[0] * (10_000 - wish % 200) // 10_000 if rivals and mood < 5 else wish
        step = 50 if sight.ceiling > 3_000 else 10
        return max(sight.floor or 1, min(sight.ceiling, aim // step * step))


class Cast:
    """Deals rivals for one stage; what it deals follows from the chance it is given."""

    def __init__(self, random: Random, stage: Stage) -> None:
        self.random, self.stage, self._dealt = random, stage, 0

    def _name(self, kind: str) -> str:
        self._dealt += 1
        return f"{kind} {self._dealt}"

    def part(self, amount: int, low: int, high: int) -> int:
        """So many percent of an amount, by chance between two."""
        return amount * self.random.randint(low * 10, high * 10) // 1_000

    def bot(self, rule: PriceRule, kind: str, floors: tuple[int, int] = (90, 106)) -> Seller:
        """Somebody who follows a rule, his floor so many percent of our lowest price."""
        floor, pace = self.part(self.stage.lowest, *floors), self.random.choice(PACES)
        ceiling = max(floor, self.part(self.stage.ceiling, 92, 108))
        return Seller(
            name=self._name(kind),
            rule=rule,
            first=min(ceiling, max(floor, self.part(self.stage.usual, 97, 104))),
            floor=floor,
            ceiling=ceiling,
            turns=range(self.random.randrange(pace), self.stage.days * DAY, pace),
        )

    def person(self, low: int = 97, high: int = 118) -> Seller:
        """Somebody who looks at his price every few days, by day."""
        floor = self.part(self.stage.usual, min(low, 94), min(low, 94) + 4)
        first = max(floor, self.part(self.stage.usual, low, high))
        ceiling = max(first, self.part(self.stage.usual, 112, 125))
        whims = {
            minute: (self.random.randrange(10), self.random.randint(floor, ceiling))
            for minute in self._now_and_then()
        }
        return Seller(
            name=self._name("person"),
            rule=Person(whims),
            first=first,
            floor=floor,
            ceiling=ceiling,
            turns=tuple(whims),
            days=self.random.choice((1, 2, 2, 3)),
        )

    def _now_and_then(self) -> list[int]:
        every = self.random.randint(3, 12)
        days = range(self.random.randint(0, every), self.stage.days, every)
        return [day * DAY + self.random.randint(9 * 60, 22 * 60) for day in days]

    def people(self, low: int, high: int) -> tuple[Seller, ...]:
        """So many of them."""
        return tuple(self.person() for _ in range(self.random.randint(low, high)))

    def statue(self, price: int, days: int = 2) -> Seller:
        """Somebody who never moves."""
        return Seller(
            name=self._name("statue"),
            rule=_stays,
            first=price,
            floor=price,
            ceiling=price,
            turns=(),
            days=days,
        )

    def nights(self) -> tuple[tuple[int, int], ...]:
        """From late evening to morning, every night."""
        begins, ends = self.random.randint(20, 23) * 60, self.random.randint(6, 10) * 60
        return tuple((day * DAY + begins, (day + 1) * DAY + ends) for day in range(self.stage.days))

    def shortages(self) -> tuple[tuple[int, int], ...]:
        """Days without stock, again and again."""
        found, minute = [], self.random.randint(1, 6) * DAY
        while minute < self.stage.days * DAY:
            back = minute + self.random.randint(6 * 60, 4 * DAY)
            found.append((minute, back))
            minute = back + self.random.randint(DAY, 7 * DAY)
        return tuple(found)


def _stays(sight: Sight) -> int:
    return sight.own


Make = Callable[[Cast], Shape]


def _duel(rule: PriceRule, kind: str) -> Make:
    return lambda cast: Shape(rivals=(cast.bot(rule, kind),))


def _with_people(rule: PriceRule, kind: str) -> Make:
    return lambda cast: Shape(rivals=(cast.bot(rule, kind), *cast.people(2, 4)))


def _person(cast: Cast) -> Shape:
    return Shape(rivals=(cast.person(),))


def _crowd(cast: Cast) -> Shape:
    return Shape(rivals=cast.people(5, 10))


def _two_bots(cast: Cast) -> Shape:
    up, down = cast.bot(public.cube_demper, "up"), cast.bot(public.demper_main, "down")
    return Shape(rivals=(up, down, *cast.people(2, 4)))


def _crowded(cast: Cast) -> Shape:
    rules = cast.random.sample(sorted(public.PUBLIC), 4)
    bots = tuple(cast.bot(public.PUBLIC[name], "bot", (95, 110)) for name in rules)
    return Shape(rivals=(*bots, *cast.people(5, 8)))


def _dumper(cast: Cast) -> Shape:
    dumper = cast.statue(cast.part(cast.stage.lowest, 85, 93))
    return Shape(rivals=(dumper, *cast.people(2, 4)))


def _dumper_and_bot(cast: Cast) -> Shape:
    dumper = cast.statue(cast.part(cast.stage.lowest, 85, 93))
    return Shape(rivals=(dumper, cast.bot(public.cube_demper, "up"), *cast.people(1, 3)))


def _faster(cast: Cast) -> Shape:
    quick = attrs.evolve(cast.bot(public.cube_demper, "quick"), days=0)
    return Shape(rivals=(quick, attrs.evolve(cast.person(), days=0), *cast.people(1, 3)), ours=4)


def _slower(cast: Cast) -> Shape:
    slow = [cast.statue(cast.part(cast.stage.usual, 93, 99), days) for days in (7, 9)]
    return Shape(rivals=(*slow, *cast.people(2, 4)), ours=1)


def _sisters(cast: Cast) -> Shape:
    return Shape(rivals=(cast.bot(public.cube_demper, "up"), *cast.people(2, 3)), shops=2)


def _sleepers(cast: Cast) -> Shape:
    rivals = (cast.bot(public.cube_demper, "up"), *cast.people(2, 3))
    return Shape(rivals=tuple(attrs.evolve(one, away=cast.nights()) for one in rivals))


def _short(cast: Cast) -> Shape:
    rivals = (cast.bot(public.demper_main, "down"), *cast.people(1, 3))
    return Shape(rivals=tuple(attrs.evolve(one, away=cast.shortages()) for one in rivals))


#: Every shape by its name.
SHAPES: Mapping[str, Make] = {
    "duel with a step-up bot": _duel(public.cube_demper, "up"),
    "a step-up bot and people": _with_people(public.cube_demper, "up"),
    "duel with a down-only bot": _duel(public.demper_main, "down"),
    "a down-only bot and people": _with_people(public.demper_main, "down"),
    "a raise-to-next bot and people": _with_people(public.price_monitor, "monitor"),
    "a matching bot and people": _with_people(public.match_lowest, "match"),
    "duel with a night reset": _duel(public.night_reset, "reset"),
    "a step-up and a down-only bot, people": _two_bots,
    "duel with a person": _person,
    "a crowd of people": _crowd,
    "four bots in a crowd": _crowded,
    "a rival below our cost, people": _dumper,
    "a rival below our cost, a step-up bot": _dumper_and_bot,
    "rivals who deliver faster": _faster,
    "cheap rivals who deliver slowly": _slower,
    "two shops of ours, a step-up bot": _sisters,
    "rivals who sleep at night": _sleepers,
    "rivals who run out of stock": _short,
}


def shape(name: str, random: Random, stage: Stage) -> Shape:
    """A market of that shape; the same chance deals the same one."""
    return SHAPES[name](Cast(random, stage))
