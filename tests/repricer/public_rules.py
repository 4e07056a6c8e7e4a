"""Six rules that are on sale or public, written afresh from what is known of them, for us to meet.

Each looks at the prices on the board, its own apart, and says its next price.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol


class PublicRule(Protocol):
    """A rival's way of pricing."""

    def __call__(self, own: int, others: Sequence[int], floor: int, ceiling: int) -> int: ...


def down_only(own: int, others: Sequence[int], floor: int, ceiling: int) -> int:
    """One under the cheapest while that is not below the floor; never up."""
    cheapest = min(others, default=own)
    return cheapest - 1 if own > max(cheapest, floor) and cheapest - 1 >= floor else own


def floorless(own: int, others: Sequence[int], floor: int, ceiling: int) -> int:
    """The same, but the floor is compared and then forgotten."""
    cheapest = min(others, default=own)
    return max(1, cheapest - 1) if own > max(cheapest, floor) else own


def step_up(own: int, others: Sequence[int], floor: int, ceiling: int) -> int:
    """One under the cheapest, up or down; the floor is applied, then the ceiling."""
    return min(ceiling, max(floor, min(others, default=ceiling + 1) - 1))


def step_or_skip(own: int, others: Sequence[int], floor: int, ceiling: int) -> int:
    """The same, but a leap of more than 30 % is skipped, and alone it stays."""
    wish = step_up(own, others, floor, ceiling) if others else own
    return wish if abs(wish - own) * 10 <= own * 3 else own


def match_min(own: int, others: Sequence[int], floor: int, ceiling: int) -> int:
    """Whatever the cheapest asks, within floor and ceiling; a leap is skipped."""
    wish = max(floor, min(ceiling, min(others, default=own)))
    return wish if abs(wish - own) * 10 <= own * 3 else own


def next_above_floor(own: int, others: Sequence[int], floor: int, ceiling: int) -> int:
    """One under the first rival above the floor, when that is a cut; alone at the ceiling."""
    feasible = [price for price in sorted(others) if price - 1 >= floor]
    if not others:
        return ceiling
    return feasible[0] - 1 if feasible and own > feasible[0] else own


def next_and_up(own: int, others: Sequence[int], floor: int, ceiling: int) -> int:
    """The same at the hours when it may go up, too."""
    feasible = [price for price in sorted(others) if price - 1 >= floor]
    if not others:
        return ceiling
    return min(ceiling, feasible[0] - 1) if feasible else own


def flip_flop(own: int, others: Sequence[int], floor: int, ceiling: int) -> int:
    """One under the cheapest, not in leaps; when first, one under the second rival by mistake."""
    ranked = sorted(others)
    if not ranked:
        return own
    if own < ranked[0]:
        return max(own, min(ceiling, ranked[1 if len(ranked) > 1 else 0] - 1))
    wish = ranked[0] - 1
    return wish if own > ranked[0] and wish >= floor and (own - wish) * 5 <= own else own


PUBLIC_RULES: Mapping[str, PublicRule] = {
    "down only": down_only,
    "floorless": floorless,
    "step up": step_up,
    "step or skip": step_or_skip,
    "match min": match_min,
    "next above floor": next_above_floor,
    "next and up": next_and_up,
    "flip-flop": flip_flop,
}
