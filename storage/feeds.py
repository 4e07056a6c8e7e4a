"""What a store's price feed is made of: listings with their points, prices and lowest prices."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, LiteralString

import attrs
import msgspec
import psycopg

from domain.feed_succession import OwnOffer
from domain.identity import CityId, MerchantId
from domain.money import Tenge
from domain.price_feed import CityPrice, FeedOffer, FeedPoint, named_point
from storage.schema import libpq_address

#: Rows that travel at once from the server.
_SLICE = 1_000
#: Points and lowest prices that are kept as they were told: many listings share theirs.
_KEPT = 4_096

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_STORE = "SELECT coalesce(nullif(btrim(name), ''), id) FROM stores WHERE id = %s"
_STORES = """
SELECT id FROM stores WHERE EXISTS (SELECT FROM listings WHERE store_id = stores.id) ORDER BY id
"""
_LAST_CHANGE = "SELECT coalesce(max(id), 0) FROM rule_changes"
#: Nobody changes the rules until the transaction ends; who is about to is waited for.
_HOLD_RULES = "LOCK TABLE rule_changes IN SHARE MODE"
_PATIENCE = "SET LOCAL lock_timeout = '20s'"

#: In code points' order, so that versions can be laid side by side as they stream by. One price
#: holds in all cities, so a listing has none as soon as a city was decided on, or boards show its
#: prices and it has a rule, or they differ: then each city that is known has its own, what is meant
#: or else what is live, and a city of which only a rule is known has none. What the cabinet told
#: since holds against boards and former prices. What is on its way through the cabinet is said
#: here, too: else the feed would take it back.
_OFFERS: LiteralString = """
SELECT listings.sku, coalesce(nullif(listings.name, ''), products.name),
       coalesce(listings.brand, ''), listings.removed_at IS NOT NULL, listings.price,
       points.told::text, coalesce(cities.told, apart.told)::text, cities.told IS NULL,
       leasts.told::text
FROM listings
LEFT JOIN products ON products.kaspi_id = listings.kaspi_id
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_array(point, available, stock, preorder) ORDER BY point) AS told
    FROM listing_points
    WHERE listing_id = listings.id
) AS points ON true
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_array(city_id, coalesce(pending.price, held.price), held.price)
                     ORDER BY city_id) AS told
    FROM (SELECT city_id, price FROM listing_prices WHERE listing_id = listings.id) AS held
    FULL JOIN (
        SELECT DISTINCT ON (city_id) city_id, price FROM intentions
        WHERE listing_id = listings.id AND state IN ('pending', 'sending', 'accepted')
            AND %(intended)s
        ORDER BY city_id, made_at DESC, id DESC
    ) AS pending USING (city_id)
    WHERE EXISTS (SELECT FROM listing_prices WHERE listing_id = listings.id)
) AS cities ON true
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_array(city_id, coalesce(meant, live), coalesce(live, listings.price))
                     ORDER BY city_id) AS told
    FROM (
        SELECT city_id, max(meant) AS meant, max(applied) AS applied,
               CASE WHEN max(shown_at) > max(applied_at) THEN max(shown)
                    ELSE coalesce(max(applied), max(shown)) END AS live
        FROM (
            (SELECT DISTINCT ON (city_id) city_id, price AS meant, NULL::bigint AS applied,
                    NULL::timestamptz AS applied_at, NULL::bigint AS shown,
                    NULL::timestamptz AS shown_at
             FROM intentions
             WHERE listing_id = listings.id AND state IN ('pending', 'sending', 'accepted')
                 AND %(intended)s
             ORDER BY city_id, made_at DESC, id DESC)
            UNION ALL
            (SELECT DISTINCT ON (city_id) city_id, NULL, price, closed_at, NULL, NULL
             FROM intentions
             WHERE listing_id = listings.id AND state = 'applied'
                 AND (listings.seen_at IS NULL OR closed_at > listings.seen_at)
             ORDER BY city_id, closed_at DESC)
            UNION ALL
            SELECT city_id, NULL, NULL, NULL, offers.price, boards.completed_at
            FROM offers JOIN boards USING (product_id, city_id)
            WHERE offers.product_id = products.id AND offers.merchant_id = listings.store_id
                AND offers.gone_at IS NULL
                AND (listings.seen_at IS NULL OR boards.completed_at > listings.seen_at)
            UNION ALL
            SELECT city_id, NULL, NULL, NULL, NULL, NULL FROM price_rules
            WHERE listing_id = listings.id AND replaced_by IS NULL AND city_id <> ''
                AND NOT EXISTS (
                    SELECT FROM boards
                    WHERE product_id = products.id AND boards.city_id = price_rules.city_id
                        AND completed_at IS NOT NULL)
        ) AS sources
        GROUP BY city_id
    ) AS known
    HAVING count(meant) + count(applied) > 0 OR min(live) < max(live)
        OR count(live) > 0 AND EXISTS (
            SELECT FROM price_rules WHERE listing_id = listings.id AND replaced_by IS NULL)
) AS apart ON cities.told IS NULL
LEFT JOIN LATERAL (
    SELECT json_object_agg(city_id, least) AS told FROM price_rules
    WHERE listing_id = listings.id AND replaced_by IS NULL
) AS leasts ON true
WHERE listings.store_id = %(store)s
ORDER BY listings.sku COLLATE "C"
"""

_PUT_POINTS = """
INSERT INTO listing_points AS held (listing_id, point, available, stock, preorder)
SELECT listings.id, told.point, told.available, told.stock, nullif(told.preorder, 0)
FROM jsonb_to_recordset(%(points)s::jsonb) AS told (
    sku text, point text, available boolean, stock integer, preorder smallint)
