"""timetable, its ticks, and what runs say of the jobs that they are."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIMETABLE = """
CREATE TABLE timetable (
    name      text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,79}$'),
    spider    text NOT NULL,
    arguments jsonb NOT NULL DEFAULT '{}',
    settings  jsonb NOT NULL DEFAULT '{}',
    schedule  text NOT NULL,
    lateness  interval NOT NULL CHECK (lateness > '0'),
    paused    boolean NOT NULL DEFAULT false,
    version   text,
    since     timestamptz NOT NULL DEFAULT now()
)
"""

# Offers move all day. Cards and ratings move slowly and are read one after the other at night,
# when fewer people buy: a page takes ten seconds, as robots.txt asks.
ENTRIES = """
INSERT INTO timetable (name, spider, schedule, lateness) VALUES
    ('offers',   'offers',   '*/15 * * * *', '15 minutes'),
    ('products', 'products', '30 1 * * *',   '12 hours'),
    ('reviews',  'reviews',  '40 5 * * *',   '12 hours')
"""

TICKS = """
CREATE TABLE timetable_ticks (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry        text NOT NULL REFERENCES timetable ON UPDATE CASCADE ON DELETE CASCADE,
    due_at       timestamptz NOT NULL,
    by_hand      boolean NOT NULL DEFAULT false,
    attempt      integer NOT NULL DEFAULT 1,
    job_id       text NOT NULL,
    opened_at    timestamptz NOT NULL DEFAULT now(),
    scheduled_at timestamptz,
    run          uuid,
    closed_at    timestamptz,
    outcome      text CHECK ((outcome IS NULL) = (closed_at IS NULL)),
    note         text,
    UNIQUE (entry, due_at)
)
"""

# What all attempts of a tick share: a job that was given up is still known for one of its own.
TICKS_BY_JOB = """
CREATE UNIQUE INDEX ON timetable_ticks (left(job_id, length(job_id) - strpos(reverse(job_id), '-')))
"""
OPEN_TICKS = "CREATE INDEX ON timetable_ticks (entry, due_at) WHERE closed_at IS NULL"

RUNS = """
ALTER TABLE runs
    ADD COLUMN job_id text,
    ADD COLUMN entry text,
    ADD COLUMN answers bigint NOT NULL DEFAULT 0,
    ADD COLUMN progressed_at timestamptz
"""

# A job that begins twice, whatever else goes wrong, is refused here.
RUNS_OF_ENTRIES = "CREATE UNIQUE INDEX ON runs (job_id) WHERE entry IS NOT NULL"
OPEN_RUNS = "CREATE INDEX ON runs (started_at) WHERE finished_at IS NULL"

COMMENTS = {
    "TABLE timetable": "What is due when: one row a job of `scrapy timetable`.",
    "COLUMN timetable.name": "Name of the entry.",
    "COLUMN timetable.spider": "Spider that is started.",
    "COLUMN timetable.arguments": "Arguments that the spider is given.",
    "COLUMN timetable.settings": "Settings of this job alone.",
    "COLUMN timetable.schedule": "Minute, hour, day, month and weekday as cron has them, in Almaty time.",
    "COLUMN timetable.lateness": "How long after its time a run is still begun, or begun again when it was lost.",
    "COLUMN timetable.paused": "Whether the entry rests.",
    "COLUMN timetable.version": "Version of the egg to run; null: scrapyd's latest, or the checkout.",
    "COLUMN timetable.since": "When the entry was made or resumed: what was due before is not made up for.",
    "TABLE timetable_ticks": "Each time that an entry was due, with what became of it.",
    "COLUMN timetable_ticks.id": "Number of the tick.",
    "COLUMN timetable_ticks.entry": "timetable.name.",
    "COLUMN timetable_ticks.due_at": "When it was due.",
    "COLUMN timetable_ticks.by_hand": "Whether a person asked for it (`run-now`).",
    "COLUMN timetable_ticks.attempt": "How many jobs the tick has had: another one when a crawl was lost.",
    "COLUMN timetable_ticks.job_id": "What scrapyd calls the last of them; only that one may begin.",
    "COLUMN timetable_ticks.opened_at": "When the timetable took note of it; later than due_at when it was away.",
    "COLUMN timetable_ticks.scheduled_at": "When scrapyd took the job.",
    "COLUMN timetable_ticks.run": "runs.id of the crawl that began for the job.",
    "COLUMN timetable_ticks.closed_at": "When its outcome was known; null while it waits or runs.",
    "COLUMN timetable_ticks.outcome": "The crawl's close reason, or lost, stuck, missed, not_begun: docs/operating.md.",
    "COLUMN timetable_ticks.note": "What is to be said of it: why it waits, what was missed.",
    "COLUMN runs.job_id": "What scrapyd calls the job; null when a person started the crawl.",
    "COLUMN runs.entry": "timetable.name of the entry that was due; null for all other crawls.",
    "COLUMN runs.answers": "Answers that had come at the last look, while the crawl went on.",
    "COLUMN runs.progressed_at": "When the count of answers last moved.",
    "COLUMN runs.finished_at": "End; null while it runs. Of a killed crawl (lost): when that was noticed.",
}


def upgrade() -> None:
    for statement in (
        TIMETABLE,
        ENTRIES,
        RUNS,
        RUNS_OF_ENTRIES,
        OPEN_RUNS,
        TICKS,
        TICKS_BY_JOB,
        OPEN_TICKS,
    ):
        op.execute(statement)
    for thing, text in COMMENTS.items():
        quoted = text.replace("'", "''")
        op.execute(f"COMMENT ON {thing} IS '{quoted}'")
