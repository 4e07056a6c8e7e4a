"""Two years of 50,000 products in three cities, scaled down: how large, how fast, what remains.

`python -m benchmarks.scale` fills a database of its own with one product's history in every
hundred, tells what a row costs and what the whole would, asks the questions that people ask
(with the plan's figures) and forgets all but half a year. Under four minutes on two cores.

What is assumed, and why:

- A board has 12 sellers. 2.9 price changes a board and day: the median of goods whose price moved
  at all in 158 hourly listings of one shop's 2,334 products in 4 cities, recorded 2026-08. The
  mean over all its goods was 1.9, so the load is half as heavy again as what was seen.
- Two sellers of a board make these changes. Each of the others leaves and returns once a month.
- Every change moves the lowest price in the home city: a row of product_changes for each.
- Nothing is assumed of delivery classes, of which no series was recorded: a class that flips
  costs a row of history like a price. The table says what one flip a day and offer would add.
- A card has a description and specifications of 1.3 KB each, as those recorded, and stays.
"""

import argparse
import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import create_engine, text

from benchmarks.place import databases
from storage.database import open_engine, psycopg_connection, sqlalchemy_url
from storage.partitions import following, make_partitions, month_of
from storage.queries import SLICE, WORK_LIST_BOARDS
from storage.retention import RolledUp, kept_from, roll_up

PRODUCTS = 50_000
SELLERS = 12
CHANGES_A_DAY = 2.9
REPRICERS = 2
CITIES = ("750000000", "710000000", "511010000")
#: The end of the load: history runs up to this moment.
NOW = datetime(2026, 11, 1, tzinfo=UTC)
RETAINED_MONTHS = 6
#: Tables that are generated whole, for every product.
WHOLE_TABLES = {"products", "product_cards", "boards", "work_list"}

_WORLD = """
INSERT INTO products (kaspi_id, name, brand, category, description, specifications, image_url,
                      home_city_id, min_price, max_price, seller_amount, first_seen_at,
                      checked_at, card_checked_at)
SELECT (100000000 + number)::text, 'Смартфон Tulpar ' || number || ' 256 ГБ чёрный', 'Tulpar',
       'Смартфоны', texts, jsonb_build_object('name', texts), ARRAY[left(texts, 500)], %(home)s,
       90000, 120000, %(sellers)s, %(start)s, %(now)s, %(now)s
FROM generate_series(1, %(products)s) AS number
CROSS JOIN LATERAL (
    SELECT string_agg(md5(number::text || line), ' ') AS texts FROM generate_series(1, 40) AS line
) AS description;

INSERT INTO product_cards (product_id, since, name, brand, category, description,
                           specifications, image_url)
SELECT id, first_seen_at, name, brand, category, description, specifications, image_url
FROM products;

INSERT INTO boards (product_id, city_id, min_price, max_price, seller_amount, total, complete,
                    fingerprint, first_seen_at, checked_at, completed_at)
SELECT id, city, 90000, 120000, %(sellers)s, %(sellers)s, true, decode(md5(id::text), 'hex'),
       %(start)s, %(now)s - random() * interval '1 hour', %(now)s
FROM products, unnest(%(cities)s::text[]) AS city;

INSERT INTO work_list (kaspi_id, city_id)
SELECT kaspi_id, city_id FROM boards JOIN products ON products.id = product_id;

INSERT INTO offers (product_id, city_id, merchant_id, seller, merchant_sku, price,
                    price_minus_bonus, merchant_rating, merchant_reviews, title, preorder_days,
                    delivery_type, delivery_duration, delivery_days, kaspi_delivery,
                    located_in_point, delivery_points, pickup_points, first_seen_at, changed_at)
SELECT product_id, city_id, (3000000 + product_id * 7 + rank)::text, 'Магазин техники ' || rank,
       'SKU-' || product_id || '-' || rank, 100000 + rank * 500, 95000 + rank * 500, 4.8, 250,
       'Смартфон Tulpar 256 ГБ', 0, 'TO_DOOR', 'TILL_2_DAYS', 2, true, 'PP1',
       ARRAY['PP1'], ARRAY['PP1', 'PP2'], %(start)s, %(now)s
FROM boards, generate_series(1, %(sellers)s) AS rank
WHERE product_id <= %(told)s
ORDER BY product_id, city_id, rank;

CREATE TEMPORARY TABLE cast_of AS
SELECT *, (row_number() OVER (PARTITION BY product_id, city_id ORDER BY id))::int AS rank
FROM offers;
ANALYZE cast_of
"""