JOIN listings ON listings.store_id = %(store)s AND listings.sku = told.sku
ON CONFLICT (listing_id, point) DO UPDATE
SET available = excluded.available, stock = excluded.stock, preorder = excluded.preorder,
    changed_at = now()
WHERE (held.available, held.stock, held.preorder)
    IS DISTINCT FROM (excluded.available, excluded.stock, excluded.preorder)
"""
_FORGET_POINTS = """
DELETE FROM listing_points USING listings
WHERE listings.id = listing_points.listing_id AND listings.store_id = %(store)s
    AND listings.sku = ANY(%(skus)s)
    AND (listings.sku, listing_points.point) NOT IN (
        SELECT sku, point FROM jsonb_to_recordset(%(points)s::jsonb) AS told (sku text, point text))
"""
_PUT_PRICES = """
INSERT INTO listing_prices AS held (listing_id, city_id, price)
SELECT listings.id, told.city_id, told.price
FROM jsonb_to_recordset(%(prices)s::jsonb) AS told (sku text, city_id text, price bigint)
JOIN listings ON listings.store_id = %(store)s AND listings.sku = told.sku
ON CONFLICT (listing_id, city_id) DO UPDATE
SET price = excluded.price, changed_at = now()
WHERE held.price <> excluded.price
"""
_FORGET_PRICES = """
DELETE FROM listing_prices USING listings
WHERE listings.id = listing_prices.listing_id AND listings.store_id = %(store)s
    AND listings.sku = ANY(%(skus)s)
    AND (listings.sku, listing_prices.city_id) NOT IN (
        SELECT sku, city_id
        FROM jsonb_to_recordset(%(prices)s::jsonb) AS told (sku text, city_id text))
"""
_KNOWN = "SELECT sku FROM listings WHERE store_id = %(store)s AND sku = ANY(%(skus)s)"
_PUT_LISTINGS = """
UPDATE listings
SET name = told.model, brand = coalesce(told.brand, listings.brand),
    price = coalesce(told.price, listings.price), changed_at = now()
FROM jsonb_to_recordset(%(offers)s::jsonb) AS told (
    sku text, model text, brand text, price bigint)
WHERE listings.store_id = %(store)s AND listings.sku = told.sku
    AND (listings.name, listings.brand, listings.price) IS DISTINCT FROM (
        told.model, coalesce(told.brand, listings.brand), coalesce(told.price, listings.price))
"""

_points = msgspec.json.Decoder(list[tuple[str, bool, int | None, int | None]]).decode
_cities = msgspec.json.Decoder(list[tuple[str, int | None, int | None]]).decode
_leasts = msgspec.json.Decoder(dict[str, int | None]).decode


class NoSuchStore(ValueError):
    """A store that is not kept here."""


class RulesChanged(RuntimeError):
    """The rules were changed while a feed was written by them."""


@attrs.frozen
class StoreFeed:
    """A store's listings as they stood at one moment."""

    store: MerchantId
    company: str
    _address: str
    _connection: psycopg.Connection[Any]
    _last_change: int

    def offers(self, *, intended: bool = True) -> Iterator[OwnOffer]:
        """Every listing, by article; with the prices that are intended, or the last known ones."""
        asked = {"store": self.store, "intended": intended}
        with self._connection.cursor("feed") as cursor:
            cursor.itersize = _SLICE
            for row in cursor.execute(_OFFERS, asked):
                yield _own(self.store, *row)

    @contextmanager
    def rules_held(self) -> Iterator[None]:
        """While the block lasts the rules stay as they were at that moment.

        Raises RulesChanged when they are not: then the prices must be chosen anew.
        """
        with psycopg.connect(libpq_address(self._address)) as connection:
            connection.execute(_PATIENCE)
            connection.execute(_HOLD_RULES)
            if connection.execute(_LAST_CHANGE).fetchone() != (self._last_change,):
                raise RulesChanged(
                    "the rules were changed while the feed was written by them: write it again"
                )
            yield


