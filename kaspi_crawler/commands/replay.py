"""`scrapy replay`: what a rule would have done on the boards of the past."""

import argparse
import csv
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, Protocol

import attrs
from scrapy.commands import ScrapyCommand
from scrapy.settings import Settings

from domain.identity import CityId, MerchantId, ProductId
from domain.moments import ALMATY
from domain.past import Board, Outcome, Replayed
from domain.pricing import Decision, Rule
from kaspi_crawler import arguments
from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.complaints import in_a_sentence
from kaspi_crawler.spoken_moments import EXPLAINED, spoken_moment
from kaspi_crawler.verbs import database_of
from partners.kaspi.storefront_listing import NotAListing, merchant_id

if TYPE_CHECKING:
    # At run time the engine and the database are imported when they are needed.
    import psycopg

    from repricer.replay import Contender, Seller, Step

_RIGHT = "A right one: scrapy replay --merchant 11271005 --strategy undercut --floor-bp 9000"
#: Before everything that is remembered.
_EVER = datetime(1, 1, 1, tzinfo=UTC)
#: Minutes from a price accepted to a price seen, as one merchant's timeline showed: 9 to 10.
_LAG = 10
_MOST_MINUTES = 10_080
#: Charts of one page; more would be heavy on a phone.
_CHARTS = 12

#: Options that are keys of the rule, each a whole number but for the merchant to follow.
_KEYS = ("step", "floor", "ceiling", "cost", "margin", "position", "premium", "offset", "follow")
_WHOLE = re.compile("-?[0-9]{1,15}")
#: Options that are shares of a listing's first real price, in basis points.
_SHARES = ("floor", "ceiling", "cost")
_COLUMNS = (
    "product", "city", "way", "moment", "action", "before", "price", "place_before", "place",
    "cheapest_other", "real_price", "profit_before", "profit", "reason", "en", "ru",
)  # fmt: skip


class Command(ScrapyCommand):
    """Reads the database only. Moments pass one by one, whatever the length of the past."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "[options] --merchant ID --strategy NAME [--strategy NAME …]"

    def short_desc(self) -> str:
        return "Say what a rule would have done on the boards of the past"

    def long_desc(self) -> str:
        return "docs/replay.md explains how to read the answer"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        whose = parser.add_argument_group("Whose past")
        whose.add_argument("--merchant", metavar="ID", help="our merchant id")
        whose.add_argument(
            "--store", metavar="ID", help="the same, and the rules that are kept for its listings"
        )
        whose.add_argument("--sku", help="only this article of --store")
        whose.add_argument("--sisters", metavar="IDS", help="merchant ids of our other stores")
        whose.add_argument(
            "--products", "--product", metavar="LIST", help="ids or addresses, or @file"
        )
        whose.add_argument("--cities", "--city", metavar="LIST", help="city ids or names")
        whose.add_argument("--from", dest="since", metavar="MOMENT", help=f"{EXPLAINED}")
        whose.add_argument("--to", dest="until", metavar="MOMENT", help="default: now")
        rule = parser.add_argument_group("Rule, in the words of docs/strategies.md")
        rule.add_argument(
            "--strategy", action="append", metavar="NAME", help="several stand side by side"
        )
        rule.add_argument("--rule", metavar="FILE|JSON", help="an object with the rule's keys")
        for key in _KEYS:
            rule.add_argument(f"--{key}", metavar="ID" if key == "follow" else "N")
        for key in _SHARES:
            said = f"{key} as a share of each listing's first real price: 9000 is 90 %%"
            rule.add_argument(f"--{key}-bp", metavar="N", help=said)
        how = parser.add_argument_group("How")
        how.add_argument(
            "--lag", metavar="MINUTES", help=f"from a price set to a price seen; default: {_LAG}"
        )
        how.add_argument(
            "--every", metavar="MINUTES", help="also decide so often where nothing changed"
        )
        how.add_argument("--csv", metavar="FILE", help="one line a change of price")
        how.add_argument("--html", metavar="FILE", help="one page with charts")
        how.add_argument(
            "--charts", metavar="N", help=f"listings with a chart of their own; default: {_CHARTS}"
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Print a table of the ways side by side."""
        with in_a_sentence("replay"):
            if args:
                raise BadArgument(f"there is no {args[0]!r}; see `scrapy replay --help`")
            asked = _asked(opts, datetime.now(UTC))
            _replay(asked, self.settings or Settings())


