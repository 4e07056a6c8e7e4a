"""The rules for our prices as people keep them: lines, what holds by them, and their changes."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, LiteralString

import attrs
import psycopg
from psycopg.rows import class_row
from psycopg.types.json import set_json_loads

from domain.identity import ALMATY_CITY, CityId, MerchantId, ProductId
from domain.shop import RuleChange, RuleLine, Store
from storage.database import Cursor
from storage.files import encode
from storage.schema import libpq_address
from storage.stores import add_stores, put_stores

_BEGIN = "INSERT INTO rule_changes (source, undoes) VALUES (%s, %s) RETURNING id"
_END = "UPDATE rule_changes SET lines = %s WHERE id = %s"
_FORGET = "DELETE FROM rule_changes WHERE id = %s"
#: One change at a time: which line is in force must not be a matter of luck.
_ONE_AT_A_TIME = "LOCK TABLE rule_changes IN SHARE ROW EXCLUSIVE MODE"
_INCOMING = """
CREATE TEMPORARY TABLE incoming_lines (
    store_id text NOT NULL, sku text NOT NULL, city_id text NOT NULL, said jsonb, kaspi_id text,
    PRIMARY KEY (store_id, sku, city_id)
) ON COMMIT DROP
"""
_COPY = "COPY incoming_lines (store_id, sku, city_id, said, kaspi_id) FROM STDIN"
_ADD_LISTINGS = """
INSERT INTO listings AS held (store_id, sku, kaspi_id)
SELECT DISTINCT ON (store_id, sku) store_id, sku, kaspi_id
FROM incoming_lines
WHERE sku <> '' AND kaspi_id IS NOT NULL
ON CONFLICT (store_id, sku) DO UPDATE
SET kaspi_id = excluded.kaspi_id, changed_at = now()
WHERE held.kaspi_id <> excluded.kaspi_id
RETURNING (xmax <> 0) AS has_moved
"""
#: The cards of new articles are read, where their prices are to hold.
_WATCH = """
INSERT INTO work_list (kaspi_id, city_id)
SELECT DISTINCT kaspi_id, coalesce(nullif(city_id, ''), %s) FROM incoming_lines AS incoming
WHERE sku <> '' AND kaspi_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM listings
    WHERE listings.store_id = incoming.store_id AND listings.sku = incoming.sku
        AND listings.kaspi_id = incoming.kaspi_id)
ON CONFLICT DO NOTHING
"""
_UNKNOWN = """
SELECT DISTINCT store_id, sku FROM incoming_lines
WHERE sku <> '' AND NOT EXISTS (
    SELECT FROM listings
    WHERE listings.store_id = incoming_lines.store_id AND listings.sku = incoming_lines.sku)
ORDER BY store_id, sku
"""
#: What is asked for and holds already is not asked for any more. What remains is written without
#: another look at the table that it goes into: while a table grows, no plan for it is a good one.
_DROP_UNCHANGED = """
DELETE FROM incoming_lines AS incoming
USING rule_lines AS held
WHERE held.replaced_by IS NULL AND held.store_id = incoming.store_id
    AND held.sku = incoming.sku AND held.city_id = incoming.city_id AND held.said = incoming.said
"""
_END_LINES = """
UPDATE rule_lines AS held
SET replaced_by = %(change)s
FROM incoming_lines AS incoming
WHERE held.replaced_by IS NULL AND held.store_id = incoming.store_id
    AND held.sku = incoming.sku AND held.city_id = incoming.city_id
