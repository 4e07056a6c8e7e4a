"""Our listings: imported, and found again on the boards that are read."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString

import attrs
import psycopg
from psycopg.rows import kwargs_row

from domain.identity import CityId, MerchantId, ProductId
from domain.money import Tenge
from domain.pricing import ENOUGH, RECENT, Reason
from domain.shop import Listed, ListingId, OwnListing, RuleId, Store
from storage.database import Cursor
from storage.restless import faded, faded_seconds
from storage.rules import begin_change, end_change, one_at_a_time, remake
from storage.schema import libpq_address
from storage.stores import add_stores, put_stores

_INCOMING = """
CREATE TEMPORARY TABLE incoming_listings (
    store_id text NOT NULL, sku text NOT NULL, kaspi_id text NOT NULL, name text, price bigint,
    stock integer, stocked_on date,
    PRIMARY KEY (store_id, sku)
) ON COMMIT DROP
"""
_COPY = """
COPY incoming_listings (store_id, sku, kaspi_id, name, price, stock, stocked_on) FROM STDIN
"""
#: What the file does not say stays as it was.
_MERGE = """
INSERT INTO listings AS held (store_id, sku, kaspi_id, name, price, stock, stocked_on)
SELECT store_id, sku, kaspi_id, name, price, stock, stocked_on FROM incoming_listings
ON CONFLICT (store_id, sku) DO UPDATE
SET kaspi_id = excluded.kaspi_id,
    name = coalesce(excluded.name, held.name),
    price = coalesce(excluded.price, held.price),
    stock = coalesce(excluded.stock, held.stock),
    stocked_on = coalesce(excluded.stocked_on, held.stocked_on),
    changed_at = now()
WHERE (held.kaspi_id, held.name, held.price, held.stock, held.stocked_on) IS DISTINCT FROM (
    excluded.kaspi_id, coalesce(excluded.name, held.name), coalesce(excluded.price, held.price),
    coalesce(excluded.stock, held.stock), coalesce(excluded.stocked_on, held.stocked_on))
RETURNING (xmax = 0) AS is_new
"""
_TOUCHED_STORES = "SELECT DISTINCT store_id FROM incoming_listings"
_TOUCH: LiteralString = """
INSERT INTO touched
SELECT listings.id, listings.store_id, listings.sku FROM listings
JOIN incoming_listings USING (store_id, sku)
"""
_WATCH = """
INSERT INTO work_list (kaspi_id, city_id)
SELECT DISTINCT kaspi_id, %s FROM incoming_listings
ON CONFLICT DO NOTHING
"""
#: A listing with a price for each city keeps them apart.
_REMEMBER = """
UPDATE listings SET price = %(price)s
WHERE id = %(listing)s
    AND NOT EXISTS (SELECT FROM listing_prices WHERE listing_id = %(listing)s)
"""
_REMEMBER_IN_CITY = """
INSERT INTO listing_prices AS held (listing_id, city_id, price)
SELECT %(listing)s, %(city)s, %(price)s
WHERE EXISTS (SELECT FROM listing_prices WHERE listing_id = %(listing)s)
ON CONFLICT (listing_id, city_id) DO UPDATE SET price = excluded.price, changed_at = now()
WHERE held.price <> excluded.price
"""
#: Our offer on each board that was just stored, its moves, the others' recent prices, and how often
#: rivals change the board. A price of ours that was on its way and stands there now is one that we
#: set. A board of which a newer reading is held says nothing. Of two articles under one card one is
#: priced, for a merchant has one offer there: the first that was listed and is not taken off sale.
_ON_BOARDS: LiteralString = f"""
SELECT asked.kaspi_id, asked.city_id, listings.id, listings.store_id, listings.sku,
       coalesce(arrived.price, here.price, listings.price), listings.stock, listings.stocked_on,
       rule.id, rule.said::text,
       ARRAY(SELECT sister.id FROM stores AS sister
             WHERE sister.owner = stores.owner AND sister.id <> stores.id) || stores.sisters,
       coalesce(moves.today, 0), moves.last, meant.reason, others.median,
       {faded("boards.changes", "boards.changes_at", "asked.checked_at")},
       {faded_seconds("boards.first_seen_at", "asked.checked_at")}
FROM unnest(%(products)s::text[], %(cities)s::text[], %(moments)s::timestamptz[])
    AS asked (kaspi_id, city_id, checked_at)
