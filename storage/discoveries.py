"""Merge what leads to products: listings, variants, categories, texts of reviews.

A discovery comes as one page and is merged by one statement or two, in the transaction of its
batch. Writing it twice changes nothing, and an older one overwrites nothing.
"""

from collections import Counter

import attrs
import msgspec

from domain.categories import CategorySource, CategoryTree, SitemapCategories
from domain.listing import FoundVariants, ListingPage
from domain.readings import Discovery
from domain.reviews import ReviewTexts
from storage.database import Cursor

_encode = msgspec.json.Encoder(decimal_format="number").encode

_HINT_COLUMNS = """has_variants, title, brand, category_id, category_codes, link, unit_price,
    sale_price, price_before_discount, discount_percent, rating, review_amount,
    delivery_duration"""

#: Hints, what they changed, where they stood, and the work list. Columns: event, count.
_MERGE_LISTING = f"""
WITH incoming AS (
    SELECT card.*, %(city)s::text AS city_id, %(moment)s::timestamptz AS seen_at
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS card (
        card_id text, kaspi_id text, has_variants boolean, title text, brand text,
        category_id text, category_codes text[], link text, unit_price bigint, sale_price bigint,
        price_before_discount bigint, discount_percent integer, rating numeric,
        review_amount integer, delivery_duration text, place integer)
), hinted AS (
    INSERT INTO listing_hints AS held (
        card_id, city_id, kaspi_id, {_HINT_COLUMNS}, first_seen_at, seen_at)
    SELECT card_id, city_id, kaspi_id, {_HINT_COLUMNS}, seen_at, seen_at
    FROM incoming
    ORDER BY card_id
    ON CONFLICT (card_id, city_id) DO UPDATE
    SET ({_HINT_COLUMNS}) = (
            SELECT {", ".join(f"excluded.{name.strip()}" for name in _HINT_COLUMNS.split(","))}),
        kaspi_id = coalesce(excluded.kaspi_id, held.kaspi_id),
        seen_at = excluded.seen_at
    WHERE held.seen_at < excluded.seen_at
    RETURNING card_id, city_id, seen_at, unit_price, sale_price, rating, review_amount,
        xmax = 0 AS is_new
), changed AS (
    INSERT INTO listing_hint_history (
        card_id, city_id, seen_at, unit_price, sale_price, rating, review_amount)
    SELECT hinted.card_id, hinted.city_id, hinted.seen_at, hinted.unit_price, hinted.sale_price,
        hinted.rating, hinted.review_amount
    FROM hinted
    LEFT JOIN LATERAL (
        SELECT * FROM listing_hint_history AS told
        WHERE told.card_id = hinted.card_id AND told.city_id = hinted.city_id
        ORDER BY told.seen_at DESC
        LIMIT 1
    ) AS last ON true
    WHERE last.card_id IS NULL
        OR (last.unit_price, last.sale_price, last.rating, last.review_amount) IS DISTINCT FROM
            (hinted.unit_price, hinted.sale_price, hinted.rating, hinted.review_amount)
    ON CONFLICT DO NOTHING
    RETURNING card_id
), placed AS (
    INSERT INTO found_in AS held (
        listing, query, city_id, card_id, place, first_seen_at, seen_at)
    SELECT %(listing)s, %(query)s, city_id, card_id, place, seen_at, seen_at
    FROM incoming
    ORDER BY card_id
    ON CONFLICT (listing, query, city_id, card_id) DO UPDATE
    SET place = excluded.place, seen_at = excluded.seen_at
    WHERE held.seen_at < excluded.seen_at
), listed AS (
    INSERT INTO work_list (kaspi_id, city_id)
    SELECT DISTINCT kaspi_id, city_id FROM incoming
    WHERE %(watched)s AND kaspi_id IS NOT NULL
    ORDER BY kaspi_id
    ON CONFLICT DO NOTHING
    RETURNING kaspi_id
)
SELECT 'listing_hints/seen', count(*) FROM hinted WHERE is_new
UNION ALL
SELECT 'listing_hints/changed', count(*) FROM changed
    WHERE card_id NOT IN (SELECT card_id FROM hinted WHERE is_new)
UNION ALL
SELECT 'work_list/added', count(*) FROM listed
"""  # noqa: S608