#: The events of one month. They are written in the order of time, as crawls write them, so that
#: the index of a month fills as it does in life.
_MONTH = """
INSERT INTO offer_history (offer_id, product_id, event, seller, price, price_minus_bonus,
                           preorder_days, delivery_type, delivery_duration, delivery_days,
                           kaspi_delivery, merchant_rating, merchant_reviews, created_at)
SELECT id, product_id, event::sighting, seller, price + step, price_minus_bonus + step, 0,
       delivery_type, delivery_duration, delivery_days, true, merchant_rating, 250, created_at
FROM (
    SELECT cast_of.*, 'changed' AS event, (random() * 900)::int AS step,
           %(month)s + random() * %(length)s AS created_at
    FROM cast_of, generate_series(1, round(%(changes)s)::int)
    WHERE rank <= %(repricers)s
    UNION ALL
    SELECT cast_of.*, event, 0, %(month)s + (id %% 25) * interval '1 day' + hours
    FROM cast_of, (VALUES ('gone', interval '1 hour'), ('returned', interval '9 hours'))
        AS absence (event, hours)
    WHERE rank > %(repricers)s
    UNION ALL
    SELECT cast_of.*, 'seen', 0, %(month)s FROM cast_of WHERE %(first)s
) AS told
ORDER BY created_at;
INSERT INTO product_changes (product_id, event, home_city_id, min_price, max_price,
                             seller_amount, rate, review_amount, rating_amount, checked_at)
SELECT history.product_id, 'changed', city_id, history.price, 120000, 12, 4.7, 8, 20, created_at
FROM offer_history AS history
JOIN cast_of ON cast_of.id = offer_id
WHERE city_id = %(home)s AND event = 'changed'
    AND created_at >= %(month)s AND created_at < %(month)s + %(length)s
ORDER BY created_at
"""

_TABLES = """
SELECT coalesce(pg_partition_root(oid), oid)::regclass::text AS name,
       sum(pg_total_relation_size(oid)) AS size
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
GROUP BY 1
"""


@attrs.frozen
class Load:
    """How much of the whole is generated: one product in `share` has offers and a past."""

    share: int
    months: int

    @property
    def told(self) -> int:
        """Products with a past."""
        return PRODUCTS // self.share

    @property
    def starts(self) -> list[datetime]:
        """The starts of the months, oldest first."""
        return [kept_from(NOW, back) for back in range(self.months, 0, -1)]

    @property
    def days(self) -> int:
        """Days of history."""
        return (NOW - self.starts[0]).days


@attrs.frozen
class Table:
    """One table: rows, and bytes with its indexes."""

    rows: int
    size: int

    @property
    def row(self) -> float:
        """Bytes a row."""
        return self.size / max(self.rows, 1)


@attrs.frozen(kw_only=True)
class Asked:
    """What a question took: milliseconds with planning, blocks of 8 KB, months really read."""

    question: str
    milliseconds: float
    blocks: int
    rows: float
    months: int


def fill(address: str, load: Load) -> None:
    """Write the world and its past."""
    with psycopg.connect(address) as connection:
        facts = {
            "home": CITIES[0],
            "cities": list(CITIES),
            "sellers": SELLERS,
            "start": load.starts[0],
            "now": NOW,
            "products": PRODUCTS,
            "told": load.told,
        }
        _run(connection, _WORLD, facts)
        for month in load.starts:
            _run(connection, _MONTH, {**facts, **_month_facts(month, load)})
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _month_facts(month: datetime, load: Load) -> dict[str, object]:
    length = following(month) - month
    return {
        "month": month,
        "length": length,
        "changes": CHANGES_A_DAY / REPRICERS * length.days,
        "repricers": REPRICERS,
        "first": month == load.starts[0],
    }