@attrs.frozen(kw_only=True)
class Asked:
    """What is to be replayed, and where the answer goes besides the terminal.

    `rule` holds the rule's keys, `shares` those that are shares of the first real price. `kept`:
    both are laid over the rules that are kept for the listings, of one `sku` or of all.
    """

    merchant: MerchantId
    kept: bool
    sku: str | None
    sisters: frozenset[MerchantId]
    products: tuple[ProductId, ...] | None
    cities: tuple[CityId, ...] | None
    since: datetime
    until: datetime
    rule: Mapping[str, Any]
    shares: Mapping[str, int]
    strategies: tuple[str, ...]
    lag: timedelta
    every: timedelta | None
    csv: Path | None
    html: Path | None
    charts: int


def _asked(opts: argparse.Namespace, now: datetime) -> Asked:
    """The options, understood. Raises BadArgument, OSError for a rule's file."""
    if (opts.merchant is None) == (opts.store is None):
        raise BadArgument(f"merchant: say whose past, by --merchant or by --store. {_RIGHT}")
    if opts.sku is not None and opts.store is None:
        raise BadArgument("sku: an article of which --store?")
    since = _EVER if opts.since is None else spoken_moment("from", opts.since, now)
    until = now if opts.until is None else spoken_moment("to", opts.until, now)
    if until <= since:
        raise BadArgument("to: it is not after --from. A right one: --from 7d --to 1d")
    every = None if opts.every is None else _number("every", opts.every, 1, _MOST_MINUTES)
    lag = _LAG if opts.lag is None else _number("lag", opts.lag, 0, _MOST_MINUTES)
    return Asked(
        merchant=_merchants("merchant", opts.merchant or opts.store)[0],
        kept=opts.store is not None,
        sku=opts.sku,
        sisters=frozenset(_merchants("sisters", opts.sisters)),
        products=None if opts.products is None else arguments.product_ids(opts.products),
        cities=None if opts.cities is None else arguments.cities(opts.cities),
        since=since,
        until=until,
        rule={**_rule(opts.rule), **_keys(opts)},
        shares={
            key: _number(f"{key}-bp", said, 1, 100_000)
            for key in _SHARES
            if (said := getattr(opts, f"{key}_bp")) is not None
        },
        strategies=tuple(dict.fromkeys(opts.strategy or ())),
        lag=timedelta(minutes=lag),
        every=None if every is None else timedelta(minutes=every),
        csv=None if opts.csv is None else Path(opts.csv).expanduser(),
        html=None if opts.html is None else Path(opts.html).expanduser(),
        charts=_CHARTS if opts.charts is None else _number("charts", opts.charts, 0, 1_000),
    )


def _merchants(name: str, text: str | None) -> list[MerchantId]:
    try:
        return [merchant_id(part) for part in (text or "").split(",") if text]
    except NotAListing as error:
        raise BadArgument(f"{name}: {error}") from None


def _number(name: str, text: str, least: int, most: int) -> int:
    plain = text.strip()
    if not (plain.isascii() and plain.isdecimal() and least <= int(plain) <= most):
        raise BadArgument(f"{name}: {text!r} is no whole number from {least} to {most:,}")
    return int(plain)


def _keys(opts: argparse.Namespace) -> dict[str, Any]:
    """The options that are keys of the rule; what is no number is judged with the rule."""
    told = {key: getattr(opts, key) for key in _KEYS}
    return {
        key: said if key == "follow" or not _WHOLE.fullmatch(said) else int(said)
        for key, said in told.items()
        if said is not None
    }


