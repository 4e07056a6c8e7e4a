"""Sets of whole numbers as closed intervals: the prices that are allowed, for example."""

from collections.abc import Iterable, Iterator
from typing import Self

import attrs


@attrs.frozen(slots=True, repr=False)
class Intervals:
    """Closed intervals of whole numbers, ascending, never touching one another.

    Made by `of`, which brings any pairs into that order; an interval whose end lies before its
    beginning holds nothing.
    """

    pairs: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> Self:
        """The set that holds what any of the pairs holds."""
        joined: list[tuple[int, int]] = []
        for low, high in sorted(pairs):
            if high < low:
                continue
            if joined and low <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
            else:
                joined.append((low, high))
        return cls(tuple(joined))

    def __repr__(self) -> str:
        return f"Intervals({' '.join(f'{low}..{high}' for low, high in self.pairs)})"

    def __bool__(self) -> bool:
        return bool(self.pairs)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self.pairs)

    def __contains__(self, number: int) -> bool:
        return any(low <= number <= high for low, high in self.pairs)

    @property
    def lowest(self) -> int:
        """The smallest number held. Raises IndexError when none is."""
        return self.pairs[0][0]

    @property
    def highest(self) -> int:
        """The greatest number held. Raises IndexError when none is."""
        return self.pairs[-1][1]

    def below(self, number: int) -> int | None:
        """The greatest number held that is not above this one."""
        for low, high in reversed(self.pairs):
            if low <= number:
                return min(number, high)
        return None

    def above(self, number: int) -> int | None:
        """The smallest number held that is not below this one."""
        for low, high in self.pairs:
            if number <= high:
                return max(number, low)
        return None

    def within(self, low: int, high: int) -> Self:
        """What is held from low to high."""
        return self.of((max(low, begin), min(high, end)) for begin, end in self.pairs)

    def intersect(self, other: Self) -> Self:
        """What both sets hold."""
        return self.of(pair for low, high in other.pairs for pair in self.within(low, high).pairs)

    def subtract(self, other: Self) -> Self:
        """What this set holds and the other does not."""
        left = self.pairs
        for low, high in other.pairs:
            cut = ((begin, min(end, low - 1)) for begin, end in left)
            rest = ((max(begin, high + 1), end) for begin, end in left)
            left = self.of((*cut, *rest)).pairs
        return type(self)(left)
