"""Which prices each rule allowed, and when: kept by whoever changes the rules, for the audit."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import attrs

from domain.shop import RuleLine

_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@attrs.frozen(kw_only=True)
class Held:
    """One rule's prices: in force from between two moments on, and until between two others.

    When a change comes to hold nobody outside the database sees exactly: not before it was begun,
    and at the latest when it had ended. In between its prices are allowed, and those before it.
    """

    low: int
    high: int
    since: datetime
    until: datetime | None = None

    def allows(self, price: int, at: datetime) -> bool:
        """Whether a price that was sent at a moment was allowed by it."""
        return self.is_of(at) and self.low <= price <= self.high

    def is_of(self, at: datetime) -> bool:
        """Whether it may have been in force at a moment."""
        return self.since <= at and (self.until is None or at <= self.until)


#: A store, an article, and a city; "" for all that have no rule of their own.
Place = tuple[str, str, str]


@attrs.define
class Rulebook:
    """All rules that ever held, the latest of each place last."""

    held: defaultdict[Place, list[Held]] = attrs.field(factory=lambda: defaultdict(list))

    def change(self, lines: Iterable[RuleLine], began: datetime, ended: datetime) -> None:
        """Enter a change of the rules that was begun and ended at these moments."""
        for line in lines:
            before = self.held[line.store, line.sku, line.city or ""]
            if before:
                before[-1] = attrs.evolve(before[-1], until=ended)
            low, high = line.said["floor"], line.said["ceiling"]
            before.append(Held(low=low, high=high, since=began))

    def allows(self, store: str, sku: str, city: str, price: int, at: datetime) -> bool:
        """Whether a price that was sent at a moment was allowed; True where no rule spoke."""
        of_city = self._of((store, sku, city), at)
        held = of_city or self._of((store, sku, ""), at)
        return not held or any(one.allows(price, at) for one in held)

    def _of(self, place: Place, at: datetime) -> list[Held]:
        return [one for one in self.held.get(place, ()) if one.is_of(at)]

    @property
    def changes(self) -> int:
        """How many rules have followed another one."""
        return sum(len(held) - 1 for held in self.held.values())


def standing(rules: Mapping[Place, tuple[int, int]]) -> Rulebook:
    """A book of rules that have always held."""
    book = Rulebook()
    for place, (low, high) in rules.items():
        book.held[place].append(Held(low=low, high=high, since=_BEFORE_ALL))
    return book
