"""Replay our strategies over real days of prices, recorded beside the project: a what-if.

`python -m benchmarks.recorded_days [DIRECTORY] [--listings N] [--cost-bp N]`. The recording is no
part of the project; where it is absent, that is said and nothing is done.

What was recorded, every hour: the price that the listing of one merchant's goods showed for each
card and city. That is the price of a card as buyers meet it, not a board: nobody wrote down who
asked it, whether others asked more, or what the goods cost. So one rival is taken to ask it, we
are taken to begin beside him, and cost and ceiling are shares of the first price. All ways are
reckoned over the same hours; the recorded prices themselves are reckoned as though they were
ours and nobody stood before them, which is the most that they can have brought.
"""

import argparse
import csv
import gzip
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import attrs
from msgspec.structs import replace
from rich.console import Console

from domain.identity import MerchantId
from domain.money import Tenge
from domain.past import Moment, Outcome
from domain.pricing import MarketOffer, Rule, Strategy
from kaspi_crawler.replays.table import show
from repricer.replay import Contender, Seller, replay
from repricer.tally import Judge, together
from repricer.tariffs import packaged

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT.parent / "shared" / "recorded" / "kaspi_storefront" / "nemo_price_history"
US, RIVAL = MerchantId("us"), MerchantId("recorded")
#: Minutes from a price set to a price seen, as docs/replay.md has it.
LAG = timedelta(minutes=10)
#: Listings whose price moved less than this tell nothing about rules.
FEWEST_CHANGES = 5
#: Shares of the first price, in basis points.
COST_BP, CEILING_BP = 6_500, 11_500

UNKNOWN = """\
What could not be known: whose price was recorded (one rival is taken to ask it), who stood behind
it, what our own price and place were, what the goods cost (here {cost} % of each first price), how
fast buyers come. The recorded prices are reckoned as though nobody stood before them, so "against
the real prices" is against the most that they can have brought. The rival does not answer us: who
fell step by step was at war with somebody already, and would have fallen faster under our prices.
"Not allowed" in the first row: recorded prices below cost and fees, or in a dead zone."""

Key = tuple[str, str]


@attrs.frozen(kw_only=True)
class Days:
    """The recording: for each card and city the prices by moment, None where it was gone."""

    begins: datetime
    ends: datetime
    prices: Mapping[Key, Sequence[tuple[datetime, int | None]]]


def read(directory: Path) -> Days:
    """The recorded prices. Raises OSError, and KeyError or ValueError for another format."""
    prices: dict[Key, list[tuple[datetime, int | None]]] = {}
    for row in _rows(directory / "first_snapshot.csv.gz"):
        prices[row["masterSku"], row["city"]] = [(_moment(row["ts"]), int(row["price"]))]
    begins = min(points[0][0] for points in prices.values())
    ends = begins
    for row in _rows(directory / "changes.csv.gz"):
        ends = max(ends, _moment(row["ts"]))
        if row["field"] in {"price", "appear", "disappear"}:
            points = prices.setdefault((row["masterSku"], row["city"]), [])
            points.append((_moment(row["ts"]), int(row["new"]) if row["new"] else None))
    return Days(begins=begins, ends=ends, prices=prices)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def lively(days: Days, count: int | None) -> list[Key]:
    """Listings that moved, the same each time; some of them when so many are asked for."""
    keys = sorted(key for key, points in days.prices.items() if len(points) > FEWEST_CHANGES)
    return keys if count is None or count >= len(keys) else sorted(Random(1).sample(keys, count))  # noqa: S311


def rules(first: int, cost_bp: int) -> list[Contender]:
    """Each strategy for goods whose first price was this."""
    base = Rule(
        cost=Tenge(first * cost_bp // 10_000),
        ceiling=Tenge(first * CEILING_BP // 10_000),
        zone="city",
        follow=RIVAL,
        offset=-1,
        premium=max(1, first // 100),
        position=2,
    )
    return [Contender(name, replace(base, strategy=name)) for name in Strategy]


def tried(days: Days, key: Key, cost_bp: int) -> tuple[Outcome, ...] | None:
    """The recorded prices and each strategy over the days of one listing; None: nothing to see."""
    points = [(at, price) for at, price in days.prices[key] if price != 0]
    first = next((price for _, price in points if price is not None), None)
    if first is None:
        return None
    contenders = rules(first, cost_bp)
    ends = [*(at for at, _ in points[1:]), days.ends]
    hours = [(*point, end) for point, end in zip(points, ends, strict=True) if point[0] <= end]
    alone = _judged(_moments(hours, first, is_rival=False), contenders[:1])
    beside = _judged(_moments(hours, first, is_rival=True), contenders)
    recorded = alone[0]
    return tuple(_against(outcome, recorded) for outcome in (recorded, *beside[1:]))


def _moments(
    hours: Sequence[tuple[datetime, int | None, datetime]], first: int, *, is_rival: bool
) -> Iterator[Moment]:
    """The listing hour by hour: the recorded price is a rival's, or our own."""
    for at, price, _ in hours:
        ours = first if is_rival or price is None else price
        rival = [MarketOffer(RIVAL, price)] if is_rival and price is not None else []
        yield Moment(at, () if price is None else (MarketOffer(US, ours), *rival))
    at, price, ends = hours[-1]
    if price is not None and at < ends:
        ours = first if is_rival else price
        yield Moment(ends, (MarketOffer(US, ours), *([MarketOffer(RIVAL, price)] * is_rival)))


def _judged(moments: Iterator[Moment], contenders: Sequence[Contender]) -> tuple[Outcome, ...]:
    judge = Judge([contender.name for contender in contenders], contenders[0].rule.shares_bp)
    for step in replay(moments, contenders, Seller(store=US, lag=LAG), packaged()):
        judge.add(step)
    return judge.outcomes()


def _against(outcome: Outcome, recorded: Outcome) -> Outcome:
    """The outcome beside the recorded prices: the replay knows of no real price of ours."""
    mine, theirs = outcome.profits or (), recorded.profits or ()
    return replace(outcome, gains=tuple(map(int.__sub__, mine, theirs)))


def main() -> int:
    """Replay and print; exit code 1: a price was set that its rule does not allow."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directory", nargs="?", type=Path, default=RECORDED)
    parser.add_argument("--listings", type=int, default=0, help="default: all that moved")
    parser.add_argument("--cost-bp", type=int, default=COST_BP, help="of each first price")
    chosen = parser.parse_args()
    console = Console(highlight=False)
    if not (chosen.directory / "changes.csv.gz").exists():
        console.print(f"no recorded days in {chosen.directory}: nothing was replayed")
        return 0
    days = read(chosen.directory)
    began = time.process_time()
    keys = lively(days, chosen.listings or None)
    found = [one for key in keys if (one := tried(days, key, chosen.cost_bp)) is not None]
    total = [together(way) for way in zip(*found, strict=True)]
    seconds = time.process_time() - began
    console.print(
        f"{days.begins:%d.%m.%Y %H:%M} to {days.ends:%d.%m.%Y %H:%M} UTC: {len(found):,} of "
        f"{len(days.prices):,} listings, {seconds:.1f} s of CPU time"
    )
    show(total, console)
    console.print(UNKNOWN.format(cost=chosen.cost_bp // 100))
    return int(any(outcome.outside for outcome in total[1:]))


if __name__ == "__main__":
    sys.exit(main())
