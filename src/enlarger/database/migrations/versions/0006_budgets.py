"""Keys that were rotated count together; usage in the order in which its records were written."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("keys", sa.Column("budget_id", sa.String(40)))
    op.add_column("keys", sa.Column("successor_id", sa.String(40)))
    op.create_index("ix_usage_workspace_id_finished_ms", "usage", ["workspace_id", "finished_ms", "job_id"])
