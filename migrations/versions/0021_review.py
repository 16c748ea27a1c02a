"""What each person has looked at, and when they were there last."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review",
        sa.Column("account_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("video_id", sa.String(), sa.ForeignKey("video.video_id"), primary_key=True),
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("at_ms", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_review_video_id", "review", ["video_id"])
    op.create_index("review_undone", "review", ["account_id", "at"])
    op.create_table(
        "visit",
        sa.Column("account_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.Column("since", sa.DateTime()),
    )


def downgrade() -> None:
    op.drop_table("visit")
    op.drop_table("review")
