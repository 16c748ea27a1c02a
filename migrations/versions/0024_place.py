"""A task that is put off keeps its place in line."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("task", sa.Column("place", sa.DateTime()))
    there = sa.text("state = 'pending' AND place IS NOT NULL")
    op.create_index("task_put_off", "task", ["not_before"], sqlite_where=there, postgresql_where=there)


def downgrade() -> None:
    op.drop_index("task_put_off", table_name="task")
    op.drop_column("task", "place")