def _rule(text: str | None) -> dict[str, Any]:
    """The rule's keys, from JSON or from a file of it. Raises BadArgument, OSError."""
    import msgspec  # noqa: PLC0415

    if text is None:
        return {}
    plain = text if text.lstrip().startswith("{") else Path(text).expanduser().read_bytes()
    try:
        return msgspec.json.decode(plain, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadArgument(
            f"rule: this is no object of JSON ({error}). A right one: --rule "
            '\'{"strategy": "profit", "cost": 8000, "ceiling": 12000}\''
        ) from None


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
        from storage.rules import in_force  # noqa: PLC0415
        from storage.stores import sisters  # noqa: PLC0415

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

    def add(self, step: "Step") -> None: ...


def _replay(asked: Asked, settings: Settings) -> None:
    """Replay each board, and tell all together. Raises BadArgument where there is no past."""
    from repricer.replay import Seller  # noqa: PLC0415
    from repricer.tally import together  # noqa: PLC0415
    from storage.past import boards_of, remembered  # noqa: PLC0415

    if not asked.kept:
        _contenders(asked, 10_000, None)  # a wrong rule is told before the database is asked
    address = database_of(settings)
    kept = _Kept.of(asked, address)
    sisters = asked.sisters | kept.sisters
    seller = Seller(store=asked.merchant, sisters=sisters, lag=asked.lag)
    found: list[tuple[Outcome, ...]] = []
    drawn: list[Replayed] = []
    with ExitStack() as open_things:
        memory = open_things.enter_context(remembered(address))
        boards = boards_of(memory, asked.merchant, asked.products, asked.cities)
        boards = [board for board in boards if kept.knows(board)]
        lines = _Lines(open_things.enter_context(_csv(asked.csv))) if asked.csv else None
        for board in boards:
            watched = asked.html is not None and len(drawn) < asked.charts
            here = attrs.evolve(asked, rule={**kept.rule(board), **asked.rule})
            replayed = _board(memory, board, here, seller, lines, watched=watched)
            if replayed is not None:
                found.append(replayed.outcomes)
                drawn += [replayed] if watched else []
        _refuse_nothing(asked, boards, found)
    total = [together(way) for way in zip(*found, strict=True)]
    _tell(asked, total, drawn, len(found) - len(drawn))


def _board(
    memory: "psycopg.Connection[Any]",
    board: Board,
    asked: Asked,
    seller: "Seller",
    lines: "_Lines | None",
    *,
    watched: bool,
) -> Replayed | None:
    """One board replayed; None when we did not stand on it in that time."""
    from msgspec.structs import replace  # noqa: PLC0415

    from repricer.replay import begun, read_every, replay  # noqa: PLC0415
    from repricer.tally import Judge  # noqa: PLC0415
    from repricer.tariffs import packaged  # noqa: PLC0415
    from repricer.traces import Tracer  # noqa: PLC0415
    from storage.past import past_of  # noqa: PLC0415

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


def _contenders(asked: Asked, first: int, city: CityId | None) -> "list[Contender]":
    """The rules to try on a listing whose first real price was this. Raises BadArgument."""
    from repricer.replay import Contender  # noqa: PLC0415
    from repricer.spoken import BadSituation  # noqa: PLC0415

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
    import msgspec  # noqa: PLC0415

    from repricer.spoken import read  # noqa: PLC0415

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


@contextmanager
def _csv(path: Path) -> Iterator[TextIOWrapper]:
    """A file that appears when it is whole."""
    from storage.files import whole_file  # noqa: PLC0415

    with whole_file(path.resolve()) as file:
        text = TextIOWrapper(file, encoding="utf-8-sig", newline="")
        yield text
        text.flush()
        text.detach()


class _Lines:
    """Writes a line for each change of price, and for each that a person would have been shown."""

    def __init__(self, file: IO[str]) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow(_COLUMNS)

    def of(self, board: Board, names: Sequence[str]) -> "_BoardLines":
        """The lines of one board."""
        return _BoardLines(self._writer, (board.product, board.city), names)


@attrs.define
class _BoardLines:
    """Writes the lines of one board."""

    _writer: Any
    _where: tuple[str, str]
    _names: Sequence[str]
    _before: int | None = None

    def add(self, step: "Step") -> None:
        """Write what changed in this step."""
        span = step.real.spans[0]
        if step.real.change is not None:
            self._write(step, "real", "real", self._before, span.price, None, span.place)
        self._before = span.price
        for name, stand in zip(self._names, step.tried, strict=True):
            if stand.decision is not None and (stand.change is not None or stand.asks):
                self._write(step, name, *_figures(stand.decision))

    def _write(self, step: "Step", name: str, *figures: object) -> None:
        at = step.at.astimezone(ALMATY).isoformat(timespec="seconds")
        cheapest = step.others[0] if step.others else None
        around = (cheapest, step.real.spans[0].price)
        row = (*self._where, name, at, *figures[:5], *around, *figures[5:])
        self._writer.writerow(["" if cell is None else cell for cell in row])


def _figures(decision: Decision) -> Iterator[object]:
    """What a line says of a decision."""
    from repricer.explain import english, russian  # noqa: PLC0415

    yield from (decision.action, decision.before, decision.price)
    yield from (decision.place_before, decision.place)
    yield from (decision.profit_before, decision.profit, decision.reason)
    yield from (english(decision), russian(decision))


def _tell(asked: Asked, total: Sequence[Outcome], drawn: Sequence[Replayed], more: int) -> None:
    from kaspi_crawler.replays.table import show  # noqa: PLC0415

    show(total)
    if asked.html is not None:
        from kaspi_crawler.replays.page import page  # noqa: PLC0415
        from storage.files import whole_file  # noqa: PLC0415

        with whole_file(asked.html.resolve()) as file:
            file.writelines(part.encode() for part in page(total, drawn, more))
    for path in filter(None, (asked.csv, asked.html)):
        sys.stderr.write(f"written: {path}\n")
