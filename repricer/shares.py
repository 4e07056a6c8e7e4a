"""Which share of the buyers each place gets: the assumed curve, a steeper and a flatter one.

Nobody has published how buyers choose, so a profit is reckoned under several curves. Where the
first place takes more than we assume, it is worth more to be first; where buyers look further
down, less.
"""

from math import isqrt

#: Digits that the roots keep.
_FINE = 10**12


def steeper(shares_bp: tuple[int, ...]) -> tuple[int, ...]:
    """As many buyers in all, each share to the power of three halves: the first gains."""
    return _spread(shares_bp, [isqrt(share**3 * _FINE) for share in shares_bp])


def flatter(shares_bp: tuple[int, ...]) -> tuple[int, ...]:
    """As many buyers in all, of each share the square root: the last gain."""
    return _spread(shares_bp, [isqrt(share * _FINE) for share in shares_bp])


def _spread(shares_bp: tuple[int, ...], weights: list[int]) -> tuple[int, ...]:
    """The buyers of a curve dealt out anew by weights, rounded down."""
    buyers, whole = sum(shares_bp), sum(weights)
    return tuple(buyers * weight // whole if whole else 0 for weight in weights)


def share(shares_bp: tuple[int, ...], place: int) -> int:
    """The share of a place, the first is 1; places beyond the last get as much as the last."""
    return shares_bp[min(place, len(shares_bp)) - 1]
