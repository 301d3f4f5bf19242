"""Money, idempotency, fair turns, leases; members and what a key may do."""

import sqlalchemy as sa
from alembic import op

from enlarger.database import SERIAL, now_ms

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPEND_ONLY = ("transfers", "entries")


def upgrade() -> None:
    _create_members()
    _extend_keys()
    _create_ledger()
    _create_usage()
    _extend_jobs()
    _create_idempotency()
    _move_first_credit()
    _hold_for_jobs_under_way()
    op.add_column("slots", sa.Column("host", sa.String(80), nullable=False, server_default=""))
    op.add_column("slots", sa.Column("fence", sa.Integer, nullable=False, server_default="1"))
    op.create_table(
        "counters",
        sa.Column("name", sa.String(60), primary_key=True),
        sa.Column("label", sa.String(60), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )


def _create_members() -> None:
    op.create_table(
        "members",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id"), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("password_hash", sa.String(200)),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("workspace_id", "email", name="uq_members_workspace_id_email"),
        sa.Index("ix_members_email", "email"),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column(
            "member_id",
            sa.String(40),
            sa.ForeignKey("members.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
    )
    op.add_column("workspaces", sa.Column("max_jobs", sa.Integer))


def _extend_keys() -> None:
    op.add_column("keys", sa.Column("name", sa.String(100), nullable=False, server_default=""))
    op.add_column("keys", sa.Column("is_test", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("keys", sa.Column("models", sa.Text))
    op.add_column("keys", sa.Column("priority", sa.String(10), nullable=False, server_default="normal"))
    op.add_column("keys", sa.Column("cap_micros", sa.BigInteger))
    op.add_column("keys", sa.Column("spent_micros", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("keys", sa.Column("expires_ms", sa.BigInteger))
    op.add_column("keys", sa.Column("last_used_ms", sa.BigInteger))
    op.add_column("keys", sa.Column("created_by", sa.String(254), nullable=False, server_default=""))
    op.add_column("keys", sa.Column("revoked_by", sa.String(254)))


def _create_ledger() -> None:
    op.create_table(
        "price_lists",
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "prices",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("version", sa.Integer, sa.ForeignKey("price_lists.version"), nullable=False, index=True),
        sa.Column("model", sa.String(80), nullable=False),
        sa.Column("up_to_pixels", sa.BigInteger),
        sa.Column("micros", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "balances",
        sa.Column("account", sa.String(60), primary_key=True),
        sa.Column("workspace_id", sa.String(40), sa.ForeignKey("workspaces.id"), nullable=False),
        sa.Column("micros", sa.BigInteger, nullable=False),
        sa.Column("floor_micros", sa.BigInteger),
    )
    op.create_table(
        "holds",
        sa.Column("job_id", sa.String(36), primary_key=True),
        sa.Column("workspace_id", sa.String(40), nullable=False),
        sa.Column("key_id", sa.String(40), nullable=False),
        sa.Column("model", sa.String(80), nullable=False),
        sa.Column("price_micros", sa.BigInteger, nullable=False),
        sa.Column("price_version", sa.Integer, nullable=False),
        sa.Column("micros", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("captured_micros", sa.BigInteger, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("resolved_ms", sa.BigInteger),
        sa.Index("ix_holds_state_created_ms", "state", "created_ms"),
    )
    op.create_table(
        "transfers",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("workspace_id", sa.String(40), nullable=False, index=True),
        sa.Column("job_id", sa.String(36)),
        sa.Column("resolves", sa.String(36), unique=True),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("job_id", "kind", name="uq_transfers_job_id_kind"),
    )
    op.create_table(
        "entries",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("transfer_id", SERIAL, sa.ForeignKey("transfers.id"), nullable=False, index=True),
        sa.Column("account", sa.String(60), nullable=False, index=True),
        sa.Column("micros", sa.BigInteger, nullable=False),
    )
    for statement in _refuse_changes(op.get_bind().dialect.name):
        op.execute(statement)


def _refuse_changes(dialect: str) -> list[str]:
    """Triggers by which the books cannot be altered, not even by mistake in a shell."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} are only ever added'); END"
            for table in APPEND_ONLY
            for verb in ("update", "delete")
        ]
    function = (
        "CREATE FUNCTION enlarger_only_added() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION '% are only ever added', TG_TABLE_NAME; END $$"
    )
    return [
        function,
        *(
            f"CREATE TRIGGER {table}_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION enlarger_only_added()"
            for table in APPEND_ONLY
        ),
    ]


def _create_usage() -> None:
    op.create_table(
        "usage",
        sa.Column("job_id", sa.String(36), primary_key=True),
        sa.Column("workspace_id", sa.String(40), nullable=False),
        sa.Column("key_id", sa.String(40), nullable=False),
        sa.Column("is_test", sa.Boolean, nullable=False),
        sa.Column("request_id", sa.String(40), nullable=False),
        sa.Column("idempotency_hash", sa.String(64)),
        sa.Column("door", sa.String(20), nullable=False),
        sa.Column("operation", sa.String(80), nullable=False),
        sa.Column("model", sa.String(80), nullable=False),
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
        sa.Column("queue_ms", sa.BigInteger),
        sa.Column("latency_ms", sa.BigInteger, nullable=False),
        sa.Column("engine_ms", sa.BigInteger),
        sa.Column("encode_ms", sa.BigInteger),
        sa.Column("receipt_verdict", sa.String(10)),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("finished_ms", sa.BigInteger, nullable=False),
        sa.Index("ix_usage_workspace_id_created_ms", "workspace_id", "created_ms", "job_id"),
    )


def _extend_jobs() -> None:
    op.add_column("jobs", sa.Column("operation", sa.String(80), nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("request_id", sa.String(40), nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("idempotency_hash", sa.String(64)))
    op.add_column("jobs", sa.Column("fingerprint", sa.String(64), nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("model", sa.String(80), nullable=False, server_default="fast"))
    op.add_column("jobs", sa.Column("route", sa.String(80), nullable=False, server_default="local"))
    op.add_column("jobs", sa.Column("is_test", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("jobs", sa.Column("input_width", sa.Integer, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("input_height", sa.Integer, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("input_bytes", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("output_bytes", sa.BigInteger))
    op.add_column("jobs", sa.Column("turn", sa.Integer, nullable=False, server_default="1"))
    op.add_column("jobs", sa.Column("progress", sa.Float, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("deadline_ms", sa.BigInteger))
    op.add_column("jobs", sa.Column("expires_ms", sa.BigInteger))
    op.create_index("ix_jobs_state_turn", "jobs", ["state", "turn"])
    op.create_index("ix_jobs_key_id_fingerprint", "jobs", ["key_id", "fingerprint"])
    op.add_column("jobs", sa.Column("expired_ms", sa.BigInteger))
    op.create_index("ix_jobs_expired_ms_expires_ms", "jobs", ["expired_ms", "expires_ms"])
    op.drop_index("ix_jobs_state", "jobs")


def _create_idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("workspace_id", sa.String(40), primary_key=True),
        sa.Column("operation", sa.String(80), primary_key=True),
        sa.Column("key_hash", sa.String(64), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("job_id", sa.String(36), nullable=False, index=True),
        sa.Column("status", sa.Integer),
        sa.Column("headers", sa.Text),
        sa.Column("body", sa.LargeBinary),
        sa.Column("body_key", sa.String(200)),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False, index=True),
    )


def _move_first_credit() -> None:
    """What a workspace was given at the start becomes its first transfer."""
    bind = op.get_bind()
    rows = bind.execute(sa.text("SELECT id, first_credit_micros FROM workspaces")).all()
    for workspace_id, credit in rows:
        for account, micros, floor in (
            (f"{workspace_id}:available", credit or 0, None if credit is None else 0),
            (f"{workspace_id}:held", 0, 0),
        ):
            bind.execute(
                sa.text("INSERT INTO balances VALUES (:account, :workspace_id, :micros, :floor)"),
                {"account": account, "workspace_id": workspace_id, "micros": micros, "floor": floor},
            )
        if credit:
            transfer_id = bind.scalar(
                sa.text(
                    "INSERT INTO transfers (kind, workspace_id, note, created_ms)"
                    " VALUES ('top_up', :workspace_id, 'first credit', :now) RETURNING id"
                ),
                {"workspace_id": workspace_id, "now": now_ms()},
            )
            for account, micros in (("top_up", -credit), (f"{workspace_id}:available", credit)):
                bind.execute(
                    sa.text(
                        "INSERT INTO entries (transfer_id, account, micros)"
                        " VALUES (:transfer, :account, :micros)"
                    ),
                    {"transfer": transfer_id, "account": account, "micros": micros},
                )
    # Said to the database itself: the batch mode would drop a table that others refer to.
    op.execute("ALTER TABLE workspaces DROP COLUMN first_credit_micros")


def _hold_for_jobs_under_way() -> None:
    """Jobs that were accepted when nothing was charged end like any other, at no price."""
    op.execute(
        "INSERT INTO holds SELECT id, workspace_id, key_id, 'fast', 0, 0, 0, 'open', 0, created_ms, NULL"
        " FROM jobs WHERE state IN ('queued', 'running')"
    )
