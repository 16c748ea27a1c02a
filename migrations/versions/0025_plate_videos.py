"""In how many clips a plate was seen, and on which trips, is said by the index of its sightings alone."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

COLUMNS = ["plate_id", "seen_utc", "confirmed", "lat", "lon"]


def upgrade() -> None:
    op.drop_index("sighting_of_plate", table_name="sighting")
    op.create_index("sighting_of_plate", "sighting", [*COLUMNS, "video_id"])


def downgrade() -> None:
    op.drop_index("sighting_of_plate", table_name="sighting")
    op.create_index("sighting_of_plate", "sighting", COLUMNS)
