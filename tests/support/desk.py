"""An installation's database with everything that accepts and ends jobs, and no process beside it."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from dbos import DBOSClient

from enlarger.accounts import Accounts, Caller, KeyTerms
from enlarger.database import connect, snapshot, write
from enlarger.database.migrate import migrate
from enlarger.jobs import Jobs, Outcome
from enlarger.jobs.durable import make_client, prepare
from enlarger.jobs.submission import Acceptance, Depth, Origin, Submission, Ticket
from enlarger.ledger import ledger, prices
from enlarger.ledger.ledger import Balance
from enlarger.request import UpscaleRequest

PEPPER = b"the pepper of a test, 32 bytes.."
FAST_MICROS = prices.FIRST_PRICES_MICROS["fast"]
DAY_MS = 86_400_000
OUTCOME = Outcome("ws/a/results/b.png", 2048, 1024, 4_000_000, 500, 30, '{"verdict": "pass"}')


@dataclass
class Desk:
    """Where tests stand as the API process and as a worker do, without their processes."""

    engine: sa.Engine
    client: DBOSClient
    accounts: Accounts = field(init=False)
    jobs: Jobs = field(init=False)
    depth: Depth = field(default_factory=lambda: Depth(10_000, 1_000))

    def __post_init__(self) -> None:
        self.accounts = Accounts(self.engine, PEPPER)
        self.jobs = Jobs(self.engine)

    @classmethod
    @contextlib.contextmanager
    def open(cls, url: str, *, credit_micros: int | None = 1_000_000_000) -> Iterator[Desk]:
        """A migrated database with the default workspace, its price list and its credit."""
        engine = connect(url, pool_size=2)
        migrate(engine)
        prepare(engine)
        Accounts(engine, PEPPER).bootstrap(None, credit_micros)
        with write(engine) as connection:
            prices.publish_first(connection)
        engine.dispose()
        with cls.at(url) as desk:
            yield desk

    @classmethod
    @contextlib.contextmanager
    def at(cls, url: str) -> Iterator[Desk]:
        """What `open` made there, or a copy of it."""
        engine = connect(url, pool_size=40)
        client = make_client(engine)
        try:
            yield cls(engine, client)
        finally:
            client.destroy()
            engine.dispose()

    def caller(self, workspace: str = "default", **terms: Any) -> Caller:
        """A caller with a new key."""
        _, secret = self.accounts.keys.create(self.accounts.workspaces.get(workspace).id, KeyTerms(**terms))
        return self.accounts.keys.authenticate(secret)

    def submission(self, caller: Caller, **changes: Any) -> Submission:
        """A request that may be accepted; `changes` may be fields of it or of its origin."""
        origin: dict[str, Any] = {
            "door": "test",
            "operation": "upscale/fast",
            "request_id": uuid.uuid4().hex,
            "fingerprint": "f" * 64,
        }
        values: dict[str, Any] = {
            "job_id": str(uuid.uuid4()),
            "model": "fast",
            "request": UpscaleRequest(seed=9),
            "input_key": "ws/a/inputs/b",
            "input_width": 512,
            "input_height": 256,
            "input_bytes": 100_000,
            "output_pixels": 2048 * 1024,
        }
        for name, value in changes.items():
            (origin if name in Origin.__dataclass_fields__ else values)[name] = value
        return Submission(caller=caller, origin=Origin(**origin), **values)

    def acceptance(self) -> Acceptance:
        """What accepts requests."""
        return Acceptance(self.engine, self.client, self.depth, keep_answers_ms=DAY_MS)

    def submit(self, caller: Caller, **changes: Any) -> Ticket:
        """Accept a request."""
        return self.acceptance().accept(self.submission(caller, **changes))

    def run(self, job_id: str, outcome: Outcome = OUTCOME) -> bool:
        """Do what a worker does with a job that goes well."""
        job = self.jobs.begin_attempt(job_id)
        return job is not None and self.jobs.succeed(job, outcome)

    def balance(self, caller: Caller) -> Balance:
        """What the caller's workspace has."""
        with self.engine.connect() as connection:
            return ledger.balance(connection, caller.workspace.id)

    def faults(self) -> list[str]:
        """What is wrong in the books."""
        with snapshot(self.engine) as connection:
            return list(ledger.verify(connection))

    def rows(self, sql: str) -> list[sa.Row[Any]]:
        """Rows of the database."""
        with self.engine.connect() as connection:
            return list(connection.execute(sa.text(sql)))
