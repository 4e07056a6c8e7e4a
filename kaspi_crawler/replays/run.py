"""Boards replayed by the rules that were asked for: the real prices beside each of them."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Protocol

import attrs
import msgspec
import psycopg
from msgspec.structs import replace

from domain.identity import CityId, MerchantId, ProductId
from domain.past import Board, Outcome, Replayed
from domain.pricing import Rule
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.replays.asked import Asked
from kaspi_crawler.replays.lines import Lines, lines_in
from repricer.replay import Contender, Seller, Step, begun, read_every, replay
from repricer.spoken import BadSituation, read
from repricer.tally import Judge, together
from repricer.tariffs import packaged
from repricer.traces import Tracer
from storage.past import boards_of, past_of, remembered
from storage.rules import in_force
from storage.stores import sisters


@attrs.frozen(kw_only=True)
class _Kept:
    """The rules that are kept for the listings, when they are wanted."""

    rules: Mapping[tuple[ProductId, CityId | None], Mapping[str, Any]] | None = None
    sisters: frozenset[MerchantId] = frozenset()

    @classmethod
    def of(cls, asked: Asked, address: str) -> "_Kept":
        """What is kept. Raises BadArgument for a store or an article without a rule."""
        if not asked.kept:
            return cls()
        rules = in_force(address, asked.merchant, asked.sku)
        if not rules:
            named = f"store {asked.merchant}" + (f", article {asked.sku}" if asked.sku else "")
            raise BadArgument(f"store: no rule is kept for {named}: `scrapy rules import` them")
        return cls(rules=rules, sisters=sisters(address, asked.merchant))

    def knows(self, board: Board) -> bool:
        """Whether the board is to be replayed."""
        places = ((board.product, board.city), (board.product, None))
        return self.rules is None or any(place in self.rules for place in places)

    def rule(self, board: Board) -> Mapping[str, Any]:
        """What is kept for the board: for its city, or else for everywhere."""
        rules = self.rules or {}
        everywhere: Mapping[str, Any] = rules.get((board.product, None), {})
        return rules.get((board.product, board.city), everywhere)


class _Watcher(Protocol):
    """Whoever looks at the steps of a replay."""

    def add(self, step: Step) -> None: ...


@attrs.frozen(kw_only=True)
class Found:
    """What came of it: all boards together, those that have a chart, how many have none."""

    total: Sequence[Outcome]
    drawn: Sequence[Replayed]
    undrawn: int


def refuse_wrong_rules(asked: Asked) -> None:
    """Raise BadArgument for a rule that cannot be used, before the database is asked."""
    if not asked.kept:
        _contenders(asked, 10_000, None)


def replay_boards(asked: Asked, address: str) -> Found:
    """Replay each board. Raises BadArgument where there is no past."""
    kept = _Kept.of(asked, address)
    family = asked.sisters | kept.sisters
    seller = Seller(store=asked.merchant, sisters=family, lag=asked.lag)
    found: list[tuple[Outcome, ...]] = []
    drawn: list[Replayed] = []
    with ExitStack() as open_things:
        memory = open_things.enter_context(remembered(address))
        boards = boards_of(memory, asked.merchant, asked.products, asked.cities)
        boards = [board for board in boards if kept.knows(board)]
        lines = open_things.enter_context(lines_in(asked.csv)) if asked.csv else None
        for board in boards:
            watched = asked.html is not None and len(drawn) < asked.charts
            here = attrs.evolve(asked, rule={**kept.rule(board), **asked.rule})
            replayed = _board(memory, board, here, seller, lines, watched=watched)
            if replayed is not None:
                found.append(replayed.outcomes)
                drawn += [replayed] if watched else []
        _refuse_nothing(asked, boards, found)
    total = [together(way) for way in zip(*found, strict=True)]
    return Found(total=total, drawn=drawn, undrawn=len(found) - len(drawn))


def _board(
    memory: psycopg.Connection[Any],
    board: Board,
    asked: Asked,
    seller: Seller,
    lines: Lines | None,
    *,
    watched: bool,
) -> Replayed | None:
    """One board replayed; None when we did not stand on it in that time."""
    start = begun(past_of(memory, board, asked.since, asked.until), asked.merchant)
    if start is None:
        return None
    first, past = start
    moments = past if asked.every is None else read_every(past, asked.every)
    contenders = _contenders(asked, first.price, board.city)
    names = [contender.name for contender in contenders]
    judge = Judge(names, contenders[0].rule.shares_bp)
    tracer = Tracer(names)
    watchers: list[_Watcher] = [judge, *([tracer] if watched else [])]
    if lines is not None:
        watchers.append(lines.of(board, names))
    here = replace(seller, city=board.city)
    for step in replay(moments, contenders, here, packaged()):
        for watcher in watchers:
            watcher.add(step)
    return tracer.replayed(board, judge.outcomes())


def _contenders(asked: Asked, first: int, city: CityId | None) -> list[Contender]:
    """The rules to try on a listing whose first real price was this. Raises BadArgument."""
    # Whatever is rounded is rounded away from a loss.
    shared = {key: -(-first * points // 10_000) for key, points in asked.shares.items()}
    said = {**asked.rule, **shared}
    try:
        if not asked.strategies:
            rule = _made(said, city)
            return [Contender("kept rule" if asked.kept else rule.strategy, rule)]
        rules = [_made({**said, "strategy": name}, city) for name in asked.strategies]
    except BadSituation as error:
        raise BadArgument(str(error)) from None
    return [Contender(rule.strategy, rule) for rule in rules]


def _made(said: Mapping[str, Any], city: CityId | None) -> Rule:
    """The rule as it holds in a city. Raises BadSituation."""
    # Windows are right when there is a moment, whichever.
    line = {"rule": said, "city": city, "now": "2026-01-01T00:00:00Z"}
    return read(msgspec.json.encode(line))[1]


def _refuse_nothing(asked: Asked, boards: Sequence[Board], found: Sequence[object]) -> None:
    if not boards:
        raise BadArgument(
            f"merchant: no offer of {asked.merchant} is remembered"
            + ("" if asked.products is None and asked.cities is None else " for what was named")
            + ". Read its products first: scrapy crawl offers -a products=…"
        )
    if not found:
        raise BadArgument(
            f"from: {asked.merchant} stood on none of its {len(boards):,} boards in that time. "
            "Name another one: --from 30d"
        )
