"""The rows of this room; the migrations make them."""

import sqlalchemy as sa

from enlarger.database import METADATA

WORKSPACES = sa.Table(
    "workspaces",
    METADATA,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    # Micro-credits given at the start; null is unlimited.
    sa.Column("first_credit_micros", sa.BigInteger),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)

KEYS = sa.Table(
    "keys",
    METADATA,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id"), nullable=False, index=True),
    # HMAC-SHA256 of the secret under the installation's pepper; the secret itself is nowhere.
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("prefix", sa.String(16), nullable=False),
    sa.Column("last_four", sa.String(4), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("revoked_ms", sa.BigInteger),
)
