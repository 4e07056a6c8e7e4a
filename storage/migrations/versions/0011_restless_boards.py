"""how often rivals change each board; what an intention brings; a budget that begins anew."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BOARDS = """
ALTER TABLE boards
    ADD COLUMN changes bigint NOT NULL DEFAULT 0 CHECK (changes >= 0),
    ADD COLUMN changes_at timestamptz
"""
# What history tells of the three weeks in which a change fades to less than a hundredth. Where they
# begin with a change it is not known what the offer asked before: it may have been no move at all.
COUNTED = """
UPDATE boards SET changes = told.changes, changes_at = now()
FROM (
    SELECT product_id, city_id,
           round(sum(10000 * 0.5 ^ (extract(epoch FROM now() - moment) / 259200))) AS changes
    FROM (
        SELECT DISTINCT product_id, city_id, moment
        FROM (
            SELECT offers.product_id, offers.city_id, history.created_at AS moment,
                   boards.first_seen_at,
                   history.event <> 'changed'
                       OR lag(history.price) OVER moves IS NOT NULL
                       AND (history.price, history.price_minus_bonus)
                           IS DISTINCT FROM (lag(history.price) OVER moves,
                                             lag(history.price_minus_bonus) OVER moves) AS moves
            FROM offer_history AS history
            JOIN offers ON offers.id = history.offer_id
            JOIN boards ON boards.product_id = offers.product_id
                AND boards.city_id = offers.city_id
            WHERE history.created_at > now() - interval '21 days'
                AND offers.merchant_id <> ALL (ARRAY(
                    SELECT id FROM stores UNION ALL SELECT unnest(sisters) FROM stores))
            WINDOW moves AS (PARTITION BY history.offer_id ORDER BY history.created_at)
        ) AS seen
        WHERE moves AND moment > first_seen_at
    ) AS moments
    GROUP BY product_id, city_id
) AS told
WHERE boards.product_id = told.product_id AND boards.city_id = told.city_id
"""

# A gain a day is what the change brings in a day of a board that never changes.
BRINGS = "ALTER TABLE intentions RENAME COLUMN gain TO brings"
BROUGHT = "UPDATE intentions SET brings = 10000 * brings WHERE brings <> 0"

# A person lets a store begin anew: with what the settings of the next crawl say.
UNLEARNED = "ALTER TABLE change_budgets ALTER COLUMN budget DROP NOT NULL"

COMMENTS = {
    "COLUMN boards.changes": "Readings at which another than we came, left or asked another price, each of them 10,000, halved in every three days: as of changes_at.",
    "COLUMN boards.changes_at": "When that was last added to; null: never.",
    "COLUMN intentions.brings": "Ten-thousandths of a tenge that the change is expected to bring until its board changes: what is sent first.",
    "COLUMN change_budgets.budget": "The limits as they are known; null: as the settings say, for what was learned is forgotten.",
}  # fmt: skip


def upgrade() -> None:
    for statement in (BOARDS, COUNTED, BRINGS, BROUGHT, UNLEARNED):
        op.execute(statement)
    for thing, text in COMMENTS.items():
        op.execute(f"COMMENT ON {thing} IS '{text}'")
