"""products, boards, offers and their histories."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TYPES = "CREATE TYPE sighting AS ENUM ('seen', 'changed', 'gone', 'returned', 'carried')"

PRODUCTS = """
CREATE TABLE products (
    id                 integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kaspi_id           text NOT NULL UNIQUE,
    name               text,
    brand              text,
    description        text,
    category           text,
    category_id        text,
    categories         jsonb,
    image_url          text[],
    specifications     jsonb,
    variants           jsonb,
    base_product_codes text[],
    link               text,
    price_before_discount bigint,
    discount_percent   integer,
    home_city_id       text NOT NULL,
    min_price          bigint CHECK (min_price > 0),
    max_price          bigint CHECK (max_price >= min_price),
    seller_amount      integer CHECK (seller_amount >= 0),
    rate               numeric(3, 2),
    review_amount      integer,
    rating_amount      integer,
    rating_stars       jsonb,
    rung               text,
    card_created_at    timestamptz,
    first_seen_at      timestamptz NOT NULL,
    checked_at         timestamptz,
    card_checked_at    timestamptz,
    reviews_checked_at timestamptz,
    gone_at            timestamptz
) WITH (fillfactor = 80)
"""

# A card is a kilobyte or more and seldom changes, the lowest price does three times a day: kept
# in one row, the same texts again and again, they would be larger than the history of offers.
PRODUCT_CARDS = """
CREATE TABLE product_cards (
    product_id     integer NOT NULL REFERENCES products,
    since          timestamptz NOT NULL,
    name           text,
    brand          text,
    description    text,
    category       text,
    categories     jsonb,
    image_url      text[],
    specifications jsonb,
    PRIMARY KEY (product_id, since)
)
"""

PRODUCT_CHANGES = """
CREATE TABLE product_changes (
    id            bigint GENERATED ALWAYS AS IDENTITY,
    checked_at    timestamptz NOT NULL,
    card_since    timestamptz,
    min_price     bigint,
    max_price     bigint,
    product_id    integer NOT NULL REFERENCES products,
    event         sighting NOT NULL,
    seller_amount integer,
    review_amount integer,
    rating_amount integer,
    rate          numeric(3, 2),
    home_city_id  text NOT NULL,
    PRIMARY KEY (product_id, checked_at)
)
"""

PRODUCT_HISTORY = """
CREATE VIEW product_history AS
SELECT changes.id, changes.product_id, changes.event, products.kaspi_id, cards.name, cards.brand,
       cards.description, cards.category, cards.categories, cards.image_url,
       cards.specifications, changes.home_city_id, changes.min_price, changes.max_price,
       changes.seller_amount, changes.rate, changes.review_amount, changes.rating_amount,
       changes.checked_at
FROM product_changes AS changes
JOIN products ON products.id = changes.product_id
LEFT JOIN product_cards AS cards
    ON cards.product_id = changes.product_id AND cards.since = changes.card_since
