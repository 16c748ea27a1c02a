"""what preprocessing rejected of each clip, and what was found in the sample of it"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rejection",
        sa.Column("video_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("audited_s", sa.Double(), nullable=False),
        sa.Column("audited", sa.Integer(), nullable=False),
        sa.Column("missed_s", sa.Double(), nullable=True),
        sa.Column("missed", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["video_id"], ["video.video_id"]),
        sa.PrimaryKeyConstraint("video_id", "reason"),
    )


def downgrade() -> None:
    op.drop_table("rejection")
