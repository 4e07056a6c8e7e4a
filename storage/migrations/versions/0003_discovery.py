"""listings, categories, texts of reviews, and what is known of who writes them."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LISTING_HINTS = """
CREATE TABLE listing_hints (
    card_id           text NOT NULL,
    city_id           text NOT NULL,
    kaspi_id          text,
    has_variants      boolean NOT NULL,
    title             text NOT NULL,
    brand             text,
    category_id       text,
    category_codes    text[],
    link              text,
    unit_price        bigint CHECK (unit_price > 0),
    sale_price        bigint CHECK (sale_price > 0),
    price_before_discount bigint CHECK (price_before_discount > 0),
    discount_percent  integer,
    rating            numeric(3, 2),
    review_amount     integer,
    delivery_duration text,
    first_seen_at     timestamptz NOT NULL,
    seen_at           timestamptz NOT NULL,
    PRIMARY KEY (card_id, city_id)
)
"""

LISTING_HINT_HISTORY = """
CREATE TABLE listing_hint_history (
    card_id       text NOT NULL,
    city_id       text NOT NULL,
    seen_at       timestamptz NOT NULL,
    unit_price    bigint,
    sale_price    bigint,
    rating        numeric(3, 2),
    review_amount integer,
    PRIMARY KEY (card_id, city_id, seen_at)
)
"""

FOUND_IN = """
CREATE TABLE found_in (
    listing       text NOT NULL,
    query         text NOT NULL,
    city_id       text NOT NULL,
    card_id       text NOT NULL,
    place         integer NOT NULL CHECK (place > 0),
    first_seen_at timestamptz NOT NULL,
    seen_at       timestamptz NOT NULL,
    PRIMARY KEY (listing, query, city_id, card_id)
)
"""

FOUND_VARIANTS = """
CREATE TABLE found_variants (
    card_id       text NOT NULL,
    kaspi_id      text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    PRIMARY KEY (card_id, kaspi_id)
)
"""

CATEGORIES = """
CREATE TABLE categories (
    code          text PRIMARY KEY CHECK (code <> ''),
    parent        text,
    title         text NOT NULL,
    link          text,
    popularity    integer,
    first_seen_at timestamptz NOT NULL,
    in_menu_at    timestamptz,
    in_facets_at  timestamptz
)
"""

CATEGORY_COUNTS = """
CREATE TABLE category_counts (
    code       text NOT NULL,
    city_id    text NOT NULL,
    cards      integer NOT NULL CHECK (cards >= 0),
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (code, city_id)
)
"""

SITEMAP_CATEGORIES = """
CREATE TABLE sitemap_categories (
    slug          text NOT NULL,
    city_id       text NOT NULL,
    link          text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    seen_at       timestamptz NOT NULL,
    PRIMARY KEY (slug, city_id)
)
"""

REVIEW_TEXTS = """
CREATE TABLE review_texts (
    id            text PRIMARY KEY CHECK (id <> ''),
    kaspi_id      text NOT NULL,
    written_on    date NOT NULL,
    rating        integer NOT NULL CHECK (rating BETWEEN 1 AND 5),
    plus          text NOT NULL,
    minus         text NOT NULL,
    text          text NOT NULL,
    photos        integer NOT NULL,
    merchant_id   text,
    first_seen_at timestamptz NOT NULL,
    changed_at    timestamptz NOT NULL
)
"""

REVIEW_TEXTS_BY_PRODUCT = "CREATE INDEX ON review_texts (kaspi_id, written_on)"

# Sizes of one colour share their reviews: the review is one row, and whoever shows it is listed.
REVIEWED_PRODUCTS = """
CREATE TABLE reviewed_products (
    kaspi_id  text NOT NULL,
    review_id text NOT NULL REFERENCES review_texts ON DELETE CASCADE,
    PRIMARY KEY (kaspi_id, review_id)
)
"""

REVIEW_READINGS = """
CREATE TABLE review_readings (
    kaspi_id     text PRIMARY KEY,
    newest       text[] NOT NULL,
    completed_at timestamptz NOT NULL
)
"""

REVIEW_RATES = """
CREATE TABLE review_rates (
    category      text PRIMARY KEY,
    low_points    integer NOT NULL CHECK (low_points > 0),
    high_points   integer NOT NULL CHECK (high_points BETWEEN low_points AND 10000),
    pairs         integer NOT NULL,
    source        text NOT NULL,
    calibrated_at timestamptz NOT NULL
)
"""

COMMENTS = {
    "TABLE listing_hints": "One row a card and city as a listing last showed it. Hints, not offers: whether a merchant's "
    "listing shows his own prices or the lowest ones is not established.",
    "COLUMN listing_hints.card_id": "Id as listed: a product's, or a group of variants' (ends in b).",
    "COLUMN listing_hints.city_id": "City of the listing.",
    "COLUMN listing_hints.kaspi_id": "The product that can be read; null when a group of variants names none.",
    "COLUMN listing_hints.has_variants": "Whether the card stands for several products.",
    "COLUMN listing_hints.title": "Title.",
    "COLUMN listing_hints.brand": "Brand.",
    "COLUMN listing_hints.category_id": "The marketplace's short number of the category.",
    "COLUMN listing_hints.category_codes": "Codes of its categories from leaf to root.",
    "COLUMN listing_hints.link": "Path of the card below /shop.",
    "COLUMN listing_hints.unit_price": "`unitPrice` as listed, whole tenge.",
    "COLUMN listing_hints.sale_price": "`unitSalePrice` as listed, whole tenge; the same in all recordings.",
    "COLUMN listing_hints.price_before_discount": "Crossed-out price, whole tenge.",
    "COLUMN listing_hints.discount_percent": "Discount, percent.",
    "COLUMN listing_hints.rating": "Rating in hundredths; the reviews give tenths.",
    "COLUMN listing_hints.review_amount": "Number of reviews as listed.",
    "COLUMN listing_hints.delivery_duration": "Class of delivery.",
    "COLUMN listing_hints.first_seen_at": "First sighting in the city.",
    "COLUMN listing_hints.seen_at": "Last sighting.",
    "TABLE listing_hint_history": "The hint as it was from seen_at until the next row; a row only when it changed.",
    "COLUMN listing_hint_history.card_id": "listing_hints.card_id.",
    "COLUMN listing_hint_history.city_id": "City.",
    "COLUMN listing_hint_history.seen_at": "From when on the listing said this.",
    "COLUMN listing_hint_history.unit_price": "`unitPrice`, whole tenge.",
    "COLUMN listing_hint_history.sale_price": "`unitSalePrice`, whole tenge.",
    "COLUMN listing_hint_history.rating": "Rating in hundredths.",
    "COLUMN listing_hint_history.review_amount": "Number of reviews as listed.",
    "TABLE found_in": "Which listing showed which card, and where.",
    "COLUMN found_in.listing": "category, search or merchant.",
    "COLUMN found_in.query": "The category's code, the text, or the merchant's id.",
    "COLUMN found_in.city_id": "City.",
    "COLUMN found_in.card_id": "listing_hints.card_id.",
    "COLUMN found_in.place": "Place of the card at the last sighting, from 1.",
    "COLUMN found_in.first_seen_at": "When the listing first showed the card.",
    "COLUMN found_in.seen_at": "When it last did.",
    "TABLE found_variants": "The products behind a card of a listing, as its page names them.",
    "COLUMN found_variants.card_id": "listing_hints.card_id.",
    "COLUMN found_variants.kaspi_id": "One of its products.",
    "COLUMN found_variants.first_seen_at": "When it was first named.",
    "TABLE categories": "The tree of categories, from the menu and from the facets of listings.",
    "COLUMN categories.code": "The code that listings are asked by, for example `Smartphones`.",
    "COLUMN categories.parent": "Code of the category above; null for a root.",
    "COLUMN categories.title": "Title in Russian.",
    "COLUMN categories.link": "Path of its page.",
    "COLUMN categories.popularity": "The marketplace's own figure, as it last said it.",
    "COLUMN categories.first_seen_at": "First sighting.",
    "COLUMN categories.in_menu_at": "When the menu last had it; null: never.",
    "COLUMN categories.in_facets_at": "When the facets of a listing last had it; null: never.",
    "TABLE category_counts": "How many cards of a category the last listing that told of it counted in a city.",
    "COLUMN category_counts.code": "categories.code.",
    "COLUMN category_counts.city_id": "City.",
    "COLUMN category_counts.cards": "Cards; those of a listing by category are all of its cards, others only its share.",
    "COLUMN category_counts.counted_at": "When.",
    "TABLE sitemap_categories": "Categories that the sitemap lists for a city.",
    "COLUMN sitemap_categories.slug": "The code in small letters: lower(categories.code).",
    "COLUMN sitemap_categories.city_id": "City.",
    "COLUMN sitemap_categories.link": "Address of the category's page.",
    "COLUMN sitemap_categories.first_seen_at": "First sighting.",
    "COLUMN sitemap_categories.seen_at": "Last sighting.",
    "TABLE review_texts": "Reviews with a text. Who wrote them, and in which order, is not kept.",
    "COLUMN review_texts.id": "The marketplace's id of the review.",
    "COLUMN review_texts.kaspi_id": "The product of whose reviews it was first read.",
    "COLUMN review_texts.written_on": "Day on which it was written.",
    "COLUMN review_texts.rating": "Stars, 1 to 5.",
    "COLUMN review_texts.plus": "What the buyer liked; may be empty.",
    "COLUMN review_texts.minus": "What the buyer did not like; may be empty.",
    "COLUMN review_texts.text": "The buyer's comment; may be empty.",
    "COLUMN review_texts.photos": "Number of pictures.",
    "COLUMN review_texts.merchant_id": "Who sold the product; null when the review does not say.",
    "COLUMN review_texts.first_seen_at": "When we first read it.",
    "COLUMN review_texts.changed_at": "When we last read it changed.",
    "TABLE reviewed_products": "Which products show a review: sizes of one colour share theirs.",
    "COLUMN reviewed_products.kaspi_id": "A product that shows the review.",
    "COLUMN reviewed_products.review_id": "review_texts.id.",
    "TABLE review_readings": "Up to where a product's reviews were read whole.",
    "COLUMN review_readings.kaspi_id": "The product.",
    "COLUMN review_readings.newest": "Ids of the newest reviews at that time: the next reading stops at one of them.",
    "COLUMN review_readings.completed_at": "When the reading came to its end.",
    "TABLE review_rates": "Which share of buyers rates what it bought, as calibrated by `scrapy sales calibrate`.",
    "COLUMN review_rates.category": "Title of the leaf category; `*`: all that have no row of their own.",
    "COLUMN review_rates.low_points": "Lowest share, in ten thousandths.",
    "COLUMN review_rates.high_points": "Highest share, in ten thousandths.",
    "COLUMN review_rates.pairs": "Products whose sales were known.",
    "COLUMN review_rates.source": "Where the sales are known from.",
    "COLUMN review_rates.calibrated_at": "When.",
}


def upgrade() -> None:
    for statement in (
        LISTING_HINTS,
        LISTING_HINT_HISTORY,
        FOUND_IN,
        FOUND_VARIANTS,
        CATEGORIES,
        CATEGORY_COUNTS,
        SITEMAP_CATEGORIES,
        REVIEW_TEXTS,
        REVIEW_TEXTS_BY_PRODUCT,
        REVIEWED_PRODUCTS,
        REVIEW_READINGS,
        REVIEW_RATES,
    ):
        op.execute(statement)
    for thing, text in COMMENTS.items():
        quoted = text.replace("'", "''")
        op.execute(f"COMMENT ON {thing} IS '{quoted}'")
