"""how good each position is: 2d or 3d where the camera says it, of a sighting's place whether it is at a fix; an index
for the cameras' clocks"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("position", sa.Column("quality", sa.String(), nullable=False, server_default="fix"))
    op.add_column("sighting", sa.Column("place_quality", sa.String(), nullable=True))
    at = sa.text("coalesce(start_utc, created_at)")
    op.create_index("video_clock_time", "video", ["camera", "clock", at])


def downgrade() -> None:
    op.drop_index("video_clock_time", "video")
    # in SQL: for SQLite Alembic would copy the table, and lose the indices over expressions
    op.execute("ALTER TABLE sighting DROP COLUMN place_quality")
    op.execute("ALTER TABLE position DROP COLUMN quality")
