"""Money as whole tenge: an integer with a name, never a float."""

from typing import NewType

Tenge = NewType("Tenge", int)

#: A price above this is a typing error, not a price (no listed good costs a billion tenge).
DEAREST = Tenge(1_000_000_000)


class NotMoney(ValueError):
    """A value that cannot be an amount of whole tenge."""


def tenge(value: int) -> Tenge:
    """Name a whole, positive number of tenge.

    Raises NotMoney for a bool, a fraction, a text, zero, a negative or an absurd amount.
    """
    if type(value) is not int:
        raise NotMoney(f"{value!r} is not a whole number of tenge")
    if not 0 < value <= DEAREST:
        raise NotMoney(f"{value} ₸ is not a price: expected 1 to {DEAREST}")
    return Tenge(value)
