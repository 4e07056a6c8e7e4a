"""Merge one batch of readings into the tables, within the caller's transaction."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter

import attrs

from domain.reviews import ReviewSummary
from storage import statements
from storage.database import Cursor
from storage.discoveries import merge_discovery
from storage.rows import (
    Batch,
    BoardKey,
    Key,
    Row,
    board_row,
    csv_lines,
    offer_rows,
    review_row,
)
from storage.shop import merge_shop

#: What the history remembers of a row of incoming_offers.
_remembered = itemgetter(
    *(4 + statements.OFFER_COLUMNS.index(name) for name in statements.OFFER_HISTORY_COLUMNS)
)


@attrs.frozen(kw_only=True)
class Merged:
    """What a batch did: keys (as of keys_of) of boards and reviews that were not stored, because
    a newer reading is held or nothing is known of the product; and rows of history by table and
    event.
    """

    refused: frozenset[Key]
    history: Counter[str]


async def merge(cursor: Cursor, batch: Batch) -> Merged:
    """Write the batch. Merging the same batch again changes nothing.

    The cursor's connection must have run statements.PREPARE_SESSION.
    """
    await _copy(cursor, statements.COPY_CARDS, batch.cards.values())
    await _copy(cursor, statements.COPY_REVIEWS, map(review_row, batch.reviews.values()))
    await _copy(cursor, statements.COPY_MISSING, batch.missing.values())
    await _copy(cursor, statements.COPY_BOARDS, map(board_row, batch.boards.values()))
    await cursor.execute(statements.ADD_PRODUCTS)
    refused, history = await _merge_boards(cursor, batch)
    if batch.cards:
        await cursor.execute(statements.LOCK_NEW_HOMES)
    refused |= await _lock_products(cursor, batch)
    history += await _events(cursor, "product_history", statements.MERGE_PRODUCTS)
    for discovery in batch.discoveries:
        history += await merge_discovery(cursor, discovery)
    for reading in batch.shop:
        history += await merge_shop(cursor, reading)
    return Merged(refused=frozenset(refused), history=history)


async def _merge_boards(cursor: Cursor, batch: Batch) -> tuple[set[Key], Counter[str]]:
    """Move the boards forward and compare those that differ. Returns the refused ones, too."""
    if not batch.boards:
        return set(), Counter()
    await cursor.execute(statements.ADD_BOARDS)
    await cursor.execute(statements.MOVE_BOARDS)
    moved = {(str(row[0]), str(row[1])): row for row in await cursor.fetchall()}
    refused: set[Key] = batch.boards.keys() - moved.keys()
    if refused:
        await cursor.execute(statements.HELD_BOARDS)
        refused -= {(str(product), str(city)) for product, city in await cursor.fetchall()}
    unread = {key: int(str(row[2])) for key, row in moved.items() if row[4]}
    differ = {key: int(str(row[2])) for key, row in moved.items() if row[3] and not row[4]}
    history = await _add_offers(cursor, _offer_rows(batch, unread))
    return refused, history + await _merge_offers(cursor, _offer_rows(batch, differ), differ)


def _offer_rows(batch: Batch, numbers: Mapping[BoardKey, int]) -> list[Row]:
    boards = ((batch.boards[key], number) for key, number in numbers.items())
    return [row for board, number in boards for row in offer_rows(board, number)]


async def _add_offers(cursor: Cursor, rows: Sequence[Row]) -> Counter[str]:
    """Write the offers of boards that nobody has read before: there is nothing to compare."""
    if not rows:
        return Counter()
    await cursor.execute(statements.NUMBER_OFFERS, [len(rows)])
    numbered = [(row, number) for row, (number,) in zip(rows, await cursor.fetchall(), strict=True)]
    offers = ((*row, number, row[2]) for row, number in numbered)
    await _copy(cursor, statements.COPY_NEW_OFFERS, offers)
    history = ((number, row[0], "seen", *_remembered(row), row[2]) for row, number in numbered)
    await _copy(cursor, statements.COPY_NEW_HISTORY, history)
    return Counter({"offer_history/seen": len(rows)})


async def _merge_offers(
    cursor: Cursor, rows: Sequence[Row], differ: Mapping[BoardKey, int]
) -> Counter[str]:
    if not differ:
        return Counter()
    await _copy(cursor, statements.COPY_OFFERS, rows)
    return await _events(cursor, "offer_history", statements.MERGE_OFFERS)


async def _lock_products(cursor: Cursor, batch: Batch) -> set[Key]:
    """Returns the reviews of unknown products, and those of which newer ones are held."""
    await cursor.execute(statements.LOCK_PRODUCTS)
    known = {str(product): checked_at for product, checked_at in await cursor.fetchall()}
    return {
        ("reviews", product)
        for product, reviews in batch.reviews.items()
        if product not in known or not _is_news(reviews, known[product])
    }


def _is_news(reviews: ReviewSummary, held: object) -> bool:
    return not isinstance(held, datetime) or held <= reviews.checked_at


async def _copy(cursor: Cursor, statement: str, rows: Iterable[Row]) -> None:
    lines = csv_lines(rows)
    if lines:
        async with cursor.copy(statement) as copy:
            await copy.write(lines)


async def _events(cursor: Cursor, table: str, statement: str) -> Counter[str]:
    await cursor.execute(statement)
    return Counter(
        {f"{table}/{event}": int(str(count)) for event, count in await cursor.fetchall()}
    )
