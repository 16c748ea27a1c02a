"""The routes of trips, simplified for the map of everything; they are drawn after the start."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "route",
        sa.Column("trip_id", sa.Integer(), sa.ForeignKey("trip.trip_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("level", sa.Integer(), primary_key=True),
        *(sa.Column(side, sa.Double(), nullable=False) for side in ("south", "west", "north", "east")),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("heat", sa.String(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("route")
