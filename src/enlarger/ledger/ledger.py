"""The double-entry ledger: every move of money is a transfer whose entries sum to zero.

A workspace has two accounts, `available` and `held`; the installation has `revenue`, `top_up` and
`adjustment`. Transfers and entries are only ever added. Beside them stands one row a workspace
account with its balance, changed in the same commit by one guarded statement, so that no number of
requests at once can spend what is not there; `verify` recomputes it from the entries.

Two-phase transfers as in TigerBeetle and Modern Treasury: a hold before the work, then exactly one
of capture and release.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from enlarger.database import now_ms
from enlarger.errors import BadParameter, NotFound, OutOfCredit
from enlarger.ledger.prices import Quote
from enlarger.ledger.tables import BALANCES, ENTRIES, HOLDS, TRANSFERS
from enlarger.money import dollars

REVENUE = "revenue"
TOP_UP = "top_up"
ADJUSTMENT = "adjustment"


class Kind(StrEnum):
    """What a transfer does; the money goes from the first account to the second."""

    TOP_UP = "top_up"
    """top_up -> available: a workspace was given credit."""
    ADJUST = "adjust"
    """adjustment -> available, or back: a correction by the operator, with its reason."""
    HOLD = "hold"
    """available -> held: a job was accepted."""
    CAPTURE = "capture"
    """held -> revenue, the remainder back to available: the job succeeded."""
    RELEASE = "release"
    """held -> available: the job failed or was cancelled."""


class HoldState(StrEnum):
    """Where a hold stands; it leaves `open` once and for all."""

    OPEN = "open"
    CAPTURED = "captured"
    RELEASED = "released"


@dataclass(frozen=True)
class Balance:
    """What a workspace has, in micro-credits."""

    available_micros: int
    """What may be spent; below zero only where credit is unlimited, and then it shows what was used."""
    held_micros: int
    """What is set aside for jobs under way."""
    is_unlimited: bool

    @property
    def used_up(self) -> bool:
        """Whether nothing is left to spend."""
        return not self.is_unlimited and self.available_micros <= 0


def open_workspace(connection: sa.Connection, workspace_id: str, *, is_unlimited: bool) -> None:
    """Give a new workspace its two accounts, with nothing in them."""
    floors = {_available(workspace_id): None if is_unlimited else 0, _held(workspace_id): 0}
    connection.execute(
        BALANCES.insert(),
        [
            {"account": account, "workspace_id": workspace_id, "micros": 0, "floor_micros": floor}
            for account, floor in floors.items()
        ],
    )


def set_unlimited(connection: sa.Connection, workspace_id: str, *, is_unlimited: bool) -> None:
    """Whether a workspace may spend beyond what it has. Raises NotFound, BadParameter if it owes."""
    statement = BALANCES.update().where(BALANCES.c.account == _available(workspace_id))
    if is_unlimited:
        changed = connection.execute(statement.values(floor_micros=None))
    else:
        # One statement: between a look at the balance and the change of its floor it could be spent.
        changed = connection.execute(statement.where(BALANCES.c.micros >= 0).values(floor_micros=0))
    if changed.rowcount:
        return
    balance(connection, workspace_id)
    raise BadParameter(
        "the workspace has used more than it was given; add credit before limiting it", param="workspace"
    )


def balance(connection: sa.Connection, workspace_id: str) -> Balance:
    """Raises NotFound."""
    rows = {
        row.account: row
        for row in connection.execute(sa.select(BALANCES).where(BALANCES.c.workspace_id == workspace_id))
    }
    if not rows:
        raise NotFound(f"there is no workspace {workspace_id}")
    available = rows[_available(workspace_id)]
    return Balance(available.micros, rows[_held(workspace_id)].micros, available.floor_micros is None)


def top_up(connection: sa.Connection, workspace_id: str, micros: int, note: str) -> None:
    """Add credit. Raises BadParameter for an amount below 1, NotFound."""
    if micros < 1:
        raise BadParameter(f"amount is {dollars(micros)}; it must be more than 0", param="amount")
    _move(connection, _available(workspace_id), micros)
    _record(
        connection, Kind.TOP_UP, workspace_id, {TOP_UP: -micros, _available(workspace_id): micros}, note
    )


def adjust(connection: sa.Connection, workspace_id: str, micros: int, note: str) -> None:
    """Correct a balance up or down, for a reason that stays in the books.

    Raises OutOfCredit if less than nothing would be left, NotFound.
    """
    _move(connection, _available(workspace_id), micros)
    entries = {ADJUSTMENT: -micros, _available(workspace_id): micros}
    _record(connection, Kind.ADJUST, workspace_id, entries, note)


def hold(
    connection: sa.Connection, *, job_id: str, workspace_id: str, key_id: str, quote: Quote, is_test: bool
) -> None:
    """Set aside the price of a job that is about to be accepted.

    is_test  the key is one for tests: the price is recorded and nothing is set aside.

    Raises OutOfCredit; then nothing has changed.
    """
    micros = 0 if is_test else quote.micros
    _move(connection, _available(workspace_id), -micros)
    _move(connection, _held(workspace_id), micros)
    connection.execute(
        HOLDS.insert().values(
            job_id=job_id,
            workspace_id=workspace_id,
            key_id=key_id,
            model=quote.model,
            price_micros=quote.micros,
            price_version=quote.version,
            micros=micros,
            state=HoldState.OPEN,
            captured_micros=0,
            created_ms=now_ms(),
        )
    )
    entries = {_available(workspace_id): -micros, _held(workspace_id): micros}
    _record(connection, Kind.HOLD, workspace_id, entries, job_id=job_id)


@dataclass(frozen=True)
class Charge:
    """What a job costs."""

    price_micros: int
    """The price when it was accepted."""
    billed_micros: int | None
    """What was taken; None while the job is under way."""


def charges(connection: sa.Connection, job_ids: Collection[str]) -> dict[str, Charge]:
    """What these jobs cost, by id; none for a job that has no hold."""
    query = sa.select(HOLDS).where(HOLDS.c.job_id.in_(job_ids))
    return {
        row.job_id: Charge(row.price_micros, None if row.state == HoldState.OPEN else row.captured_micros)
        for row in connection.execute(query)
    }


@dataclass(frozen=True)
class Resolution:
    """What became of a hold."""

    key_id: str
    price_micros: int
    price_version: int
    held_micros: int
    captured_micros: int


def capture(connection: sa.Connection, job_id: str, micros: int | None = None) -> Resolution | None:
    """Take what a job that succeeded costs, and give back the remainder of its hold.

    micros  0 to what is held; None is all of it.

    Returns None, having changed nothing, if the hold is resolved already or there is none. Raises
    BadParameter for more than is held.
    """
    return _resolve(connection, job_id, Kind.CAPTURE, HoldState.CAPTURED, micros)


def release(connection: sa.Connection, job_id: str) -> Resolution | None:
    """Give back all that is held for a job that did not succeed; None as for `capture`."""
    return _resolve(connection, job_id, Kind.RELEASE, HoldState.RELEASED, 0)


def open_holds(connection: sa.Connection) -> tuple[int, int | None]:
    """How many holds are open, and since when the oldest, in milliseconds since 1970."""
    query = sa.select(sa.func.count(), sa.func.min(HOLDS.c.created_ms)).where(
        HOLDS.c.state == HoldState.OPEN
    )
    count, oldest_ms = connection.execute(query).one()
    return count, oldest_ms


def verify(connection: sa.Connection) -> Iterator[str]:
    """Everything in the books that is not as it must be, one sentence each; nothing if all is well.

    Reads every entry, so it takes as long as the books are. The connection must be a `snapshot`: of
    moves that are committed between two of its questions it would see one half.
    """
    sums = (
        sa.select(ENTRIES.c.transfer_id, sa.func.sum(ENTRIES.c.micros))
        .group_by(ENTRIES.c.transfer_id)
        .having(sa.func.sum(ENTRIES.c.micros) != 0)
    )
    for transfer_id, micros in connection.execute(sums):
        yield f"transfer {transfer_id} sums to {dollars(int(micros))} instead of zero"
    entered = {
        account: int(micros)
        for account, micros in connection.execute(
            sa.select(ENTRIES.c.account, sa.func.sum(ENTRIES.c.micros)).group_by(ENTRIES.c.account)
        )
    }
    for row in connection.execute(sa.select(BALANCES)):
        expected = entered.pop(row.account, 0)
        if row.micros != expected:
            yield f"account {row.account} has {dollars(row.micros)}; its entries sum to {dollars(expected)}"
        if row.floor_micros is not None and row.micros < row.floor_micros:
            yield f"account {row.account} has {dollars(row.micros)}, less than it may"
    for account in sorted(entered.keys() - {REVENUE, TOP_UP, ADJUSTMENT}):
        yield f"account {account} has entries and no balance"
    held = dict(
        connection.execute(
            sa.select(HOLDS.c.workspace_id, sa.func.sum(HOLDS.c.micros))
            .where(HOLDS.c.state == HoldState.OPEN)
            .group_by(HOLDS.c.workspace_id)
        ).all()
    )
    for row in connection.execute(sa.select(BALANCES)):
        if row.account == _held(row.workspace_id) and row.micros != held.get(row.workspace_id, 0):
            yield (
                f"account {row.account} has {dollars(row.micros)}; the open holds sum to"
                f" {dollars(int(held.get(row.workspace_id, 0)))}"
            )
    unlike = sa.select(HOLDS.c.job_id, HOLDS.c.state, TRANSFERS.c.kind).join_from(
        HOLDS, TRANSFERS, TRANSFERS.c.resolves == HOLDS.c.job_id, isouter=True
    )
    kinds = {HoldState.OPEN: None, HoldState.CAPTURED: Kind.CAPTURE, HoldState.RELEASED: Kind.RELEASE}
    for job_id, state, kind in connection.execute(unlike):
        if kinds[HoldState(state)] != kind:
            yield f"hold {job_id} is {state}, and was resolved by {kind or 'nothing'}"


def _resolve(
    connection: sa.Connection, job_id: str, kind: Kind, state: HoldState, micros: int | None
) -> Resolution | None:
    # Whoever changes the row first has resolved the hold; there is no second time.
    row = connection.execute(
        HOLDS.update()
        .where(HOLDS.c.job_id == job_id, HOLDS.c.state == HoldState.OPEN)
        .values(state=state, resolved_ms=now_ms())
        .returning(HOLDS)
    ).one_or_none()
    if row is None:
        return None
    taken = row.micros if micros is None else micros
    if not 0 <= taken <= row.micros:
        raise BadParameter(f"cannot capture {dollars(taken)} of a hold of {dollars(row.micros)}")
    connection.execute(HOLDS.update().where(HOLDS.c.job_id == job_id).values(captured_micros=taken))
    available, held = _available(row.workspace_id), _held(row.workspace_id)
    _move(connection, available, row.micros - taken)
    _move(connection, held, -row.micros)
    entries = {held: -row.micros, available: row.micros - taken}
    if kind is Kind.CAPTURE:
        entries[REVENUE] = taken
    _record(connection, kind, row.workspace_id, entries, job_id=job_id, resolves=job_id)
    return Resolution(row.key_id, row.price_micros, row.price_version, row.micros, taken)


def _move(connection: sa.Connection, account: str, micros: int) -> None:
    """Change a balance by `micros`, in one statement that fails where too little is left."""
    statement = (
        BALANCES.update().where(BALANCES.c.account == account).values(micros=BALANCES.c.micros + micros)
    )
    if micros < 0:
        left = BALANCES.c.micros + micros
        statement = statement.where(
            sa.or_(BALANCES.c.floor_micros.is_(None), left >= BALANCES.c.floor_micros)
        )
    changed = connection.execute(statement)
    if changed.rowcount:
        return
    balance_micros = connection.scalar(sa.select(BALANCES.c.micros).where(BALANCES.c.account == account))
    if balance_micros is None:
        raise NotFound(f"there is no account {account}")
    raise OutOfCredit(
        f"this needs {dollars(-micros)} and {dollars(balance_micros)} is left; add credit and send it again"
    )


def _record(
    connection: sa.Connection,
    kind: Kind,
    workspace_id: str,
    entries: dict[str, int],
    note: str = "",
    *,
    job_id: str | None = None,
    resolves: str | None = None,
) -> None:
    transfer_id = connection.scalar(
        TRANSFERS.insert()
        .values(
            kind=kind,
            workspace_id=workspace_id,
            job_id=job_id,
            resolves=resolves,
            note=note,
            created_ms=now_ms(),
        )
        .returning(TRANSFERS.c.id)
    )
    connection.execute(
        ENTRIES.insert(),
        [
            {"transfer_id": transfer_id, "account": account, "micros": micros}
            for account, micros in entries.items()
        ],
    )


def _available(workspace_id: str) -> str:
    return f"{workspace_id}:available"


def _held(workspace_id: str) -> str:
    return f"{workspace_id}:held"
