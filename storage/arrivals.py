"""Prices that were sent are read back: applied, or not verified and decided on anew."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString

import attrs

from domain.cabinet import ShopPage
from domain.identity import CityId, MerchantId, ProductId
from domain.money import Tenge
from domain.offers import OfferBoard
from domain.publishing import Outcome, Patience, Sent, Shown, Verdict, shown_by, verdict
from domain.shop import ListingId
from storage.database import Cursor
from storage.listings import remember

_UNDER_WAY: LiteralString = """
SELECT intentions.id, intentions.listing_id, listings.store_id, listings.sku, intentions.city_id,
       intentions.price, intentions.before, intentions.sent_at, intentions.accepted_at,
       listings.kaspi_id
FROM intentions
JOIN listings ON listings.id = intentions.listing_id
WHERE intentions.state IN ('sending', 'accepted')
"""
_ON_BOARDS: LiteralString = (
    _UNDER_WAY
    + """
    AND (listings.kaspi_id, intentions.city_id) IN (
        SELECT * FROM unnest(%(products)s::text[], %(cities)s::text[]))
"""
)
_IN_SHOP: LiteralString = (
    _UNDER_WAY
    + """
    AND listings.store_id = %(store)s AND listings.sku = ANY(%(skus)s)
"""
)
_DUE: LiteralString = (
    _UNDER_WAY
    + """
    AND listings.store_id = %(store)s
    AND intentions.sent_at < clock_timestamp() - %(first)s::interval
    AND (intentions.looked_at IS NULL
         OR intentions.looked_at < clock_timestamp() - %(again)s::interval)
ORDER BY intentions.sent_at
LIMIT %(most)s
"""
)
#: Nobody could read them back within the time that a price may take.
_OVERDUE: LiteralString = (
    _UNDER_WAY
    + """
    AND listings.store_id = %(store)s
    AND intentions.sent_at < clock_timestamp()
        - CASE WHEN intentions.accepted_at IS NULL THEN %(unknown)s ELSE %(queued)s END::interval
        - %(again)s::interval
"""
)
_PRODUCTS = """
SELECT DISTINCT listings.kaspi_id FROM intentions
JOIN listings ON listings.id = intentions.listing_id
WHERE intentions.state IN ('sending', 'accepted')
"""
_NOW = "SELECT clock_timestamp()"
_LOCK = "SELECT FROM listings WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
_LOOKED = "UPDATE intentions SET looked_at = clock_timestamp() WHERE id = ANY(%s)"
_APPLY = """
UPDATE intentions SET state = 'applied', closed_at = %(at)s, outcome = NULL
WHERE id = %(id)s AND state IN ('sending', 'accepted')
"""
_GIVE_UP = """
UPDATE intentions
SET state = 'unverified', closed_at = clock_timestamp(), outcome = %(outcome)s
WHERE id = %(id)s AND state IN ('sending', 'accepted')
"""
#: Its board is read before all others, so that it is soon decided on anew.
_HURRY = """
UPDATE work_list SET hurry_since = clock_timestamp()
WHERE kaspi_id = (SELECT kaspi_id FROM listings WHERE id = %(listing)s) AND city_id = %(city)s
"""
_PAUSE = """
UPDATE listings SET paused_at = clock_timestamp(), paused_why = %(why)s
WHERE id = %(listing)s AND paused_at IS NULL
"""


@attrs.frozen(kw_only=True)
class Arrived:
    """What became of a price that was sent."""

    sent: Sent
    verdict: Verdict


async def products_under_way(cursor: Cursor) -> frozenset[ProductId]:
    """Products of which a price of ours is on its way."""
    await cursor.execute(_PRODUCTS)
    return frozenset(ProductId(str(product)) for (product,) in await cursor.fetchall())


async def now(cursor: Cursor) -> datetime:
    """The moment by the database's clock, by which prices are sent."""
    await cursor.execute(_NOW)
    row: Any = await cursor.fetchone()
    moment: datetime = row[0]
    return moment


