"""what plates are searched by: ends of their text, keys of misreadings; indices that hold all that a search asks"""

import sqlalchemy as sa
from alembic import op

from dashcam.catalog.plate_text import near_keys, suffixes

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TILE = "(CAST(lat * 100 AS INTEGER) * 100000 + CAST(lon * 100 AS INTEGER))"
BATCH = 5000


def upgrade() -> None:
    bytewise = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    suffix = op.create_table(
        "plate_suffix",
        sa.Column("suffix", bytewise, nullable=False),
        sa.Column("plate_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["plate_id"], ["plate.plate_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("suffix", "plate_id"),
        sqlite_with_rowid=False,
    )
    near = op.create_table(
        "plate_near",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("plate_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["plate_id"], ["plate.plate_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", "plate_id"),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    plates = connection.execute(sa.text("SELECT plate_id, text FROM plate")).all()
    for start in range(0, len(plates), BATCH):
        some = plates[start : start + BATCH]
        ends = [{"suffix": end, "plate_id": plate, "text": text} for plate, text in some for end in suffixes(text)]
        keys = [{"key": key, "plate_id": plate} for plate, text in some for key in near_keys(text)]
        if ends:
            connection.execute(sa.insert(suffix), ends)
            connection.execute(sa.insert(near), keys)
    for table in ("plate_suffix", "plate_near"):
        op.create_index(f"ix_{table}_plate_id", table, ["plate_id"])
    op.drop_index("sighting_plate_time", "sighting")
    op.drop_index("ix_sighting_seen_utc", "sighting")
    op.drop_index("sighting_confirmed_plate", "sighting")
    op.create_index("sighting_of_plate", "sighting", ["plate_id", "seen_utc", "confirmed", "lat", "lon"])
    op.create_index("sighting_in_time", "sighting", ["seen_utc", "plate_id", "confirmed", "lat", "lon"])
    columns = [sa.text(TILE), "seen_utc", "confirmed", "lat", "lon", "plate_id"]
    op.create_index("sighting_in_place", "sighting", columns)


def downgrade() -> None:
    for index in ("sighting_in_place", "sighting_in_time", "sighting_of_plate"):
        op.drop_index(index, "sighting")
    op.create_index("sighting_confirmed_plate", "sighting", ["confirmed", "plate_id"])
    op.create_index("ix_sighting_seen_utc", "sighting", ["seen_utc"])
    op.create_index("sighting_plate_time", "sighting", ["plate_id", "seen_utc"])
    op.drop_table("plate_near")
    op.drop_table("plate_suffix")
