"""From accepted to applied: changes wait, get lost, come late or half, and then become true."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import count
from random import Random

import attrs

from sandbox.seller.book import Book, Entry, Why
from sandbox.seller.changing import wrongs
from sandbox.seller.goods import Author, Change
from sandbox.seller.shelf import Shelf
from sandbox.seller.switches import SellerSwitches


@attrs.define
class Queue:
    """Everything that was accepted and is not yet true."""

    book: Book
    switches: Callable[[], SellerSwitches]
    _numbers: Iterator[int] = attrs.Factory(count)

    def new_id(self, shelf: Shelf) -> str:
        """An id as the marketplace's: 24 hexadecimal digits that begin with the moment."""
        number = next(self._numbers)
        return f"{int(shelf.world.now.timestamp()):08x}{number:016x}"

    def accept(self, shelf: Shelf, change: Change, author: Author) -> str:
        """Take a change in, and say the id under which it waits."""
        entry = self._enter(shelf, change, author)
        luck = self._luck(entry)
        switches = self.switches()
        if luck < switches.lost:
            entry.fate = "lost"
            return entry.id
        luck -= switches.lost
        if luck < switches.delayed:
            entry.late = True
            entry.due += timedelta(seconds=switches.delayed_seconds)
        elif luck - switches.delayed < switches.partial:
            entry.cut, change = True, cut(change)
        shelf.world.when(entry.due, partial(self._apply, shelf, entry, change, author))
        return entry.id

    def apply_now(self, shelf: Shelf, change: Change, author: Author) -> Entry:
        """A change whose waiting is over already: a row of a list."""
        entry = self._enter(shelf, change, author, seconds=0)
        self._apply(shelf, entry, change, author)
        return entry

    def refuse(self, author: Author, shelf: Shelf, why: Why) -> None:
        """Note a write that met a limit."""
        self.book.refuse(author.email, shelf.merchant, shelf.world.now, why)

    def _enter(
        self, shelf: Shelf, change: Change, author: Author, seconds: float | None = None
    ) -> Entry:
        shown = shelf.seen_by(author.email, change.sku)
        known = shown or shelf.listings.get(change.sku)
        wait = self.switches().apply_seconds if seconds is None else seconds
        now = shelf.world.now
        return self.book.accept(
            change,
            author,
            id=self.new_id(shelf),
            merchant=shelf.merchant,
            at=now,
            due=now + timedelta(seconds=wait),
            looked=shown is not None,
            wrongs=wrongs(known, change) if known else (),
        )

    def _luck(self, entry: Entry) -> float:
        """From 0 to 1, the same for the same seed and the same number of changes before."""
        return Random(f"{self.switches().seed}/{entry.number}").random()  # noqa: S311

    def _apply(self, shelf: Shelf, entry: Entry, change: Change, author: Author) -> None:
        shelf.apply(entry, change, author, self.switches())


def cut(change: Change) -> Change:
    """Some of a change: the first city's price, or the points without any price."""
    if len(change.city_prices) > 1:
        first = dict(list(change.city_prices.items())[:1])
        return attrs.evolve(change, price=None, city_prices=first)
    return attrs.evolve(change, price=None, city_prices={})
