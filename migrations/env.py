"""Alembic's entry: runs on the connection that `migrations.upgrade` hands over."""

from alembic import context

from dashcam.access import models as access  # noqa: F401  all three make their tables known to Base
from dashcam.catalog import models  # noqa: F401
from dashcam.database import Base
from dashcam.tasks import row  # noqa: F401

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
