"""The market's truth: every board at every moment, moved on by rivals in ticks of 15 minutes."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random

import attrs

from domain.identity import ALMATY_CITY, CityId, MerchantId, ProductId
from domain.moments import ALMATY, utc
from domain.money import tenge
from sandbox.boards import Board, Movement, Seat, TrueOffer, Version
from sandbox.catalogue import Card, Catalogue, catalogue
from sandbox.rivals import Quote
from sandbox.stocking import stock

TICK = timedelta(minutes=15)
ASTANA_CITY = CityId("710000000")
#: The fully stocked cities; all others share one thinner assortment.
STOCKED = (ALMATY_CITY, ASTANA_CITY)
ELSEWHERE = CityId("elsewhere")


def real_now() -> datetime:
    """The real moment, in UTC."""
    return datetime.now(UTC)


def rounded(moment: datetime) -> datetime:
    """The latest tick's moment that is not after the given one."""
    return datetime.fromtimestamp(moment.timestamp() // 900 * 900, UTC)


@attrs.define(kw_only=True, eq=False)
class World:
    """The sandbox's market. Everything follows from the seed, the start and the moves made.

    `now` is the sandbox's own clock. `edition` grows with every move, so that answers may be
    kept until it does. `real_clock` only dates the ledger. Appointments are kept in the order of
    their moments, between the ticks where they fall.
    """

    shop: Catalogue
    boards: Mapping[CityId, Mapping[ProductId, Board]]
    start: datetime
    now: datetime
    real_clock: Callable[[], datetime]
    edition: int = 0
    _appointments: list[tuple[datetime, int, Callable[[], None]]] = attrs.Factory(list)
    _numbers: Iterator[int] = attrs.Factory(count)

    @property
    def cards(self) -> Mapping[ProductId, Card]:
        """All cards by id."""
        return self.shop.cards

    def board(self, product: ProductId, city: CityId) -> Board:
        """The board that a city shows; unknown cities share one. Raises LookupError."""
        boards = self.boards.get(city) or self.boards[ELSEWHERE]
        if product not in boards:
            raise LookupError(f"no card {product} in the sandbox")
        return boards[product]

    def advance(self, to: datetime) -> Mapping[CityId, Movement]:
        """Let the sandbox's time pass, and say what became of each market.

        Raises ValueError for a moment before the present one.
        """
        before = {board: len(board.history) - 1 for board in self._all_boards()}
        self.run_on(to)
        return {
            city: sum(
                (
                    board.movement(before[board])
                    for board in boards.values()
                    if len(board.history) - 1 > before[board]
                ),
                Movement(),
            )
            for city, boards in self.boards.items()
        }

    def run_on(self, to: datetime) -> None:
        """Let the sandbox's time pass. Raises ValueError for a moment before the present one."""
        if utc(to) < self.now:
            raise ValueError(
                f"time runs forward: {to.isoformat()} is before {self.now.isoformat()}"
            )
        for number in range(self._ticks(self.now) + 1, self._ticks(to) + 1):
            self._keep_appointments(self.start + number * TICK)
            self._tick(number)
        self._keep_appointments(utc(to))
        self.edition += 1

    def when(self, moment: datetime, deed: Callable[[], None]) -> None:
        """Do something as soon as the sandbox's clock has come to a moment: at once if it has."""
        if moment <= self.now:
            deed()
        else:
            heappush(self._appointments, (utc(moment), next(self._numbers), deed))

    def take_seat(self, product: ProductId, city: CityId, seat: Seat, quote: Quote) -> None:
        """Change a merchant's seat, or give him one; `quote` is then all that he ever asked."""
        self.board(product, city).take_seat(seat, quote)
        self.edition += 1

    def quote(self, product: ProductId, city: CityId, merchant: MerchantId, quote: Quote) -> None:
        """Let a merchant ask something else from now on. Raises LookupError for strangers."""
        board = self.board(product, city)
        place = board.seat_of(merchant)
        quotes = (*board.quotes[:place], quote, *board.quotes[place + 1 :])
        board.write(self.now, self.real_clock(), quotes)
        self.edition += 1

    def force(
        self,
        product: ProductId,
        city: CityId,
        merchant: MerchantId,
        *,
        price: int | None = None,
        present: bool | None = None,
    ) -> None:
        """Change one offer by hand. Raises LookupError for strangers, NotMoney for a bad price."""
        board = self.board(product, city)
        quote = board.quotes[board.seat_of(merchant)]
        changed = attrs.evolve(
            quote,
            price=quote.price if price is None else tenge(price),
            present=quote.present if present is None else present,
        )
        self.quote(product, city, merchant, changed)

    def board_at(self, product: ProductId, city: CityId, moment: datetime) -> tuple[TrueOffer, ...]:
        """The true board at a past moment of the sandbox's clock. Raises LookupError."""
        return self.board(product, city).at(moment)

    def board_at_real(
        self, product: ProductId, city: CityId, moment: datetime
    ) -> tuple[TrueOffer, ...]:
        """The true board that a reader met at a moment of the real clock. Raises LookupError."""
        return self.board(product, city).at_real(moment)

    def _ticks(self, moment: datetime) -> int:
        return (moment - self.start) // TICK

    def _keep_appointments(self, until: datetime) -> None:
        """Do what is due up to a moment, at its own moment, and stand there."""
        while self._appointments and self._appointments[0][0] <= until:
            moment, _, deed = heappop(self._appointments)
            self.now = max(self.now, moment)
            deed()
        self.now = until

    def _tick(self, number: int) -> None:
        random = Random(f"{self.shop.seed}/{number}")  # noqa: S311 - plausible, not secret
        at = self.start + number * TICK
        hour, applied_at = at.astimezone(ALMATY).hour, self.real_clock()
        for board in self._all_boards():
            board.tick(at, applied_at, hour, random)

    def _all_boards(self) -> Iterator[Board]:
        for boards in self.boards.values():
            yield from boards.values()


def world(
    seed: int = 7,
    products: int = 320,
    start: datetime | None = None,
    real_clock: Callable[[], datetime] = real_now,
) -> World:
    """Make a market. `start` is rounded down to a tick; by default it is the present moment."""
    shop = catalogue(seed, products)
    now = real_clock()
    moment = rounded(now if start is None else utc(start))
    cities = (*STOCKED, ELSEWHERE)
    boards: dict[CityId, dict[ProductId, Board]] = {city: {} for city in cities}
    for product, dealt in stock(shop):
        for city, seats in zip(cities, dealt, strict=True):
            opening = Version(moment, now, tuple(seat.first for seat in seats))
            boards[city][product] = Board(product, seats, [opening])
    return World(shop=shop, boards=boards, start=moment, now=moment, real_clock=real_clock)
