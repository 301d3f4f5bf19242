"""What the engine measured of each result."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("receipt", sa.Text))


def downgrade() -> None:
    op.drop_column("jobs", "receipt")