"""

BOARDS = """
CREATE TABLE boards (
    product_id    integer NOT NULL REFERENCES products,
    city_id       text NOT NULL,
    min_price     bigint CHECK (min_price > 0),
    max_price     bigint CHECK (max_price >= min_price),
    seller_amount integer CHECK (seller_amount >= 0),
    total         integer,
    complete      boolean NOT NULL DEFAULT false,
    fingerprint   bytea,
    first_seen_at timestamptz NOT NULL,
    checked_at    timestamptz NOT NULL,
    completed_at  timestamptz,
    PRIMARY KEY (product_id, city_id)
) WITH (fillfactor = 70)
"""

# No foreign key to boards: the row of a board is written and locked before its offers are, in the
# same transaction, and checking it again for each offer took a third of a first sighting's time.
OFFERS = """
CREATE TABLE offers (
    id                    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id            integer NOT NULL,
    city_id               text NOT NULL,
    merchant_id           text NOT NULL CHECK (merchant_id <> ''),
    seller                text NOT NULL,
    merchant_sku          text,
    price                 bigint NOT NULL CHECK (price > 0),
    price_minus_bonus     bigint,
    price_before_discount bigint,
    discount_percent      integer,
    merchant_rating       numeric(3, 2),
    merchant_reviews      integer,
    purchase_count        integer,
    title                 text,
    preorder_days         integer,
    delivery_type         text,
    delivery_duration     text,
    delivery_days         integer,
    kaspi_delivery        boolean,
    delivery_at           timestamptz,
    pickup_at             timestamptz,
    postomat_at           timestamptz,
    handed_over_at        timestamptz,
    available_at          timestamptz,
    located_in_point      text,
    delivery_points       text[],
    pickup_points         text[],
    delivery_options      jsonb,
    first_seen_at         timestamptz NOT NULL,
    changed_at            timestamptz NOT NULL,
    last_seen_at          timestamptz,
    gone_at               timestamptz,
    UNIQUE (product_id, city_id, merchant_id)
) WITH (fillfactor = 80)
"""

# Columns of eight bytes, then of four, then of any length: a row is a tenth smaller than in the
# order of offers, where each kind must be aligned again.
OFFER_HISTORY = """
CREATE TABLE offer_history (
    id                    bigint GENERATED ALWAYS AS IDENTITY,
    offer_id              bigint NOT NULL,
    created_at            timestamptz NOT NULL,
    price                 bigint NOT NULL CHECK (price > 0),
    price_minus_bonus     bigint,
    price_before_discount bigint,
    product_id            integer NOT NULL,
    event                 sighting NOT NULL,
    discount_percent      integer,
    preorder_days         integer,
    delivery_days         integer,
    merchant_reviews      integer,
    kaspi_delivery        boolean,
    seller                text NOT NULL,
    delivery_type         text,
    delivery_duration     text,
    merchant_rating       numeric(3, 2),
    PRIMARY KEY (offer_id, created_at)
) PARTITION BY RANGE (created_at)
"""

# Rows come in the order of time, so a few bytes for each 128 pages tell which hold a day.
OFFER_HISTORY_BY_TIME = """
CREATE INDEX ON offer_history USING brin (created_at) WITH (autosummarize = on)
"""

OFFER_HISTORY_DAILY = """
CREATE TABLE offer_history_daily (
    offer_id   bigint NOT NULL,
    min_price  bigint NOT NULL,
    max_price  bigint NOT NULL,
    last_price bigint NOT NULL,
    product_id integer NOT NULL,
    day        date NOT NULL,
    changes    integer NOT NULL,
    last_event sighting NOT NULL,
    seller     text NOT NULL,
    PRIMARY KEY (offer_id, day)
)
"""

WORK_LIST = """
CREATE TABLE work_list (
    kaspi_id text NOT NULL,
    city_id  text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kaspi_id, city_id)
)
"""

RUNS = """
CREATE TABLE runs (
    id           uuid PRIMARY KEY,
    spider       text NOT NULL,
    site         text NOT NULL,
    arguments    jsonb NOT NULL,
    started_at   timestamptz NOT NULL,
    finished_at  timestamptz,
    close_reason text,
    stored       jsonb
)
"""

BOARD_AT = """
CREATE FUNCTION board_at(product text, city text, moment timestamptz)
RETURNS TABLE (
    merchant_id text, seller text, price bigint, price_minus_bonus bigint,
    price_before_discount bigint, discount_percent integer, preorder_days integer,
    delivery_type text, delivery_duration text, delivery_days integer, kaspi_delivery boolean,
    merchant_rating numeric, merchant_reviews integer, since timestamptz
)
LANGUAGE sql STABLE
AS $$
    SELECT offers.merchant_id, state.seller, state.price, state.price_minus_bonus,
           state.price_before_discount, state.discount_percent, state.preorder_days,
           state.delivery_type, state.delivery_duration, state.delivery_days,
           state.kaspi_delivery, state.merchant_rating, state.merchant_reviews, state.created_at
    FROM products
    JOIN offers ON offers.product_id = products.id AND offers.city_id = board_at.city
    CROSS JOIN LATERAL (
        SELECT * FROM offer_history
        WHERE offer_history.offer_id = offers.id AND offer_history.created_at <= board_at.moment
        ORDER BY offer_history.created_at DESC
        LIMIT 1
    ) AS state
    WHERE products.kaspi_id = board_at.product AND state.event <> 'gone'
    ORDER BY state.price, offers.merchant_id
