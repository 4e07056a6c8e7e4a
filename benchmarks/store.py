"""The store against bare COPY: the same rows, in tables of the same shape and keys.

Bare COPY writes the rows that a first sighting leaves in `offers` and in `offer_history`, with
psycopg, in batches of the same size and a commit each, into tables of the same columns, types,
checks and indexes, whose numbers are given by the same kind of sequence. The rows are rendered
by the store's own code, because any store must render them. It compares nothing, updates nothing
and knows no boards and products.

A row is an offer on a board that was read, for all of them. That is what a crawl hands over.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import attrs
import psycopg

from benchmarks.boards import FIRST_PRODUCT, OFFERS, Market
from domain.identity import ALMATY_CITY, ProductId
from domain.offers import OfferBoard
from kaspi_crawler.pages.offers import OffersPage, OffersPart
from partners.call import Answer
from storage.database import open_engine
from storage.patience import Patience
from storage.rows import csv_lines, offer_rows
from storage.statements import OFFER_COLUMNS, OFFER_HISTORY_COLUMNS
from storage.writer import BatchWriter

_OFFER_NAMES = ("product_id", "city_id", "changed_at", "merchant_id", *OFFER_COLUMNS)
_HISTORY_NAMES = ("product_id", "offer_id", "event", *OFFER_HISTORY_COLUMNS, "created_at")
_CSV = r"FROM STDIN (FORMAT csv, NULL 'null', ESCAPE '\')"


@attrs.define
class Readings:
    """Boards as the spider would hand them over, of a market that moves."""

    market: Market = attrs.field(factory=Market)
    moment: datetime = attrs.field(factory=lambda: datetime.now(UTC))

    def sweep(self, changed: int, count: int) -> list[OfferBoard]:
        """The first boards after a change of some, in percent, fifteen minutes later."""
        self.market.sweeps.append(changed)
        self.moment += timedelta(minutes=15)
        return [self._board(FIRST_PRODUCT + number) for number in range(count)]

    def _board(self, product: int) -> OfferBoard:
        answer = Answer(status=200, body=self.market.body(product), address="")
        name = ProductId(str(product))
        part = OffersPage(answer, name, ALMATY_CITY, self.moment).to_item()
        assert isinstance(part, OffersPart)
        return OfferBoard(
            kaspi_id=name,
            city_id=ALMATY_CITY,
            offers=part.offers,
            total=part.total,
            complete=True,
            checked_at=self.moment,
        )


def stored(address: str, boards: Sequence[OfferBoard]) -> float:
    """Rows a second through the batch writer, from the first save to the last commit."""
    return asyncio.run(_stored(address, boards))


async def _stored(address: str, boards: Sequence[OfferBoard]) -> float:
    engine = open_engine(address)
    writer = BatchWriter(engine, Patience())
    await writer.save(boards[0])  # makes the connection and the temporary tables
    began = time.perf_counter()
    await asyncio.gather(*map(writer.save, boards[1:]))
    seconds = time.perf_counter() - began
    await writer.close()
    await engine.dispose()
    return (len(boards) - 1) * OFFERS / seconds


def prepare_bare(address: str) -> None:
    """Make the tables that bare COPY fills."""
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE bare_offers (LIKE offers INCLUDING ALL)")
        connection.execute("CREATE TABLE bare_history (LIKE offer_history INCLUDING ALL)")


def copied(address: str, boards: Sequence[OfferBoard]) -> float:
    """Rows a second through bare COPY, into both tables."""
    with psycopg.connect(address) as connection:
        connection.execute("TRUNCATE bare_offers, bare_history")
        connection.commit()
        began = time.perf_counter()
        for first in range(0, len(boards), Patience().full_at // OFFERS):
            batch = boards[first : first + Patience().full_at // OFFERS]
            _copy(connection, batch, first)
            connection.commit()
        return len(boards) * OFFERS / (time.perf_counter() - began)


def _copy(
    connection: psycopg.Connection[tuple[object, ...]], boards: Sequence[OfferBoard], first: int
) -> None:
    rows = [
        row
        for number, board in enumerate(boards, start=first + 1)
        for row in offer_rows(board, number)
    ]
    with connection.cursor() as cursor:
        with cursor.copy(
            f"COPY bare_offers ({', '.join((*_OFFER_NAMES, 'first_seen_at'))}) {_CSV}".encode()
        ) as copy:
            copy.write(csv_lines((*row, row[2]) for row in rows))
        with cursor.copy(
            f"COPY bare_history ({', '.join(_HISTORY_NAMES)}) {_CSV}".encode()
        ) as copy:
            copy.write(csv_lines(_history(rows, first * OFFERS)))


def _history(rows: Sequence[Sequence[object]], first: int) -> Iterator[Sequence[object]]:
    places = [_OFFER_NAMES.index(name) for name in OFFER_HISTORY_COLUMNS]
    for number, row in enumerate(rows, start=first + 1):
        yield (row[0], number, "seen", *(row[place] for place in places), row[2])
