"""Measurements that take turns, and what is made of them."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

import attrs

#: One measurement, as a rate: more is better.
Run = Callable[[], float]


@attrs.frozen(kw_only=True)
class Line:
    """One line of the report. `ratio` is ours over theirs, as rates: more is better."""

    section: str
    name: str
    ours: str
    theirs: str = ""
    ratio: float | None = None
    goal: float | None = None
    remark: str = ""

    @classmethod
    def of_rates(
        cls,
        section: str,
        name: str,
        ours: Sequence[float],
        theirs: Sequence[float],
        *,
        unit: str,
        goal: float | None = None,
        remark: str = "",
    ) -> "Line":
        """Medians of both, and the median of the rounds' ratios."""
        return cls(
            section=section,
            name=name,
            ours=f"{median(ours):,.0f} {unit}",
            theirs=f"{median(theirs):,.0f} {unit}"
            if median(theirs) >= 10
            else f"{median(theirs):.1f} {unit}",
            ratio=ratio(ours, theirs),
            goal=goal,
            remark=remark,
        )

    @property
    def verdict(self) -> str:
        """Whether the goal is reached; nothing is asserted."""
        if self.goal is None or self.ratio is None:
            return ""
        return "reached" if self.ratio >= self.goal else "missed"


def in_turns(runs: Mapping[str, Run], repeats: int) -> dict[str, list[float]]:
    """Run all of them, again and again in this order, so that they meet the same machine."""
    figures: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            figures[name].append(run())
    return figures


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios: what disturbs a round disturbs both of its sides."""
    return median(a / b for a, b in zip(ours, theirs, strict=True))
