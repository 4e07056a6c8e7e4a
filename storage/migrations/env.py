"""How Alembic reaches the database: by the address that storage.schema hands it."""

from alembic import context
from sqlalchemy import NullPool, create_engine, text

#: Two processes that upgrade at once take turns under this lock.
UPGRADE_LOCK = 7_355_609

#: Without a pool, because an idle connection would keep the database from being copied or dropped.
engine = create_engine(context.config.attributes["url"], poolclass=NullPool)

with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=False)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
        context.run_migrations()
