"""tasks, videos, positions, plates, sightings, devices"""

import sqlalchemy as sa
from alembic import op

import dashcam.database

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "device",
        sa.Column("hostname", sa.String(), nullable=False),
        sa.Column("device_type", sa.String(), nullable=False),
        sa.Column("last_seen", dashcam.database.UtcDateTime(), nullable=False),
        sa.Column("info", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("hostname"),
    )
    op.create_table(
        "plate",
        sa.Column("plate_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("plate_id"),
        sa.UniqueConstraint("text"),
    )
    op.create_table(
        "video",
        sa.Column("video_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("created_at", dashcam.database.UtcDateTime(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=True),
        sa.Column("start_utc", dashcam.database.UtcDateTime(), nullable=True),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.Column("trip", sa.String(), nullable=True),
        sa.Column("camera", sa.String(), nullable=True),
        sa.Column("frames_decoded", sa.Integer(), nullable=True),
        sa.Column("frames_looked_at", sa.Integer(), nullable=True),
        sa.Column("models", sa.JSON(), nullable=True),
        sa.Column("media", sa.String(), nullable=True),
        sa.Column("poster", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("video_id"),
    )
    with op.batch_alter_table("video", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_video_start_utc"), ["start_utc"], unique=False)
        batch_op.create_index(batch_op.f("ix_video_trip"), ["trip"], unique=False)
    when = sa.text("coalesce(start_utc, created_at)")
    op.create_index("video_time", "video", [when, "video_id"])
    op.create_index("video_camera_time", "video", ["camera", when, "video_id"])
    op.create_index("video_outcome_time", "video", ["outcome", when, "video_id"])

    op.create_table(
        "position",
        sa.Column("video_id", sa.String(), nullable=False),
        sa.Column("t_s", sa.Double(), nullable=False),
        sa.Column("utc", dashcam.database.UtcDateTime(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("speed_mps", sa.Double(), nullable=True),
        sa.Column("heading_deg", sa.Double(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["video_id"],
            ["video.video_id"],
        ),
        sa.PrimaryKeyConstraint("video_id", "t_s"),
    )
    op.create_table(
        "sighting",
        sa.Column("sighting_id", sa.Integer(), nullable=False),
        sa.Column("video_id", sa.String(), nullable=False),
        sa.Column("plate_id", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("first_s", sa.Double(), nullable=False),
        sa.Column("last_s", sa.Double(), nullable=False),
        sa.Column("best_s", sa.Double(), nullable=False),
        sa.Column("best_pts", sa.Integer(), nullable=False),
        sa.Column("box", sa.JSON(), nullable=False),
        sa.Column("slots", sa.JSON(), nullable=False),
        sa.Column("reads", sa.JSON(), nullable=False),
        sa.Column("crop", sa.String(), nullable=False),
        sa.Column("frame", sa.String(), nullable=False),
        sa.Column("seen_utc", dashcam.database.UtcDateTime(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("speed_mps", sa.Double(), nullable=True),
        sa.Column("heading_deg", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["plate_id"],
            ["plate.plate_id"],
        ),
        sa.ForeignKeyConstraint(
            ["video_id"],
            ["video.video_id"],
        ),
        sa.PrimaryKeyConstraint("sighting_id"),
        sa.UniqueConstraint("video_id", "crop"),
    )
    with op.batch_alter_table("sighting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sighting_seen_utc"), ["seen_utc"], unique=False)
        batch_op.create_index(batch_op.f("ix_sighting_video_id"), ["video_id"], unique=False)
        batch_op.create_index("sighting_plate_time", ["plate_id", "seen_utc"], unique=False)
        batch_op.create_index("sighting_confirmed_plate", ["confirmed", "plate_id"], unique=False)

    op.create_table(
        "source_file",
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("mtime_ns", sa.Integer(), nullable=False),
        sa.Column("video_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["video_id"],
            ["video.video_id"],
        ),
        sa.PrimaryKeyConstraint("uri"),
    )
    with op.batch_alter_table("source_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_file_video_id"), ["video_id"], unique=False)

    op.create_table(
        "task",
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("task_type", sa.String(), nullable=False),
        sa.Column("video_id", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("device_type", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("created_at", dashcam.database.UtcDateTime(), nullable=False),
        sa.Column("completed_at", dashcam.database.UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("not_before", dashcam.database.UtcDateTime(), nullable=True),
        sa.Column("hold", sa.String(), nullable=True),
        sa.Column("flow_run_id", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["video_id"],
            ["video.video_id"],
        ),
        sa.PrimaryKeyConstraint("task_id"),
        sa.UniqueConstraint("task_type", "video_id", "revision"),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_task_video_id"), ["video_id"], unique=False)
        batch_op.create_index("task_completed", ["state", "completed_at", "task_id"], unique=False)
        batch_op.create_index("task_pending", ["state", "device_type", "created_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index("task_pending")
        batch_op.drop_index("task_completed")
        batch_op.drop_index(batch_op.f("ix_task_video_id"))

    op.drop_table("task")
    with op.batch_alter_table("source_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_file_video_id"))

    op.drop_table("source_file")
    with op.batch_alter_table("sighting", schema=None) as batch_op:
        batch_op.drop_index("sighting_plate_time")
        batch_op.drop_index(batch_op.f("ix_sighting_video_id"))
        batch_op.drop_index(batch_op.f("ix_sighting_seen_utc"))

    op.drop_table("sighting")
    op.drop_table("position")
    with op.batch_alter_table("video", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_video_trip"))
        batch_op.drop_index(batch_op.f("ix_video_start_utc"))

    op.drop_table("video")
    op.drop_table("plate")
    op.drop_table("device")
