"""What the market bench says: ratios over the same seeds, and how wide they are."""

from collections.abc import Iterator, Sequence
from random import Random
from statistics import fmean
from typing import Any

import attrs
from rich.console import Console
from rich.table import Table

from benchmarks.market.pricing import A_DAY, LISTINGS
from benchmarks.market.runs import Outcome
from benchmarks.market.ways import ADVISED, DEMPER, OURS, RATIONED, THEIRS

#: How often the seeds are drawn anew to say how wide a ratio is, and the part of them it covers.
DRAWS, COVERED = 1_000, 0.9
#: Of 2,334 listings of one store, recorded every hour for four days in August 2026, so many
#: changed more than 2.4 times a day: some went up, too, in a tenth of their changes or more.
RECORDED, WARRING, WARRING_UPWARDS = 2_334, 313, 48
STEP_UP = ("duel with a step-up bot", "a step-up bot and people")
DOWN_ONLY = ("duel with a down-only bot", "a down-only bot and people")
QUIET = ("duel with a person", "a crowd of people", "cheap rivals who deliver slowly")


@attrs.frozen(kw_only=True)
class Bench:
    """All outcomes, by shape, way of pricing and seed."""

    shapes: tuple[str, ...]
    seeds: tuple[int, ...]
    days: int
    outcomes: dict[tuple[str, str, int], Outcome]

    def of(self, shape: str, way: str) -> list[Outcome]:
        """The outcomes of one way in one shape, seed by seed."""
        return [self.outcomes[shape, way, seed] for seed in self.seeds]

    def profit(self, shape: str, way: str) -> int:
        """In ten-thousandths of the usual price, all seeds together."""
        return sum(one.scaled for one in self.of(shape, way))

    def ratio(self, shapes: Sequence[str], way: str, other: str) -> "Ratio":
        """One way's profit over another's, over the same seeds of these shapes."""
        ours, theirs = (
            [sum(self.outcomes[shape, one, seed].scaled for shape in shapes) for seed in self.seeds]
            for one in (way, other)
        )
        return Ratio.of(ours, theirs)

    def best(self, shape: str, ways: Sequence[str]) -> str:
        """Whichever of these earned the most."""
        return max(ways, key=lambda way: self.profit(shape, way))

    def changes(self, shape: str, way: str) -> float:
        """Changes a day of one listing."""
        return fmean(one.changes for one in self.of(shape, way)) / self.days

    @property
    def violations(self) -> int:
        """Prices that ours set and should not have, and sales of ours at a loss."""
        return sum(
            one.outside + one.losses for (_, way, _), one in self.outcomes.items() if way in OURS
        )