JOIN listings ON listings.kaspi_id = asked.kaspi_id
JOIN stores ON stores.id = listings.store_id
JOIN products ON products.kaspi_id = asked.kaspi_id
JOIN boards ON boards.product_id = products.id AND boards.city_id = asked.city_id
    AND boards.completed_at <= asked.checked_at
LEFT JOIN LATERAL (
    SELECT intentions.price FROM intentions
    JOIN offers AS own ON own.product_id = products.id AND own.city_id = asked.city_id
        AND own.merchant_id = listings.store_id AND own.price = intentions.price
        AND own.gone_at IS NULL
    WHERE intentions.listing_id = listings.id AND intentions.city_id = asked.city_id
        AND intentions.state IN ('pending', 'sending', 'accepted')
    LIMIT 1
) AS arrived ON true
LEFT JOIN listing_prices AS here ON here.listing_id = listings.id AND here.city_id = asked.city_id
CROSS JOIN LATERAL (
    SELECT id, said FROM price_rules
    WHERE listing_id = listings.id AND replaced_by IS NULL AND city_id IN ('', asked.city_id)
    ORDER BY city_id DESC
    LIMIT 1
) AS rule
LEFT JOIN LATERAL (
    SELECT sum(size) FILTER (
               WHERE at >= date_trunc('day', asked.checked_at, 'Asia/Almaty'))::bigint AS today,
           max(at) FILTER (WHERE size > 0) AS last
    FROM (
        SELECT history.created_at AS at,
               abs(history.price - lag(history.price) OVER (ORDER BY history.created_at)) AS size
        FROM offers AS own
        CROSS JOIN LATERAL (
            (SELECT created_at, price FROM offer_history
             WHERE offer_id = own.id AND created_at <= asked.checked_at
                 AND created_at > asked.checked_at - interval '31 days')
            UNION ALL
            (SELECT created_at, price FROM offer_history
             WHERE offer_id = own.id AND created_at <= asked.checked_at - interval '31 days'
             ORDER BY created_at DESC
             LIMIT 1)
        ) AS history
        WHERE own.product_id = products.id AND own.city_id = asked.city_id
            AND own.merchant_id = listings.store_id
    ) AS move
) AS moves ON true
LEFT JOIN LATERAL (
    SELECT decisions.reason
    FROM offers AS own
    JOIN decisions ON decisions.listing_id = listings.id AND decisions.city_id = asked.city_id
        AND decisions.action = 'set' AND decisions.price = own.price
        AND decisions.board_at <= asked.checked_at
    WHERE own.product_id = products.id AND own.city_id = asked.city_id
        AND own.merchant_id = listings.store_id
    ORDER BY decisions.board_at DESC
    LIMIT 1
) AS meant ON true
LEFT JOIN LATERAL (
    SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY offers.price) AS median
    FROM offers
    WHERE offers.product_id = products.id AND offers.city_id = asked.city_id
        AND offers.merchant_id <> listings.store_id
        AND (offers.gone_at IS NULL OR offers.gone_at > asked.checked_at - %(recent)s)
    HAVING count(*) >= %(enough)s
) AS others ON true
WHERE NOT EXISTS (
    SELECT FROM listings AS twin
    JOIN price_rules ON price_rules.listing_id = twin.id AND price_rules.replaced_by IS NULL
    WHERE twin.store_id = listings.store_id AND twin.kaspi_id = listings.kaspi_id
        AND (twin.removed_at IS NOT NULL, twin.id) < (listings.removed_at IS NOT NULL, listings.id))
ORDER BY listings.id, asked.city_id
"""
#: Only their boards are worth a question.
_PRICED = """
SELECT DISTINCT listings.kaspi_id FROM listings
JOIN price_rules ON price_rules.listing_id = listings.id AND price_rules.replaced_by IS NULL
"""
_KNOWN = "SELECT store_id, sku, kaspi_id FROM listings WHERE store_id = ANY(%s)"
_OURS = """
SELECT store_id, sku, kaspi_id, name, price, stock, stocked_on
FROM listings
WHERE %(store)s::text IS NULL OR store_id = %(store)s
ORDER BY store_id, sku
"""
#: Rows that travel at once from the server.
_SLICE = 2_000

#: A board that was read: product, city, moment of the reading.
ReadBoard = tuple[ProductId, CityId, datetime]


@attrs.frozen(kw_only=True)
class Imported:
    """What an import of listings did; `rules` came to hold by the stores' defaults."""

    added: int
    changed: int
    rules: int


