"""exits and proxies."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

EXITS = """
CREATE TABLE exits (
    host          text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('api', 'page')),
    name          text NOT NULL CHECK (name <> '' AND name NOT LIKE '%@%'),
    version       bigint NOT NULL DEFAULT 0,
    next_at       timestamptz NOT NULL DEFAULT now(),
    rest          interval NOT NULL DEFAULT '0',
    resting_until timestamptz,
    trial_until   timestamptz,
    vain          integer NOT NULL DEFAULT 0,
    doubts        integer NOT NULL DEFAULT 0,
    health        integer NOT NULL DEFAULT 100 CHECK (health BETWEEN 0 AND 100),
    answered      bigint NOT NULL DEFAULT 0,
    refused       jsonb NOT NULL DEFAULT '{}',
    last_refusal  text,
    rests         integer NOT NULL DEFAULT 0,
    trials        integer NOT NULL DEFAULT 0,
    PRIMARY KEY (host, kind, name)
) WITH (fillfactor = 50)
"""

PROXIES = """
CREATE TABLE proxies (
    name     text PRIMARY KEY CHECK (name <> '' AND name NOT LIKE '%@%'),
    address  bytea NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now()
)
"""

COMMENTS = {
    "TABLE exits": "Addresses from which a host is asked: a proxy, or direct. What all crawls together know of each.",
    "COLUMN exits.host": "Host that is asked, with its port.",
    "COLUMN exits.kind": "Kind of question: api or page; each is paced and rested apart.",
    "COLUMN exits.name": "direct, or host:port of the proxy; never its user and password.",
    "COLUMN exits.version": "Counts changes: who writes names the version that he read.",
    "COLUMN exits.next_at": "When the next question would be due at an even pace; after a burst it lies ahead.",
    "COLUMN exits.rest": "Length of the last rest; zero since the exit answered.",
    "COLUMN exits.resting_until": "End of the rest; null when there is none.",
    "COLUMN exits.trial_until": "Until when the question under way counts as the trial after a rest; null when none is.",
    "COLUMN exits.vain": "Trials that failed since the exit answered.",
    "COLUMN exits.doubts": "Doubtful answers in a row; the second rests the exit.",
    "COLUMN exits.health": "0 to 100: falls by a third with each refusal, rises by an eighth of what is missing.",
    "COLUMN exits.answered": "Answers that it brought; counted in slices, a killed crawl loses its last.",
    "COLUMN exits.refused": 'Refusals by kind: {"too_many_requests": 3}.',
    "COLUMN exits.last_refusal": "Kind of the last refusal.",
    "COLUMN exits.rests": "Rests that it was given.",
    "COLUMN exits.trials": "Trials after a rest.",
    "TABLE proxies": "Proxies for crawls with PROXIES=table; `scrapy proxies` keeps them.",
    "COLUMN proxies.name": "host:port, with #2 and so on where users of one proxy are exits of their own.",
    "COLUMN proxies.address": "Address with user and password, encrypted (Fernet) with KASPI_SECRET_KEY.",
    "COLUMN proxies.added_at": "When it was added.",
}


def upgrade() -> None:
    for statement in (EXITS, PROXIES):
        op.execute(statement)
    for thing, text in COMMENTS.items():
        quoted = text.replace("'", "''")
        op.execute(f"COMMENT ON {thing} IS '{quoted}'")
