"""Pictures that stay; what a door keeps with a job."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "assets",
        sa.Column("id", sa.String(300), primary_key=True),
        sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id"), nullable=False),
        sa.Column("door", sa.String(20), nullable=False),
        sa.Column("object_key", sa.String(200), nullable=False, unique=True),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("job_id", sa.String(36)),
        sa.Column("parent_id", sa.String(300)),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("memo", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, index=True),
        sa.Index("ix_assets_workspace_id_created_ms", "workspace_id", "created_ms", "id"),
    )
    op.add_column("jobs", sa.Column("alias", sa.String(80)))
    op.add_column("jobs", sa.Column("memo", sa.Text))
    op.add_column("jobs", sa.Column("style_keys", sa.Text))
    op.add_column("jobs", sa.Column("keep_ms", sa.BigInteger))
    op.add_column("jobs", sa.Column("asset", sa.Text))
    op.create_index("ix_jobs_alias", "jobs", ["alias"], unique=True)
