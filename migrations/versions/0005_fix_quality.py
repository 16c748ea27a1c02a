"""how good each position is: 2d or 3d where the camera says it, and of a sighting's place whether it is at a fix"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("position", sa.Column("quality", sa.String(), nullable=False, server_default="fix"))
    op.add_column("sighting", sa.Column("place_quality", sa.String(), nullable=True))


def downgrade() -> None:
    # in SQL: for SQLite Alembic would copy the table, and lose the indices over expressions
    op.execute("ALTER TABLE sighting DROP COLUMN place_quality")
    op.execute("ALTER TABLE position DROP COLUMN quality")
