"""The statements that merge a batch of readings, in the order in which they run.

A batch is copied into temporary tables that mirror it, then merged set by set. A board is
locked by its row before its offers are compared, so that two crawls of one board take turns and
an older reading never overwrites a newer one.
"""

from domain.identity import ALMATY_CITY
from domain.product import Rung
from storage.restless import faded

#: What a card says of a product, column by column.
CARD_COLUMNS = (
    "name", "brand", "description", "category", "category_id", "categories", "image_url",
    "specifications", "variants", "base_product_codes", "link", "price_before_discount",
    "discount_percent", "home_city_id", "rung", "card_created_at",
)  # fmt: skip

#: What the reviews say of a product.
REVIEW_COLUMNS = ("rate", "review_amount", "rating_amount", "rating_stars")

#: What a product's card says: long, seldom different, so kept once in product_cards.
DESCRIBING_COLUMNS = (
    "name", "brand", "description", "category", "categories", "image_url", "specifications",
)  # fmt: skip

#: What changes as often as prices do, kept in product_changes.
FIGURE_COLUMNS = (
    "home_city_id", "min_price", "max_price", "seller_amount", "rate", "review_amount",
    "rating_amount",
)  # fmt: skip

#: A difference in one of these makes a row of product_history, which shows both together.
REMEMBERED_PRODUCT_COLUMNS = DESCRIBING_COLUMNS + FIGURE_COLUMNS

#: A difference in one of these makes a row of offer_history.
REMEMBERED_OFFER_COLUMNS = (
    "seller", "price", "price_minus_bonus", "price_before_discount", "discount_percent",
    "preorder_days", "delivery_type", "delivery_duration", "kaspi_delivery", "merchant_rating",
)  # fmt: skip

#: A difference in one of these alone brings the offer up to date without a row of history.
PASSING_OFFER_COLUMNS = (
    "merchant_sku", "merchant_reviews", "purchase_count", "title", "delivery_days",
    "located_in_point",
)  # fmt: skip

#: These move with the clock at every reading; they are kept as of the last difference.
MOVING_OFFER_COLUMNS = (
    "delivery_at", "pickup_at", "postomat_at", "handed_over_at", "available_at",
    "delivery_points", "pickup_points", "delivery_options",
)  # fmt: skip

OFFER_COLUMNS = REMEMBERED_OFFER_COLUMNS + PASSING_OFFER_COLUMNS + MOVING_OFFER_COLUMNS

#: What a row of offer_history says besides its key and event.
OFFER_HISTORY_COLUMNS = (*REMEMBERED_OFFER_COLUMNS, "delivery_days", "merchant_reviews")


def _columns(names: tuple[str, ...], of: str | None = None) -> str:
    return ", ".join(f"{of}.{name}" if of else name for name in names)


_WHOLE = str(tuple(rung.value for rung in Rung if rung.is_whole))


def _from_card(name: str) -> str:
    """A card from a lower rung of the page knows one image and one category: it only fills gaps."""
    told = f"coalesce(older.{name}, card.{name})"
    if name in ("home_city_id", "rung"):
        told = f"card.{name}"
    return (
        f"CASE WHEN card.kaspi_id IS NULL THEN older.{name} WHEN card.rung IN {_WHOLE} "
        f"THEN card.{name} ELSE {told} END AS {name}"
    )


def _from_reviews(name: str) -> str:
    return f"CASE WHEN review.kaspi_id IS NULL THEN older.{name} ELSE review.{name} END AS {name}"


