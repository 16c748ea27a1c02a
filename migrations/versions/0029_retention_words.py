"""An admin says how long what is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retention_word",
        sa.Column("said_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("by_settings", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("raw_videos", sa.Integer()),
        sa.Column("lowres_months", sa.Integer()),
    )


def downgrade() -> None:
    op.drop_table("retention_word")
