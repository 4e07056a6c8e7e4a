"""How much an account may write: so many a second, or a block; so many changes a window."""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping

import attrs

from domain.identity import MerchantId
from sandbox.seller.book import Why
from sandbox.seller.switches import SellerSwitches


@attrs.define
class Limits:
    """The writes of each account and the changes of each store; `clock` is in seconds.

    More than `per_second` in any second, or more than `changes_per_window`, begins a block of the
    account (seen 2026-02: no proxy helps). Asking within it is refused and does not prolong it.
    """

    clock: Callable[[], float]
    _writes: defaultdict[str, deque[float]] = attrs.field(factory=lambda: defaultdict(deque))
    _changes: defaultdict[str, deque[float]] = attrs.field(factory=lambda: defaultdict(deque))
    _blocked_until: dict[str, float] = attrs.Factory(dict)

    def meet(
        self, account: str, changes: Mapping[MerchantId, int], switches: SellerSwitches
    ) -> Why | None:
        """Count a write with so many changes by store, and say what limit it met, if any."""
        now = self.clock()
        if now < self._blocked_until.get(account, now):
            return "in_block"
        why = self._over(account, changes, switches, now)
        if why:
            self._blocked_until[account] = now + switches.block_seconds
        return why

    def _over(
        self, account: str, changes: Mapping[MerchantId, int], switches: SellerSwitches, now: float
    ) -> Why | None:
        writes = _recent(self._writes[account], now - 1)
        writes.append(now)
        if switches.per_second is not None and len(writes) > switches.per_second:
            return "per_second"
        for store, count in changes.items():
            made = _recent(self._changes[store], now - switches.window_seconds)
            most = switches.changes_per_window
            if most is not None and len(made) + count > most:
                return "per_window"
            made.extend([now] * count)
        return None

    def blocked_for(self, account: str) -> float:
        """Seconds until an account may write again, 0 if it may."""
        return max(0.0, self._blocked_until.get(account, 0.0) - self.clock())

    def forget(self) -> None:
        """Begin anew."""
        self._writes.clear()
        self._changes.clear()
        self._blocked_until.clear()


def _recent(moments: deque[float], since: float) -> deque[float]:
    while moments and moments[0] <= since:
        moments.popleft()
    return moments
