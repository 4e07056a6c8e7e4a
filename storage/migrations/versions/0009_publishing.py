"""what became of intentions, the cabinet's sessions, budgets and pushes."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ACCOUNTS = """
CREATE TABLE cabinet_accounts (
    store_id     text PRIMARY KEY REFERENCES stores,
    credentials  text,
    session      text,
    signed_in_at timestamptz,
    failed_at    timestamptz,
    failure      text,
    rests_until  timestamptz
)
"""

LISTINGS = """
ALTER TABLE listings
    ADD COLUMN seen_at timestamptz,
    ADD COLUMN paused_at timestamptz,
    ADD COLUMN paused_why text,
    ADD CHECK ((paused_at IS NULL) = (paused_why IS NULL))
"""

# pending -> sending (committed before anything leaves) -> accepted (the marketplace queued it)
# -> applied (our own offer was read back with the price). What was sent and is not seen is
# unverified: it is decided on anew, never sent again.
STATES = """
ALTER TABLE intentions
    DROP CONSTRAINT intentions_state_check,
    DROP CONSTRAINT intentions_check,
    ADD COLUMN gain bigint NOT NULL DEFAULT 0,
    ADD COLUMN sent_at timestamptz,
    ADD COLUMN accepted_at timestamptz,
    ADD COLUMN receipt text,
    ADD COLUMN outcome text,
    ADD CONSTRAINT known_state CHECK (state IN (
        'pending', 'sending', 'accepted', 'applied', 'unverified', 'refused', 'superseded',
        'withdrawn')),
    ADD CONSTRAINT closed_when_ended CHECK (
        (state IN ('pending', 'sending', 'accepted')) = (closed_at IS NULL)),
    ADD CONSTRAINT sent_before_accepted CHECK (
        (state IN ('sending', 'accepted', 'applied', 'unverified', 'refused'))
        = (sent_at IS NOT NULL))
"""
# Nothing else is sent for a listing in a city while one price is on its way.
UNDER_WAY = """
CREATE UNIQUE INDEX ON intentions (listing_id, city_id) WHERE state IN ('sending', 'accepted')
"""

# Whichever way an article came under another card: what was decided for the old one is not sent.
ANOTHER_CARD = """
CREATE FUNCTION withdraw_of_another_card() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE intentions SET state = 'withdrawn', closed_at = now()
    WHERE listing_id = NEW.id AND state = 'pending';
    RETURN NEW;
END $$
"""
ON_ANOTHER_CARD = """
CREATE TRIGGER another_card AFTER UPDATE OF kaspi_id ON listings
FOR EACH ROW WHEN (OLD.kaspi_id <> NEW.kaspi_id) EXECUTE FUNCTION withdraw_of_another_card()
"""

EXITS = """
ALTER TABLE exits
    DROP CONSTRAINT exits_kind_check,
    ADD CONSTRAINT exits_kind_check CHECK (kind IN ('api', 'page', 'cabinet'))
"""
BUDGETS = """
CREATE TABLE change_budgets (
    store_id      text PRIMARY KEY REFERENCES stores,
    budget        jsonb NOT NULL,
    blocked_until timestamptz,
    changed_at    timestamptz NOT NULL DEFAULT now()
)
"""
PUSHES = """
CREATE TABLE pushes (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store_id  text NOT NULL REFERENCES stores,
    sent_at   timestamptz NOT NULL,
    changes   integer NOT NULL CHECK (changes > 0),
    outcome   text
)
"""
PUSHES_BY_TIME = "CREATE INDEX ON pushes (store_id, sent_at)"

COMMENTS = {
    "FUNCTION withdraw_of_another_card()": "Withdraws what is pending for a listing that moves to another card.",
    "TABLE cabinet_accounts": "Sessions of the merchant cabinet, encrypted: only who has KASPI_SECRET_KEY can use them.",
    "COLUMN cabinet_accounts.store_id": "stores.id.",
    "COLUMN cabinet_accounts.credentials": "E-mail and password, or phone, encrypted; null: they are not kept.",
    "COLUMN cabinet_accounts.session": "Cookies of the session, encrypted; null: signed out.",
    "COLUMN cabinet_accounts.signed_in_at": "When the session began.",
    "COLUMN cabinet_accounts.failed_at": "When signing in last came to nothing; null since it succeeded.",
    "COLUMN cabinet_accounts.failure": "Why it came to nothing.",
    "COLUMN cabinet_accounts.rests_until": "Until when the marketplace wants no sign-in.",
    "COLUMN exits.kind": "Kind of question: api, page or cabinet; each is paced and rested apart.",
    "COLUMN listings.seen_at": "When the cabinet last showed it.",
    "COLUMN listings.paused_at": "Since when no price of it is sent.",
    "COLUMN listings.paused_why": "Why no price of it is sent.",
    "COLUMN intentions.state": "pending; sending; accepted: queued by the marketplace; applied: read back; unverified: sent and not seen; refused; superseded by a newer one; withdrawn: decided otherwise, or the rule or the card changed.",
    "COLUMN intentions.gain": "Tenge a day that the change is expected to bring: what is sent first.",
    "COLUMN intentions.sent_at": "When it was about to leave; written before it left.",
    "COLUMN intentions.accepted_at": "When the marketplace said that it was queued.",
    "COLUMN intentions.receipt": "The number under which it was queued.",
    "COLUMN intentions.outcome": "Why it was refused or could not be verified.",
    "COLUMN intentions.closed_at": "When it came to its end.",
    "TABLE change_budgets": "How many changes a store may send: learned from the marketplace''s refusals.",
    "COLUMN change_budgets.store_id": "stores.id.",
    "COLUMN change_budgets.budget": "The limits as they are known.",
    "COLUMN change_budgets.blocked_until": "Until when nothing is sent, after a 429.",
    "COLUMN change_budgets.changed_at": "When that was last learned.",
    "TABLE pushes": "Each question that changed prices, by the moment before it left.",
    "COLUMN pushes.id": "Number of the push.",
    "COLUMN pushes.store_id": "stores.id.",
    "COLUMN pushes.sent_at": "When it was about to leave.",
    "COLUMN pushes.changes": "How many prices it held.",
    "COLUMN pushes.outcome": "accepted, or why it was refused; null: not known, as after a kill.",
}  # fmt: skip


def upgrade() -> None:
    statements = (
        ACCOUNTS, LISTINGS, STATES, UNDER_WAY, ANOTHER_CARD, ON_ANOTHER_CARD, EXITS, BUDGETS,
        PUSHES, PUSHES_BY_TIME,
    )  # fmt: skip
    for statement in statements:
        op.execute(statement)
    for thing, text in COMMENTS.items():
        op.execute(f"COMMENT ON {thing} IS '{text}'")
