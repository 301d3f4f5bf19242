"""The rows of this room; the migrations make them, and triggers that refuse to change entries."""

import sqlalchemy as sa

from enlarger.database import METADATA, SERIAL

PRICE_LISTS = sa.Table(
    "price_lists",
    METADATA,
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("note", sa.String(200), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)

PRICES = sa.Table(
    "prices",
    METADATA,
    sa.Column("id", SERIAL, primary_key=True),
    sa.Column("version", sa.Integer, sa.ForeignKey("price_lists.version"), nullable=False, index=True),
    # The public name of what is sold.
    sa.Column("model", sa.String(80), nullable=False),
    # Holds for results of at most so many pixels; null is any size.
    sa.Column("up_to_pixels", sa.BigInteger),
    sa.Column("micros", sa.BigInteger, nullable=False),
)

BALANCES = sa.Table(
    "balances",
    METADATA,
    sa.Column("account", sa.String(60), primary_key=True),
    sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id"), nullable=False),
    sa.Column("micros", sa.BigInteger, nullable=False),
    # The balance never falls below it; null is no limit, and the balance then shows what was used.
    sa.Column("floor_micros", sa.BigInteger),
)

HOLDS = sa.Table(
    "holds",
    METADATA,
    sa.Column("job_id", sa.String(36), primary_key=True),
    sa.Column("workspace_id", sa.String(40), nullable=False),
    sa.Column("key_id", sa.String(40), nullable=False),
    sa.Column("model", sa.String(80), nullable=False),
    # The price when the job was accepted, and the list that it stood in.
    sa.Column("price_micros", sa.BigInteger, nullable=False),
    sa.Column("price_version", sa.Integer, nullable=False),
    # What was set aside: the price, or nothing for a test key.
    sa.Column("micros", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("captured_micros", sa.BigInteger, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("resolved_ms", sa.BigInteger),
    sa.Index("ix_holds_state_created_ms", "state", "created_ms"),
)

TRANSFERS = sa.Table(
    "transfers",
    METADATA,
    sa.Column("id", SERIAL, primary_key=True),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("workspace_id", sa.String(40), nullable=False, index=True),
    sa.Column("job_id", sa.String(36)),
    # The job whose hold it resolves: no two transfers resolve one hold.
    sa.Column("resolves", sa.String(36), unique=True),
    sa.Column("note", sa.String(200), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("job_id", "kind", name="uq_transfers_job_id_kind"),
)

ENTRIES = sa.Table(
    "entries",
    METADATA,
    sa.Column("id", SERIAL, primary_key=True),
    sa.Column("transfer_id", SERIAL, sa.ForeignKey("transfers.id"), nullable=False, index=True),
    sa.Column("account", sa.String(60), nullable=False, index=True),
    sa.Column("micros", sa.BigInteger, nullable=False),
)

USAGE = sa.Table(
    "usage",
    METADATA,
    sa.Column("job_id", sa.String(36), primary_key=True),
    sa.Column("workspace_id", sa.String(40), nullable=False),
    sa.Column("key_id", sa.String(40), nullable=False),
    sa.Column("is_test", sa.Boolean, nullable=False),
    sa.Column("request_id", sa.String(40), nullable=False),
    # SHA-256 of the caller's idempotency key; null where there was none.
    sa.Column("idempotency_hash", sa.String(64)),
    sa.Column("door", sa.String(20), nullable=False),
    sa.Column("operation", sa.String(80), nullable=False),
    sa.Column("model", sa.String(80), nullable=False),
    # Who made the picture: `local`, or an upstream provider's route.
    sa.Column("route", sa.String(80), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("status", sa.String(10), nullable=False),
    sa.Column("error_code", sa.String(40)),
    sa.Column("input_width", sa.Integer, nullable=False),
    sa.Column("input_height", sa.Integer, nullable=False),
    sa.Column("input_bytes", sa.BigInteger, nullable=False),
    sa.Column("output_width", sa.Integer),
    sa.Column("output_height", sa.Integer),
    sa.Column("output_bytes", sa.BigInteger),
    sa.Column("price_micros", sa.BigInteger, nullable=False),
    sa.Column("price_version", sa.Integer, nullable=False),
    sa.Column("billed_micros", sa.BigInteger, nullable=False),
    # From acceptance to the beginning of the first attempt, and to the end.
    sa.Column("queue_ms", sa.BigInteger),
    sa.Column("latency_ms", sa.BigInteger, nullable=False),
    sa.Column("engine_ms", sa.BigInteger),
    sa.Column("encode_ms", sa.BigInteger),
    sa.Column("receipt_verdict", sa.String(10)),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("finished_ms", sa.BigInteger, nullable=False),
    sa.Index("ix_usage_workspace_id_created_ms", "workspace_id", "created_ms", "job_id"),
    sa.Index("ix_usage_workspace_id_finished_ms", "workspace_id", "finished_ms", "job_id"),
)
