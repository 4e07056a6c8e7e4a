"""How often the fields of what is read are there, counted on a part of the readings."""

from collections import Counter
from collections.abc import Iterable, Iterator
from operator import attrgetter

import attrs

from domain.offers import Offer, OfferBoard
from domain.product import ProductCard, Rung
from domain.readings import ProductRefresh
from domain.reviews import ReviewSummary

#: All of the first readings are looked at, and then one of so many: a look at a board of twenty
#: offers takes 15 µs, a hundredth of what reading it takes.
ALL_OF_THE_FIRST = 100
ONE_OF = 10

#: What share figures are counted in: parts of ten thousand.
WHOLE = 10_000

_OFFER_FIELDS = Offer.__struct_fields__
_offer_values = attrgetter(*_OFFER_FIELDS)
#: Fields of an offer that are empty, not None, when nothing was said.
_EMPTY_NOT_NONE = {"seller", "delivery_points", "pickup_points", "delivery_options"}
_CARD_FIELDS = tuple(
    field.name
    for field in attrs.fields(ProductCard)
    if field.name not in {"kaspi_id", "rung", "checked_at"}
)
_REVIEW_FIELDS = tuple(
    field.name
    for field in attrs.fields(ReviewSummary)
    if field.name not in {"kaspi_id", "checked_at"}
)


@attrs.define
class Coverage:
    """Counts boards and, of those looked at, in how many readings each field is there.

    There is what is not None and not empty; zero is there.
    """

    boards: int = 0
    offers: int = 0
    incomplete: int = 0
    _readings: int = 0
    _seen: Counter[str] = attrs.Factory(Counter)
    _there: Counter[str] = attrs.Factory(Counter)

    def add(self, item: object) -> None:
        """Count one reading; this runs for each."""
        self._readings += 1
        look = self._readings <= ALL_OF_THE_FIRST or self._readings % ONE_OF == 0
        if type(item) is OfferBoard:
            self._add_board(item, look)
        elif isinstance(item, ProductRefresh):
            self._add_card(item.card)
            for board in item.boards:
                self._add_board(board, look)
            if item.reviews:
                self._count("reviews", item.reviews, _REVIEW_FIELDS)
        elif isinstance(item, ReviewSummary) and look:
            self._count("reviews", item, _REVIEW_FIELDS)

    def _add_board(self, board: OfferBoard, look: bool) -> None:
        self.boards += 1
        self.offers += len(board.offers)
        self.incomplete += not board.complete
        if look and board.offers:
            self._seen["offer"] += len(board.offers)
            columns = zip(*map(_offer_values, board.offers), strict=True)
            for field, column in zip(_OFFER_FIELDS, columns, strict=True):
                there = (
                    sum(map(bool, column))
                    if field in _EMPTY_NOT_NONE
                    else len(column) - column.count(None)
                )
                self._there[f"offer/{field}"] += there

    def _add_card(self, card: ProductCard) -> None:
        self._count("card", card, _CARD_FIELDS)
        self._there["card/state"] += card.rung is Rung.STATE

    def _count(self, kind: str, reading: object, fields: Iterable[str]) -> None:
        self._seen[kind] += 1
        for field in fields:
            self._there[f"{kind}/{field}"] += getattr(reading, field) not in (None, "", ())

    @property
    def shares(self) -> dict[str, int]:
        """By reading and field, in how many of ten thousand readings the field is there."""
        return dict(sorted(self._shares()))

    @property
    def seen(self) -> dict[str, int]:
        """How many readings of each kind were looked at."""
        return dict(self._seen)

    def _shares(self) -> Iterator[tuple[str, int]]:
        for name, there in self._there.items():
            yield name, there * WHOLE // self._seen[name.partition("/")[0]]
