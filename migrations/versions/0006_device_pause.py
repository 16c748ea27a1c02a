"""devices that a person has paused, and why a device takes no work"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("device", sa.Column("paused", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("device", sa.Column("paused_until", sa.DateTime()))
    op.add_column("device", sa.Column("resting", sa.String()))


def downgrade() -> None:
    for column in ("resting", "paused_until", "paused"):
        op.drop_column("device", column)
