"""How an unknown limit is learnt: a store with endless changes meets a marketplace."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random

import attrs

from benchmarks.budget.marketplaces import Bucket, Fixed, Limiter, Marketplace, Rolling, Unlimited
from domain.budget import Budget, Push, after_block, after_push, may_send, wait

BEGIN = datetime(2026, 11, 2, 6, tzinfo=UTC)
#: Changes that always wait, so that the budget is what is scarce.
ENDLESS = 1_000_000
#: So few that they leave one after another, a second apart, until the window is nearly full.
FEW = 30


@attrs.frozen(kw_only=True)
class Truth:
    """A limiter, the most changes that it lets through in a window, and how many wait for it."""

    limiter: Limiter
    possible: int
    waiting: int = ENDLESS


@attrs.frozen(kw_only=True)
class Learnt:
    """What came of it: the budget at the end, the marketplace's ledger, changes accepted late.

    `late` are the changes accepted a window in the last quarter of the time.
    """

    budget: Budget
    marketplace: Marketplace
    late: int
    last_block: timedelta | None


@attrs.define
class Store:
    """One store that publishes: its budget, and the pushes that were accepted lately."""

    budget: Budget
    marketplace: Marketplace
    random: Random
    batches: bool = False
    pushes: list[Push] = attrs.field(factory=list)

    def push(self, now: datetime, waiting: int = ENDLESS) -> datetime:
        """Send what may be sent now; returns when the answer came. Answers take up to a second."""
        changes = may_send(self.budget, self.pushes, now, waiting) if self.batches else 1
        arrives = now + timedelta(milliseconds=self.random.randint(20, 500))
        answered = arrives + timedelta(milliseconds=self.random.randint(20, 500))
        if self.marketplace.push(arrives, changes):
            self.pushes = [one for one in self.pushes if one.at > now - self.budget.window]
            self.pushes.append(Push(answered, changes))
            self.budget = after_push(self.budget, self.pushes, answered)
        else:
            self.budget = after_block(self.budget, self.pushes, answered)
        return answered


def learn(
    limiter: Limiter,
    lasts: timedelta,
    *,
    budget: Budget | None = None,
    seed: int = 1,
    batches: bool = False,
    waiting: int = ENDLESS,
) -> Learnt:
    """Publish for so long to a marketplace of this kind, always with so many changes waiting."""
    store = Store(budget or Budget(), Marketplace(limiter), Random(seed), batches)  # noqa: S311
    now, end, early, last_block = BEGIN, BEGIN + lasts, 0, None
    while now < end:
        now += wait(store.budget, store.pushes, now, waiting)
        blocks = store.marketplace.blocks
        now = store.push(now, waiting)
        if store.marketplace.blocks > blocks:
            last_block = now - BEGIN
        if now < BEGIN + lasts * 3 / 4:
            early = store.marketplace.accepted
    late = (store.marketplace.accepted - early) * 4 * store.budget.window // lasts
    return Learnt(
        budget=store.budget, marketplace=store.marketplace, late=late, last_block=last_block
    )


def truths() -> Mapping[str, Truth]:
    """The marketplaces that are met, by name; fresh ones each time."""
    second = timedelta(seconds=1)
    return {
        "20 changes in 30 min": Truth(limiter=Rolling(20), possible=20),
        "20 changes in 30 min, few waiting": Truth(limiter=Rolling(20), possible=20, waiting=FEW),
        "60 changes in 30 min": Truth(limiter=Rolling(60), possible=60),
        "120 changes in 30 min": Truth(limiter=Rolling(120), possible=120),
        "199 changes in 30 min": Truth(limiter=Rolling(199), possible=199),
        "250 changes in 30 min": Truth(limiter=Rolling(250), possible=250),
        "600 changes in 30 min": Truth(limiter=Rolling(600), possible=600),
        "250 from half-hour to half-hour": Truth(limiter=Fixed(250), possible=250),
        "2 pushes a second": Truth(limiter=Bucket(second / 2), possible=1_800),
        "1 push in 3 s": Truth(limiter=Bucket(3 * second), possible=600),
        "1 push in 5 s, 10 saved up": Truth(limiter=Bucket(5 * second, 10), possible=360),
        "20 pushes a minute, few waiting": Truth(
            limiter=Rolling(20, timedelta(minutes=1), counts_pushes=True),
            possible=600,
            waiting=FEW,
        ),
        "no limit": Truth(limiter=Unlimited(), possible=1_800),
    }
