"""When each archive was read against its manifest last, and what was wrong with it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "archive_check",
        sa.Column("video_id", sa.String(), sa.ForeignKey("video.video_id"), primary_key=True),
        sa.Column("checked_at", sa.DateTime(), nullable=False),
        sa.Column("wrong", sa.JSON()),
        sa.Column("mended_by", sa.String()),
        sa.Column("mendings", sa.Integer(), nullable=False),
    )
    op.create_index("archive_check_at", "archive_check", ["checked_at", "video_id"])


def downgrade() -> None:
    op.drop_table("archive_check")
