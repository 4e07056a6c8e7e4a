"""The story of a price: what was seen, decided and intended, as it was at any moment."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import attrs
import msgspec
import psycopg
from psycopg.rows import class_row, dict_row

from domain.identity import CityId, MerchantId, ProductId
from domain.money import Tenge
from domain.pricing import Decision
from domain.shop import ListingId
from storage.schema import libpq_address

_LISTINGS = """
SELECT listings.id, listings.store_id AS store, listings.sku, listings.kaspi_id,
       coalesce(listings.name, products.name) AS name, listings.stock
FROM listings
LEFT JOIN products USING (kaspi_id)
WHERE listings.store_id = %(store)s AND (%(sku)s::text IS NULL OR listings.sku = %(sku)s)
ORDER BY listings.sku
"""
#: The rule that was decided by or else held, the decision that stood and the reading that was the
#: last, city by city: wherever a decision or a board speaks of the listing.
_CHAPTERS = """
SELECT city.city_id AS city, coalesce(decision.said, rule.said)::text AS rule,
       coalesce(decision.made_at, rule.made_at) AS rule_since,
       coalesce(decision.source, rule.source) AS rule_source,
       decision.rule_id <> rule.id AS rule_replaced, boards.complete,
       CASE WHEN boards.checked_at <= %(at)s THEN boards.checked_at END AS checked_at,
       decision.board_at, decision.story
FROM (
    SELECT city_id FROM decisions WHERE listing_id = %(listing)s
    UNION
    SELECT boards.city_id FROM boards JOIN products ON products.id = boards.product_id
    WHERE products.kaspi_id = %(product)s
) AS city
LEFT JOIN LATERAL (
    SELECT price_rules.id, price_rules.said, made.made_at, made.source
    FROM price_rules
    JOIN rule_changes AS made ON made.id = price_rules.change
    LEFT JOIN rule_changes AS ended ON ended.id = price_rules.replaced_by
    WHERE price_rules.listing_id = %(listing)s AND price_rules.city_id IN ('', city.city_id)
        AND made.made_at <= %(at)s AND (ended.made_at IS NULL OR ended.made_at > %(at)s)
    ORDER BY price_rules.city_id DESC
    LIMIT 1
) AS rule ON true
LEFT JOIN products ON products.kaspi_id = %(product)s
LEFT JOIN boards ON boards.product_id = products.id AND boards.city_id = city.city_id
LEFT JOIN LATERAL (
    SELECT decisions.board_at, decisions.story, decisions.rule_id, by.said, made.made_at,
           made.source
    FROM decisions
    JOIN price_rules AS by ON by.id = decisions.rule_id
    JOIN rule_changes AS made ON made.id = by.change
    WHERE decisions.listing_id = %(listing)s AND decisions.city_id = city.city_id
        AND decisions.board_at <= %(at)s
    ORDER BY decisions.board_at DESC
    LIMIT 1
) AS decision ON true
WHERE %(city)s::text IS NULL OR city.city_id = %(city)s
ORDER BY city.city_id
"""
_INTENTIONS = """
SELECT price, made_at, reason,
       CASE WHEN closed_at <= %(at)s THEN state WHEN accepted_at <= %(at)s THEN 'accepted'
            WHEN sent_at <= %(at)s THEN 'sending' ELSE 'pending' END AS state,
       CASE WHEN sent_at <= %(at)s THEN sent_at END AS sent_at,
       CASE WHEN accepted_at <= %(at)s THEN accepted_at END AS accepted_at,
       CASE WHEN accepted_at <= %(at)s THEN receipt END AS receipt,
       CASE WHEN closed_at <= %(at)s OR state = 'sending' AND sent_at <= %(at)s
            THEN outcome END AS outcome,
       CASE WHEN closed_at <= %(at)s THEN closed_at END AS closed_at
FROM intentions
WHERE listing_id = %(listing)s AND city_id = %(city)s AND made_at <= %(at)s
ORDER BY id DESC
LIMIT %(most)s
"""
_EARLIER = """
SELECT board_at, story FROM decisions
WHERE listing_id = %(listing)s AND city_id = %(city)s AND board_at < %(before)s
ORDER BY board_at DESC
LIMIT %(most)s
"""
_SELLERS = """
SELECT DISTINCT ON (offers.merchant_id) offers.merchant_id, btrim(offers.seller)
FROM offers
JOIN products ON products.id = offers.product_id
WHERE products.kaspi_id = %(product)s
ORDER BY offers.merchant_id, offers.last_seen_at DESC NULLS LAST
"""
#: The newest decision on each listing of a store.
_LATEST = """
SELECT listings.sku, latest.city_id AS city, latest.board_at, latest.story, rival.seller
FROM listings
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (city_id) * FROM decisions
    WHERE decisions.listing_id = listings.id AND board_at <= %(at)s
    ORDER BY city_id, board_at DESC
) AS latest
LEFT JOIN products USING (kaspi_id)
LEFT JOIN offers AS rival ON rival.product_id = products.id AND rival.city_id = latest.city_id
    AND rival.merchant_id = latest.rival
