"""A market's weeks: who changes a price when, who stands first, who buys of whom."""

from collections.abc import Iterator, Mapping, Sequence

import attrs

from sandbox.market.buyers import Buyer
from sandbox.market.sight import DAY, Offer, PriceRule, Sight


@attrs.frozen(kw_only=True)
class Seller:
    """One who sells the card. Money is whole tenge, moments are minutes since the start.

    `turns` are when he looks at the board, `away` the stretches in which he offers nothing,
    `days` how long his delivery takes. Sellers of one `owner` are sisters.
    """

    name: str
    rule: PriceRule
    first: int
    floor: int | None
    ceiling: int
    turns: Sequence[int]
    days: int = 2
    away: tuple[tuple[int, int], ...] = ()
    owner: str = ""


@attrs.frozen
class Sale:
    """Who sold at what price, and when."""

    minute: int
    seller: str
    price: int


@attrs.frozen
class Ledger:
    """What became of a market: its sales, each seller's changes, and minutes in the first place."""

    sales: tuple[Sale, ...]
    changes: Mapping[str, int]
    first: Mapping[str, int]


def trade(sellers: Sequence[Seller], buyers: Sequence[Buyer], days: int) -> Ledger:
    """Let so many days pass. The same sellers and buyers give the same ledger."""
    floor = _Floor(sellers, days * DAY)
    for minute, kind, index in _events(sellers, buyers, days * DAY):
        if kind == _BUYS:
            floor.sell(buyers[index])
        elif kind == _TURN:
            floor.turn(minute, index)
        else:
            floor.come_or_go(minute, index, comes=kind == _COMES)
    return floor.closed()


#: Kinds of events, in the order in which those of one minute happen.
_LEAVES, _COMES, _TURN, _BUYS = range(4)
_Event = tuple[int, int, int]


def _events(sellers: Sequence[Seller], buyers: Sequence[Buyer], end: int) -> list[_Event]:
    return sorted(event for event in _all(sellers, buyers) if event[0] < end)


def _all(sellers: Sequence[Seller], buyers: Sequence[Buyer]) -> Iterator[_Event]:
    for index, seller in enumerate(sellers):
        yield from ((minute, _TURN, index) for minute in seller.turns)
        for begins, ends in seller.away:
            yield begins, _LEAVES, index
            yield ends, _COMES, index
    yield from ((buyer.minute, _BUYS, index) for index, buyer in enumerate(buyers))


class _Floor:
    """The trading floor: the board as it is now."""

    def __init__(self, sellers: Sequence[Seller], end: int) -> None:
        self._sellers, self._end = sellers, end
        self._lines: list[Offer] = [Offer(one.name, one.first, one.days) for one in sellers]
        self._there = [True] * len(sellers)
        self._changes = [0] * len(sellers)
        self._firsts = [0] * len(sellers)
        self._since = 0
        self._sales: list[Sale] = []
        self._families = [self._family(index) for index in range(len(sellers))]
        self._board = self._ranked()

    def _family(self, index: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The strangers and the sisters of a seller."""
        owner, others = self._sellers[index].owner, range(len(self._sellers))
        sisters = [
            one for one in others if one != index and owner and self._sellers[one].owner == owner
        ]
        strangers = [one for one in others if one != index and one not in sisters]
        return tuple(strangers), tuple(sisters)

    def _ranked(self) -> list[tuple[int, int, int]]:
        """(price, seller, days), the cheapest first; among equals the market's order decides."""
        return sorted(
            [
                (line.price, index, line.days)
                for index, line in enumerate(self._lines)
                if self._there[index]
            ]
        )

    def _settle(self, minute: int) -> None:
        """Write down who was first until now."""
        if self._board:
            self._firsts[self._board[0][1]] += minute - self._since
        self._since = minute

    def come_or_go(self, minute: int, index: int, *, comes: bool) -> None:
        self._settle(minute)
        self._there[index] = comes
        self._board = self._ranked()

    def turn(self, minute: int, index: int) -> None:
        """Let a seller look; one who offers nothing does not."""
        if not self._there[index]:
            return
        line, seller = self._lines[index], self._sellers[index]
        price = seller.rule(self._sight(minute, index))
        if price == line.price:
            return
        self._settle(minute)
        self._lines[index] = Offer(line.name, price, line.days)
        self._changes[index] += 1
        self._board = self._ranked()

    def _sight(self, minute: int, index: int) -> Sight:
        seller, lines, there = self._sellers[index], self._lines, self._there
        strangers, sisters = self._families[index]
        own = lines[index].price
        return Sight(
            own=own,
            remembered=own,
            offers=tuple([lines[one] for one in strangers if there[one]]),
            sisters=tuple([lines[one] for one in sisters if there[one]]),
            floor=seller.floor,
            ceiling=seller.ceiling,
            minute=minute,
        )

    def sell(self, buyer: Buyer) -> None:
        index = buyer.choose(self._board)
        if index is not None:
            line = self._lines[index]
            self._sales.append(Sale(buyer.minute, line.name, line.price))

    def closed(self) -> Ledger:
        self._settle(self._end)
        names = [seller.name for seller in self._sellers]
        return Ledger(
            tuple(self._sales),
            dict(zip(names, self._changes, strict=True)),
            dict(zip(names, self._firsts, strict=True)),
        )
