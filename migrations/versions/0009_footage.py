"""An index of lengths, so that the footage is summed up without reading every clip's facts."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("video_duration", "video", ["duration_s"])


def downgrade() -> None:
    op.drop_index("video_duration", "video")