"""
#: A line without `said` has only ended.
_BEGIN_LINES = """
INSERT INTO rule_lines (store_id, sku, city_id, said, change)
SELECT store_id, sku, city_id, said, %(change)s FROM incoming_lines
WHERE said IS NOT NULL
"""
_COUNT_LINES = "SELECT count(*) FROM incoming_lines"
_ANALYZE = "ANALYZE incoming_lines"
_TOUCHED = """
CREATE TEMPORARY TABLE touched (
    listing_id bigint PRIMARY KEY, store_id text NOT NULL, sku text NOT NULL
) ON COMMIT DROP
"""
_TOUCH: LiteralString = """
INSERT INTO touched
SELECT listings.id, listings.store_id, listings.sku FROM listings
JOIN incoming_lines AS incoming USING (store_id, sku)
UNION
SELECT listings.id, listings.store_id, listings.sku FROM listings
JOIN incoming_lines AS incoming ON incoming.store_id = listings.store_id AND incoming.sku = ''
"""
#: Listings of a store that have no rule yet.
_TOUCH_RULELESS = """
INSERT INTO touched
SELECT id, store_id, sku FROM listings
WHERE store_id = %s AND NOT EXISTS (
    SELECT FROM price_rules WHERE listing_id = listings.id AND replaced_by IS NULL)
"""
#: Two readings of goods may be merged in one transaction.
_FORGET_MAKING = "DROP TABLE IF EXISTS touched, held, made"
_ANALYZE_TOUCHED = "ANALYZE touched"
#: The lines that the touched listings are made of. They are copied because nothing is known yet
#: of the size of tables that this transaction has filled: a plan for five joins would be a guess.
_HELD = """
CREATE TEMPORARY TABLE held ON COMMIT DROP AS
SELECT store_id, sku, city_id, said FROM rule_lines
WHERE replaced_by IS NULL AND (store_id, sku) IN (SELECT store_id, sku FROM touched)
UNION ALL
SELECT store_id, sku, city_id, said FROM rule_lines
WHERE replaced_by IS NULL AND sku = '' AND store_id IN (SELECT store_id FROM touched)
"""
_ANALYZE_HELD = "ANALYZE held"
#: The rules of touched listings, made anew from their lines: the store's defaults, its defaults in
#: the city, the listing's line, its line in the city, each laid over the last.
_MAKE = """
CREATE TEMPORARY TABLE made ON COMMIT DROP AS
WITH named AS (
    SELECT touched.*, held.city_id FROM touched JOIN held USING (store_id, sku)
    UNION
    SELECT touched.*, held.city_id
    FROM touched JOIN held ON held.store_id = touched.store_id AND held.sku = ''
)
SELECT named.listing_id, named.city_id,
    coalesce(everywhere.said, '{}') || coalesce(there.said, '{}')
        || coalesce(line.said, '{}') || coalesce(here.said, '{}') AS said
FROM named
LEFT JOIN held AS everywhere ON everywhere.store_id = named.store_id AND everywhere.sku = ''
    AND everywhere.city_id = ''
LEFT JOIN held AS there ON named.city_id <> '' AND there.store_id = named.store_id
    AND there.sku = '' AND there.city_id = named.city_id
LEFT JOIN held AS line ON line.store_id = named.store_id AND line.sku = named.sku
    AND line.city_id = ''
LEFT JOIN held AS here ON named.city_id <> '' AND here.store_id = named.store_id
    AND here.sku = named.sku AND here.city_id = named.city_id
"""
_ANALYZE_MADE = "ANALYZE made"
#: Whoever writes decisions by the old rules comes before, so that what he intended is withdrawn, or
#: after, and then sees that they hold no more.
_LOCK_TOUCHED = """
SELECT FROM listings WHERE id IN (SELECT listing_id FROM touched) ORDER BY id FOR UPDATE
"""
_END_RULES = """
UPDATE price_rules AS held
SET replaced_by = %(change)s
FROM touched
WHERE held.listing_id = touched.listing_id AND held.replaced_by IS NULL AND NOT EXISTS (
    SELECT FROM made
    WHERE made.listing_id = held.listing_id AND made.city_id = held.city_id
        AND made.said = held.said)
"""
_DROP_KEPT = """
DELETE FROM made
USING price_rules AS held
WHERE held.listing_id = made.listing_id AND held.city_id = made.city_id
    AND held.replaced_by IS NULL