#: Variants, and the work list. Columns: event, count.
_MERGE_VARIANTS = """
WITH found AS (
    INSERT INTO found_variants (card_id, kaspi_id, first_seen_at)
    SELECT DISTINCT %(card)s, kaspi_id, %(moment)s::timestamptz
    FROM unnest(%(variants)s::text[]) AS kaspi_id
    ORDER BY kaspi_id
    ON CONFLICT DO NOTHING
    RETURNING kaspi_id
), listed AS (
    INSERT INTO work_list (kaspi_id, city_id)
    SELECT DISTINCT kaspi_id, city_id
    FROM unnest(%(variants)s::text[]) AS kaspi_id, unnest(%(cities)s::text[]) AS city_id
    WHERE %(watched)s
    ORDER BY kaspi_id, city_id
    ON CONFLICT DO NOTHING
    RETURNING kaspi_id
)
SELECT 'found_variants/seen', count(*) FROM found
UNION ALL
SELECT 'work_list/added', count(*) FROM listed
"""

#: Categories with their counts. The menu knows best where a category hangs and what it is called.
#: Columns: event, count.
_MERGE_CATEGORIES = """
WITH incoming AS (
    SELECT DISTINCT ON (code) told.*
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS told (
        code text, parent text, title text, link text, popularity integer, count integer)
    ORDER BY code
), named AS (
    INSERT INTO categories AS held (
        code, parent, title, link, popularity, first_seen_at, in_menu_at, in_facets_at)
    SELECT code, parent, title, link, popularity, %(moment)s,
        CASE WHEN %(menu)s THEN %(moment)s::timestamptz END,
        CASE WHEN NOT %(menu)s THEN %(moment)s::timestamptz END
    FROM incoming
    ORDER BY code
    ON CONFLICT (code) DO UPDATE
    SET parent = CASE WHEN %(menu)s OR held.in_menu_at IS NULL
            THEN coalesce(excluded.parent, held.parent) ELSE held.parent END,
        title = CASE WHEN %(menu)s OR held.in_menu_at IS NULL
            THEN excluded.title ELSE held.title END,
        link = CASE WHEN %(menu)s OR held.in_menu_at IS NULL
            THEN coalesce(excluded.link, held.link) ELSE held.link END,
        popularity = coalesce(excluded.popularity, held.popularity),
        in_menu_at = greatest(held.in_menu_at, excluded.in_menu_at),
        in_facets_at = greatest(held.in_facets_at, excluded.in_facets_at)
    WHERE coalesce(CASE WHEN %(menu)s THEN held.in_menu_at ELSE held.in_facets_at END, '-infinity')
        < %(moment)s
    RETURNING xmax = 0 AS is_new
), counted AS (
    INSERT INTO category_counts AS held (code, city_id, cards, counted_at)
    SELECT code, %(city)s, count, %(moment)s FROM incoming WHERE count IS NOT NULL
    ORDER BY code
    ON CONFLICT (code, city_id) DO UPDATE
    SET cards = excluded.cards, counted_at = excluded.counted_at
    WHERE held.counted_at < excluded.counted_at
)
SELECT 'categories/seen', count(*) FROM named WHERE is_new
"""

_MERGE_SITEMAP = """
WITH listed AS (
    INSERT INTO sitemap_categories AS held (slug, city_id, link, first_seen_at, seen_at)
    SELECT DISTINCT ON (slug) slug, %(city)s, link, %(moment)s::timestamptz, %(moment)s
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS told (slug text, link text)
    ORDER BY slug
    ON CONFLICT (slug, city_id) DO UPDATE
    SET link = excluded.link, seen_at = excluded.seen_at
    WHERE held.seen_at < excluded.seen_at
    RETURNING xmax = 0 AS is_new
)
SELECT 'sitemap_categories/seen', count(*) FROM listed WHERE is_new
"""

_TEXT_COLUMNS = "written_on, rating, plus, minus, text, photos, merchant_id"
_EXCLUDED_TEXT = ", ".join(f"excluded.{name.strip()}" for name in _TEXT_COLUMNS.split(","))
_HELD_TEXT = ", ".join(f"held.{name.strip()}" for name in _TEXT_COLUMNS.split(","))

