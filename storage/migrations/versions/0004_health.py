"""runs know their figures and alarms; alerts remember what somebody was told."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

RUNS = "ALTER TABLE runs ADD COLUMN figures jsonb, ADD COLUMN alarms jsonb"
LAST_RUNS = "CREATE INDEX runs_of_a_spider ON runs (spider, site, started_at DESC)"

ALERTS = """
CREATE TABLE alerts (
    spider    text NOT NULL,
    site      text NOT NULL,
    likeness  text NOT NULL,
    alarm     text NOT NULL,
    subject   text NOT NULL,
    run_id    uuid NOT NULL,
    raised_at timestamptz NOT NULL,
    told_at   timestamptz NOT NULL,
    PRIMARY KEY (spider, site, likeness, alarm, subject)
)
"""

COMMENTS = {
    "COLUMN runs.figures": "What the crawl's health is judged by: {items, expected, seconds, boards, incomplete, answers, "
    "refused, unread, coverage: {field: share of readings that have it}}; null before its end.",
    "COLUMN runs.alarms": "[{name, subject, sentence, remedy}]: what was wrong; empty: nothing; null: nobody judged.",
    "TABLE alerts": "Alarms that stand and were told to the webhook: one that stands is not told again within a day.",
    "COLUMN alerts.spider": "Name of the spider.",
    "COLUMN alerts.site": "Address of the storefront that was asked.",
    "COLUMN alerts.likeness": "Digest of the arguments: crawls with the same ones are compared with each other.",
    "COLUMN alerts.alarm": "Name of the alarm; docs/operating.md explains each.",
    "COLUMN alerts.subject": "What it is about: sources, fields or keys.",
    "COLUMN alerts.run_id": "runs.id of the crawl that told it last.",
    "COLUMN alerts.raised_at": "When it was told first since it last cleared.",
    "COLUMN alerts.told_at": "When it was told last.",
}


def upgrade() -> None:
    for statement in (RUNS, LAST_RUNS, ALERTS):
        op.execute(statement)
    for thing, text in COMMENTS.items():
        quoted = text.replace("'", "''")
        op.execute(f"COMMENT ON {thing} IS '{quoted}'")
