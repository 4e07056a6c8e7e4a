"""A board's truth: who sits on it, what each asked at every moment, and since when."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from operator import attrgetter
from random import Random

import attrs

from domain.identity import MerchantId, ProductId
from domain.money import Tenge
from sandbox.merchants import Merchant
from sandbox.rivals import Limits, Quote, Rule, View


@attrs.frozen(kw_only=True)
class Delivery:
    """How a seller's goods reach the buyer: the storefront's class and whole days from today."""

    type: str
    duration: str
    days: int
    hour: int
    by_kaspi: bool
    inter_city: bool
    pickup: bool
    postomat: bool
    options: bool
    cost: int | None


@attrs.frozen(kw_only=True)
class Seat:
    """What does not change about one merchant's offer of one card in one city.

    `regular` is the struck-out price in tenge, `bonus` whole percent paid back as bonuses,
    `purchases` how often it was bought; each is None when the answer leaves it out.
    """

    merchant: Merchant
    merchant_sku: str
    title: str
    point: str
    rule: Rule
    limits: Limits
    regular: int | None
    bonus: int | None
    purchases: int | None
    delivery: Delivery
    first: Quote

    def discount(self, price: Tenge) -> int:
        """Whole percent off the struck-out price, 0 when there is none to speak of."""
        return 0 if self.regular is None else max(0, 100 - 100 * price // self.regular)


@attrs.frozen(kw_only=True)
class TrueOffer:
    """One line of the true board. `price` is in tenge, `preorder` in days."""

    merchant_id: MerchantId
    merchant_name: str
    price: Tenge
    preorder: int


@attrs.frozen
class Version:
    """What all seats asked since `at` by the sandbox's clock, `applied_at` by the real one."""

    at: datetime
    applied_at: datetime
    quotes: tuple[Quote, ...]


@attrs.frozen
class Movement:
    """What became of a board, or of many: sellers counted once, start against end."""

    changed: int = 0
    left: int = 0
    arrived: int = 0
    returned: int = 0

    def __add__(self, other: "Movement") -> "Movement":
        return Movement(
            self.changed + other.changed,
            self.left + other.left,
            self.arrived + other.arrived,
            self.returned + other.returned,
        )