#: Reviews by their ids: an edited one is brought up to date. Columns: event, count.
_MERGE_TEXTS = f"""
WITH written AS (
    INSERT INTO review_texts AS held (
        id, kaspi_id, {_TEXT_COLUMNS}, first_seen_at, changed_at)
    SELECT DISTINCT ON (id) id, %(product)s, {_TEXT_COLUMNS}, %(moment)s::timestamptz, %(moment)s
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS told (
        id text, written_on date, rating integer, plus text, minus text, text text,
        photos integer, merchant_id text)
    ORDER BY id
    ON CONFLICT (id) DO UPDATE
    SET ({_TEXT_COLUMNS}) = (SELECT {_EXCLUDED_TEXT}), changed_at = excluded.changed_at
    WHERE held.changed_at < excluded.changed_at
        AND ({_HELD_TEXT}) IS DISTINCT FROM ({_EXCLUDED_TEXT})
    RETURNING xmax = 0 AS is_new
)
SELECT CASE WHEN is_new THEN 'review_texts/seen' ELSE 'review_texts/changed' END, count(*)
FROM written
GROUP BY is_new
"""  # noqa: S608

_SHOW_TEXTS = """
INSERT INTO reviewed_products (kaspi_id, review_id)
SELECT DISTINCT %(product)s, id FROM unnest(%(ids)s::text[]) AS id
ORDER BY id
ON CONFLICT DO NOTHING
"""

_END_READING = """
INSERT INTO review_readings AS held (kaspi_id, newest, completed_at)
VALUES (%(product)s, %(newest)s, %(moment)s)
ON CONFLICT (kaspi_id) DO UPDATE
SET newest = excluded.newest, completed_at = excluded.completed_at
WHERE held.completed_at < excluded.completed_at
"""


async def merge_discovery(cursor: Cursor, found: Discovery) -> Counter[str]:
    """Write one discovery. Returns what it added, by table and event."""
    match found:
        case ListingPage():
            return await _merge_listing(cursor, found)
        case FoundVariants():
            return await _merge_variants(cursor, found)
        case CategoryTree():
            return await _merge_categories(cursor, found)
        case SitemapCategories():
            told = {"city": found.city_id, "moment": found.checked_at}
            return await _told(cursor, _MERGE_SITEMAP, {**told, "rows": _rows(found.categories)})
        case ReviewTexts():
            return await _merge_texts(cursor, found)


async def _merge_listing(cursor: Cursor, page: ListingPage) -> Counter[str]:
    told = {
        "city": page.city_id,
        "moment": page.checked_at,
        "listing": page.query.kind,
        "query": page.query.value,
        "watched": page.watched,
        "rows": _rows(page.cards),
    }
    return await _told(cursor, _MERGE_LISTING, told)


async def _merge_variants(cursor: Cursor, found: FoundVariants) -> Counter[str]:
    told = {
        "card": found.card_id,
        "variants": list(found.variants),
        "cities": list(found.cities),
        "watched": found.watched,
        "moment": found.checked_at,
    }
    return await _told(cursor, _MERGE_VARIANTS, told)


async def _merge_categories(cursor: Cursor, tree: CategoryTree) -> Counter[str]:
    told = {
        "city": tree.city_id,
        "moment": tree.checked_at,
        "menu": tree.source is CategorySource.MENU,
        "rows": _rows(tree.categories),
    }
    return await _told(cursor, _MERGE_CATEGORIES, told)


async def _merge_texts(cursor: Cursor, page: ReviewTexts) -> Counter[str]:
    told = {"product": page.kaspi_id, "moment": page.checked_at}
    counts = await _told(cursor, _MERGE_TEXTS, {**told, "rows": _rows(page.reviews)})
    ids = [review.id for review in page.reviews]
    await cursor.execute(_SHOW_TEXTS, {**told, "ids": ids})
    if page.final:
        await cursor.execute(_END_READING, {**told, "newest": list(page.newest)})
    return counts


def _rows(values: tuple[attrs.AttrsInstance, ...]) -> str:
    return _encode(values).decode()


async def _told(cursor: Cursor, statement: str, values: dict[str, object]) -> Counter[str]:
    await cursor.execute(statement.encode(), values)
    counts = Counter({str(event): int(str(count)) for event, count in await cursor.fetchall()})
    return +counts  # without what did not happen
