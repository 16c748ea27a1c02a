"""Which clips were read again, and what their plates are read as since."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reread",
        sa.Column("video_id", sa.String(), sa.ForeignKey("video.video_id"), primary_key=True),
        sa.Column("at", sa.DateTime(), primary_key=True),
    )
    op.create_table(
        "read_change",
        sa.Column("change_id", sa.Integer(), primary_key=True),
        sa.Column("video_id", sa.String(), sa.ForeignKey("video.video_id"), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("best_s", sa.Double(), nullable=False),
        sa.Column("was", sa.String()),
        sa.Column("was_confidence", sa.Double()),
        sa.Column("now", sa.String()),
        sa.Column("now_confidence", sa.Double()),
        sa.Column("said", sa.String()),
        sa.Column("crop", sa.String()),
    )
    op.create_index("ix_read_change_video_id", "read_change", ["video_id"])
    op.create_index("read_change_at", "read_change", ["at", "change_id"])


def downgrade() -> None:
    op.drop_table("read_change")
    op.drop_table("reread")
