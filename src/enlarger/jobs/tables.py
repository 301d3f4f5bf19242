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
    # What the caller asked for in the door's own terms; idempotency keys are apart for each.
    sa.Column("operation", sa.String(80), nullable=False),
    sa.Column("request_id", sa.String(40), nullable=False),
    sa.Column("idempotency_hash", sa.String(64)),
    # SHA-256 of the body's fields: equal for a request that is sent again.
    sa.Column("fingerprint", sa.String(64), nullable=False),
    # The public name of what was bought, and who makes it.
    sa.Column("model", sa.String(80), nullable=False),
    sa.Column("route", sa.String(80), nullable=False),
    sa.Column("is_test", sa.Boolean, nullable=False),
    # Its id in the door's own form, and what the door wants to say of it again, as JSON.
    sa.Column("alias", sa.String(80), unique=True),
    sa.Column("memo", sa.Text),
    # UpscaleRequest as JSON.
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("input_key", sa.String(200), nullable=False),
    # Keys of the style pictures, as a JSON list.
    sa.Column("style_keys", sa.Text),
    sa.Column("input_width", sa.Integer, nullable=False),
    sa.Column("input_height", sa.Integer, nullable=False),
    sa.Column("input_bytes", sa.BigInteger, nullable=False),
    # Its place among all that wait, see turns.py.
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    # Share of its tiles that is done, 0 to 1.
    sa.Column("progress", sa.Float, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("started_ms", sa.BigInteger),
    sa.Column("finished_ms", sa.BigInteger),
    # Not done by then, it fails.
    sa.Column("deadline_ms", sa.BigInteger),
    # How long its pictures are kept after its end; null is as long as the installation says.
    sa.Column("keep_ms", sa.BigInteger),
    # The asset that its result becomes, as JSON; null where it becomes none.
    sa.Column("asset", sa.Text),
    # When its pictures are to go, and when they went.
    sa.Column("expires_ms", sa.BigInteger),
    sa.Column("expired_ms", sa.BigInteger),
    sa.Column("result_key", sa.String(200)),
    sa.Column("output_bytes", sa.BigInteger),
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
    sa.Column("host", sa.String(80), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    # Rises with each holder; a holder with a lower number has lost the slot.
    sa.Column("fence", sa.Integer, nullable=False),
    # Whether the inference child has its networks loaded.
    sa.Column("ready", sa.Boolean, nullable=False),
    sa.Column("started_ms", sa.BigInteger, nullable=False),
    # When its holder last renewed the lease; 0 where nobody holds it.
    sa.Column("heartbeat_ms", sa.BigInteger, nullable=False),
)

IDEMPOTENCY = sa.Table(
    "idempotency",
    METADATA,
    sa.Column("workspace_id", sa.String(40), primary_key=True),
    sa.Column("operation", sa.String(80), primary_key=True),
    # SHA-256 of the caller's key.
    sa.Column("key_hash", sa.String(64), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("job_id", sa.String(36), nullable=False),
    # The answer, once there is one; a long body lies in the object store.
    sa.Column("status", sa.Integer),
    sa.Column("headers", sa.Text),
    sa.Column("body", sa.LargeBinary),
    sa.Column("body_key", sa.String(200)),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_ms", sa.BigInteger, nullable=False),
)

COUNTERS = sa.Table(
    "counters",
    METADATA,
    # What all processes have counted together, for the metrics.
    sa.Column("name", sa.String(60), primary_key=True),
    sa.Column("label", sa.String(60), primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
