"""The rows of this room; the migrations make them."""

import sqlalchemy as sa

from enlarger.database import METADATA

JOBS = sa.Table(
    "jobs",
    METADATA,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("workspace_id", sa.String(40), nullable=False),
    sa.Column("key_id", sa.String(40), nullable=False),
    # The dialect that the request came through.
    sa.Column("door", sa.String(20), nullable=False),
    # UpscaleRequest as JSON.
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("input_key", sa.String(200), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("started_ms", sa.BigInteger),
    sa.Column("finished_ms", sa.BigInteger),
    sa.Column("result_key", sa.String(200)),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("engine_ms", sa.Integer),
    sa.Column("encode_ms", sa.Integer),
    # Receipt of the engine as JSON.
    sa.Column("receipt", sa.Text),
    sa.Column("error_code", sa.String(40)),
    sa.Column("error_message", sa.Text),
    sa.Column("error_param", sa.String(40)),
)

SLOTS = sa.Table(
    "slots",
    METADATA,
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("pid", sa.Integer, nullable=False),
    # Whether the inference child has its networks loaded.
    sa.Column("ready", sa.Boolean, nullable=False),
    sa.Column("started_ms", sa.BigInteger, nullable=False),
    sa.Column("heartbeat_ms", sa.BigInteger, nullable=False),
)