#: What a connection needs before its first batch. A batch touches a few rows of large tables
#: through their keys; the planner cannot know, because temporary tables have no statistics, and a
#: plan that was made when the tables were small would be kept while they grow.
PREPARE_SESSION = f"""
SET enable_seqscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET random_page_cost = 1.1;
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_cards ON COMMIT DELETE ROWS AS
    SELECT kaspi_id, {_columns(CARD_COLUMNS)}, checked_at FROM products WITH NO DATA;
CREATE INDEX IF NOT EXISTS incoming_cards_key ON incoming_cards (kaspi_id);
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_reviews ON COMMIT DELETE ROWS AS
    SELECT kaspi_id, {_columns(REVIEW_COLUMNS)}, checked_at FROM products WITH NO DATA;
CREATE INDEX IF NOT EXISTS incoming_reviews_key ON incoming_reviews (kaspi_id);
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_missing ON COMMIT DELETE ROWS AS
    SELECT kaspi_id, checked_at FROM products WITH NO DATA;
CREATE INDEX IF NOT EXISTS incoming_missing_key ON incoming_missing (kaspi_id);
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_boards ON COMMIT DELETE ROWS AS
    SELECT ''::text AS kaspi_id, city_id, total, complete, min_price, max_price, seller_amount,
           fingerprint, checked_at
    FROM boards WITH NO DATA;
CREATE TEMPORARY TABLE IF NOT EXISTS moved_boards ON COMMIT DELETE ROWS AS
    SELECT product_id, city_id, complete, checked_at, completed_at AS last_seen_at,
           true AS differs
    FROM boards WITH NO DATA;
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_offers ON COMMIT DELETE ROWS AS
    SELECT product_id, city_id, changed_at AS checked_at, merchant_id, {_columns(OFFER_COLUMNS)}
    FROM offers WITH NO DATA
"""

_CSV = r"FROM STDIN (FORMAT csv, NULL 'null', ESCAPE '\')"
COPY_CARDS = f"COPY incoming_cards {_CSV}"
COPY_REVIEWS = f"COPY incoming_reviews {_CSV}"
COPY_MISSING = f"COPY incoming_missing {_CSV}"
COPY_BOARDS = f"COPY incoming_boards {_CSV}"
COPY_OFFERS = f"COPY incoming_offers {_CSV}"

#: A product is met through its card, through a board on which somebody sells it, or through its
#: ratings. Nothing is remembered of an unknown id that has none: it may be a typing error.
ADD_PRODUCTS = f"""
INSERT INTO products (kaspi_id, home_city_id, first_seen_at)
SELECT DISTINCT ON (met.kaspi_id) met.kaspi_id, met.home_city_id, met.checked_at
FROM (
    SELECT kaspi_id, home_city_id, checked_at, 1 AS preference FROM incoming_cards
    UNION ALL
    SELECT kaspi_id, city_id, checked_at, 2 FROM incoming_boards WHERE total > 0
    UNION ALL
    SELECT kaspi_id, '{ALMATY_CITY}', checked_at, 3 FROM incoming_reviews WHERE rating_amount > 0
) AS met
WHERE NOT EXISTS (SELECT FROM products WHERE products.kaspi_id = met.kaspi_id)
ORDER BY met.kaspi_id, met.preference, met.home_city_id
ON CONFLICT (kaspi_id) DO NOTHING
"""

#: A board that is met for the first time goes on the work list, too.
ADD_BOARDS = """
WITH added AS (
    INSERT INTO boards (product_id, city_id, first_seen_at, checked_at)
    SELECT products.id, incoming.city_id, incoming.checked_at, '-infinity'
    FROM incoming_boards AS incoming
    JOIN products USING (kaspi_id)
    WHERE NOT EXISTS (
        SELECT FROM boards
        WHERE boards.product_id = products.id AND boards.city_id = incoming.city_id
    )
    ORDER BY products.id, incoming.city_id
    ON CONFLICT DO NOTHING
    RETURNING product_id, city_id
)
INSERT INTO work_list (kaspi_id, city_id)
SELECT products.kaspi_id, added.city_id
FROM added
JOIN products ON products.id = added.product_id
ON CONFLICT DO NOTHING
"""