"""
_BEGIN_RULES = """
INSERT INTO price_rules (listing_id, city_id, said, change)
SELECT listing_id, city_id, said, %(change)s FROM made
"""
#: A pending intention of a rule that holds no more is not to be carried out.
_WITHDRAW = """
UPDATE intentions
SET state = 'withdrawn', closed_at = now()
FROM price_rules
WHERE intentions.state = 'pending' AND price_rules.id = intentions.rule_id
    AND price_rules.replaced_by = %s
"""
_LINES = """
SELECT lines.store_id, lines.sku, lines.city_id, lines.said, listings.kaspi_id
FROM rule_lines AS lines
LEFT JOIN listings USING (store_id, sku)
WHERE lines.replaced_by IS NULL AND (%(store)s::text IS NULL OR lines.store_id = %(store)s)
ORDER BY lines.store_id, lines.sku, lines.city_id
"""
_IN_FORCE = """
SELECT listings.kaspi_id, price_rules.city_id, price_rules.said
FROM price_rules
JOIN listings ON listings.id = price_rules.listing_id
WHERE price_rules.replaced_by IS NULL AND listings.store_id = %(store)s
    AND (%(sku)s::text IS NULL OR listings.sku = %(sku)s)
ORDER BY listings.id DESC
"""
_CHANGES = """
SELECT id, made_at, source, lines, undoes FROM rule_changes ORDER BY id DESC LIMIT %s
"""
_CHANGE = "SELECT id, made_at, source, lines, undoes FROM rule_changes WHERE id = %s"
_LATEST = "SELECT coalesce(max(id), 0) FROM rule_changes"
_ALTERED_SINCE = """
SELECT DISTINCT touched.store_id, touched.sku, touched.city_id
FROM rule_lines AS touched
JOIN rule_lines AS later USING (store_id, sku, city_id)
WHERE (touched.change = %(change)s OR touched.replaced_by = %(change)s)
    AND (later.change > %(change)s OR later.replaced_by > %(change)s)
ORDER BY 1, 2, 3
"""
#: What stood before the change, or nothing where nothing did.
_BEFORE = """
INSERT INTO incoming_lines (store_id, sku, city_id, said)
SELECT touched.store_id, touched.sku, touched.city_id, former.said
FROM (
    SELECT DISTINCT store_id, sku, city_id FROM rule_lines
    WHERE change = %(change)s OR replaced_by = %(change)s
) AS touched
LEFT JOIN rule_lines AS former ON former.replaced_by = %(change)s
    AND former.store_id = touched.store_id AND former.sku = touched.sku
    AND former.city_id = touched.city_id