def stores_with_listings(address: str) -> tuple[MerchantId, ...]:
    """Our stores of which a feed can be written."""
    with psycopg.connect(libpq_address(address)) as connection:
        return tuple(MerchantId(store) for (store,) in connection.execute(_STORES))


@contextmanager
def store_feed(address: str, store: MerchantId) -> Iterator[StoreFeed]:
    """A store as it stands now, whatever changes while the block lasts. Raises NoSuchStore."""
    with psycopg.connect(libpq_address(address)) as connection:
        connection.execute(_SNAPSHOT)
        found = connection.execute(_STORE, [store]).fetchone()
        if found is None:
            raise _no_such(store)
        (last_change,) = connection.execute(_LAST_CHANGE).fetchone() or (0,)
        yield StoreFeed(store, found[0], address, connection, last_change)


def put_offers(address: str, store: MerchantId, offers: Iterable[FeedOffer]) -> frozenset[str]:
    """Write down what the cabinet, a feed or a price list says of listings that are kept here.

    Points and city prices that are not told of an offer are forgotten; offers of articles that are
    not kept are passed over. Which articles are listings. Raises NoSuchStore.
    """
    told = [_named(store, offer) for offer in offers]
    said = {
        "store": store,
        "skus": [offer.sku for offer in told],
        "offers": _json(
            {
                "sku": offer.sku,
                "model": offer.model,
                "brand": offer.brand or None,
                "price": offer.price,
            }
            for offer in told
        ),
        "points": _json(
            {"sku": offer.sku, **attrs.asdict(point)} for offer in told for point in offer.points
        ),
        "prices": _json(
            {"sku": offer.sku, "city_id": each.city, "price": each.price}
            for offer in told
            for each in offer.city_prices
        ),
    }
    with psycopg.connect(libpq_address(address)) as connection:
        if connection.execute(_STORE, [store]).fetchone() is None:
            raise _no_such(store)
        for statement in (
            _PUT_LISTINGS, _FORGET_POINTS, _PUT_POINTS, _FORGET_PRICES, _PUT_PRICES,
        ):  # fmt: skip
            connection.execute(statement, said)
        return frozenset(sku for (sku,) in connection.execute(_KNOWN, said))


def _no_such(store: MerchantId) -> NoSuchStore:
    return NoSuchStore(
        f"store {store} has no listings here: `scrapy listings import` or `scrapy rules import` "
        "a table with its articles"
    )


def _named(store: MerchantId, offer: FeedOffer) -> FeedOffer:
    """The offer with each point and each city once, under their full names: the last word holds."""
    points = {named_point(store, point.point): point for point in offer.points}
    cities = {each.city: each for each in offer.city_prices}
    return attrs.evolve(
        offer,
        points=tuple(attrs.evolve(point, point=name) for name, point in points.items()),
        city_prices=tuple(cities.values()),
    )


def _json(rows: Iterable[Mapping[str, object]]) -> str:
    return msgspec.json.encode(list(rows)).decode()


def _own(store: MerchantId, *row: Any) -> OwnOffer:
    sku, model, brand, removed, price, points, cities, is_pieced, leasts = row
    offer = FeedOffer(
        sku=sku,
        model=model or "",
        brand=brand,
        points=_named_points(store, points or "[]"),
        price=None if price is None else Tenge(price),
    )
    said = _cities(cities) if cities else []
    meant = _city_prices((city, price) for city, price, _ in said)
    live = _city_prices((city, price) for city, _, price in said)
    return OwnOffer(
        offer=attrs.evolve(offer, price=None, city_prices=meant) if said else offer,
        live=attrs.evolve(offer, price=None, city_prices=live) if live else offer,
        alone=is_pieced and len(said) == 1,
        unpriced=tuple(CityId(city) for city, price, _ in said if price is None),
        leasts=_known_leasts(leasts or "{}"),
        removed=removed,
    )


def _city_prices(told: Iterable[tuple[str, int | None]]) -> tuple[CityPrice, ...]:
    return tuple(CityPrice(CityId(city), Tenge(price)) for city, price in told if price)


@lru_cache(maxsize=_KEPT)
def _named_points(store: MerchantId, told: str) -> tuple[FeedPoint, ...]:
    """Each point once, under its full name: the last word holds."""
    points = {
        (name := named_point(store, point)): FeedPoint(
            name, available, stock, preorder if available else None
        )
        for point, available, stock, preorder in _points(told)
    }
    return tuple(points.values())


@lru_cache(maxsize=_KEPT)
def _known_leasts(told: str) -> Mapping[CityId, Tenge | None]:
    return {
        CityId(city): None if least is None else Tenge(least)
        for city, least in _leasts(told).items()
    }