async def seen_on_boards(
    cursor: Cursor, boards: Sequence[OfferBoard], patience: Patience
) -> list[Arrived]:
    """Judge prices under way by complete boards, where each store stands once a product."""
    asked: dict[str, object] = {
        "products": [board.kaspi_id for board in boards],
        "cities": [board.city_id for board in boards],
    }
    await cursor.execute(_ON_BOARDS, asked)
    rows: list[Any] = await cursor.fetchall()
    own = {(board.kaspi_id, board.city_id): board for board in boards}
    return await judge(
        cursor,
        [(sent, _on(own[product, sent.city], sent.store)) for sent, product in map(_sent, rows)],
        patience,
    )


async def seen_in_shop(cursor: Cursor, page: ShopPage, patience: Patience) -> list[Arrived]:
    """Judge prices under way by a page of the cabinet's list."""
    offers = {offer.sku: offer for offer in page.offers}
    await cursor.execute(_IN_SHOP, {"store": page.store, "skus": list(offers)})
    rows: list[Any] = await cursor.fetchall()
    read = [
        (sent, shown_by(offers[sent.sku], sent.city, page.checked_at))
        for sent, _ in map(_sent, rows)
    ]
    return await judge(cursor, read, patience)


async def due(
    cursor: Cursor, store: MerchantId, first: timedelta, again: timedelta, most: int
) -> list[Sent]:
    """Prices to be read back in the cabinet: the first time and then again after so long."""
    asked = {"store": store, "first": first, "again": again, "most": most}
    await cursor.execute(_DUE, asked)
    rows: list[Any] = await cursor.fetchall()
    return [sent for sent, _ in map(_sent, rows)]


async def judge(
    cursor: Cursor, read: Iterable[tuple[Sent, Shown]], patience: Patience
) -> list[Arrived]:
    """Close what has arrived or will not; what may still come is looked for again later."""
    judged = [(sent, shown, verdict(sent, shown, patience)) for sent, shown in read]
    if not judged:
        return []
    await cursor.execute(_LOCK, [sorted({sent.listing for sent, _, _ in judged})])
    await cursor.execute(_LOOKED, [[sent.id for sent, _, came in judged if came is None]])
    arrived = []
    for sent, shown, came in judged:
        if came is not None and await _close(cursor, sent, came, shown.at):
            arrived.append(Arrived(sent=sent, verdict=came))
    return arrived


async def give_up(
    cursor: Cursor, store: MerchantId, patience: Patience, again: timedelta
) -> list[Arrived]:
    """Close what nobody could read back in time; it is never sent again."""
    asked = {"queued": patience.queued, "unknown": patience.unknown, "again": again}
    await cursor.execute(_OVERDUE, {**asked, "store": store})
    rows: list[Any] = await cursor.fetchall()
    over = [sent for sent, _ in map(_sent, rows)]
    if not over:
        return []
    await cursor.execute(_LOCK, [sorted({sent.listing for sent in over})])
    lost = Verdict(applied=False, outcome=Outcome.NOT_READ)
    return [
        Arrived(sent=sent, verdict=lost)
        for sent in over
        if await _close(cursor, sent, lost, sent.sent_at)
    ]


async def _close(cursor: Cursor, sent: Sent, came: Verdict, at: datetime) -> bool:
    """Whether it was still open."""
    said = {"id": sent.id, "at": at, "outcome": came.outcome}
    said |= {"listing": sent.listing, "city": sent.city}
    await cursor.execute(_APPLY if came.applied else _GIVE_UP, said)
    if not cursor.rowcount:
        return False
    if came.applied:
        await remember(cursor, sent.listing, sent.city, sent.price)
    else:
        await cursor.execute(_HURRY, said)
    if came.outcome is Outcome.VANISHED:
        why = f"off sale after our price {sent.price} was sent"
        await cursor.execute(_PAUSE, {"listing": sent.listing, "why": why})
    return True


def _on(board: OfferBoard, store: MerchantId) -> Shown:
    prices: Mapping[MerchantId, Tenge] = {one.merchant_id: one.price for one in board.offers}
    return Shown(prices.get(store), board.checked_at)


def _sent(row: Any) -> tuple[Sent, ProductId]:
    number, listing, store, sku, city, price, before, sent_at, accepted_at, product = row
    sent = Sent(
        id=number,
        listing=ListingId(listing),
        store=MerchantId(store),
        sku=sku,
        city=CityId(city),
        price=Tenge(price),
        before=None if before is None else Tenge(before),
        sent_at=sent_at,
        accepted_at=accepted_at,
    )
    return sent, ProductId(product)
