"""What a person has deleted, and what of it the stores still hold."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deletion",
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("subject", sa.String(), primary_key=True),
        sa.Column("at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "leftover",
        sa.Column("video_id", sa.String(), primary_key=True),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("uris", sa.JSON(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("trouble", sa.String()),
    )


def downgrade() -> None:
    for table in ("leftover", "deletion"):
        op.drop_table(table)