$$
"""

COMMENTS = {
    "TABLE products": "One row a product card; prices and sellers are those of its home city.",
    "COLUMN products.id": "Our own number of the product.",
    "COLUMN products.kaspi_id": "The marketplace's number of the card, as text.",
    "COLUMN products.name": "Title of the card; null until the card itself was read.",
    "COLUMN products.brand": "Brand; goods without one are literally `Без бренда`.",
    "COLUMN products.description": "Description as plain text; null when the card has none.",
    "COLUMN products.category": "Title of the leaf category.",
    "COLUMN products.category_id": "The marketplace's short number of the category.",
    "COLUMN products.categories": "Path from root to leaf: [{code, title}].",
    "COLUMN products.image_url": "Addresses of all large images, in the card's order.",
    "COLUMN products.specifications": "[{code, name, features: [{code, name, type, values, unit}]}] in the card's order.",
    "COLUMN products.variants": "Sibling cards: [{kaspi_id, characteristics: [{title, value}], available}].",
    "COLUMN products.base_product_codes": "Codes that siblings share (reviews are shared by them).",
    "COLUMN products.link": "Address of the card on the site that was read.",
    "COLUMN products.price_before_discount": "Crossed-out price on the card, whole tenge; null without a discount.",
    "COLUMN products.discount_percent": "Discount shown on the card, percent.",
    "COLUMN products.home_city_id": "City that min_price, max_price and seller_amount speak of: the first of the last crawl.",
    "COLUMN products.min_price": "Lowest offer in the home city at its last complete reading, whole tenge.",
    "COLUMN products.max_price": "Highest offer in the home city at its last complete reading, whole tenge.",
    "COLUMN products.seller_amount": "Sellers in the home city at its last complete reading.",
    "COLUMN products.rate": "Average rating, 0 to 5; null before the first one.",
    "COLUMN products.review_amount": "Reviews with a text (group COMMENT), as the page shows.",
    "COLUMN products.rating_amount": "All ratings, with a text or without (group ALL).",
    "COLUMN products.rating_stars": "[[rate, count]], as the marketplace gives them.",
    "COLUMN products.rung": "Part of the page the card was read from: state, ld+json or meta.",
    "COLUMN products.card_created_at": "When the marketplace created the card.",
    "COLUMN products.first_seen_at": "When we first met the product.",
    "COLUMN products.checked_at": "Last reading of the card, the reviews or the home city's board; moves when nothing "
    "changed, too.",
    "COLUMN products.card_checked_at": "Last reading of the card.",
    "COLUMN products.reviews_checked_at": "Last reading of rating and counts.",
    "COLUMN products.gone_at": "Since when the site says that there is no such product.",
    "TABLE product_cards": "What the card said from `since` until the next row; a row only when it said something new.",
    "COLUMN product_cards.product_id": "products.id.",
    "COLUMN product_cards.since": "From when on the card said this.",
    "COLUMN product_cards.name": "Title.",
    "COLUMN product_cards.brand": "Brand.",
    "COLUMN product_cards.description": "Description as plain text.",
    "COLUMN product_cards.category": "Leaf category.",
    "COLUMN product_cards.categories": "Category path: [{code, title}].",
    "COLUMN product_cards.image_url": "Images.",
    "COLUMN product_cards.specifications": "Specifications.",
    "TABLE product_changes": "The figures of product_history, which shows them with what the card said at that time.",
    "COLUMN product_changes.id": "Number of the row.",
    "COLUMN product_changes.checked_at": "From when on the product was as this row says.",
    "COLUMN product_changes.card_since": "product_cards.since: what the card said at that time; null until it was read.",
    "COLUMN product_changes.min_price": "Lowest offer in the home city, whole tenge.",
    "COLUMN product_changes.max_price": "Highest offer in the home city, whole tenge.",
    "COLUMN product_changes.product_id": "products.id.",
    "COLUMN product_changes.event": "seen: first sighting; changed; gone: no such product; returned.",
    "COLUMN product_changes.seller_amount": "Sellers in the home city.",
    "COLUMN product_changes.review_amount": "Reviews with a text.",
    "COLUMN product_changes.rating_amount": "All ratings.",
    "COLUMN product_changes.rate": "Average rating.",
    "COLUMN product_changes.home_city_id": "The home city at that time.",
    "VIEW product_history": "The product as it was from checked_at until the next row; a row only when it changed.",
    "COLUMN product_history.id": "Number of the row.",
    "COLUMN product_history.product_id": "products.id.",
    "COLUMN product_history.event": "seen: first sighting; changed; gone: no such product; returned.",
    "COLUMN product_history.kaspi_id": "The marketplace's number of the card.",
    "COLUMN product_history.name": "Title at that time.",
    "COLUMN product_history.brand": "Brand at that time.",
    "COLUMN product_history.description": "Description at that time.",
    "COLUMN product_history.category": "Leaf category at that time.",
    "COLUMN product_history.categories": "Category path at that time.",
    "COLUMN product_history.image_url": "Images at that time.",
    "COLUMN product_history.specifications": "Specifications at that time.",
    "COLUMN product_history.home_city_id": "The home city at that time.",
    "COLUMN product_history.min_price": "Lowest offer in the home city, whole tenge.",
    "COLUMN product_history.max_price": "Highest offer in the home city, whole tenge.",
    "COLUMN product_history.seller_amount": "Sellers in the home city.",
    "COLUMN product_history.rate": "Average rating.",
    "COLUMN product_history.review_amount": "Reviews with a text.",
    "COLUMN product_history.rating_amount": "All ratings.",
    "COLUMN product_history.checked_at": "From when on the product was as this row says.",
    "TABLE boards": "One row a product and city: where the sellers of the city meet.",
    "COLUMN boards.product_id": "products.id.",
    "COLUMN boards.city_id": "The marketplace's city id (KATO code), as text.",
    "COLUMN boards.min_price": "Lowest offer at the last complete reading, whole tenge.",
    "COLUMN boards.max_price": "Highest offer at the last complete reading, whole tenge.",
    "COLUMN boards.seller_amount": "Sellers at the last complete reading.",
    "COLUMN boards.total": "Offers that the marketplace said there were at the last reading.",
    "COLUMN boards.complete": "Whether the last reading held all offers at once; only then may it say who left.",
    "COLUMN boards.fingerprint": "Digest of the last complete board; the same digest means that nothing changed.",
    "COLUMN boards.first_seen_at": "First reading.",
    "COLUMN boards.checked_at": "Last reading; moves when nothing changed, too.",
    "COLUMN boards.completed_at": "Last complete reading.",
    "TABLE offers": "One row a merchant on a board, as last read; a seller who left keeps the row.",
    "COLUMN offers.id": "Our own number of the offer.",
    "COLUMN offers.product_id": "products.id.",
    "COLUMN offers.city_id": "City of the board.",
    "COLUMN offers.merchant_id": "The marketplace's code of the merchant, as text.",
    "COLUMN offers.seller": "Name of the merchant; may change, merchant_id does not.",
    "COLUMN offers.merchant_sku": "The merchant's own code of the goods.",
    "COLUMN offers.price": "Price, whole tenge.",
    "COLUMN offers.price_minus_bonus": "Price less the bonus given back, whole tenge.",
    "COLUMN offers.price_before_discount": "Crossed-out price, whole tenge.",
    "COLUMN offers.discount_percent": "Discount, percent.",
    "COLUMN offers.merchant_rating": "Rating of the merchant, 0 to 5; null for a new one.",
    "COLUMN offers.merchant_reviews": "Reviews of the merchant (not of the product).",
    "COLUMN offers.purchase_count": "Purchases, where the answer names them.",
    "COLUMN offers.title": "The merchant's own title of the goods.",
    "COLUMN offers.preorder_days": "Days until the goods are in stock; 0 in stock, null unsaid.",
    "COLUMN offers.delivery_type": "TO_DOOR, EXPRESS, PICKUP or POSTOMAT.",
    "COLUMN offers.delivery_duration": "Class of delivery: TODAY, TOMORROW, TILL_5_DAYS, …",
    "COLUMN offers.delivery_days": "Calendar days in Almaty from the reading to the promise.",
    "COLUMN offers.kaspi_delivery": "Whether the marketplace delivers.",
    "COLUMN offers.delivery_at": "Promised moment at the door, as of changed_at.",
    "COLUMN offers.pickup_at": "Promised moment of pick-up, as of changed_at.",
    "COLUMN offers.postomat_at": "Promised moment in a parcel locker, as of changed_at.",
    "COLUMN offers.handed_over_at": "When the merchant hands the goods over for delivery, as of changed_at.",
    "COLUMN offers.available_at": "When the goods are available, as of changed_at.",
    "COLUMN offers.located_in_point": "Point that holds the goods: <merchant>_PP1.",
    "COLUMN offers.delivery_points": "Points from which the goods are delivered.",
    "COLUMN offers.pickup_points": "Points in which the goods can be picked up.",
    "COLUMN offers.delivery_options": "[{type, promised_at, inter_city, cost}], cost in tenge.",
    "COLUMN offers.first_seen_at": "First sighting.",
    "COLUMN offers.changed_at": "Last change of anything but the promised moments.",
    "COLUMN offers.last_seen_at": "Last sighting of a seller who left; null while the offer stands: then it is "
    "boards.completed_at.",
    "COLUMN offers.gone_at": "First complete reading without the offer; null while it stands.",
    "TABLE offer_history": "The offer as it was from created_at until the next row; a row only when it changed. "
    "A partition a month.",
    "COLUMN offer_history.id": "Number of the row.",
    "COLUMN offer_history.offer_id": "offers.id: names product, city and merchant.",
    "COLUMN offer_history.product_id": "products.id.",
    "COLUMN offer_history.event": "seen, changed, gone (left the board; the row repeats the last state), returned, or "
    "carried (state at the start of the kept history, written when older months were "
    "rolled up).",
    "COLUMN offer_history.seller": "Name of the merchant at that time.",
    "COLUMN offer_history.price": "Price, whole tenge.",
    "COLUMN offer_history.price_minus_bonus": "Price less bonus, whole tenge.",
    "COLUMN offer_history.price_before_discount": "Crossed-out price, whole tenge.",
    "COLUMN offer_history.discount_percent": "Discount, percent.",
    "COLUMN offer_history.preorder_days": "Days until the goods are in stock.",
    "COLUMN offer_history.delivery_type": "Kind of delivery.",
    "COLUMN offer_history.delivery_duration": "Class of delivery.",
    "COLUMN offer_history.delivery_days": "Days to the promise as of created_at; a change of it alone makes no row.",
    "COLUMN offer_history.kaspi_delivery": "Whether the marketplace delivers.",
    "COLUMN offer_history.merchant_rating": "Rating of the merchant.",
    "COLUMN offer_history.merchant_reviews": "Reviews of the merchant as of created_at; a change of it alone makes no row.",
    "COLUMN offer_history.created_at": "From when on the offer was as this row says.",
    "TABLE offer_history_daily": "What remains of months that were rolled up: one row an offer and day with changes.",
    "COLUMN offer_history_daily.offer_id": "offers.id.",
    "COLUMN offer_history_daily.product_id": "products.id.",
    "COLUMN offer_history_daily.day": "Day in Almaty.",
    "COLUMN offer_history_daily.seller": "Name of the merchant at the day's end.",
    "COLUMN offer_history_daily.min_price": "Lowest price set on that day (on a day of departure alone: the last price), whole tenge.",
    "COLUMN offer_history_daily.max_price": "Highest price set on that day (on a day of departure alone: the last price), whole tenge.",
    "COLUMN offer_history_daily.last_price": "Price at the day's end, whole tenge.",
    "COLUMN offer_history_daily.last_event": "Last event of the day; gone: it had left.",
    "COLUMN offer_history_daily.changes": "History rows that the day had.",
    "TABLE work_list": "Boards that the offers spider reads when it is given no arguments.",
    "COLUMN work_list.kaspi_id": "The marketplace's number of the card.",
    "COLUMN work_list.city_id": "City of the board.",
    "COLUMN work_list.added_at": "When the board was put on the list.",
    "TABLE runs": "One row a crawl, with its true outcome.",
    "COLUMN runs.id": "Number of the run; its first eight digits name the export.",
    "COLUMN runs.spider": "Name of the spider.",
    "COLUMN runs.site": "Address of the storefront that was asked.",
    "COLUMN runs.arguments": "Arguments the spider was given.",
    "COLUMN runs.started_at": "Start.",
    "COLUMN runs.finished_at": "End; null while it runs and for ever when it was killed.",
    "COLUMN runs.close_reason": "Why it ended; docs/operating.md explains each reason.",
    "COLUMN runs.stored": "Readings, changes and history rows that the run stored.",
    "FUNCTION board_at(text, text, timestamptz)": "The offers on a product's board in a city at a moment, cheapest first.",
}


def upgrade() -> None:
    for statement in (
        TYPES,
        PRODUCTS,
        PRODUCT_CARDS,
        PRODUCT_CHANGES,
        PRODUCT_HISTORY,
        BOARDS,
        OFFERS,
        OFFER_HISTORY,
        OFFER_HISTORY_BY_TIME,
        OFFER_HISTORY_DAILY,
        WORK_LIST,
        RUNS,
        BOARD_AT,
    ):
        op.execute(statement)
    for thing, text in COMMENTS.items():
        quoted = text.replace("'", "''")
        op.execute(f"COMMENT ON {thing} IS '{quoted}'")
