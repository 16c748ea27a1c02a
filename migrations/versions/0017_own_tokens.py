"""Tokens that belong to a person."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    person = sa.ForeignKey("account.account_id", ondelete="CASCADE")
    op.add_column("access_token", sa.Column("account_id", sa.Integer(), person), inline_references=True)
    op.create_index("ix_access_token_account_id", "access_token", ["account_id"])


def downgrade() -> None:
    op.execute("DELETE FROM access_token WHERE account_id IS NOT NULL")
    op.drop_index("ix_access_token_account_id", "access_token")
    with op.batch_alter_table("access_token") as table:
        table.drop_column("account_id")
