"""The tables: one way up, told when behind, explained to the last column, shut to nonsense."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from storage import migrations
from storage.schema import NEWEST, SchemaBehind, require_newest, revisions, upgrade
from tests.storage.looking import everything, rows


def test_the_newest_revision_is_the_head_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(*migrations.__path__)))
    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST]


def test_upgrading_twice_is_harmless(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO work_list (kaspi_id, city_id) VALUES ('1', '2')")
    before = everything(database)
    upgrade(database)
    assert everything(database) == before
    assert revisions(database) == (NEWEST, NEWEST)


def test_two_upgrades_at_once_take_turns(empty_database: str) -> None:
    program = "import sys; from storage.schema import upgrade; upgrade(sys.argv[1])"
    people = [subprocess.Popen([sys.executable, "-c", program, empty_database]) for _ in range(3)]
    assert [person.wait(60) for person in people] == [0, 0, 0]
    require_newest(empty_database)


def test_an_upgrade_leaves_no_connection_behind(empty_database: str) -> None:
    upgrade(empty_database)
    others = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"
    with psycopg.connect(empty_database) as connection:
        assert rows(empty_database, others, connection.info.backend_pid) == [{}]


@pytest.mark.parametrize(
    ("revision", "named"),
    [
        pytest.param(None, "none", id="no tables at all"),
        pytest.param("0000", "0000", id="older tables"),
        pytest.param("9999", "9999", id="newer tables"),
    ],
)
def test_other_tables_are_refused_with_the_remedy(
    empty_database: str, revision: str | None, named: str
) -> None:
    if revision:
        upgrade(empty_database)
        with psycopg.connect(empty_database) as connection:
            connection.execute("UPDATE alembic_version SET version_num = %s", [revision])
    with pytest.raises(
        SchemaBehind, match=rf"revision {named}, this code needs {NEWEST}: run `scrapy database"
    ):
        require_newest(empty_database)


def test_every_table_column_and_function_is_explained(migrated_database: str) -> None:
    unexplained = rows(
        migrated_database,
        """
        SELECT relname || coalesce('.' || attname, '') AS name
        FROM pg_class
        LEFT JOIN LATERAL (
            SELECT attname, attnum FROM pg_attribute
            WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
            UNION ALL VALUES (NULL, 0)
        ) AS part ON true
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
            AND NOT relispartition AND relname <> 'alembic_version'
            AND coalesce(col_description(pg_class.oid, nullif(attnum, 0)),
                         obj_description(pg_class.oid, 'pg_class')) IS NULL
        UNION ALL
        SELECT proname FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
            AND obj_description(pg_proc.oid, 'pg_proc') IS NULL
        """,
    )
    assert unexplained == []


#: The columns of the parser that the project began as: reports were written against them.
ORIGINAL = {
    "products": "id name kaspi_id description category min_price max_price rate review_amount "
    "seller_amount image_url",
    "product_history": "id product_id name kaspi_id description category min_price max_price "
    "rate review_amount seller_amount image_url checked_at",
    "offers": "id product_id seller price",
    "offer_history": "id product_id offer_id seller price created_at",
}


@pytest.mark.parametrize("table", ORIGINAL)
def test_the_original_columns_are_there(migrated_database: str, table: str) -> None:
    held = rows(
        migrated_database,
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s",
        table,
    )
    assert set(ORIGINAL[table].split()) <= {one["column_name"] for one in held}


PRODUCT = (
    "INSERT INTO products (kaspi_id, home_city_id, first_seen_at{}) VALUES ('1', '2', now(){})"
)
BOARD = (
    "INSERT INTO boards (product_id, city_id, first_seen_at, checked_at{}) "
    "SELECT id, '2', now(), now(){} FROM products"
)
OFFER = (
    "INSERT INTO offers (product_id, city_id, merchant_id, seller, price, first_seen_at, "
    "changed_at) SELECT id, '2', {}, 'Лавка', {}, now(), now() FROM products"
)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(PRODUCT.format("", ""), id="a product twice"),
        pytest.param(PRODUCT.format(", min_price", ", 0"), id="a product for nothing"),
        pytest.param(
            PRODUCT.format(", min_price, max_price", ", 5, 4"), id="a lowest above the highest"
        ),
        pytest.param(PRODUCT.format(", seller_amount", ", -1"), id="fewer than no sellers"),
        pytest.param("INSERT INTO products (kaspi_id) VALUES ('7')", id="a product of nowhere"),
        pytest.param(BOARD.format("", ""), id="a board twice"),
        pytest.param(
            "INSERT INTO boards (product_id, city_id, first_seen_at, checked_at) "
            "VALUES (99, '2', now(), now())",
            id="a board of no product",
        ),
        pytest.param(BOARD.replace("'2'", "'3'").format(", min_price", ", -5"),
                     id="a board below zero"),
        pytest.param(OFFER.format("'101'", 5), id="an offer twice"),
        pytest.param(OFFER.format("'102'", 0), id="an offer for nothing"),
        pytest.param(OFFER.format("NULL", 5), id="an offer of nobody"),
        pytest.param(
            "INSERT INTO offer_history (offer_id, product_id, event, seller, price, created_at) "
            "VALUES (1, 1, 'sold', 'Лавка', 5, now())",
            id="an event without a name",
        ),
        pytest.param(
            "INSERT INTO offer_history (offer_id, product_id, event, seller, price, created_at) "
            "VALUES (1, 1, 'seen', 'Лавка', 5, '2001-01-01')",
            id="a change in a month that nobody made",
        ),
        pytest.param(
            "INSERT INTO product_changes (product_id, event, home_city_id, checked_at) "
            "VALUES (99, 'seen', '2', now())",
            id="the past of no product",
        ),
    ],
)  # fmt: skip
def test_nonsense_is_refused(database: str, statement: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(PRODUCT.format("", "").encode())
        connection.execute(BOARD.format("", "").encode())
        connection.execute(OFFER.format("'101'", 5).encode())
        connection.commit()
        with pytest.raises((psycopg.IntegrityError, psycopg.DataError)):
            connection.execute(statement.encode())
