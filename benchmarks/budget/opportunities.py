"""Changes worth sending, as they come, last and vanish on 5,000 boards. A model, not field data.

- A board changes at random moments (Poisson), at a rate of its own: log-normal over the boards.
  The rates are those of a scheduler's model of 10,000 goods, and those of a price war; Kaspi's own
  are not known. A board of goods that sell more may change more often (`kinship`).
- Each change asks for another price of ours. What was asked for before is void from that moment,
  but we know of it only at the next reading: each board is read every ten minutes, which is what a
  sweep of 5,000 takes. A change that is undone before it is read never was.
- A listing's price is log-normal (median 12,000 ₸, sigma 1.1) and leaves 12 % of it. Its product
  sells 0.3 times a day (sigma 1.3). The change takes us from one place to a better one, by the
  assumed shares of buyers, or, three times in ten, raises the profit of a sale where we stand.
- How often a board changes is counted by such readings as storage/restless.py does, for two weeks
  before and from then on: nothing is known of the true rate, and changes between two readings are
  seen as one.
"""

import math
from collections.abc import Iterator
from datetime import timedelta
from random import Random

import attrs

from domain.pricing import ASSUMED_SHARES_BP, WHOLE
from repricer.gain import changes_a_day

LISTINGS = 5_000
HOURS = 12
#: Seconds between two readings of one board.
READ_EVERY = 600.0
SECONDS = HOURS * 3_600.0
_DAY = 86_400.0
#: Seconds in which what was counted is halved, as in storage/restless.py.
_HALVED_IN = 3 * _DAY
_BEFORE = 14 * _DAY
_WATCHED = timedelta(seconds=round(_HALVED_IN / math.log(2) * (1 - 0.5 ** (_BEFORE / _HALVED_IN))))


@attrs.frozen(kw_only=True)
class Boards:
    """How often boards change: the median an hour, the sigma of its logarithm, the kinship.

    `kinship` is how far the rate goes with the value of the listing, from 0 to 1.
    """

    median: float
    sigma: float
    kinship: float = 0.0


@attrs.frozen(kw_only=True)
class Change:
    """One change that a listing asks for, in seconds from the start and tenge a day.

    It is known from `read_at` on, is worth something until `ends`, and is replaced by the next
    one of its listing. `guess` is the gain when nobody knows how well the product sells.
    `estimated` and `true` are changes of its board a day, in ten-thousandths.
    """

    listing: int
    read_at: float
    ends: float
    gain: int
    guess: int
    estimated: int
    true: int

    def earned(self, sent: float) -> float:
        """Tenge that it gains when it is carried out at that moment."""
        return self.gain * max(0.0, self.ends - max(sent, self.read_at)) / _DAY


def changes(boards: Boards, seed: int) -> list[Change]:
    """All changes of half a day, in the order in which they are read."""
    random = Random(seed)  # noqa: S311
    found = [one for listing in range(LISTINGS) for one in _of_listing(boards, listing, random)]
    return sorted(found, key=lambda change: change.read_at)


def _of_listing(boards: Boards, listing: int, random: Random) -> Iterator[Change]:
    dear, sold = random.gauss(0, 1.1), random.gauss(0, 1.3)
    profit, demand = 0.12 * 12_000 * math.exp(dear), 0.3 * math.exp(sold)
    alike = (dear + sold) / math.hypot(1.1, 1.3)
    own = random.gauss(0, 1)
    mixed = boards.kinship * alike + math.sqrt(1 - boards.kinship**2) * own
    rate = boards.median * math.exp(boards.sigma * mixed)
    counted, counted_at = _seen(rate, random), 0.0
    for read_at, ends in _lives(rate, random):
        counted = 1 + counted * 0.5 ** ((read_at - counted_at) / _HALVED_IN)
        counted_at = read_at
        gain = profit * _better(random)
        yield Change(
            listing=listing,
            read_at=read_at,
            ends=ends,
            gain=round(gain * demand),
            guess=round(gain),
            estimated=changes_a_day(round(counted * WHOLE), _WATCHED),
            true=round(rate * 24 * WHOLE),
        )


def _seen(rate: float, random: Random) -> float:
    """What is left at the start of the changes that were seen before (`rate` an hour)."""
    quiet, seen, age = -rate * READ_EVERY / 3_600, 0.0, 0.0
    while True:
        age += READ_EVERY * (1 + int(math.log(1 - random.random()) / quiet))
        if age > _BEFORE:
            return seen
        seen += 0.5 ** (age / _HALVED_IN)


def _lives(rate: float, random: Random) -> Iterator[tuple[float, float]]:
    """When each change of the board is read, and when the next one makes it void."""
    phase, moment = random.random() * READ_EVERY, random.expovariate(rate / 3_600)
    while moment < SECONDS:
        read_at = phase + math.ceil((moment - phase) / READ_EVERY) * READ_EVERY
        after = moment + random.expovariate(rate / 3_600)
        if after > read_at and read_at < SECONDS:
            yield read_at, min(after, SECONDS)
        moment = after


def _better(random: Random) -> float:
    """What a sale earns more by the change, times the share of buyers, for a profit of 1."""
    before = random.randint(2, 8)
    shares = [share / WHOLE for share in (*ASSUMED_SHARES_BP, ASSUMED_SHARES_BP[-1])]
    if random.random() < 0.3:
        return shares[before - 2] * random.uniform(0.02, 0.3)
    return shares[random.randint(1, before - 1) - 1] * 0.98 - shares[before - 1]
