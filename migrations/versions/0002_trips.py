"""Trips, what a person decided about them, the cameras' clocks, and the estimated place of a sighting.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

import dashcam.database

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trip",
        sa.Column("trip_id", sa.Integer(), nullable=False),
        sa.Column("start_utc", dashcam.database.UtcDateTime(), nullable=False),
        sa.Column("end_utc", dashcam.database.UtcDateTime(), nullable=False),
        sa.Column("clips", sa.Integer(), nullable=False),
        sa.Column("parked", sa.Integer(), nullable=False),
        sa.Column("cameras", sa.JSON(), nullable=False),
        sa.Column("distance_m", sa.Double(), nullable=False),
        sa.Column("moving_s", sa.Double(), nullable=False),
        sa.Column("max_mps", sa.Double(), nullable=False),
        sa.Column("box", sa.JSON(), nullable=True),
        sa.Column("leads", sa.JSON(), nullable=False),
        sa.Column("stops", sa.JSON(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("trip_id"),
    )
    with op.batch_alter_table("trip", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trip_start_utc"), ["start_utc"], unique=False)
        batch_op.create_index(batch_op.f("ix_trip_end_utc"), ["end_utc"], unique=False)

    op.create_table(
        "trip_decision",
        sa.Column("video_id", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("decided_at", dashcam.database.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["video_id"], ["video.video_id"]),
        sa.PrimaryKeyConstraint("video_id"),
    )
    op.create_table(
        "camera_clock",
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("ahead_s", sa.Double(), nullable=False),
        sa.Column("decided_at", dashcam.database.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("camera"),
    )
    # one by one, the first in SQL: for SQLite Alembic would copy the table, and lose the indices over expressions
    op.execute("ALTER TABLE video ADD COLUMN trip_id INTEGER REFERENCES trip (trip_id)")
    op.add_column("video", sa.Column("counter", sa.Integer(), nullable=True))
    op.add_column("video", sa.Column("clock", sa.String(), nullable=True))
    op.add_column("video", sa.Column("drive", sa.JSON(), nullable=True))
    op.create_index("ix_video_trip_id", "video", ["trip_id"])
    op.create_index("ix_video_counter", "video", ["counter"])
    op.add_column("sighting", sa.Column("accuracy_m", sa.Double(), nullable=True))
    op.add_column("sighting", sa.Column("estimate", sa.JSON(), nullable=True))


def downgrade() -> None:
    for column in ("estimate", "accuracy_m"):
        op.drop_column("sighting", column)
    op.drop_index("ix_video_counter", "video")
    op.drop_index("ix_video_trip_id", "video")
    for column in ("drive", "clock", "counter", "trip_id"):
        op.drop_column("video", column)
    op.drop_table("camera_clock")
    op.drop_table("trip_decision")
    op.drop_table("trip")
