"""The recent median of the rivals' prices: what tells an absurd price from a low one."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from domain.money import Tenge

#: How far back prices are remembered.
RECENT = timedelta(days=7)


class RecentPrices:
    """The boards of the last days, each by the median of its rivals' prices, and their median.

    One price more a board, so that the memory of a busy board stays small.
    """

    def __init__(self) -> None:
        self._by_age: deque[tuple[datetime, int]] = deque()
        self._by_price: list[int] = []

    def median(self, at: datetime) -> Tenge | None:
        """The lower median of the boards read in the days before, None before the first one."""
        while self._by_age and at - self._by_age[0][0] > RECENT:
            _, price = self._by_age.popleft()
            del self._by_price[bisect_left(self._by_price, price)]
        return Tenge(_middle(self._by_price)) if self._by_price else None

    def remember(self, at: datetime, prices: Iterable[int]) -> None:
        """Add a board; one without rivals says nothing."""
        ranked = sorted(prices)
        if ranked:
            price = _middle(ranked)
            self._by_age.append((at, price))
            insort(self._by_price, price)


def _middle(ranked: list[int]) -> int:
    return ranked[(len(ranked) - 1) // 2]