#: Moves the boards forward and says which of them must be compared offer by offer. An
#: incomplete reading keeps the figures of the last complete one and forgets its fingerprint.
#: Columns: kaspi_id, city_id, product_id, differs, unread (nobody has read the board before).
MOVE_BOARDS = """
WITH moved AS (
    UPDATE boards
    SET total = newer.total,
        complete = newer.complete,
        min_price = CASE WHEN newer.complete THEN newer.min_price ELSE boards.min_price END,
        max_price = CASE WHEN newer.complete THEN newer.max_price ELSE boards.max_price END,
        seller_amount =
            CASE WHEN newer.complete THEN newer.seller_amount ELSE boards.seller_amount END,
        fingerprint = newer.fingerprint,
        completed_at =
            CASE WHEN newer.complete THEN newer.checked_at ELSE boards.completed_at END,
        checked_at = newer.checked_at
    FROM (
        SELECT incoming.*, boards.product_id, boards.fingerprint AS known_fingerprint,
               boards.completed_at AS last_seen_at, boards.checked_at = '-infinity' AS unread
        FROM incoming_boards AS incoming
        JOIN products USING (kaspi_id)
        JOIN boards ON boards.product_id = products.id AND boards.city_id = incoming.city_id
        WHERE boards.checked_at < incoming.checked_at
        ORDER BY boards.product_id, boards.city_id
        FOR NO KEY UPDATE OF boards
    ) AS newer
    WHERE boards.product_id = newer.product_id AND boards.city_id = newer.city_id
    RETURNING newer.kaspi_id, boards.product_id, boards.city_id, boards.complete,
        boards.checked_at, newer.last_seen_at,
        (newer.fingerprint = newer.known_fingerprint) IS NOT TRUE AS differs, newer.unread
), kept AS (
    INSERT INTO moved_boards (product_id, city_id, complete, checked_at, last_seen_at, differs)
    SELECT product_id, city_id, complete, checked_at, last_seen_at, differs AND NOT unread
    FROM moved
)
SELECT kaspi_id, city_id, product_id, differs, unread FROM moved
"""

#: The boards that are held just as they were read, now or before: a batch whose commit was not
#: heard of is written twice.
HELD_BOARDS = """
SELECT kaspi_id, boards.city_id
FROM incoming_boards AS incoming
JOIN products USING (kaspi_id)
JOIN boards ON boards.product_id = products.id AND boards.city_id = incoming.city_id
WHERE boards.checked_at = incoming.checked_at
"""

#: Numbers for new offers. Parameter: how many.
NUMBER_OFFERS = "SELECT nextval('offers_id_seq') FROM generate_series(1, %s)"

#: The offers of a board that nobody has read before are all new: they go straight to their place.
COPY_NEW_OFFERS = f"""
COPY offers (
    product_id, city_id, changed_at, merchant_id, {_columns(OFFER_COLUMNS)}, id, first_seen_at
) {_CSV}
"""
COPY_NEW_HISTORY = f"""
COPY offer_history (
    offer_id, product_id, event, {_columns(OFFER_HISTORY_COLUMNS)}, created_at
) {_CSV}
"""

_COMPARED_OFFER_COLUMNS = REMEMBERED_OFFER_COLUMNS + PASSING_OFFER_COLUMNS

