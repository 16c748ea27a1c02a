"""a backlog of any size costs dispatching the same: indices of what is asked, and what a run has is written down"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PENDING, FREE = "state = 'pending'", "state = 'pending' AND hold IS NULL AND flow_run_id IS NULL"
INDICES = {
    "task_pending": (PENDING, ["device_type", "created_at", "task_id"]),
    "task_oldest": (PENDING, ["created_at", "task_id"]),
    "task_backlog": (PENDING, ["task_type", "footage_s"]),
    "task_offerable": (f"{FREE} AND crashes < 2", ["task_type", "not_before", "created_at", "task_id"]),
    "task_suspected": (f"{FREE} AND crashes >= 2", ["task_type", "not_before", "created_at", "task_id"]),
    "task_in_run": (f"{PENDING} AND flow_run_id IS NOT NULL", ["flow_run_id"]),
    "task_held": (f"{PENDING} AND hold IS NOT NULL", ["task_type"]),
    "task_troubled": (f"{PENDING} AND (failures > 0 OR hold IS NOT NULL)", ["created_at", "task_id"]),
    "task_completed": ("state = 'complete'", ["completed_at", "task_id"]),
}


def upgrade() -> None:
    op.add_column("task", sa.Column("crashes", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("task", sa.Column("told", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("task", sa.Column("footage_s", sa.Double()))
    # the end of a run was settled again and again until now: what is pending starts anew, held by the runs that live
    op.execute("UPDATE task SET flow_run_id = NULL WHERE state = 'pending'")
    duration = "SELECT duration_s FROM video WHERE video.video_id = task.video_id"
    op.execute(f"UPDATE task SET footage_s = ({duration}) WHERE state = 'pending'")
    for name in ("task_pending", "task_completed"):
        op.drop_index(name, "task")
    for name, (condition, columns) in INDICES.items():
        where = sa.text(condition)
        op.create_index(name, "task", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name in INDICES:
        op.drop_index(name, "task")
    op.create_index("task_completed", "task", ["state", "completed_at", "task_id"])
    op.create_index("task_pending", "task", ["state", "device_type", "created_at"])
    for column in ("footage_s", "told", "crashes"):
        op.drop_column("task", column)