@attrs.frozen
class Ratio:
    """A ratio of two sums over the seeds, and what nine in ten draws of the seeds lie between."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f}-{self.high:.2f})"

    @classmethod
    def of(cls, ours: Sequence[int], theirs: Sequence[int]) -> "Ratio":
        """By drawing the seeds anew, with one chance for all, so that it is the same each time."""
        random, pairs = Random(1), list(zip(ours, theirs, strict=True))  # noqa: S311
        drawn = sorted(_over(random.choices(pairs, k=len(pairs))) for _ in range(DRAWS))
        left = round(DRAWS * (1 - COVERED) / 2)
        return cls(_over(pairs), drawn[left], drawn[-left - 1])


def _over(pairs: Sequence[tuple[int, int]]) -> float:
    return sum(one for one, _ in pairs) / (sum(other for _, other in pairs) or 1)


def report(bench: Bench, console: Console, *, everybody: bool) -> None:
    """Print the summary, each shape, and the goals."""
    for shape in bench.shapes:
        console.print(_table(bench, shape, everybody=everybody))
    console.print(_summary(bench))
    for sentence in _goals(bench):
        console.print(sentence, soft_wrap=True)


def _table(bench: Bench, shape: str, *, everybody: bool) -> Table:
    table = Table(title=shape, title_justify="left")
    for name in ("", "profit / demper", "first", "changes/day", "of 5,000", "not allowed"):
        table.add_column(name, justify="right" if name else "left")
    table.add_column("below lowest", justify="right")
    table.add_column("below cost", justify="right")
    table.add_column("loss sales", justify="right")
    for group in (OURS, THEIRS, RATIONED):
        table.add_section()
        ranked = sorted(group, key=lambda way: bench.profit(shape, way), reverse=True)
        shown = ranked if everybody or group is OURS else ranked[: 4 if group is THEIRS else 1]
        for way in shown + [one for one in ranked if one == DEMPER and one not in shown]:
            table.add_row(*_row(bench, shape, way))
    return table


def _row(bench: Bench, shape: str, way: str) -> Iterator[str]:
    outcomes, changes = bench.of(shape, way), bench.changes(shape, way)
    yield f"[bold]{way}" if way == ADVISED else way
    yield str(bench.ratio([shape], way, DEMPER))
    yield f"{fmean(one.first for one in outcomes) / 100:.0f} %"
    yield f"{changes:.1f}"
    yield f"{changes * LISTINGS:,.0f}"
    for count in ("outside", "below_lowest", "below_cost", "losses"):
        yield f"{sum(getattr(one, count) for one in outcomes):,}"


def _summary(bench: Bench) -> Table:
    table = Table(title=f"{len(bench.seeds)} markets of each shape, {bench.days} days each")
    table.add_column("")
    table.add_column("advised / demper", justify="right")
    table.add_column("changes/day", justify="right")
    table.add_column("best public rule")
    table.add_column("its changes", justify="right")
    table.add_column("advised / it", justify="right")
    table.add_column("advised / best rationed", justify="right")
    table.add_column("best of ours")
    for shape in bench.shapes:
        public, ration = bench.best(shape, list(THEIRS)), bench.best(shape, list(RATIONED))
        ours = bench.best(shape, list(OURS))
        table.add_row(
            shape,
            str(bench.ratio([shape], ADVISED, DEMPER)),
            f"{bench.changes(shape, ADVISED):.1f}",
            public,
            f"{bench.changes(shape, public):.1f}",
            str(bench.ratio([shape], ADVISED, public)),
            str(bench.ratio([shape], ADVISED, ration)),
            f"{ours}: {bench.ratio([shape], ours, public).value:.2f}",
        )
    return table


def _goals(bench: Bench) -> Iterator[str]:
    for shapes, name, goal in ((STEP_UP, "step-up", 1.5), (DOWN_ONLY, "down-only", 1.2)):
        if set(shapes) <= set(bench.shapes):
            for shape in (shapes, *((one,) for one in shapes)):
                ratio = bench.ratio(shape, ADVISED, DEMPER)
                verdict = "reached" if ratio.value >= goal else "missed"
                yield f"{name} rivals, {' + '.join(shape)}: {ratio}, goal {goal}: {verdict}"
    even = fmean(bench.changes(shape, ADVISED) for shape in bench.shapes) * LISTINGS
    yield f"5,000 listings spread evenly over the shapes: {even:,.0f} changes a day"
    if {*STEP_UP, *DOWN_ONLY, *QUIET} <= set(bench.shapes):
        for way in (one for one in OURS if one.startswith(ADVISED)):
            yield f"5,000 listings as in the recorded store, {way}: {_of_a_store(bench, way):,.0f}"
        yield f"  (demper main: {_of_a_store(bench, DEMPER):,.0f}; goal: at most {A_DAY:,})"
    yield f"prices of ours outside the allowed, and sales of ours at a loss: {bench.violations}"


def _of_a_store(bench: Bench, way: str) -> float:
    """Changes a day of a store whose listings are in wars as often as the recorded ones."""
    shares = (
        (QUIET, RECORDED - WARRING),
        (DOWN_ONLY, WARRING - WARRING_UPWARDS),
        (STEP_UP, WARRING_UPWARDS),
    )
    weighed = sum(
        fmean(bench.changes(shape, way) for shape in shapes) * share for shapes, share in shares
    )
    return weighed / RECORDED * LISTINGS


def as_json(bench: Bench) -> dict[str, Any]:
    """Every figure, with its interval."""
    return {
        "seeds": bench.seeds,
        "days": bench.days,
        "goals": list(_goals(bench)),
        "shapes": {
            shape: {way: _figures(bench, shape, way) for way in (*OURS, *THEIRS, *RATIONED)}
            for shape in bench.shapes
        },
    }


def _figures(bench: Bench, shape: str, way: str) -> dict[str, Any]:
    outcomes = bench.of(shape, way)
    counted = ("profit", "sold", "outside", "below_lowest", "below_cost", "losses")
    return {
        "over_demper": attrs.asdict(bench.ratio([shape], way, DEMPER)),
        "first_bp": round(fmean(one.first for one in outcomes)),
        "changes_a_day": round(bench.changes(shape, way), 3),
        **{name: sum(getattr(one, name) for one in outcomes) for name in counted},
    }
