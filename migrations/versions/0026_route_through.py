"""Which trips lead through a window is said by an index, without their lines."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("route_through", "route", ["level", "trip_id", "south", "north", "west", "east"])


def downgrade() -> None:
    op.drop_index("route_through", table_name="route")
