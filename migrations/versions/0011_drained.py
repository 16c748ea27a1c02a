"""Why a device takes no work is called ``drained``, as in the code."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE device RENAME COLUMN resting TO drained")


def downgrade() -> None:
    op.execute("ALTER TABLE device RENAME COLUMN drained TO resting")