#: Compares the boards that differ with what we hold, writes only what is new, different,
#: returned or gone, and remembers each change as the state it led to. A board on which another
#: than we came, left or asks another price counts one change. Columns: event, count.
MERGE_OFFERS = f"""
WITH held AS (
    SELECT offers.id, product_id, city_id, merchant_id, {_columns(_COMPARED_OFFER_COLUMNS)},
        offers.gone_at, moved.complete, moved.last_seen_at, moved.checked_at
    FROM moved_boards AS moved
    JOIN offers USING (product_id, city_id)
    WHERE moved.differs
), compared AS MATERIALIZED (
    SELECT incoming.*, held.id AS offer_id, held.last_seen_at,
        coalesce(incoming.checked_at, held.checked_at) AS moment,
        coalesce(incoming.product_id, held.product_id) AS board_product,
        coalesce(incoming.city_id, held.city_id) AS board_city,
        coalesce(incoming.merchant_id, held.merchant_id) AS whose,
        held.gone_at IS NOT NULL OR (incoming.price, incoming.price_minus_bonus)
            IS DISTINCT FROM (held.price, held.price_minus_bonus) AS moves,
        CASE
            WHEN held.id IS NULL THEN 'seen'
            WHEN incoming.merchant_id IS NULL THEN 'gone'
            WHEN held.gone_at IS NOT NULL THEN 'returned'
            WHEN ({_columns(REMEMBERED_OFFER_COLUMNS, "incoming")})
                IS DISTINCT FROM ({_columns(REMEMBERED_OFFER_COLUMNS, "held")}) THEN 'changed'
        END::sighting AS event
    FROM incoming_offers AS incoming
    FULL JOIN held ON held.product_id = incoming.product_id
        AND held.city_id = incoming.city_id AND held.merchant_id = incoming.merchant_id
    WHERE CASE
        WHEN incoming.merchant_id IS NULL THEN held.complete AND held.gone_at IS NULL
        ELSE held.id IS NULL OR held.gone_at IS NOT NULL
            OR ({_columns(_COMPARED_OFFER_COLUMNS, "incoming")})
                IS DISTINCT FROM ({_columns(_COMPARED_OFFER_COLUMNS, "held")})
        END
), added AS (
    INSERT INTO offers (
        product_id, city_id, merchant_id, {_columns(OFFER_COLUMNS)}, first_seen_at, changed_at
    )
    SELECT product_id, city_id, merchant_id, {_columns(OFFER_COLUMNS)}, checked_at, checked_at
    FROM compared
    WHERE event = 'seen'
    RETURNING id AS offer_id, product_id, 'seen'::sighting AS event,
        {_columns(OFFER_HISTORY_COLUMNS)}, changed_at AS created_at
), updated AS (
    UPDATE offers
    SET {", ".join(f"{name} = compared.{name}" for name in OFFER_COLUMNS)},
        changed_at = compared.checked_at, last_seen_at = NULL, gone_at = NULL
    FROM compared
    WHERE offers.id = compared.offer_id AND compared.event IS DISTINCT FROM 'gone'
    RETURNING offers.id AS offer_id, offers.product_id, compared.event,
        {_columns(OFFER_HISTORY_COLUMNS, "offers")}, compared.moment AS created_at
), left_the_board AS (
    UPDATE offers
    SET gone_at = compared.moment,
        last_seen_at = greatest(compared.last_seen_at, offers.changed_at)
    FROM compared
    WHERE offers.id = compared.offer_id AND compared.event = 'gone'
    RETURNING offers.id AS offer_id, offers.product_id, compared.event,
        {_columns(OFFER_HISTORY_COLUMNS, "offers")}, compared.moment AS created_at
), stirred AS (
    UPDATE boards
    SET changes = {faded("boards.changes", "boards.changes_at", "board.moment")} + 10000,
        changes_at = board.moment
    FROM (
        SELECT DISTINCT board_product, board_city, moment
        FROM compared
        WHERE moves AND whose <> ALL (ARRAY(
            SELECT id FROM stores UNION ALL SELECT unnest(sisters) FROM stores))
    ) AS board
    WHERE boards.product_id = board.board_product AND boards.city_id = board.board_city
), remembered AS (
    INSERT INTO offer_history (
        offer_id, product_id, event, {_columns(OFFER_HISTORY_COLUMNS)}, created_at
    )
    SELECT * FROM added
    UNION ALL
    SELECT * FROM updated WHERE event IS NOT NULL
    UNION ALL
    SELECT * FROM left_the_board
    RETURNING event
)
SELECT event::text, count(*) FROM remembered GROUP BY event
"""

_TOUCHED = """
    SELECT kaspi_id FROM incoming_cards
    UNION
    SELECT kaspi_id FROM incoming_reviews
    UNION
    SELECT kaspi_id FROM incoming_missing
    UNION
    SELECT products.kaspi_id
    FROM moved_boards
    JOIN products ON products.id = moved_boards.product_id
        AND products.home_city_id = moved_boards.city_id
"""

#: A product that moves house waits until nobody writes the board of its new home city.
LOCK_NEW_HOMES = """
SELECT FROM incoming_cards AS card
JOIN products ON products.kaspi_id = card.kaspi_id AND products.home_city_id <> card.home_city_id
JOIN boards ON boards.product_id = products.id AND boards.city_id = card.home_city_id
ORDER BY boards.product_id
FOR SHARE OF boards
"""

#: The products are locked by a statement of its own: the one that merges them must see the boards
#: that others committed while we waited. Columns: kaspi_id, reviews_checked_at.
LOCK_PRODUCTS = f"""
SELECT kaspi_id, reviews_checked_at
FROM products
WHERE kaspi_id IN ({_TOUCHED})
ORDER BY id
FOR NO KEY UPDATE
"""

