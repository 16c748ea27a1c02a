"""sizes, times in nanoseconds and MPEG-TS timestamps, which PostgreSQL's INTEGER does not hold"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COLUMNS = (("source_file", "size"), ("source_file", "mtime_ns"), ("sighting", "best_pts"))


def upgrade() -> None:
    retype(sa.BigInteger())


def downgrade() -> None:
    retype(sa.Integer())


def retype(wanted: sa.types.TypeEngine[int]) -> None:
    if op.get_bind().dialect.name == "sqlite":  # its INTEGER has 64 bits
        return
    for table, column in COLUMNS:
        op.alter_column(table, column, type_=wanted, existing_nullable=False)
