"""Prices leave the outbox: what may be sent next, what is about to leave, what was answered."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, LiteralString

import attrs
import msgspec

from domain.budget import Budget
from domain.cabinet import CabinetOffer, Receipt, Refusal
from domain.identity import CityId, MerchantId
from domain.money import Tenge
from domain.publishing import NOT_QUEUED, Intention, Outcome
from domain.shop import ListingId
from storage import budgets
from storage.budgets import Purse
from storage.database import Cursor
from storage.listings import remember

#: A share of the listings, the same ones for as long as they are listed. A former price that a
#: person wants back is sent whatever the share is.
CHOSEN: LiteralString = """
(intentions.reason <> 'decision'
    OR ('x' || substr(md5(listings.id::text), 1, 7))::bit(28)::integer %% 10000 < %(share)s)
"""
#: A push says all prices of its listing again: another one on its way would be taken back.
_NOT_UNDER_WAY: LiteralString = """
NOT EXISTS (
    SELECT FROM intentions AS under_way
    WHERE under_way.listing_id = intentions.listing_id
        AND under_way.state IN ('sending', 'accepted'))
"""
_STORES = """
SELECT DISTINCT listings.store_id FROM intentions JOIN listings ON listings.id = listing_id
WHERE state IN ('pending', 'sending', 'accepted')
"""
#: The cities in which a listing is decided on, one step of the index for each: its decisions are
#: many, and the cities few.
_WATCHED: LiteralString = """
WITH RECURSIVE watched AS (
    (SELECT city_id FROM decisions WHERE listing_id = waiting.listing_id
     ORDER BY city_id LIMIT 1)
    UNION ALL
    SELECT (SELECT city_id FROM decisions
            WHERE listing_id = waiting.listing_id AND city_id > watched.city_id
            ORDER BY city_id LIMIT 1)
    FROM watched
    WHERE watched.city_id IS NOT NULL
)
SELECT city_id FROM watched WHERE city_id IS NOT NULL
"""
#: The lowest and the highest price of each rule of a listing that is in force, by city.
_BOUNDS: LiteralString = """
SELECT coalesce(jsonb_object_agg(city_id, jsonb_build_array(least, ceiling)), '{{}}') AS told
FROM price_rules
WHERE listing_id = {listing} AND replaced_by IS NULL AND least IS NOT NULL
"""
#: What is told of each is looked up for those alone whose turn may come.
_WAITING: LiteralString = f"""
WITH waiting AS MATERIALIZED (
    SELECT intentions.*, listings.sku, listings.paused_at,
           row_number() OVER in_turn AS turn, count(*) OVER () AS total
    FROM intentions
    JOIN listings ON listings.id = intentions.listing_id
    WHERE listings.store_id = %(store)s AND intentions.state = 'pending'
        AND {CHOSEN} AND {_NOT_UNDER_WAY}
    WINDOW in_turn AS (ORDER BY intentions.forbidden DESC, intentions.brings DESC,
        intentions.made_at, intentions.id)
    ORDER BY turn
    LIMIT %(most)s
)
SELECT waiting.id, waiting.listing_id, waiting.sku, waiting.city_id, waiting.price,
       CASE WHEN waiting.reason = 'decision' THEN waiting.before END, known.price,
       rule.least, bounds.told::text, ARRAY({_WATCHED}),
       waiting.paused_at IS NOT NULL AND waiting.reason = 'decision', waiting.forbidden,
       waiting.total
FROM waiting
JOIN price_rules AS rule ON rule.id = waiting.rule_id
CROSS JOIN LATERAL ({_BOUNDS.format(listing="waiting.listing_id")}) AS bounds
LEFT JOIN LATERAL (
    SELECT price FROM intentions AS former
    WHERE former.listing_id = waiting.listing_id AND former.city_id = waiting.city_id
        AND former.state = 'applied'
    ORDER BY closed_at DESC
    LIMIT 1
) AS known ON true
ORDER BY waiting.turn
"""
_LOCK = """
SELECT FROM listings
WHERE id IN (SELECT listing_id FROM intentions WHERE id = ANY(%s)) ORDER BY id FOR UPDATE
"""
_REFUSE = """
UPDATE intentions
SET state = CASE WHEN told.outcome = 'already_there' THEN 'applied' ELSE 'refused' END,
    outcome = told.outcome, closed_at = clock_timestamp()