def _run(connection: psycopg.Connection[Any], statements: str, facts: dict[str, object]) -> None:
    """Run statements one by one; parameters are written in, as many take none together."""
    with psycopg.ClientCursor(connection) as cursor:
        cursor.execute(statements.encode(), facts)


async def prepare_months(address: str, load: Load) -> None:
    """Make the partitions, as the writer does."""
    engine = open_engine(address)
    async with engine.connect() as connection, connection.begin():
        cursor = (await psycopg_connection(connection)).cursor()
        await make_partitions(cursor, [*load.starts, month_of(NOW)])
    await engine.dispose()


def tables(address: str) -> dict[str, Table]:
    """The tables as they are, by name."""
    with psycopg.connect(address, row_factory=dict_row) as connection:
        found = connection.execute(_TABLES).fetchall()
        return {
            one["name"]: Table(_count(connection, one["name"]), int(one["size"])) for one in found
        }


def _count(connection: psycopg.Connection[dict[str, Any]], table: str) -> int:
    statement = sql.SQL("SELECT count(*) AS rows FROM {}").format(sql.Identifier(table))
    row = connection.execute(statement).fetchone()
    return int(row["rows"]) if row else 0


#: What people and crawls ask. The whole history is there: 50,000 products' work list, and a past
#: of two years for those that have one.
QUESTIONS = {
    "a board now": "SELECT * FROM board_at(:product_asked, :home, 'infinity')",
    "a board a year ago": "SELECT * FROM board_at(:product_asked, :home, :now - 365 * :day)",
    "a board on the second day": "SELECT * FROM board_at(:product_asked, :home, :start + :day)",
    "an offer's last 30 days": """
        SELECT * FROM offer_history
        WHERE offer_id = 77 AND created_at >= :now - 30 * :day ORDER BY created_at
    """,
    "lowest price a day, 90 days": """
        SELECT (offer_history.created_at AT TIME ZONE 'Asia/Almaty')::date AS day,
               min(offer_history.price)
        FROM offer_history
        JOIN offers ON offers.id = offer_id
        JOIN products ON products.id = offers.product_id
        WHERE kaspi_id = :product_asked AND city_id = :home
            AND offer_history.created_at >= :now - 90 * :day
        GROUP BY 1 ORDER BY 1
    """,
    "a product's past, 30 days": """
        SELECT * FROM product_history
        WHERE product_id = 7 AND checked_at >= :now - 30 * :day
        ORDER BY checked_at
    """,
    "all changes of one day": """
        SELECT event, count(*) FROM offer_history
        WHERE created_at >= :now - 2 * :day AND created_at < :now - :day GROUP BY event
    """,
    "10,000 boards of the work list": WORK_LIST_BOARDS.text,
}


def ask(address: str, load: Load) -> Iterator[Asked]:
    """Ask each question thrice, and tell of the last time, when the blocks are at hand."""
    facts = {
        "product_asked": "100000007",
        "home": CITIES[0],
        "now": NOW,
        "start": load.starts[0],
        "day": timedelta(days=1),
        "before": NOW,
        "moment": "-infinity",
        "product": "",
        "city": "",
        "any_city": True,
        "cities": [],
        "slice": SLICE,
    }
    engine = create_engine(sqlalchemy_url(address), connect_args={"options": "-c jit=off"})
    with engine.connect() as connection:
        for question, query in QUESTIONS.items():
            explain = text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}")
            plans: list[dict[str, Any]] = [
                connection.execute(explain, facts).scalar_one()[0] for _ in range(3)
            ]
            yield _asked(question, plans[-1])
    engine.dispose()