@attrs.define(eq=False)
class Board:
    """One card in one market: its seats and the ledger of all their quotes, oldest first."""

    product: ProductId
    seats: tuple[Seat, ...]
    history: list[Version]
    #: Seats whose sellers ever look at the board, with their pace.
    _restless: tuple[tuple[int, float], ...] = attrs.field(init=False, default=())
    #: The standing offers, with the ledger's length for which they hold.
    _sorted: tuple[int, tuple[tuple[Seat, Quote], ...]] = attrs.field(init=False, default=(0, ()))

    def __attrs_post_init__(self) -> None:
        self._watch()

    def _watch(self) -> None:
        self._restless = tuple(
            (index, seat.rule.pace / 1000)
            for index, seat in enumerate(self.seats)
            if seat.rule.pace
        )

    @property
    def quotes(self) -> tuple[Quote, ...]:
        """What all seats ask now, absent ones too."""
        return self.history[-1].quotes

    @property
    def standing(self) -> tuple[tuple[Seat, Quote], ...]:
        """The offers that buyers see now, cheapest first; equal prices in the seats' order."""
        if self._sorted[0] != len(self.history):
            pairs = zip(self.seats, self.quotes, strict=True)
            seen = (pair for pair in pairs if pair[1].present)
            ordered = tuple(sorted(seen, key=lambda pair: pair[1].price))
            self._sorted = (len(self.history), ordered)
        return self._sorted[1]

    @property
    def leader(self) -> tuple[Seat, Quote] | None:
        """The cheapest offer, or None when the city has none."""
        return next(iter(self.standing), None)

    def seat_of(self, merchant: MerchantId) -> int:
        """The merchant's place. Raises LookupError if he never sells this card here."""
        for index, seat in enumerate(self.seats):
            if seat.merchant.id == merchant:
                return index
        raise LookupError(f"merchant {merchant} has no offer of {self.product} here, ever")

    def take_seat(self, seat: Seat, quote: Quote) -> None:
        """Change a merchant's seat, or give him one; `quote` is then all that he ever asked."""
        known = [old.merchant.id for old in self.seats]
        if seat.merchant.id in known:
            place = known.index(seat.merchant.id)
            self.seats = (*self.seats[:place], seat, *self.seats[place + 1 :])
        else:
            self.seats = (*self.seats, seat)
            self.history = [
                attrs.evolve(version, quotes=(*version.quotes, quote)) for version in self.history
            ]
        self._watch()
        self._sorted = (0, ())

    def tick(self, at: datetime, applied_at: datetime, hour: int, random: Random) -> None:
        """Let a quarter of an hour pass: whoever looks at the board answers what he sees."""
        awake = [index for index, pace in self._restless if random.random() < pace]
        if awake:
            quotes = list(self.quotes)
            for index, quote in self._answers(awake, hour, random):
                quotes[index] = quote
            self.write(at, applied_at, tuple(quotes))

    def _answers(self, awake: list[int], hour: int, random: Random) -> Iterator[tuple[int, Quote]]:
        """All look at the same board: nobody sees a rival's answer of the same tick."""
        prices = sorted(
            (quote.price, index) for index, quote in enumerate(self.quotes) if quote.present
        )
        for index in awake:
            seat, mine = self.seats[index], self.quotes[index]
            if mine.present or seat.rule.comes_back:
                lowest = next((price for price, other in prices[:2] if other != index), None)
                view = View(mine, seat.limits, lowest, hour, random)
                yield index, seat.rule.quote(view)

    def write(self, at: datetime, applied_at: datetime, quotes: tuple[Quote, ...]) -> None:
        """Enter a new state into the ledger; an equal one leaves no trace."""
        if quotes != self.quotes:
            # The real clock may be set back; the ledger's may not.
            dated = max(applied_at, self.history[-1].applied_at)
            self.history.append(Version(at, dated, quotes))

    def at(self, moment: datetime) -> tuple[TrueOffer, ...]:
        """The true board at a moment of the sandbox's clock. LookupError before its start."""
        return self._read(bisect_right(self.history, moment, key=attrgetter("at")))

    def at_real(self, moment: datetime) -> tuple[TrueOffer, ...]:
        """The true board at a moment of the real clock. LookupError before its start."""
        return self._read(bisect_right(self.history, moment, key=attrgetter("applied_at")))

    def _read(self, later: int) -> tuple[TrueOffer, ...]:
        if later == 0:
            first = self.history[0]
            raise LookupError(
                f"the ledger of {self.product} begins at {first.at.isoformat()} by the sandbox's "
                f"clock, {first.applied_at.isoformat()} by the real one"
            )
        lines = zip(self.seats, self.history[later - 1].quotes, strict=True)
        return tuple(
            TrueOffer(
                merchant_id=seat.merchant.id,
                merchant_name=seat.merchant.name,
                price=quote.price,
                preorder=quote.preorder,
            )
            for seat, quote in lines
            if quote.present
        )

    def movement(self, since: int) -> Movement:
        """What changed from the version with that number to the latest one."""
        before, after = self.history[since].quotes, self.quotes
        pairs = list(zip(before, after, strict=True))
        came = [index for index, (old, new) in enumerate(pairs) if new.present and not old.present]
        known = sum(self._was_there(index, since) for index in came)
        return Movement(
            changed=sum(old.present and new.present and old != new for old, new in pairs),
            left=sum(old.present and not new.present for old, new in pairs),
            arrived=len(came) - known,
            returned=known,
        )

    def _was_there(self, index: int, until: int) -> bool:
        return any(version.quotes[index].present for version in self.history[: until + 1])