FROM unnest(%(ids)s::bigint[], %(outcomes)s::text[]) AS told (id, outcome)
WHERE intentions.id = told.id AND intentions.state = 'pending'
RETURNING intentions.outcome, intentions.listing_id, intentions.city_id, intentions.price
"""
#: The rules and the pause are looked at again, for all may have changed since the item was read:
#: those of other cities too, whose prices the push says again.
_MAY_LEAVE: LiteralString = f"""
SELECT intentions.id, bounds.told::text
FROM intentions
JOIN price_rules AS rule ON rule.id = intentions.rule_id
JOIN listings ON listings.id = intentions.listing_id
CROSS JOIN LATERAL ({_BOUNDS.format(listing="intentions.listing_id")}) AS bounds
WHERE intentions.id = ANY(%(ids)s) AND intentions.state = 'pending'
    AND rule.replaced_by IS NULL AND intentions.price >= rule.least
    AND (listings.paused_at IS NULL OR intentions.reason <> 'decision')
    AND {_NOT_UNDER_WAY}
"""
#: What stood there is by now what the cabinet shows, and no longer what was decided on.
_DEPART = """
UPDATE intentions
SET state = 'sending', sent_at = %(now)s, push_id = %(push)s,
    before = coalesce(told.live, intentions.before)
FROM unnest(%(ids)s::bigint[], %(live)s::bigint[]) AS told (id, live)
WHERE intentions.id = told.id AND state = 'pending'
"""
_ACCEPTED = """
UPDATE intentions SET state = 'accepted', accepted_at = clock_timestamp(), receipt = told.number
FROM unnest(%(ids)s::bigint[], %(numbers)s::text[]) AS told (id, number)
WHERE intentions.id = told.id AND intentions.state = 'sending'
"""
_REFUSED = """
UPDATE intentions SET state = 'refused', closed_at = clock_timestamp(), outcome = %(outcome)s
WHERE id = ANY(%(ids)s) AND state = 'sending'
"""
_UNKNOWN = """
UPDATE intentions SET outcome = %(outcome)s WHERE id = ANY(%(ids)s) AND state = 'sending'
"""
#: What we know of our prices before anything of ours leaves: as buyers saw them, or as imported.
_BEGIN_BASELINE = """
INSERT INTO baselines (store_id) VALUES (%(store)s) ON CONFLICT DO NOTHING
"""
_BASELINE = """
INSERT INTO baseline_prices (listing_id, city_id, price, source)
SELECT DISTINCT ON (listing_id, city_id) listing_id, city_id, price, source
FROM (
    SELECT listings.id AS listing_id, offers.city_id, offers.price, 'board' AS source
    FROM listings
    JOIN products USING (kaspi_id)
    JOIN offers ON offers.product_id = products.id AND offers.merchant_id = listings.store_id
        AND offers.gone_at IS NULL
    WHERE listings.store_id = %(store)s
    UNION ALL
    SELECT listings.id, listing_prices.city_id, listing_prices.price, 'listing'
    FROM listings
    JOIN listing_prices ON listing_prices.listing_id = listings.id
    WHERE listings.store_id = %(store)s
) AS known
ORDER BY listing_id, city_id, source
ON CONFLICT DO NOTHING
"""
#: What the cabinet itself shows goes before, until the listing's first push.
_BASELINE_OF_ITEM = """
INSERT INTO baseline_prices AS held (listing_id, city_id, price, source)
SELECT told.listing_id, told.city_id, told.price, 'cabinet'
FROM jsonb_to_recordset(%(prices)s::jsonb) AS told (listing_id bigint, city_id text, price bigint)
WHERE NOT EXISTS (
    SELECT FROM intentions
    WHERE intentions.listing_id = told.listing_id AND intentions.sent_at IS NOT NULL)
