"""prices leave and are read back; baselines; why an intention was made."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# What is refused before it leaves, or found to hold already, was never sent.
STATES = """
ALTER TABLE intentions
    DROP CONSTRAINT sent_before_accepted,
    ADD COLUMN reason text NOT NULL DEFAULT 'decision'
        CHECK (reason IN ('decision', 'undo', 'baseline')),
    ADD COLUMN forbidden boolean NOT NULL DEFAULT false,
    ADD COLUMN push_id bigint REFERENCES pushes ON DELETE SET NULL,
    ADD COLUMN looked_at timestamptz,
    ADD CONSTRAINT sent_when_it_left CHECK (CASE
        WHEN state IN ('sending', 'accepted', 'unverified') THEN sent_at IS NOT NULL
        WHEN state IN ('pending', 'superseded', 'withdrawn') THEN sent_at IS NULL
        ELSE true END),
    ADD CONSTRAINT accepted_when_it_was_sent CHECK (accepted_at IS NULL OR sent_at IS NOT NULL)
"""
BY_PUSH = "CREATE INDEX ON intentions (push_id) WHERE push_id IS NOT NULL"
# Every look for something to send, and for something to read back, goes over these alone.
OPEN = """
CREATE INDEX intentions_open ON intentions (state, forbidden DESC, gain DESC, made_at)
WHERE state IN ('pending', 'sending', 'accepted')
"""

# A push counts against the limits as late as the marketplace can have counted it: when its answer
# came, and until then when no answer is waited for any more.
PUSHES = """
ALTER TABLE pushes
    ADD COLUMN counts_at timestamptz,
    ADD COLUMN questions integer NOT NULL DEFAULT 1 CHECK (questions > 0)
"""
PUSHES_COUNT = "UPDATE pushes SET counts_at = sent_at"
PUSHES_WHOLE = "ALTER TABLE pushes ALTER COLUMN counts_at SET NOT NULL"
PUSHES_BY_COUNT = "CREATE INDEX ON pushes (store_id, counts_at)"

BASELINES = """
CREATE TABLE baselines (
    store_id text PRIMARY KEY REFERENCES stores,
    made_at  timestamptz NOT NULL DEFAULT now()
)
"""
BASELINE_PRICES = """
CREATE TABLE baseline_prices (
    listing_id bigint NOT NULL REFERENCES listings ON DELETE CASCADE,
    city_id    text NOT NULL,
    price      bigint NOT NULL CHECK (price > 0),
    source     text NOT NULL CHECK (source IN ('board', 'listing', 'cabinet')),
    read_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (listing_id, city_id)
)
"""

HURRY = "ALTER TABLE work_list ADD COLUMN hurry_since timestamptz"

COMMENTS = {
    "COLUMN work_list.hurry_since": "Until it was read after that moment it stands before all others.",
    "COLUMN intentions.reason": "decision of the engine; undo or baseline: a person wants a former price back.",
    "COLUMN intentions.forbidden": "Whether our live price was outside the allowed ones: sent before all others.",
    "COLUMN intentions.before": "Our price when it was decided; of what was sent: as the cabinet showed it just before. Whole tenge.",
    "COLUMN intentions.push_id": "pushes.id with which it left.",
    "COLUMN intentions.looked_at": "When the cabinet was last asked whether it holds.",
    "COLUMN pushes.counts_at": "The last moment at which the marketplace can have counted it.",
    "COLUMN pushes.questions": "How many articles it held.",
    "TABLE baselines": "Stores whose prices were written down before our first push.",
    "COLUMN baselines.store_id": "stores.id.",
    "COLUMN baselines.made_at": "When that was.",
    "TABLE baseline_prices": "Our prices as they stood before our first push.",
    "COLUMN baseline_prices.listing_id": "listings.id.",
    "COLUMN baseline_prices.city_id": "City in which it held.",
    "COLUMN baseline_prices.price": "The price, whole tenge.",
    "COLUMN baseline_prices.source": "board: as buyers saw it; listing: as it was imported; cabinet: as read just before the first push.",
    "COLUMN baseline_prices.read_at": "When it was written down.",
}  # fmt: skip


def upgrade() -> None:
    for statement in (
        STATES, BY_PUSH, OPEN, PUSHES, PUSHES_COUNT, PUSHES_WHOLE, PUSHES_BY_COUNT, BASELINES,
        BASELINE_PRICES, HURRY,
    ):  # fmt: skip
        op.execute(statement)
    for thing, text in COMMENTS.items():
        op.execute(f"COMMENT ON {thing} IS '{text}'")