def put(
    address: str,
    listings: Iterable[OwnListing],
    source: str,
    stores: Iterable[Store] = (),
    watched_in: Sequence[CityId] = (),
) -> Imported:
    """Write down listings, all or none; their products go on the work list in these cities.

    Two of one store and sku are an error of the caller.
    """
    with psycopg.connect(libpq_address(address)) as connection:
        connection.execute(_INCOMING)
        one_at_a_time(connection)
        with connection.cursor().copy(_COPY) as copy:
            for listing in listings:
                copy.write_row(_row(listing))
        touched = [str(store) for (store,) in connection.execute(_TOUCHED_STORES)]
        add_stores(connection, touched)
        put_stores(connection, stores)
        are_new = [bool(is_new) for (is_new,) in connection.execute(_MERGE)]
        for city in watched_in:
            connection.execute(_WATCH, [city])
        change = begin_change(connection, source)
        rules = remake(connection, _TOUCH, change)
        end_change(connection, change, 0, rules)
    return Imported(added=sum(are_new), changed=len(are_new) - sum(are_new), rules=rules)


def known(address: str, stores: Sequence[MerchantId]) -> dict[tuple[MerchantId, str], ProductId]:
    """The product of each listing of these stores, by store and sku."""
    with psycopg.connect(libpq_address(address)) as connection:
        return {
            (MerchantId(store), sku): ProductId(product)
            for store, sku, product in connection.execute(_KNOWN, [list(stores)])
        }


def ours(address: str, store: MerchantId | None = None) -> Iterator[OwnListing]:
    """The listings of one store or of all, by store and sku."""
    with (
        psycopg.connect(libpq_address(address)) as connection,
        connection.cursor("ours", row_factory=kwargs_row(_own)) as cursor,
    ):
        cursor.itersize = _SLICE
        yield from cursor.execute(_OURS, {"store": store})


async def priced(cursor: Cursor) -> frozenset[ProductId]:
    """The products of which a listing of ours has a rule."""
    await cursor.execute(_PRICED)
    return frozenset(ProductId(str(product)) for (product,) in await cursor.fetchall())


async def on_boards(cursor: Cursor, boards: Sequence[ReadBoard]) -> list[Listed]:
    """Our listings on these boards, as they were just stored, each with the rule that holds."""
    products, cities, moments = zip(*boards, strict=True)
    asked: dict[str, object] = {"products": list(products), "cities": list(cities)}
    asked |= {"moments": list(moments), "recent": RECENT, "enough": ENOUGH}
    await cursor.execute(_ON_BOARDS, asked)
    return [_listed(*row) for row in await cursor.fetchall()]


def _own(store_id: str, **told: Any) -> OwnListing:
    return OwnListing(store=MerchantId(store_id), **told)


async def remember(cursor: Cursor, listing: ListingId, city: CityId, price: Tenge) -> None:
    """A price of ours was read back: it is what we last set."""
    said = {"listing": listing, "city": city, "price": price}
    await cursor.execute(_REMEMBER, said)
    await cursor.execute(_REMEMBER_IN_CITY, said)


def _row(listing: OwnListing) -> tuple[object, ...]:
    return (
        listing.store, listing.sku, listing.kaspi_id, listing.name, listing.price, listing.stock,
        listing.stocked_on,
    )  # fmt: skip


def _listed(*row: Any) -> Listed:
    product, city, number, store, sku, price, stock, stocked_on, rule, said = row[:10]
    sisters, moved_today, changed_at, changed_for, median, changes, watched = row[10:]
    return Listed(
        id=ListingId(number),
        store=MerchantId(store),
        sku=sku,
        kaspi_id=ProductId(product),
        city=CityId(city),
        price=None if price is None else Tenge(price),
        stock=stock,
        stocked_on=stocked_on,
        rule=RuleId(rule),
        said=said.encode(),
        sisters=frozenset(map(MerchantId, sisters)),
        moved_today=moved_today,
        changed_at=changed_at,
        changed_for=Reason(changed_for) if changed_for in set(Reason) else None,
        median=None if median is None else Tenge(median),
        changes=changes,
        watched=timedelta(seconds=watched),
    )
