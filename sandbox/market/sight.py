"""What a seller sees of the board when it is his turn to price."""

from collections.abc import Callable

import msgspec

#: Minutes of a day; the market's minutes count from a Monday's midnight in Almaty.
DAY = 1_440


class Offer(msgspec.Struct, frozen=True, gc=False):
    """One line of the board: whole tenge, and days until it is delivered."""

    name: str
    price: int
    days: int


class Sight(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One seller's view. `offers` are the strangers', `sisters` those of his owner's other shops.

    `own` is his live price and `remembered` what his database says; `floor` is None when he
    forgot to say one. `minute` counts from the market's start.
    """

    own: int
    remembered: int
    offers: tuple[Offer, ...]
    sisters: tuple[Offer, ...] = ()
    floor: int | None
    ceiling: int
    minute: int = 0

    @property
    def rivals(self) -> list[int]:
        """What strangers ask, ascending."""
        return sorted([offer.price for offer in self.offers])

    @property
    def others(self) -> list[int]:
        """What everybody else asks, ascending; his own sisters are not told apart."""
        return sorted([offer.price for offer in (*self.offers, *self.sisters)])

    @property
    def page(self) -> list[int]:
        """The five cheapest prices of the board, his own among them."""
        return sorted([self.own, *self.others])[:5]


#: A way of pricing: the seller's next price, which is his own one when he stays.
PriceRule = Callable[[Sight], int]
