"""The addresses that requests come from: the limits, bans and counts of each."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping

import attrs
import msgspec

from sandbox.faults import Profile, Switches

#: Names the exit that a request came through; the local proxies write it.
EXIT_HEADER = "X-Sandbox-Exit"
#: Whoever comes without a proxy.
DIRECT = "direct"


@attrs.frozen
class Refusal:
    """An exit's answer to what it may not ask: a status, and Retry-After in seconds or None."""

    status: int
    retry_after: int | None = None


@attrs.define
class Exit:
    """One address: how it behaves, and the sandbox's own count of what came from it.

    `served` had an answer, good or bad; `refused` met a limit or a ban; `over_limit` came faster
    than the limit allows, and each began a ban; `most_in_a_second` is the most in any second.
    """

    name: str
    clock: Callable[[], float] = time.monotonic
    profile: Profile = attrs.Factory(Profile)
    proxy: str | None = None
    served: int = 0
    refused: int = 0
    over_limit: int = 0
    most_in_a_second: int = 0
    faults: Counter[str] = attrs.Factory(Counter)
    _recent: deque[float] = attrs.Factory(deque)
    _allowed: float = 0.0
    _counted_at: float = 0.0
    _banned_until: float = 0.0
    _banned: bool = False

    def behave(self, profile: Profile) -> None:
        """Take on a profile; earlier bans and counts are forgotten."""
        self.profile = profile
        self.served = self.refused = self.over_limit = self.most_in_a_second = 0
        self.faults.clear()
        self._recent.clear()
        self._allowed, self._counted_at = profile.room, self.clock()
        self._banned_until, self._banned = 0.0, profile.state == "banned"

    def arrive(self) -> Refusal | None:
        """Count a request, and say whether it is refused."""
        now = self.clock()
        self._count(now)
        if self._let_in(now):
            self.served += 1
            return None
        self.refused += 1
        status = 429 if self.profile.state == "datacenter" else self.profile.refusal
        return Refusal(status, self.profile.retry_after)

    def _let_in(self, now: float) -> bool:
        """Whether neither a ban nor the limit stands in the way; asking in a ban costs nothing."""
        if self.profile.ban_after is not None and self.served >= self.profile.ban_after:
            self._banned = True
        if self._banned or now < self._banned_until or self.profile.state == "datacenter":
            return False
        if self._take(now):
            return True
        self.over_limit += 1
        self._banned_until = now + self.profile.ban_seconds
        return False

    def _count(self, now: float) -> None:
        self._recent.append(now)
        while self._recent[0] <= now - 1:
            self._recent.popleft()
        self.most_in_a_second = max(self.most_in_a_second, len(self._recent))

    def _take(self, now: float) -> bool:
        """Whether the rate allows one more."""
        if self.profile.rate is None:
            return True
        grown = self._allowed + (now - self._counted_at) * self.profile.rate
        self._allowed, self._counted_at = min(grown, self.profile.room), now
        if self._allowed < 1:
            return False
        self._allowed -= 1
        return True

    def told(self) -> Mapping[str, object]:
        """The exit as its line in the list says."""
        return {
            "name": self.name,
            "proxy": self.proxy,
            "served": self.served,
            "refused": self.refused,
            "most_in_a_second": self.most_in_a_second,
            "over_limit": self.over_limit,
            "faults": self.faults,
            "banned": self._banned or self.clock() < self._banned_until,
            "profile": msgspec.to_builtins(self.profile),
        }


@attrs.define
class Exits:
    """All exits by name; one that was never heard of begins well."""

    switches: Switches = attrs.Factory(Switches)
    clock: Callable[[], float] = time.monotonic
    _by_name: dict[str, Exit] = attrs.Factory(dict)

    def named(self, name: str) -> Exit:
        """The exit of that name."""
        known = self._by_name.get(name)
        if known is None:
            known = self._by_name[name] = Exit(name, self.clock)
            known.behave(self.switches.profile(name))
        return known

    def set(self, switches: Switches) -> None:
        """Give every exit its profile."""
        self.switches = switches
        for known in self._by_name.values():
            known.behave(switches.profile(known.name))

    def proxied(self) -> Iterable[Exit]:
        """Those that a proxy stands for, in their order."""
        return (known for known in self._by_name.values() if known.proxy is not None)
