"""Whether a camera's correction is carried out: what is owed goes on after a restart. Those there are have been."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("camera_clock", sa.Column("applied", sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    op.drop_column("camera_clock", "applied")
