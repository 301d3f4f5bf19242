"""The rows of this room; the migrations make them."""

import sqlalchemy as sa

from enlarger.database import METADATA

WORKSPACES = sa.Table(
    "workspaces",
    METADATA,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    # Jobs under way at once; null is the installation's own limit.
    sa.Column("max_jobs", sa.Integer),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)

KEYS = sa.Table(
    "keys",
    METADATA,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id"), nullable=False, index=True),
    sa.Column("name", sa.String(100), nullable=False),
    # HMAC-SHA256 of the secret under the installation's pepper; the secret itself is nowhere.
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("prefix", sa.String(16), nullable=False),
    sa.Column("last_four", sa.String(4), nullable=False),
    sa.Column("is_test", sa.Boolean, nullable=False),
    # JSON list of the public models that it may use; null is all.
    sa.Column("models", sa.Text),
    sa.Column("priority", sa.String(10), nullable=False),
    # What it may spend in all, and what it has spent or set aside, in micro-credits.
    sa.Column("cap_micros", sa.BigInteger),
    sa.Column("spent_micros", sa.BigInteger, nullable=False),
    # The key in whose row it counts what it spends, the first of those that it was rotated from; null is
    # its own.
    sa.Column("budget_id", sa.String(40)),
    # The key that it was rotated into.
    sa.Column("successor_id", sa.String(40)),
    sa.Column("expires_ms", sa.BigInteger),
    sa.Column("last_used_ms", sa.BigInteger),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(254), nullable=False),
    sa.Column("revoked_ms", sa.BigInteger),
    sa.Column("revoked_by", sa.String(254)),
)

MEMBERS = sa.Table(
    "members",
    METADATA,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id"), nullable=False),
    sa.Column("email", sa.String(254), nullable=False),
    sa.Column("role", sa.String(10), nullable=False),
    # Argon2id; null for members who sign on elsewhere.
    sa.Column("password_hash", sa.String(200)),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("workspace_id", "email"),
)

SESSIONS = sa.Table(
    "sessions",
    METADATA,
    # HMAC-SHA256 of the token under the installation's pepper.
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("member_id", sa.String(40), sa.ForeignKey("members.id", ondelete="CASCADE"), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_ms", sa.BigInteger, nullable=False),
)
