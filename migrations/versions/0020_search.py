"""What a search needs of each plate, and the searches that people keep; `plate_facts.catch_up` fills the former."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("plate", sa.Column("times", sa.Integer()))
    op.add_column("plate", sa.Column("first_seen", sa.DateTime()))
    op.add_column("plate", sa.Column("last_seen", sa.DateTime()))
    op.add_column("plate", sa.Column("alternatives", sa.LargeBinary()))
    op.create_index("plate_times", "plate", ["times", "plate_id"])
    op.create_index("plate_first_seen", "plate", ["first_seen", "plate_id"])
    op.create_table(
        "saved_search",
        sa.Column("search_id", sa.Integer(), primary_key=True),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("account.account_id", ondelete="CASCADE")),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_saved_search_account_id", "saved_search", ["account_id"])


def downgrade() -> None:
    op.drop_table("saved_search")
    op.drop_index("plate_first_seen", "plate")
    op.drop_index("plate_times", "plate")
    with op.batch_alter_table("plate") as table:
        for name in ("alternatives", "last_seen", "first_seen", "times"):
            table.drop_column(name)
