"""The recent median of the others' prices: what tells an absurd price from a low one.

Reckoned as the memory does it for a decision of the crawl (`storage/listings.py`).
"""

from collections.abc import Iterable
from datetime import datetime

from domain.identity import MerchantId
from domain.money import Tenge
from domain.pricing import ENOUGH, RECENT, MarketOffer


class RecentPrices:
    """The last price of each of the others, whether he stands or left some days ago."""

    def __init__(self) -> None:
        self._standing: dict[MerchantId, int] = {}
        self._left: dict[MerchantId, tuple[datetime, int]] = {}

    def see(self, at: datetime, others: Iterable[MarketOffer]) -> Tenge | None:
        """Look at a board; the median with it, None where there are too few."""
        before, self._standing = self._standing, {each.merchant: each.price for each in others}
        self._left |= {who: (at, price) for who, price in before.items()}
        self._left = {
            who: (left, price)
            for who, (left, price) in self._left.items()
            if who not in self._standing and left > at - RECENT
        }
        prices = sorted([*self._standing.values(), *(price for _, price in self._left.values())])
        return Tenge(prices[(len(prices) - 1) // 2]) if len(prices) >= ENOUGH else None
