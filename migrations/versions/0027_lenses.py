"""A person says how wide a camera's lens is."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "camera_lens",
        sa.Column("camera", sa.String(), primary_key=True),
        sa.Column("horizontal_fov_deg", sa.Double()),
        sa.Column("projection", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied", sa.Boolean(), nullable=False, server_default=sa.true()),
    )


def downgrade() -> None:
    op.drop_table("camera_lens")
