"""Runs the migrations on the connection that `core.migrate` hands over, in one transaction."""

from alembic import context

from valueplatform.core.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
