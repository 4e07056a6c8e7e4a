"""what a price feed says of our listings: points, prices in cities, brand, archived state."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BRAND_AND_REMOVAL = """
ALTER TABLE listings ADD COLUMN brand text, ADD COLUMN removed_at timestamptz
"""

LISTING_POINTS = """
CREATE TABLE listing_points (
    listing_id bigint NOT NULL REFERENCES listings ON DELETE CASCADE,
    point      text NOT NULL CHECK (point <> ''),
    available  boolean NOT NULL,
    stock      integer CHECK (stock >= 0),
    preorder   smallint CHECK (preorder BETWEEN 1 AND 30),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (listing_id, point)
)
"""

LISTING_PRICES = """
CREATE TABLE listing_prices (
    listing_id bigint NOT NULL REFERENCES listings ON DELETE CASCADE,
    city_id    text NOT NULL CHECK (city_id <> ''),
    price      bigint NOT NULL CHECK (price > 0),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (listing_id, city_id)
)
"""

COMMENTS = {
    "COLUMN listings.brand": "Brand of the goods, as the store has it; null: not known or none.",
    "COLUMN listings.removed_at": "When it was archived in the cabinet; null: it is not.",
    "TABLE listing_points": "Where our listings can be had: one row a listing and point of the store.",
    "COLUMN listing_points.listing_id": "listings.id.",
    "COLUMN listing_points.point": "Code of the point: PP1, or 30000001_PP1.",
    "COLUMN listing_points.available": "Whether it can be bought there.",
    "COLUMN listing_points.stock": "Pieces there; null: stock is not kept.",
    "COLUMN listing_points.preorder": "Days of preorder; null: none.",
    "COLUMN listing_points.changed_at": "When we last learned something new.",
    "TABLE listing_prices": "Our prices by city, of listings that have more than one price.",
    "COLUMN listing_prices.listing_id": "listings.id.",
    "COLUMN listing_prices.city_id": "City in which the price holds.",
    "COLUMN listing_prices.price": "Our price there as we last set it or were told, whole tenge.",
    "COLUMN listing_prices.changed_at": "When we last learned something new.",
}  # fmt: skip


def upgrade() -> None:
    for statement in (BRAND_AND_REMOVAL, LISTING_POINTS, LISTING_PRICES):
        op.execute(statement)
    for thing, text in COMMENTS.items():
        op.execute(f"COMMENT ON {thing} IS '{text}'")
