"""Exits: the addresses from which a host is asked, when each may ask, and when it has to rest.

Everything here is pure: a transition takes an exit as it is and returns it as it will be.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import attrs

#: The name of the exit that is this machine's own address.
DIRECT = "direct"

#: Refusals that say something of the address alone: one is enough for a rest.
_OF_THE_ADDRESS = frozenset(
    {"forbidden", "too_many_requests", "method_not_allowed", "captcha", "proxy_refuses"}
)
#: Any other refusal may be the site's mood or one product's fault: two in a row rest the exit,
_DOUBTS_BORNE = 1
#: and so does one when it is sick: it lies again and again, with answers between that look well.
_SICK = 35
_NO_TIME = timedelta()


@attrs.frozen(kw_only=True)
class Pace:
    """One question each `interval`, and up to `burst` of them at once after a pause."""

    interval: timedelta
    burst: int = 1

    @property
    def slack(self) -> timedelta:
        """How far ahead of an even pace a question may come.

        A little less than the burst allows, because a host counts when questions arrive: one that
        was long on its way comes close to the next. Where there is no burst, a fiftieth is given.
        """
        if self.burst == 1:
            return -self.interval / 50
        return (self.burst - 1) * self.interval - min(self.interval / 4, timedelta(seconds=0.25))


@attrs.frozen(kw_only=True)
class RestRule:
    """How long a refusal rests an exit: `first` by kind of refusal, else `shortest`.

    Each trial in vain doubles the rest, up to `longest`. A `shortest` of zero: only a host that
    names a time itself is given a rest.
    """

    shortest: timedelta = timedelta(seconds=60)
    longest: timedelta = timedelta(minutes=30)
    first: Mapping[str, timedelta] = attrs.field(factory=dict)

    def rest_after(self, kind: str, last: timedelta, asked: timedelta | None) -> timedelta:
        """The rest after a refusal; `last` is the rest before it, `asked` the host's own wish."""
        if asked:
            return min(asked, self.longest)
        if not self.shortest:
            return _NO_TIME
        return min(2 * last or self.first.get(kind, self.shortest), self.longest)


@attrs.frozen(kw_only=True)
class Turn:
    """The right to ask once, through an exit, from a moment on.

    `rests` is how many rests the exit had had by then: what is heard of an older turn says
    nothing of the time after a rest. `trial`: the first question after a rest.
    """

    exit: str
    moment: datetime
    rests: int
    trial: bool


@attrs.frozen(kw_only=True)
class Exit:
    """An exit as it stands to one host, for one kind of question ("api", "page" or "cabinet").

    `next_at` is when the next question would be due at an even pace. `rest` is the length of the
    last rest, zero since it answered; `resting_until` its end, `trial_until` until when the
    question under way counts as the trial after it. `vain` counts trials that failed since it
    answered, `doubts` doubtful answers in a row. `health` goes from 0 to 100.
    """

    name: str
    host: str
    kind: str
    next_at: datetime
    version: int = 0
    rest: timedelta = _NO_TIME
    resting_until: datetime | None = None
    trial_until: datetime | None = None
    vain: int = 0
    doubts: int = 0
    health: int = 100
    answered: int = 0
    refused: Mapping[str, int] = attrs.field(factory=dict)
    last_refusal: str | None = None
    rests: int = 0
    trials: int = 0

    def awake_at(self, now: datetime) -> datetime:
        """From when on somebody may take a turn: after a rest, and after another's trial."""
        return max(filter(None, (now, self.resting_until, self.trial_until)))

    def ready_at(self, pace: Pace, now: datetime) -> datetime:
        """The moment of the next turn."""
        return max(self.awake_at(now), self.next_at - pace.slack)

    def take(self, pace: Pace, now: datetime, count: int = 1) -> tuple["Exit", tuple[Turn, ...]]:
        """Take turns, each at its moment. After a rest there is one, the trial."""
        trial = self.rest > _NO_TIME
        turns, next_at = [], self.next_at
        for _ in range(1 if trial else count):
            moment = max(self.awake_at(now), next_at - pace.slack)
            next_at = max(next_at, moment) + pace.interval
            turns.append(Turn(exit=self.name, moment=moment, rests=self.rests, trial=trial))
        taken = attrs.evolve(self, next_at=next_at)
        if trial:
            until = turns[0].moment + TRIAL
            taken = attrs.evolve(taken, trial_until=until, trials=self.trials + 1)
        return taken, tuple(turns)

    def hear(self, turn: Turn) -> "Exit":
        """The exit after it brought an answer."""
        if turn.rests < self.rests:
            return self
        return attrs.evolve(
            self,
            rest=_NO_TIME,
            resting_until=None,
            trial_until=None,
            vain=0,
            doubts=0,
            health=min(100, self.health + (107 - self.health) // 8),
        )

    def suffer(
        self, turn: Turn, kind: str, now: datetime, rule: RestRule, asked: timedelta | None = None
    ) -> "Exit":
        """The exit after a refusal. `asked`: how long the host wants to be left alone."""
        refused = {**self.refused, kind: self.refused.get(kind, 0) + 1}
        hurt = attrs.evolve(self, refused=refused, last_refusal=kind)
        if turn.rests < self.rests:  # it rests for this already; the host may only ask for more
            longer = rule.rest_after(kind, self.rest, asked) if asked else _NO_TIME
            return attrs.evolve(hurt, resting_until=_later(self.resting_until, now, longer))
        hurt = attrs.evolve(hurt, health=self.health * 2 // 3, doubts=self.doubts + 1)
        doubtful = kind not in _OF_THE_ADDRESS and not asked and not turn.trial
        if doubtful and hurt.doubts <= _DOUBTS_BORNE and hurt.health >= _SICK:
            return hurt
        rest = rule.rest_after(kind, self.rest, asked)
        if not rest:
            return attrs.evolve(hurt, rest=_NO_TIME, resting_until=None, trial_until=None)
        return attrs.evolve(
            hurt,
            rest=rest,
            resting_until=now + rest,
            trial_until=None,
            vain=self.vain + turn.trial,
            rests=self.rests + 1,
        )

    def let_go(self, turn: Turn) -> "Exit":
        """The exit when nothing is known of what became of a turn: a trial is free again."""
        if turn.trial and turn.rests == self.rests:
            return attrs.evolve(self, trial_until=None)
        return self


#: How long a trial is waited for before another may try: more than an answer takes.
TRIAL = timedelta(seconds=60)


def choose(
    exits: Iterable[Exit], pace: Pace, now: datetime, avoiding: Collection[str] = ()
) -> Exit | None:
    """The exit to ask through next, or None when all rest.

    One that has rested and may ask now comes first: its trial costs a single question, and until
    then its turns are lost to us. Else the one that may ask soonest; of several that may ask now,
    the healthiest. Those that are to be avoided come last.
    """

    def rank(each: Exit) -> tuple[bool, datetime, int, datetime, str]:
        ready = each.ready_at(pace, now)
        is_due_for_trial = each.rest > _NO_TIME and ready <= now
        return not is_due_for_trial, ready, -each.health, each.next_at, each.name

    awake = [each for each in exits if each.awake_at(now) <= now]
    wanted = [each for each in awake if each.name not in avoiding] or awake
    return min(wanted, key=rank, default=None)


def _later(until: datetime | None, now: datetime, rest: timedelta) -> datetime | None:
    return max(until, now + rest) if until else until