#: Brings the products up to date with their cards, their reviews and their home boards, and
#: remembers each product that changed as it now is. Columns: event, count.
MERGE_PRODUCTS = f"""
WITH newer AS (
    SELECT older.id,
        {", ".join(_from_card(name) for name in CARD_COLUMNS)},
        {", ".join(_from_reviews(name) for name in REVIEW_COLUMNS)},
        board.min_price, board.max_price, board.seller_amount,
        card.checked_at AS card_checked_at, review.checked_at AS reviews_checked_at,
        missing.checked_at AS missing_at, board.checked_at AS board_checked_at
    FROM products AS older
    LEFT JOIN incoming_cards AS card ON card.kaspi_id = older.kaspi_id
        AND card.checked_at > coalesce(older.card_checked_at, '-infinity')
    LEFT JOIN incoming_reviews AS review ON review.kaspi_id = older.kaspi_id
        AND review.checked_at > coalesce(older.reviews_checked_at, '-infinity')
    LEFT JOIN incoming_missing AS missing ON missing.kaspi_id = older.kaspi_id
        AND missing.checked_at > coalesce(older.card_checked_at, '-infinity')
    LEFT JOIN boards AS board ON board.product_id = older.id
        AND board.city_id = coalesce(card.home_city_id, older.home_city_id)
    WHERE older.kaspi_id IN ({_TOUCHED})
), updated AS (
    UPDATE products
    SET {", ".join(f"{name} = newer.{name}" for name in CARD_COLUMNS + REVIEW_COLUMNS)},
        min_price = newer.min_price, max_price = newer.max_price,
        seller_amount = newer.seller_amount,
        card_checked_at =
            coalesce(newer.card_checked_at, newer.missing_at, products.card_checked_at),
        reviews_checked_at = coalesce(newer.reviews_checked_at, products.reviews_checked_at),
        gone_at = CASE
            WHEN newer.missing_at IS NOT NULL THEN coalesce(products.gone_at, newer.missing_at)
            WHEN newer.card_checked_at IS NULL THEN products.gone_at
        END,
        checked_at = greatest(
            products.checked_at, newer.card_checked_at, newer.reviews_checked_at,
            newer.missing_at, newer.board_checked_at
        )
    FROM newer
    JOIN products AS older USING (id)
    WHERE products.id = newer.id
    RETURNING products.*,
        CASE
            WHEN older.checked_at IS NULL THEN 'seen'
            WHEN older.gone_at IS NULL AND products.gone_at IS NOT NULL THEN 'gone'
            WHEN older.gone_at IS NOT NULL AND products.gone_at IS NULL THEN 'returned'
            WHEN ({_columns(REMEMBERED_PRODUCT_COLUMNS, "products")})
                IS DISTINCT FROM ({_columns(REMEMBERED_PRODUCT_COLUMNS, "older")}) THEN 'changed'
        END::sighting AS event,
        ({_columns(DESCRIBING_COLUMNS, "products")})
            IS DISTINCT FROM ({_columns(DESCRIBING_COLUMNS, "older")}) AS redescribed
), described AS (
    INSERT INTO product_cards (product_id, {_columns(DESCRIBING_COLUMNS)}, since)
    SELECT id, {_columns(DESCRIBING_COLUMNS)}, checked_at
    FROM updated
    WHERE redescribed
    ON CONFLICT (product_id, since) DO UPDATE
    SET {", ".join(f"{name} = excluded.{name}" for name in DESCRIBING_COLUMNS)}
), remembered AS (
    INSERT INTO product_changes (
        product_id, event, {_columns(FIGURE_COLUMNS)}, card_since, checked_at
    )
    SELECT id, event, {_columns(FIGURE_COLUMNS)},
        CASE WHEN redescribed THEN checked_at ELSE (
            SELECT max(since) FROM product_cards WHERE product_cards.product_id = updated.id
        ) END,
        checked_at
    FROM updated
    WHERE event IS NOT NULL
    ON CONFLICT (product_id, checked_at) DO UPDATE
    SET {", ".join(f"{name} = excluded.{name}" for name in FIGURE_COLUMNS)},
        card_since = excluded.card_since,
        event = CASE
            WHEN excluded.event = 'changed' THEN product_changes.event ELSE excluded.event
        END
    RETURNING event
)
SELECT event::text, count(*) FROM remembered GROUP BY event
"""