WHERE listings.store_id = %(store)s AND (%(city)s::text IS NULL OR latest.city_id = %(city)s)
    AND (%(action)s::text IS NULL OR latest.action = %(action)s)
ORDER BY listings.sku, latest.city_id
"""
#: Rows that travel at once.
_SLICE = 1_000


@attrs.frozen(kw_only=True)
class ToldListing:
    """A listing as a story begins. `name`: None until the card was read."""

    id: ListingId
    store: MerchantId
    sku: str
    kaspi_id: ProductId
    name: str | None
    stock: int | None


@attrs.frozen(kw_only=True)
class Intended:
    """A price that was to be set, and what became of that: docs/database.md has the states.

    `reason`: a decision, or a person who wanted a former price back.
    """

    price: Tenge
    made_at: datetime
    reason: str
    state: str
    sent_at: datetime | None
    accepted_at: datetime | None
    receipt: str | None
    outcome: str | None
    closed_at: datetime | None


@attrs.frozen(kw_only=True)
class Past:
    """A decision, and the moment of the reading that it rests on."""

    board_at: datetime
    decision: Decision


@attrs.frozen(kw_only=True)
class Chapter:
    """A listing's story in one city, as it was at one moment.

    `rule` is the whole rule in JSON that was decided by, or else held, None when none did;
    `rule_replaced`: another one held by then. `complete` says whether the board's
    last reading held all offers, None when it was never read; `checked_at` is that reading, when it
    came before the moment. Newest first are the intentions and what was decided before.
    """

    city: CityId
    rule: bytes | None
    rule_since: datetime | None
    rule_source: str | None
    rule_replaced: bool
    checked_at: datetime | None
    complete: bool | None
    decided: Past | None
    intentions: Sequence[Intended]
    earlier: Sequence[Past]


@attrs.frozen(kw_only=True)
class Latest:
    """The newest decision on one listing in one city; `rival` is what its rival is called."""

    sku: str
    city: CityId
    decided: Past
    rival: str | None


def listings_of(address: str, store: MerchantId, sku: str | None = None) -> list[ToldListing]:
    """The listings of a store, or the one of an sku."""
    with (
        psycopg.connect(libpq_address(address)) as connection,
        connection.cursor(row_factory=class_row(ToldListing)) as cursor,
    ):
        return cursor.execute(_LISTINGS, {"store": store, "sku": sku}).fetchall()


def story(
    address: str, listing: ToldListing, at: datetime, city: CityId | None = None, most: int = 5
) -> list[Chapter]:
    """What was known, decided and intended at that moment, in one city or in all; `most` bounds
    how much of the past each chapter tells.
    """
    asked = {"listing": listing.id, "product": listing.kaspi_id, "at": at, "city": city}
    with psycopg.connect(libpq_address(address), row_factory=dict_row) as connection:
        rows = connection.execute(_CHAPTERS, asked).fetchall()
        return [_chapter(connection, row, {**asked, "most": most}) for row in rows]


def sellers(address: str, product: ProductId) -> Mapping[MerchantId, str]:
    """What the merchants of a product's boards are called."""
    with psycopg.connect(libpq_address(address)) as connection:
        found = connection.execute(_SELLERS, {"product": product}).fetchall()
    return {MerchantId(merchant): seller for merchant, seller in found}


def latest(
    address: str,
    store: MerchantId,
    at: datetime,
    city: CityId | None = None,
    action: str | None = None,
) -> Iterator[Latest]:
    """The decisions that stood at that moment, by sku and city, fetched in slices."""
    asked = {"store": store, "at": at, "city": city, "action": action}
    with (
        psycopg.connect(libpq_address(address)) as connection,
        connection.cursor(f"latest_{uuid4().hex}", row_factory=dict_row) as cursor,
    ):
        cursor.itersize = _SLICE
        for row in cursor.execute(_LATEST, asked):
            yield Latest(sku=row["sku"], city=row["city"], decided=_past(row), rival=row["seller"])


def _chapter(connection: psycopg.Connection[Any], row: Any, asked: Mapping[str, Any]) -> Chapter:
    here = {**asked, "city": row["city"], "before": row["board_at"]}
    intentions = connection.cursor(row_factory=class_row(Intended)).execute(_INTENTIONS, here)
    return Chapter(
        city=row["city"],
        rule=None if row["rule"] is None else row["rule"].encode(),
        rule_since=row["rule_since"],
        rule_source=row["rule_source"],
        rule_replaced=bool(row["rule_replaced"]),
        checked_at=row["checked_at"],
        complete=row["complete"],
        decided=None if row["story"] is None else _past(row),
        intentions=intentions.fetchall(),
        earlier=[_past(one) for one in connection.execute(_EARLIER, here)],
    )


def _past(row: Mapping[str, Any]) -> Past:
    return Past(board_at=row["board_at"], decision=msgspec.convert(row["story"], Decision))
