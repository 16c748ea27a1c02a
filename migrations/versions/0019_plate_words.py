"""What people say about plates and sightings."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sighting_word",
        sa.Column("word_id", sa.String(), primary_key=True),
        sa.Column("video_id", sa.String(), sa.ForeignKey("video.video_id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String()),
        sa.Column("first_s", sa.Double(), nullable=False),
        sa.Column("last_s", sa.Double(), nullable=False),
        sa.Column("boxes", sa.JSON(), nullable=False),
        sa.Column("read", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("crop", sa.String(), nullable=False),
        said_by(),
        said_at(),
    )
    op.create_index("ix_sighting_word_video_id", "sighting_word", ["video_id"])
    op.create_index("sighting_word_at", "sighting_word", ["at", "word_id"])
    op.create_table(
        "plate_merge",
        sa.Column("text", sa.String(), primary_key=True),
        sa.Column("into", sa.String(), nullable=False),
        said_by(),
        said_at(),
    )
    op.create_index("ix_plate_merge_into", "plate_merge", ["into"])
    op.create_table(
        "plate_apart",
        sa.Column("one", sa.String(), primary_key=True),
        sa.Column("other", sa.String(), primary_key=True),
        said_by(),
        said_at(),
    )
    op.create_table(
        "plate_note",
        sa.Column("text", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("ignored", sa.Boolean(), nullable=False),
        sa.Column("watched", sa.Boolean(), nullable=False),
        said_by(),
        said_at(),
    )
    op.add_column("sighting", sa.Column("machine", sa.JSON()))
    op.add_column("sighting", sa.Column("word_id", sa.String()))


def said_by() -> sa.Column[str]:
    return sa.Column("who", sa.String(), nullable=False)


def said_at() -> sa.Column[sa.DateTime]:
    return sa.Column("at", sa.DateTime(), nullable=False)


def downgrade() -> None:
    op.drop_column("sighting", "word_id")
    op.drop_column("sighting", "machine")
    for name in ("plate_note", "plate_apart", "plate_merge", "sighting_word"):
        op.drop_table(name)
