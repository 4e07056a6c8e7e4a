"""a card may come from a browser: only what a column says of itself."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COMMENTS = {
    "COLUMN products.rung": "Part of the page the card was read from: state, ld+json or meta; browser: the state that a browser built.",
}


def upgrade() -> None:
    for thing, text in COMMENTS.items():
        op.execute(f"COMMENT ON {thing} IS '{text}'")
