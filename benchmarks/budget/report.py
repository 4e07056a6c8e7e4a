"""The lines of the report: what is captured, and what is learnt."""

from collections.abc import Sequence
from datetime import timedelta
from statistics import median

from benchmarks.budget.allocating import (
    Policy,
    bound,
    by_feed_alone,
    by_gain,
    carried_out,
    demand_unknown,
    first_come,
    ours,
    ours_with_feed,
    rates_known,
)
from benchmarks.budget.learning import Learnt, Truth, learn, truths
from benchmarks.budget.opportunities import SECONDS, Boards, Change, changes
from benchmarks.measure import Line

#: What is asked of the allocator: of the oracle's gain, and times first come first served.
OF_ORACLE, TIMES_FIRST_COME = 0.95, 2.0
#: The blocks within which a limit is to be learnt.
BLOCKS = 2
#: As a scheduler's model has them, from quiet boards to busy ones; the last is a price war.
BUSY = "median 0.2 changes an hour, sigma 1.5"
BOARDS = {
    BUSY: Boards(median=0.2, sigma=1.5),
    "0.02 an hour, sigma 1.5": Boards(median=0.02, sigma=1.5),
    "0.05 an hour, sigma 2.0": Boards(median=0.05, sigma=2.0),
    "0.2 an hour, sigma 1.5, dear goods change more": Boards(median=0.2, sigma=1.5, kinship=0.5),
    "a price war: 1 an hour, sigma 1.0": Boards(median=1.0, sigma=1.0),
}
_OTHERS: dict[str, Policy] = {
    "the greatest gain a day first": by_gain,
    "ours, demand unknown: one sale a day assumed": demand_unknown,
}
_HOUR = 3_600.0
_LEARNING = "an unknown limit: changes accepted in 30 min in the end ÷ possible"


def allocator(seeds: int) -> list[Line]:
    """What the allocator captures, by how often boards change."""
    found = [_captured(name, boards, seeds) for name, boards in BOARDS.items()]
    return [
        *(of_oracle for of_oracle, _ in found),
        *(times for _, times in found),
        *_compared(changes(BOARDS[BUSY], 1)),
    ]


def _captured(name: str, boards: Boards, seeds: int) -> tuple[Line, Line]:
    ours_, first, known, asked = [], [], 0.0, 0.0
    for seed in range(1, (seeds if name == BUSY else max(1, seeds // 2)) + 1):
        coming = changes(boards, seed)
        most = bound(coming)
        ours_.append(carried_out(coming, ours).gained / most)
        first.append(carried_out(coming, first_come).gained / most)
        if seed == 1:
            known = carried_out(coming, rates_known).gained / most
            asked = len(coming) * 1_800 / SECONDS
    times = [one / other for one, other in zip(ours_, first, strict=True)]
    wanted = f"{asked:,.0f} asked for in 30 min; first come {median(first):.3f}"
    return (
        _line(
            "the allocator ÷ an oracle's upper bound",
            name,
            ours_,
            OF_ORACLE,
            f"with the true rates known {known:.3f} (one seed)",
        ),
        _line("the allocator ÷ first come first served", name, times, TIMES_FIRST_COME, wanted),
    )


def _line(section: str, name: str, figures: Sequence[float], goal: float, remark: str) -> Line:
    return Line(
        section=f"{section} (250 in 30 min, 5,000 listings)",
        name=name,
        ours=f"{min(figures):.3f} to {max(figures):.3f}",
        theirs=f"{len(figures)} seeds",
        ratio=median(figures),
        goal=goal,
        remark=remark,
    )


def _compared(coming: Sequence[Change]) -> list[Line]:
    most = bound(coming)
    gains = {name: carried_out(coming, policy).gained for name, policy in _OTHERS.items()}
    with_feed = carried_out(coming, ours_with_feed, _HOUR).gained
    gains |= {
        "ours, and the feed within the hour": with_feed,
        "first come, and the feed": carried_out(coming, first_come, _HOUR).gained,
        "the feed alone": by_feed_alone(coming, _HOUR),
    }
    return [
        Line(
            section="÷ the same bound of pushes, other ways, one seed",
            name=name,
            ours=f"{gained / most:.3f}",
            ratio=gained / most,
        )
        for name, gained in gains.items()
    ]


def learning(hours: int) -> list[Line]:
    """How unknown limits are learnt, by a store with more changes than it may send."""
    lasts = timedelta(hours=hours)
    found = {
        name: (truth, learn(truth.limiter, lasts, waiting=truth.waiting))
        for name, truth in truths().items()
    }
    most = max(learnt.marketplace.blocks for _, learnt in found.values())
    return [
        *(_learnt(name, truth, learnt, lasts) for name, (truth, learnt) in found.items()),
        Line(
            section=f"{_LEARNING} ({hours} h)",
            name="most blocks at any of them (goal: 2)",
            ours=str(most),
            ratio=BLOCKS / max(most, 1),
            goal=1.0,
        ),
    ]


def _learnt(name: str, truth: Truth, learnt: Learnt, lasts: timedelta) -> Line:
    budget, ledger = learnt.budget, learnt.marketplace
    possible = truth.possible * (lasts // budget.window)
    after = learnt.last_block.total_seconds() / 3_600 if learnt.last_block else 0
    told = f"blocks: {ledger.blocks}" + (f", the last after {after:.1f} h" if after else "")
    lost = f"{max(0, possible - ledger.accepted) / possible:.0%} lost in all"
    return Line(
        section=f"{_LEARNING} ({lasts // timedelta(hours=1)} h)",
        name=name,
        ours=f"{budget.limit}, {budget.gap.total_seconds():g} s apart",
        theirs=str(truth.possible),
        ratio=learnt.late / truth.possible,
        remark=f"{told}; {lost}{'; still grows' if budget.grows else ''}",
    )