"""
_TOUCHED_STORES = "SELECT DISTINCT store_id FROM incoming_lines"
#: Rows that travel at once from the server.
_SLICE = 2_000
#: Weights and ratings are decimal numbers, in the database, too.
_loads = partial(json.loads, parse_float=Decimal)


class UnknownListings(ValueError):
    """Lines for articles that are not listed; `skus` are (store, sku)."""

    def __init__(self, skus: Sequence[tuple[str, str]]) -> None:
        super().__init__(f"{len(skus):,} articles are not listed: {skus[0][1]} of {skus[0][0]}, …")
        self.skus = skus


class ChangedMeanwhile(ValueError):
    """Somebody changed the rules since the caller looked at them."""


class CannotUndo(ValueError):
    """A change that cannot be taken back; the text says why.

    `altered` are its lines that were changed again since, by store and sku; none: there is no
    such change.
    """

    def __init__(self, change: int, altered: Sequence[tuple[str, str]] = ()) -> None:
        self.change, self.altered = change, altered
        named = ", ".join(f"{store} {sku or '(defaults)'}" for store, sku in altered[:3])
        super().__init__(
            f"{len(altered):,} lines of change {change} were changed again since ({named}): "
            "undo the later changes first"
            if altered
            else f"there is no change {change}: `scrapy rules history` lists them"
        )


@attrs.frozen(kw_only=True)
class Applied:
    """What became of lines. `change` is None when no line was new; `moved` counts articles that
    came under another card, which is no change of a rule and cannot be undone as one.
    """

    change: int | None
    changed: int
    rules: int
    moved: int = 0


def apply(
    address: str,
    lines: Iterable[RuleLine],
    source: str,
    stores: Iterable[Store] = (),
    seen: int | None = None,
) -> Applied:
    """Let these lines hold from now on, all or none; lines that they do not name stay.

    `seen` is the last change that the caller knows of. Two lines of one store, sku and city are
    an error of the caller. Raises UnknownListings, ChangedMeanwhile.
    """
    with psycopg.connect(libpq_address(address)) as connection:
        one_at_a_time(connection)
        if seen is not None and _latest(connection) != seen:
            raise ChangedMeanwhile("somebody changed the rules in this moment: try again")
        connection.execute(_INCOMING)
        with connection.cursor().copy(_COPY) as copy:
            for line in lines:
                copy.write_row(_row(line))
        connection.execute(_ANALYZE)
        add_stores(connection, _touched(connection))
        put_stores(connection, stores)
        connection.execute(_WATCH, [ALMATY_CITY])
        moved = sum(bool(has_moved) for (has_moved,) in connection.execute(_ADD_LISTINGS))
        if unknown := connection.execute(_UNKNOWN).fetchall():
            raise UnknownListings([(str(store), str(sku)) for store, sku in unknown])
        return attrs.evolve(_replace(connection, source, None), moved=moved)


def latest(address: str) -> int:
    """The number of the last change, 0 when there was none."""
    with psycopg.connect(libpq_address(address)) as connection:
        return _latest(connection)


def lines(address: str, store: MerchantId | None = None) -> Iterator[RuleLine]:
    """The lines in force, of one store or of all: a store's defaults first, then by sku."""
    with psycopg.connect(libpq_address(address)) as connection:
        set_json_loads(_loads, connection)
        with connection.cursor("lines") as cursor:
            cursor.itersize = _SLICE
            for row in cursor.execute(_LINES, {"store": store}):
                yield _line(*row)


def in_force(
    address: str, store: MerchantId, sku: str | None = None
) -> dict[tuple[ProductId, CityId | None], dict[str, Any]]:
    """The whole rules of a store's listings, by product and city (None: everywhere else).

    Of two articles under one card the first that was listed counts.
    """
    with psycopg.connect(libpq_address(address)) as connection:
        rows = connection.execute(_IN_FORCE, {"store": store, "sku": sku}).fetchall()
    return {
        (ProductId(product), CityId(city) if city else None): said for product, city, said in rows
    }


def changes(address: str, most: int = 50) -> list[RuleChange]:
    """The last changes, the newest first."""
    with (
        psycopg.connect(libpq_address(address)) as connection,
        connection.cursor(row_factory=class_row(RuleChange)) as cursor,
    ):
        return cursor.execute(_CHANGES, [most]).fetchall()


def undo(address: str, change: int) -> Applied:
    """Put the lines back as they stood before a change, as a change of its own.

    Raises CannotUndo for a change that is not known, and for one whose lines were changed again.
    """
    with psycopg.connect(libpq_address(address)) as connection:
        one_at_a_time(connection)
        if connection.execute(_CHANGE, [change]).fetchone() is None:
            raise CannotUndo(change)
        altered = connection.execute(_ALTERED_SINCE, {"change": change}).fetchall()
        if altered:
            raise CannotUndo(change, [(store, sku) for store, sku, _ in altered])
        connection.execute(_INCOMING)
        connection.execute(_BEFORE, {"change": change})
        return _replace(connection, f"undo of change {change}", change)


