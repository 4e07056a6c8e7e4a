"""The memory as plain dictionaries: a whole board kept for every moment, and no cleverness."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import attrs

from domain.identity import CityId, MerchantId, ProductId
from domain.offers import Offer, OfferBoard
from domain.readings import ProductMissing, ProductReading, ProductRefresh
from storage.statements import OFFER_HISTORY_COLUMNS, REMEMBERED_OFFER_COLUMNS

Key = tuple[ProductId, CityId]
Standing = dict[MerchantId, dict[str, Any]]
TICK = timedelta(microseconds=1)


def _facts(offer: Offer, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(offer, name) for name in names}


@attrs.define
class Board:
    """One board: as it stands, and as it stood after each reading."""

    latest: OfferBoard | None = None
    latest_complete: OfferBoard | None = None
    standing: Standing = attrs.field(factory=dict)
    offers: dict[MerchantId, Offer] = attrs.field(factory=dict)
    after: list[tuple[datetime, Standing]] = attrs.field(factory=list)

    def read(self, board: OfferBoard) -> None:
        """Take a reading that is newer than all before."""
        if self.latest and board.checked_at <= self.latest.checked_at:
            return
        seen = {offer.merchant_id: offer for offer in board.offers}
        standing = {} if board.complete else dict(self.standing)
        for merchant, offer in seen.items():
            known = self.standing.get(merchant)
            told = _facts(offer, REMEMBERED_OFFER_COLUMNS)
            if known is None or told != {name: known[name] for name in told}:
                known = {**_facts(offer, OFFER_HISTORY_COLUMNS), "since": board.checked_at}
            standing[merchant] = known
        self.offers |= seen
        self.standing = standing
        self.after.append((board.checked_at, standing))
        self.latest = board
        self.latest_complete = board if board.complete else self.latest_complete

    def at(self, moment: datetime) -> Standing:
        """The board as it was at a moment."""
        past = [standing for read_at, standing in self.after if read_at <= moment]
        return past[-1] if past else {}


@attrs.define
class Memory:
    """All boards, and the home city of each product."""

    boards: dict[Key, Board] = attrs.field(factory=dict)
    homes: dict[ProductId, CityId] = attrs.field(factory=dict)
    cards: dict[ProductId, datetime] = attrs.field(factory=dict)
    gone: dict[ProductId, datetime | None] = attrs.field(factory=dict)

    def read(self, reading: ProductReading) -> None:
        """Take any reading."""
        match reading:
            case OfferBoard():
                key = (reading.kaspi_id, reading.city_id)
                self.boards.setdefault(key, Board()).read(reading)
            case ProductRefresh():
                if self._is_news(reading.kaspi_id, reading.card.checked_at):
                    self.homes[reading.kaspi_id] = reading.home_city
                    self.gone[reading.kaspi_id] = None
                for board in reading.boards:
                    self.read(board)
            case ProductMissing():
                held = self.gone.get(reading.kaspi_id)
                if self._is_news(reading.kaspi_id, reading.checked_at):
                    self.gone[reading.kaspi_id] = held or reading.checked_at

    def _is_news(self, product: ProductId, moment: datetime) -> bool:
        if product in self.cards and moment <= self.cards[product]:
            return False
        self.cards[product] = moment
        return True

    def figures(self, product: ProductId) -> tuple[int | None, int | None, int | None]:
        """Lowest and highest price and sellers in the home city, at its last complete reading."""
        home = self.boards.get((product, self.homes[product]))
        if home is None or home.latest_complete is None:
            return None, None, None
        board = home.latest_complete
        return board.min_price, board.max_price, len(board.offers)

    def moments(self) -> Iterator[tuple[Key, datetime]]:
        """Just before, at and just after each reading of each board."""
        for key, board in self.boards.items():
            for read_at, _ in board.after:
                yield from ((key, read_at + tick) for tick in (-TICK, 0 * TICK, TICK))
