"""A person draws where home is."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "home_zone",
        sa.Column("lat", sa.Double(), primary_key=True),
        sa.Column("lon", sa.Double(), primary_key=True),
        sa.Column("radius_m", sa.Double(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("home_zone")
