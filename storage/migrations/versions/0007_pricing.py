"""our stores and listings, the rules for their prices, decisions and intentions."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STORES = """
CREATE TABLE stores (
    id       text PRIMARY KEY CHECK (id <> ''),
    name     text,
    owner    text NOT NULL DEFAULT '',
    sisters  text[] NOT NULL DEFAULT '{}',
    added_at timestamptz NOT NULL DEFAULT now()
)
"""

LISTINGS = """
CREATE TABLE listings (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store_id   text NOT NULL REFERENCES stores,
    sku        text NOT NULL CHECK (sku <> ''),
    kaspi_id   text NOT NULL CHECK (kaspi_id <> ''),
    name       text,
    price      bigint CHECK (price > 0),
    stock      integer CHECK (stock >= 0),
    stocked_on date,
    added_at   timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (store_id, sku)
)
"""
LISTINGS_BY_PRODUCT = "CREATE INDEX ON listings (kaspi_id)"

RULE_CHANGES = """
CREATE TABLE rule_changes (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    source  text NOT NULL,
    lines   integer NOT NULL DEFAULT 0,
    undoes  bigint REFERENCES rule_changes
)
"""

RULE_LINES = """
CREATE TABLE rule_lines (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store_id    text NOT NULL REFERENCES stores,
    sku         text NOT NULL DEFAULT '',
    city_id     text NOT NULL DEFAULT '',
    said        jsonb NOT NULL CHECK (jsonb_typeof(said) = 'object'),
    change      bigint NOT NULL REFERENCES rule_changes,
    replaced_by bigint REFERENCES rule_changes
)
"""
LINES_IN_FORCE = """
CREATE UNIQUE INDEX ON rule_lines (store_id, sku, city_id) WHERE replaced_by IS NULL
"""
LINES_BY_CHANGE = "CREATE INDEX ON rule_lines (change)"
LINES_BY_END = "CREATE INDEX ON rule_lines (replaced_by) WHERE replaced_by IS NOT NULL"

# least: below it no price may ever be, whatever the fees are. A rule with neither floor nor cost
# has none, and nothing can refer to it: the foreign key of intentions wants all three.
PRICE_RULES = """
CREATE TABLE price_rules (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    listing_id  bigint NOT NULL REFERENCES listings,
    city_id     text NOT NULL DEFAULT '',
    said        jsonb NOT NULL,
    least       bigint GENERATED ALWAYS AS (
        greatest(nullif(greatest((said->>'floor')::bigint, 0), 0), (said->>'cost')::bigint)
    ) STORED CHECK (least > 0),
    ceiling     bigint GENERATED ALWAYS AS ((said->>'ceiling')::bigint) STORED,
    change      bigint NOT NULL REFERENCES rule_changes,
    replaced_by bigint REFERENCES rule_changes,
    UNIQUE (id, listing_id, least)
)
"""
RULES_IN_FORCE = """
CREATE UNIQUE INDEX ON price_rules (listing_id, city_id) WHERE replaced_by IS NULL
"""

RULES_OF_LISTING = "CREATE INDEX ON price_rules (listing_id)"
RULES_BY_END = "CREATE INDEX ON price_rules (replaced_by) WHERE replaced_by IS NOT NULL"

DECISIONS = """
CREATE TABLE decisions (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    listing_id   bigint NOT NULL REFERENCES listings,
    rule_id      bigint NOT NULL REFERENCES price_rules,
    board_at     timestamptz NOT NULL,
    decided_at   timestamptz NOT NULL DEFAULT now(),
    price        bigint CHECK (price > 0),
    before       bigint,
    profit       bigint,
    profit_before bigint,
    rival_price  bigint,
    place        integer,
    city_id      text NOT NULL,
    action       text NOT NULL CHECK (action IN ('set', 'hold', 'review', 'off')),
    reason       text NOT NULL,
    rival        text,
    story        jsonb NOT NULL,
    UNIQUE (listing_id, city_id, board_at),
    CHECK ((price IS NOT NULL) = (action IN ('set', 'review')))
)
"""
DECISIONS_BY_TIME = "CREATE INDEX ON decisions USING brin (decided_at)"

# The rule, its listing and its lowest price are named together, so that `least` here is the
# rule's own: then the CHECK below is the floor, whoever writes the row.
INTENTIONS = """
CREATE TABLE intentions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    listing_id  bigint NOT NULL,
    rule_id     bigint NOT NULL,
    least       bigint NOT NULL,
    decision_id bigint REFERENCES decisions ON DELETE SET NULL,
    price       bigint NOT NULL,
    before      bigint,
    lowest      bigint NOT NULL,
    highest     bigint NOT NULL,
    made_at     timestamptz NOT NULL DEFAULT now(),
    closed_at   timestamptz,
    city_id     text NOT NULL,
    state       text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'superseded', 'withdrawn')),
    CONSTRAINT never_below_the_floor CHECK (price >= least),
    CONSTRAINT within_the_allowed_prices CHECK (price BETWEEN lowest AND highest),
    CONSTRAINT never_without_a_rule
        FOREIGN KEY (rule_id, listing_id, least)
        REFERENCES price_rules (id, listing_id, least) MATCH FULL,
    CHECK ((state = 'pending') = (closed_at IS NULL))
)
"""
PENDING = """
CREATE UNIQUE INDEX ON intentions (listing_id, city_id) WHERE state = 'pending'
"""
INTENTIONS_OF_DECISION = "CREATE INDEX ON intentions (decision_id)"
INTENTIONS_OF_LISTING = "CREATE INDEX ON intentions (listing_id, city_id, made_at)"

COMMENTS = {
    "TABLE stores": "Our own stores: the merchants for whom we price.",
    "COLUMN stores.id": "The marketplace''s merchant id.",
    "COLUMN stores.name": "What people call the store.",
    "COLUMN stores.owner": "Whose it is: stores of one owner are sisters, and never undercut each other.",
    "COLUMN stores.sisters": "Merchant ids of more sisters, stores that are not kept here.",
    "COLUMN stores.added_at": "When we first heard of it.",
    "TABLE listings": "Our own offers: which of our articles is sold under which product card.",
    "COLUMN listings.id": "Our own number of the listing.",
    "COLUMN listings.store_id": "stores.id.",
    "COLUMN listings.sku": "The store''s article, as in its price list.",
    "COLUMN listings.kaspi_id": "The marketplace''s number of the card.",
    "COLUMN listings.name": "Name of the goods, as the store has it.",
    "COLUMN listings.price": "Our price as we last set it or were told, whole tenge.",
    "COLUMN listings.stock": "Pieces in stock; null: not known, which is not zero.",
    "COLUMN listings.stocked_on": "Day on which the oldest pieces in stock came in; null: not known.",
    "COLUMN listings.added_at": "When the listing was first imported.",
    "COLUMN listings.changed_at": "When an import last changed it.",
    "TABLE rule_changes": "Each change of the rules, which `scrapy rules undo` can take back.",
    "COLUMN rule_changes.id": "Number of the change.",
    "COLUMN rule_changes.made_at": "When it was made.",
    "COLUMN rule_changes.source": "Where it came from: a file, an undo, an import of listings.",
    "COLUMN rule_changes.lines": "How many lines of rules it changed.",
    "COLUMN rule_changes.undoes": "rule_changes.id of the change that it takes back.",
    "TABLE rule_lines": "The rules as people wrote them, each version: a line a listing, or a store''s defaults.",
    "COLUMN rule_lines.id": "Number of the line.",
    "COLUMN rule_lines.store_id": "stores.id.",
    "COLUMN rule_lines.sku": "listings.sku; empty: the defaults of the whole store.",
    "COLUMN rule_lines.city_id": "City in which it holds, over the line without a city; empty: everywhere.",
    "COLUMN rule_lines.said": "What the line says, in the words of `scrapy decide`; what it does not say, the defaults do.",
    "COLUMN rule_lines.change": "rule_changes.id that brought it.",
    "COLUMN rule_lines.replaced_by": "rule_changes.id that ended it; null: in force.",
    "TABLE price_rules": "The rules as they hold, each version: defaults, line and city laid over each other.",
    "COLUMN price_rules.id": "Number of the rule.",
    "COLUMN price_rules.listing_id": "listings.id.",
    "COLUMN price_rules.city_id": "City in which it holds; empty: everywhere where no other one does.",
    "COLUMN price_rules.said": "The whole rule, in the words of `scrapy decide`.",
    "COLUMN price_rules.least": "The greater of floor and cost, whole tenge: no price may ever be below it; null: no price at all.",
    "COLUMN price_rules.ceiling": "The highest price that the owner wants, whole tenge.",
    "COLUMN price_rules.change": "rule_changes.id that brought it.",
    "COLUMN price_rules.replaced_by": "rule_changes.id that ended it; null: in force.",
    "TABLE decisions": "What was decided on each of our prices, and why; a row only when it differs from the one before.",
    "COLUMN decisions.id": "Number of the decision.",
    "COLUMN decisions.listing_id": "listings.id.",
    "COLUMN decisions.rule_id": "price_rules.id by which it was decided.",
    "COLUMN decisions.board_at": "When the board was read on which it rests.",
    "COLUMN decisions.decided_at": "When the decision was written down.",
    "COLUMN decisions.price": "The new price of a set, the proposed one of a review, whole tenge.",
    "COLUMN decisions.before": "Our price on the board, whole tenge.",
    "COLUMN decisions.profit": "Earned by a sale at the new price, or at the old one when it stays; null: cost not known.",
    "COLUMN decisions.profit_before": "Earned by a sale at the old price.",
    "COLUMN decisions.rival_price": "Price of the rival whom the decision is about.",
    "COLUMN decisions.place": "Our place among the rivals afterwards.",
    "COLUMN decisions.city_id": "City of the board.",
    "COLUMN decisions.action": "set, hold, review (a person is to look at it) or off.",
    "COLUMN decisions.reason": "Code of the reason: docs/strategies.md.",
    "COLUMN decisions.rival": "Merchant id of the rival whom the decision is about.",
    "COLUMN decisions.story": "All numbers behind it: rivals considered and dropped and why, allowed prices, constraints.",
    "TABLE intentions": "The outbox: prices that are to be set. Nothing leaves that does not stand here.",
    "COLUMN intentions.id": "Number of the intention.",
    "COLUMN intentions.listing_id": "listings.id.",
    "COLUMN intentions.rule_id": "price_rules.id that allows it.",
    "COLUMN intentions.least": "price_rules.least: the price may not be below.",
    "COLUMN intentions.decision_id": "decisions.id; null when that was forgotten.",
    "COLUMN intentions.price": "The price to set, whole tenge.",
    "COLUMN intentions.before": "Our price when it was decided, whole tenge.",
    "COLUMN intentions.lowest": "Lowest price that was allowed when it was decided.",
    "COLUMN intentions.highest": "Highest price that was allowed when it was decided.",
    "COLUMN intentions.made_at": "When it was written down.",
    "COLUMN intentions.closed_at": "When it was superseded or withdrawn.",
    "COLUMN intentions.city_id": "City in which the price is to hold.",
    "COLUMN intentions.state": "pending; superseded by a newer one; withdrawn: decided otherwise, or the rule or the card changed.",
}  # fmt: skip


def upgrade() -> None:
    for statement in (
        STORES, LISTINGS, LISTINGS_BY_PRODUCT, RULE_CHANGES, RULE_LINES, LINES_IN_FORCE,
        LINES_BY_CHANGE, LINES_BY_END, PRICE_RULES, RULES_IN_FORCE, RULES_OF_LISTING, RULES_BY_END,
        DECISIONS, DECISIONS_BY_TIME, INTENTIONS, PENDING, INTENTIONS_OF_DECISION,
        INTENTIONS_OF_LISTING,
    ):  # fmt: skip
        op.execute(statement)
    for thing, text in COMMENTS.items():
        op.execute(f"COMMENT ON {thing} IS '{text}'")
