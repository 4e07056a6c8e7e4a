"""How many prices a core decides in a second, with costs, intervals and reasons."""

import time
from collections.abc import Callable, Iterable
from random import Random

import msgspec

from benchmarks.measure import Line
from domain.identity import MerchantId
from domain.money import Tenge
from domain.pricing import MarketOffer, Rule, Situation
from repricer.allowed import prepare
from repricer.decision import decide
from repricer.spoken import spoken
from repricer.tariffs import packaged

#: What issue 4 asks of one core.
GOAL = 50_000
#: Different listings; more of them would only fill the memory.
LISTINGS = 1_000


def decisions(count: int) -> list[Line]:
    """Decisions a second of CPU time, by the size of the board and by what is asked."""
    return [line for offers in (5, 20, 60) for line in _of_boards(offers, count)]


def _of_boards(offers: int, count: int) -> Iterable[Line]:
    tariffs, listings = packaged(), _listings(offers)
    planned = [(situation, prepare(rule, tariffs, None)) for situation, rule in listings]

    def kept(place: int) -> None:
        situation, plan = planned[place]
        decide(situation, plan)

    def anew(place: int) -> None:
        situation, rule = listings[place]
        decide(situation, prepare(rule, tariffs, None))

    def told(place: int) -> None:
        situation, plan = planned[place]
        msgspec.json.encode(spoken(decide(situation, plan)))

    yield _line(offers, "allowed prices kept between decisions", _rate(kept, count), GOAL)
    yield _line(offers, "allowed prices made anew each time", _rate(anew, count), GOAL)
    yield _line(offers, "with both sentences, as JSON", _rate(told, count // 5), None)


def _line(offers: int, name: str, rate: float, goal: int | None) -> Line:
    return Line(
        section=f"decisions a second of one core, {offers} offers on the board (goal: {GOAL:,})",
        name=name,
        ours=f"{rate:,.0f}/s",
        ratio=rate / GOAL,
        goal=None if goal is None else 1.0,
        remark=f"{1e6 / rate:.1f} µs each",
    )


def _rate(work: Callable[[int], None], count: int) -> float:
    """The best of three, in CPU time: others on the machine only take it away."""
    best = 0.0
    for _ in range(3):
        began = time.process_time()
        for number in range(count):
            work(number % LISTINGS)
        best = max(best, count / (time.process_time() - began))
    return best


def _listings(offers: int) -> list[tuple[Situation, Rule]]:
    random = Random(1)  # noqa: S311
    return [_listing(random, offers) for _ in range(LISTINGS)]


def _listing(random: Random, offers: int) -> tuple[Situation, Rule]:
    around = random.randint(2_000, 60_000)
    board = [
        MarketOffer(MerchantId(str(number)), around * random.randint(85, 120) // 100)
        for number in range(offers)
    ]
    situation = Situation(
        store=MerchantId("us"),
        current=Tenge(around),
        offers=(*board, MarketOffer(MerchantId("us"), around)),
        sisters=frozenset({MerchantId("1")}),
    )
    rule = Rule(
        floor=Tenge(around * 7 // 10),
        ceiling=Tenge(around * 13 // 10),
        cost=Tenge(around * 6 // 10),
        margin_bp=300,
        zone=random.choice(("city", "country")),
        weight=random.choice((500, 7_000, 20_000)),
    )
    return situation, rule