ON CONFLICT (listing_id, city_id) DO UPDATE
SET price = excluded.price, source = excluded.source, read_at = now()
"""

_bounds = msgspec.json.Decoder(dict[str, tuple[Tenge, Tenge | None]]).decode


@attrs.frozen(kw_only=True)
class Departing:
    """Prices that are about to leave together: written down before anything does."""

    push: int
    intentions: tuple[Intention, ...]


@attrs.frozen(kw_only=True)
class Queue:
    """What of a store waits for its turn, the most urgent first, and how many in all."""

    intentions: tuple[Intention, ...]
    total: int
    purse: Purse

    @property
    def pressing(self) -> int:
        """How many wait for the budget's even spread; a forbidden live price does not wait."""
        is_urgent = any(one.forbidden for one in self.intentions[:1])
        return 0 if is_urgent else self.total


async def stores(cursor: Cursor) -> list[MerchantId]:
    """The stores of which a price waits or is under way."""
    await cursor.execute(_STORES)
    return [MerchantId(str(store)) for (store,) in await cursor.fetchall()]


async def queue(cursor: Cursor, store: MerchantId, share: int, most: int, start: Budget) -> Queue:
    """What waits of a share of the store's listings (in ten-thousandths), and the budget."""
    await cursor.execute(_WAITING, {"store": store, "share": share, "most": most})
    rows: list[Any] = await cursor.fetchall()
    return Queue(
        intentions=tuple(_intention(store, row) for row in rows),
        total=int(rows[0][12]) if rows else 0,
        purse=await budgets.purse(cursor, store, start),
    )


async def refuse(cursor: Cursor, refused: Mapping[int, Outcome]) -> list[Outcome]:
    """Close intentions of which nothing is to leave; those that were still pending."""
    if not refused:
        return []
    await cursor.execute(_LOCK, [list(refused)])
    said = {"ids": list(refused), "outcomes": list(refused.values())}
    await cursor.execute(_REFUSE, said)
    found: list[Any] = await cursor.fetchall()
    for outcome, listing, city, price in found:
        if outcome == Outcome.ALREADY_THERE:
            await remember(cursor, listing, city, price)
    return [Outcome(outcome) for outcome, *_ in found]


async def depart(
    cursor: Cursor,
    store: MerchantId,
    wanted: Sequence[tuple[Intention, CabinetOffer]],
    start: Budget,
    *,
    wait: timedelta,
    pressing: int,
) -> Departing | None:
    """Let prices leave: as many as the budget allows, those that are still wanted, in their order.

    A listing's leave together or not at all: what its push says again was judged beside them all.
    The caller sends them when this is committed, and no others; `wait` bounds how long an answer
    is waited for, `pressing` is the queue's. None: nothing may leave.
    """
    held = await budgets.purse(cursor, store, start, hold=True)
    room = held.may_send(pressing)
    await cursor.execute(_LOCK, [[intention.id for intention, _ in wanted]])
    await cursor.execute(_MAY_LEAVE, {"ids": [intention.id for intention, _ in wanted]})
    allowed = {int(str(number)): _bounds(str(told)) for number, told in await cursor.fetchall()}
    leaving = _whole_listings(
        wanted, [one for one in wanted if allowed.get(one[0].id) == one[0].bounds][:room]
    )
    if not leaving:
        return None
    await _keep_baseline(cursor, store, leaving)
    questions = len({intention.listing for intention, _ in leaving})
    push = await budgets.leave(
        cursor, store, held, changes=len(leaving), questions=questions, wait=wait
    )
    ids = [intention.id for intention, _ in leaving]
    live = [offer.price_in(intention.city) for intention, offer in leaving]
    await cursor.execute(_DEPART, {"ids": ids, "live": live, "now": held.now, "push": push})
    return Departing(push=push, intentions=tuple(intention for intention, _ in leaving))