def remake(connection: psycopg.Connection[Any], touch: LiteralString, change: int) -> int:
    """Make the rules of listings anew; how many came out different.

    `touch` puts the listings into the table `touched`.
    """
    connection.execute(_TOUCHED)
    connection.execute(touch)
    for statement in (
        _ANALYZE_TOUCHED, _HELD, _ANALYZE_HELD, _MAKE, _ANALYZE_MADE, _LOCK_TOUCHED,
    ):  # fmt: skip
        connection.execute(statement)
    connection.execute(_END_RULES, {"change": change})
    connection.execute(_DROP_KEPT)
    made = connection.execute(_BEGIN_RULES, {"change": change}).rowcount
    connection.execute(_WITHDRAW, [change])
    return made


def one_at_a_time(connection: psycopg.Connection[Any]) -> None:
    """Let nobody else change the rules until the caller's transaction ends: before all else, so
    that two changes never wait for each other.
    """
    connection.execute(_ONE_AT_A_TIME)


async def hold(cursor: Cursor) -> None:
    """Let nobody else change the rules until the caller's transaction ends."""
    await cursor.execute(_ONE_AT_A_TIME)


async def lay_defaults(cursor: Cursor, store: str, source: str) -> int:
    """Let a store's defaults hold for its new listings, within the caller's transaction.

    Returns how many rules that made.
    """
    await cursor.execute(_BEGIN, (source, None))
    row = await cursor.fetchone()
    change = int(str(row[0])) if row else 0
    for statement in (_FORGET_MAKING, _TOUCHED):
        await cursor.execute(statement)
    await cursor.execute(_TOUCH_RULELESS, [store])
    for statement in (_ANALYZE_TOUCHED, _HELD, _ANALYZE_HELD, _MAKE):
        await cursor.execute(statement)
    await cursor.execute(_BEGIN_RULES, {"change": change})
    made = cursor.rowcount
    if made:
        await cursor.execute(_END, (0, change))
    else:
        await cursor.execute(_FORGET, (change,))
    return made


def begin_change(
    connection: psycopg.Connection[Any], source: str, undoes: int | None = None
) -> int:
    """A new change, within the caller's transaction."""
    for (number,) in connection.execute(_BEGIN, [source, undoes]):
        return int(number)
    raise RuntimeError("the database did not number the change")


def end_change(connection: psycopg.Connection[Any], change: int, lines: int, rules: int) -> bool:
    """Write down what the change did, or forget it when it did nothing; whether it stays."""
    if lines or rules:
        connection.execute(_END, [lines, change])
        return True
    connection.execute(_FORGET, [change])
    return False


def _replace(connection: psycopg.Connection[Any], source: str, undoes: int | None) -> Applied:
    change = begin_change(connection, source, undoes)
    connection.execute(_DROP_UNCHANGED)
    connection.execute(_END_LINES, {"change": change})
    connection.execute(_BEGIN_LINES, {"change": change})
    changed = _number(connection, _COUNT_LINES)
    rules = remake(connection, _TOUCH, change) if changed else 0
    stays = end_change(connection, change, changed, rules)
    return Applied(change=change if stays else None, changed=changed, rules=rules)


def _latest(connection: psycopg.Connection[Any]) -> int:
    return _number(connection, _LATEST)


def _number(connection: psycopg.Connection[Any], statement: LiteralString) -> int:
    for (number,) in connection.execute(statement):
        return int(number)
    return 0


def _touched(connection: psycopg.Connection[Any]) -> list[str]:
    return [str(store) for (store,) in connection.execute(_TOUCHED_STORES)]


def _row(line: RuleLine) -> tuple[object, ...]:
    return (line.store, line.sku, line.city or "", _json(line.said), line.kaspi_id)


def _json(said: Mapping[str, Any]) -> str:
    return encode(dict(said)).decode()


def _line(store: str, sku: str, city: str, said: Any, product: str | None) -> RuleLine:
    return RuleLine(
        store=MerchantId(store),
        sku=sku,
        city=CityId(city) if city else None,
        said=said,
        kaspi_id=None if product is None else ProductId(product),
    )