def _asked(question: str, plan: dict[str, Any]) -> Asked:
    top = plan["Plan"]
    months = {one["Relation Name"] for one in _nodes(top) if _is_month(one)}
    return Asked(
        question=question,
        milliseconds=plan["Execution Time"] + plan["Planning Time"],
        blocks=top["Shared Hit Blocks"] + top["Shared Read Blocks"],
        rows=top["Actual Rows"],
        months=len(months),
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _is_month(node: dict[str, Any]) -> bool:
    """Whether a month was really read: the plan names those that were skipped, too."""
    return str(node.get("Relation Name")).startswith("offer_history_2") and node["Actual Loops"] > 0


async def forget(address: str) -> tuple[RolledUp, float]:
    """Roll up all but the last months, and say how long it took."""
    engine = open_engine(address)
    started = time.perf_counter()
    done = await roll_up(engine, kept_from(NOW, RETAINED_MONTHS))
    took = time.perf_counter() - started
    await engine.dispose()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return done, took


def show_tables(found: dict[str, Table], load: Load) -> int:
    """Print the sizes, and return what the whole would take, in bytes."""
    print(f"{'table':22}{'rows':>12}{'MB':>9}{'B/row':>8}{'whole: rows':>16}{'GB':>8}")
    total = 0
    for name, table in sorted(found.items(), key=lambda each: -each[1].size):
        factor = 1 if name in WHOLE_TABLES else load.share
        total += table.size * factor
        print(
            f"{name:22}{table.rows:12,}{table.size / 1e6:9.1f}{table.row:8.0f}"
            f"{table.rows * factor:16,}{table.size * factor / 1e9:8.2f}"
        )
    print(f"{'all':22}{'':12}{'':9}{'':8}{'':16}{total / 1e9:8.2f}\n")
    return total


def show_flips(table: Table) -> None:
    """Print what a delivery class would cost that flips once a day and offer."""
    flips = PRODUCTS * len(CITIES) * SELLERS * 365
    print(
        f"Each delivery class that flips once a day and offer would add {flips / 1e6:,.0f} million "
        f"rows, {flips * table.row / 1e9:.0f} GB, a year.\n"
    )


def show_questions(answers: Iterator[Asked], months: int) -> None:
    """Print what the questions took."""
    print(f"{'question':32}{'ms':>9}{'blocks':>9}{'rows':>8}{'months read':>14}")
    for one in answers:
        read = f"{one.months} of {months}" if one.months else "-"
        print(f"{one.question:32}{one.milliseconds:9.2f}{one.blocks:9,}{one.rows:8,.0f}{read:>14}")
    print()


async def measure(address: str, load: Load) -> None:
    """Fill, weigh, ask, forget, weigh and ask again."""
    started = time.perf_counter()
    await prepare_months(address, load)
    fill(address, load)
    weighed = tables(address)
    print(
        f"{PRODUCTS:,} products x {len(CITIES)} cities x {load.months} months; one in {load.share} "
        f"has a past, made in {time.perf_counter() - started:.0f} s\n"
    )
    show_tables(weighed, load)
    show_flips(weighed["offer_history"])
    show_questions(ask(address, load), load.months + 1)
    done, took = await forget(address)
    print(
        f"Forgot {len(done.months)} months, {done.changes:,} changes, in {took:.1f} s "
        f"({done.changes / took:,.0f} a second); {done.days:,} days and {done.carried:,} carried "
        f"rows remain of them. Kept: {RETAINED_MONTHS} months.\n"
    )
    show_tables(tables(address), load)
    show_questions(ask(address, load), RETAINED_MONTHS + 1)


def main() -> None:
    """Measure in a database of its own, which is dropped afterwards."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--share", type=int, default=100, help="one product in so many has a past")
    parser.add_argument("--months", type=int, default=24, help="months of history")
    given = parser.parse_args()
    with databases(Path(".data/benchmarks")).fresh() as address:
        asyncio.run(measure(address, Load(share=given.share, months=given.months)))


if __name__ == "__main__":
    main()