async def settle(
    cursor: Cursor,
    store: MerchantId,
    departed: Departing,
    receipts: Mapping[ListingId, Receipt],
    start: Budget,
) -> list[Outcome | None]:
    """Write down what was answered, a receipt a listing; a listing without one was not answered.

    None says accepted. What may have been queued stays `sending` until our own offer is read back.
    """
    outcomes = {one.id: _outcome(receipts.get(one.listing)) for one in departed.intentions}
    await budgets.hold(cursor, store)
    await cursor.execute(_LOCK, [list(outcomes)])
    accepted = [one for one in departed.intentions if outcomes[one.id] is None]
    numbers = [receipts[one.listing].number for one in accepted]
    await cursor.execute(_ACCEPTED, {"ids": [one.id for one in accepted], "numbers": numbers})
    for outcome in {*outcomes.values()} - {None}:
        ids = [number for number, came in outcomes.items() if came == outcome]
        query = _UNKNOWN if outcome is Outcome.NO_ANSWER else _REFUSED
        await cursor.execute(query, {"ids": ids, "outcome": outcome})
    whole = _whole(outcomes.values())
    pause = max((one.pause or 0 for one in receipts.values()), default=0)
    asked = timedelta(seconds=pause) if pause else None
    await budgets.answered(cursor, store, departed.push, whole, start=start, retry_after=asked)
    return list(outcomes.values())


async def not_sent(cursor: Cursor, departed: Departing) -> None:
    """Close prices of which it is certain that they never left."""
    ids = [one.id for one in departed.intentions]
    await cursor.execute(_LOCK, [ids])
    await cursor.execute(_REFUSED, {"ids": ids, "outcome": Outcome.NOT_SENT})
    await budgets.never_left(cursor, departed.push)


def _whole_listings(
    wanted: Sequence[tuple[Intention, CabinetOffer]],
    leaving: Sequence[tuple[Intention, CabinetOffer]],
) -> list[tuple[Intention, CabinetOffer]]:
    """Those of listings of which none stays behind."""
    ids = {intention.id for intention, _ in leaving}
    torn = {intention.listing for intention, _ in wanted if intention.id not in ids}
    return [one for one in leaving if one[0].listing not in torn]


async def _keep_baseline(
    cursor: Cursor, store: MerchantId, leaving: Sequence[tuple[Intention, CabinetOffer]]
) -> None:
    """Write down how prices stood, before the store's first push and the listing's."""
    await cursor.execute(_BEGIN_BASELINE, {"store": store})
    if cursor.rowcount:
        await cursor.execute(_BASELINE, {"store": store})
    prices = [
        {"listing_id": intention.listing, "city_id": city, "price": price}
        for intention, offer in leaving
        for city, price in _prices(offer, intention.city)
    ]
    told = {(one["listing_id"], one["city_id"]): one for one in prices}
    said = msgspec.json.encode(list(told.values())).decode()
    await cursor.execute(_BASELINE_OF_ITEM, {"prices": said})


def _prices(offer: CabinetOffer, city: CityId) -> list[tuple[CityId, Tenge]]:
    live = offer.price_in(city)
    return [*offer.city_prices.items(), *([] if live is None else [(city, live)])]


def _outcome(receipt: Receipt | None) -> Outcome | None:
    if receipt is None:
        return Outcome.NO_ANSWER
    if receipt.refusal is None:
        return None
    return NOT_QUEUED.get(receipt.refusal, Outcome.NO_ANSWER)


def _whole(outcomes: Any) -> Outcome | None:
    """What came of a push as one: blocked if anything was, unknown if anything is."""
    came = set(outcomes)
    for worst in (Outcome.BLOCKED, Outcome.NO_ANSWER):
        if worst in came:
            return worst
    return None if None in came else next(iter(came))


def _intention(store: MerchantId, row: Any) -> Intention:
    (
        number,
        listing,
        sku,
        city,
        price,
        before,
        known,
        least,
        bounds,
        watched,
        paused,
        forbidden,
        _,
    ) = row
    return Intention(
        id=number,
        listing=ListingId(listing),
        store=store,
        sku=sku,
        city=CityId(city),
        price=Tenge(price),
        before=None if before is None else Tenge(before),
        known=None if known is None else Tenge(known),
        least=Tenge(least),
        bounds=_bounds(bounds),
        watched=frozenset(map(CityId, watched)),
        forbidden=forbidden,
        paused=paused,
    )


#: What the marketplace may say and mean that the account is stopped.
STOPS = frozenset({Refusal.BLOCKED, Refusal.SESSION_GONE, Refusal.FORBIDDEN})
