"""The rows of this room; the migrations make them."""

import sqlalchemy as sa

from enlarger.database import METADATA

ASSETS = sa.Table(
    "assets",
    METADATA,
    # In the terms of the door that made it.
    sa.Column("id", sa.String(300), primary_key=True),
    sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id"), nullable=False),
    sa.Column("door", sa.String(20), nullable=False),
    sa.Column("object_key", sa.String(200), nullable=False, unique=True),
    # As the client called it; never part of a path.
    sa.Column("name", sa.String(500), nullable=False),
    sa.Column("media_type", sa.String(40), nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    # `upload`, or the kind of job that made it.
    sa.Column("source", sa.String(40), nullable=False),
    sa.Column("job_id", sa.String(36)),
    sa.Column("parent_id", sa.String(300)),
    # JSON list of words.
    sa.Column("tags", sa.Text, nullable=False),
    # What the door wants to say of it again, as JSON.
    sa.Column("memo", sa.Text, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("updated_ms", sa.BigInteger, nullable=False),
    # When it goes by itself; null is never.
    sa.Column("expires_ms", sa.BigInteger, index=True),
    sa.Index("ix_assets_workspace_id_created_ms", "workspace_id", "created_ms", "id"),
)

UPLOADS = sa.Table(
    "uploads",
    METADATA,
    # In the terms of the door that began it.
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id"), nullable=False),
    sa.Column("door", sa.String(20), nullable=False),
    # As the client called it; never part of a path.
    sa.Column("file_name", sa.String(500), nullable=False),
    # As the client announced it.
    sa.Column("media_type", sa.String(100), nullable=False),
    # Of all parts together, as announced.
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("part_count", sa.Integer, nullable=False),
    # What the asset is to be, as JSON.
    sa.Column("asset", sa.Text, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("error_code", sa.String(40)),
    sa.Column("error_message", sa.Text),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("updated_ms", sa.BigInteger, nullable=False),
    # When it goes with its parts, whatever its state.
    sa.Column("expires_ms", sa.BigInteger, nullable=False, index=True),
    sa.Index("ix_uploads_workspace_id_state", "workspace_id", "state"),
)

UPLOAD_PARTS = sa.Table(
    "upload_parts",
    METADATA,
    sa.Column("upload_id", sa.String(80), sa.ForeignKey("uploads.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    # A new one for each time that the part is sent.
    sa.Column("object_key", sa.String(200), nullable=False, unique=True),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
)
