"""What a person has deleted and may have back for a day."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "going",
        sa.Column("going_id", sa.Integer(), primary_key=True),
        sa.Column("clips", sa.JSON(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("word_id", sa.String()),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("due", sa.DateTime(), nullable=False),
        sa.Column("back", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_going_due", "going", ["due"])
    op.create_table(
        "set_aside",
        sa.Column("aside_id", sa.Integer(), primary_key=True),
        sa.Column("going_id", sa.Integer(), sa.ForeignKey("going.going_id", ondelete="CASCADE"), nullable=False),
        sa.Column("video_id", sa.String(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("looked_at", sa.DateTime()),
        sa.Column("pictures", sa.JSON(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("rows", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_set_aside_going_id", "set_aside", ["going_id"])
    op.create_index("ix_set_aside_video_id", "set_aside", ["video_id"])


def downgrade() -> None:
    op.drop_table("set_aside")
    op.drop_table("going")
