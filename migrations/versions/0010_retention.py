"""What is held of each clip and since when, what a person protects, and the plans of what goes.

Holdings of clips that were through before are noted by the first plan (`catalog.holdings.catch_up`).
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

WIDE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "holding",
        sa.Column("video_id", sa.String(), sa.ForeignKey("video.video_id"), primary_key=True),
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("bytes", WIDE),
        sa.Column("plan_id", sa.Integer()),
        sa.Column("removed_at", sa.DateTime()),
        sa.Column("rule", sa.String()),
    )
    there = sa.text("removed_at IS NULL")
    columns = ["kind", "since", "video_id", "bytes"]
    op.create_index("holding_open", "holding", columns, sqlite_where=there, postgresql_where=there)
    op.create_index("holding_removed", "holding", ["removed_at", "video_id"])
    op.create_table(
        "protection",
        sa.Column("video_id", sa.String(), sa.ForeignKey("video.video_id"), primary_key=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "retention_plan",
        sa.Column("plan_id", sa.Integer(), primary_key=True),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("began_at", sa.DateTime()),
        sa.Column("ended_at", sa.DateTime()),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("removed_bytes", WIDE, nullable=False),
        sa.Column("kept", sa.JSON(), nullable=False),
    )
    op.create_index("ix_retention_plan_made_at", "retention_plan", ["made_at"])


def downgrade() -> None:
    for table in ("retention_plan", "protection", "holding"):
        op.drop_table(table)
