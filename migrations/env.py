"""Alembic's entry: runs on the connection that `migrations.upgrade` hands over."""

from alembic import context

from dashcam.catalog import models

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=models.Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
