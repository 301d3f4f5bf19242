"""The books: every move sums to zero, no balance falls below what it may, a hold resolves once."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from enlarger.database import write
from enlarger.errors import BadParameter, ModelNotOffered, NotFound, OutOfCredit
from enlarger.ledger import ledger, prices
from enlarger.ledger.prices import Price, PriceList, Quote
from enlarger.money import dollars, micros_of
from tests.support.desk import Desk
from tests.support.tally import Tally


@pytest.mark.parametrize(
    ("micros", "text"),
    [(39_000, "0.039000"), (0, "0.000000"), (1_000_000_000, "1000.000000"), (-1, "-0.000001")],
)
def test_money_is_text_with_six_decimals(micros: int, text: str) -> None:
    assert dollars(micros) == text
    assert micros < 0 or micros_of(text) == micros


@pytest.mark.parametrize("text", ["0.0000001", "-1", "nan", "inf", "a", "", "1e-7", "9" * 30])
def test_nothing_is_rounded_into_money(text: str) -> None:
    with pytest.raises(BadParameter, match="amount"):
        micros_of(text)


def workspace(desk: Desk) -> str:
    return desk.accounts.workspaces.get("default").id


def hold(desk: Desk, micros: int, job_id: str | None = None, *, is_test: bool = False) -> str:
    job_id = job_id or str(uuid.uuid4())
    with write(desk.engine) as connection:
        ledger.hold(
            connection,
            job_id=job_id,
            workspace_id=workspace(desk),
            key_id="key",
            quote=Quote("fast", micros, 1),
            is_test=is_test,
        )
    return job_id


def resolve(
    desk: Desk, how: Callable[[sa.Connection], ledger.Resolution | None]
) -> ledger.Resolution | None:
    with write(desk.engine) as connection:
        return how(connection)


def test_a_hold_is_captured_in_part_and_the_rest_comes_back(desk: Desk) -> None:
    caller = desk.caller()
    job = hold(desk, 400_000)
    assert desk.balance(caller) == ledger.Balance(999_600_000, 400_000, is_unlimited=False)
    with pytest.raises(BadParameter, match=r"cannot capture 0\.400001 of a hold of 0\.400000"):
        resolve(desk, lambda connection: ledger.capture(connection, job, 400_001))
    assert desk.balance(caller).held_micros == 400_000, "what was refused has changed nothing"
    done = resolve(desk, lambda connection: ledger.capture(connection, job, 150_000))
    assert done is not None
    assert (done.held_micros, done.captured_micros) == (400_000, 150_000)
    assert desk.balance(caller) == ledger.Balance(999_850_000, 0, is_unlimited=False)
    assert resolve(desk, lambda connection: ledger.release(connection, job)) is None
    assert resolve(desk, lambda connection: ledger.capture(connection, job)) is None
    assert desk.balance(caller).available_micros == 999_850_000
    assert desk.faults() == []


def test_what_is_not_there_cannot_be_held(desk: Desk) -> None:
    with pytest.raises(OutOfCredit, match=r"needs 1000\.000001 and 1000\.000000 is left"):
        hold(desk, 1_000_000_001)
    hold(desk, 1_000_000_000)
    with pytest.raises(OutOfCredit):
        hold(desk, 1)
    hold(desk, 5, is_test=True)
    assert desk.balance(desk.caller()) == ledger.Balance(0, 1_000_000_000, is_unlimited=False)
    assert desk.faults() == []


def test_unlimited_credit_shows_what_was_used(database_url: str) -> None:
    with Desk.open(database_url, credit_micros=None) as desk:
        job = hold(desk, 400_000)
        resolve(desk, lambda connection: ledger.capture(connection, job))
        caller = desk.caller()
        assert desk.balance(caller) == ledger.Balance(-400_000, 0, is_unlimited=True)
        with (
            pytest.raises(BadParameter, match="add credit before limiting"),
            write(desk.engine) as connection,
        ):
            ledger.set_unlimited(connection, caller.workspace.id, is_unlimited=False)
        assert desk.faults() == []


def test_what_is_spent_while_credit_becomes_limited_is_seen(database_url: str) -> None:
    with Desk.open(database_url, credit_micros=None) as desk:
        caller = desk.caller()

        def spend_first(_: object, __: object, statement: str, *___: object) -> None:
            if statement.startswith("UPDATE balances"):
                desk.submit(caller)

        with desk.engine.begin() as connection:
            sa.event.listen(connection, "before_cursor_execute", spend_first)
            with pytest.raises(BadParameter, match="add credit before"):
                ledger.set_unlimited(connection, caller.workspace.id, is_unlimited=False)
        assert desk.balance(caller).is_unlimited
        for is_unlimited in (True, False):
            with pytest.raises(NotFound), desk.engine.begin() as connection:
                ledger.set_unlimited(connection, "ws_nowhere", is_unlimited=is_unlimited)


@pytest.mark.parametrize("table", ["transfers", "entries"])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = id + 1000", "DELETE FROM {}"])
def test_the_books_cannot_be_altered(desk: Desk, table: str, change: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="only ever added"), desk.engine.begin() as connection:
        connection.execute(sa.text(change.format(table)))


def test_what_is_wrong_in_the_books_is_found(desk: Desk) -> None:
    job = hold(desk, 7)
    assert desk.faults() == []
    with desk.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE balances SET micros = micros + 1 WHERE account LIKE '%available'")
        )
        connection.execute(
            sa.text("INSERT INTO entries (transfer_id, account, micros) VALUES (1, 'revenue', 9)")
        )
        connection.execute(sa.text(f"UPDATE holds SET state = 'captured' WHERE job_id = '{job}'"))
    found = "\n".join(desk.faults())
    assert "transfer 1 sums to 0.000009 instead of zero" in found
    assert "has 999.999994; its entries sum to 999.999993" in found
    assert f"hold {job} is captured, and was resolved by nothing" in found
    assert "has 0.000007; the open holds sum to 0.000000" in found


def test_two_at_once_resolve_a_hold_once(desk: Desk) -> None:
    for _ in range(20):
        job = hold(desk, 1000)
        ways = [ledger.capture, ledger.release] * 4
        with ThreadPoolExecutor(8) as threads:
            done = list(threads.map(lambda way, job=job: resolve(desk, lambda c: way(c, job)), ways))
        assert sum(resolution is not None for resolution in done) == 1
    assert desk.faults() == []


def test_adjustments_and_credit_are_in_the_books(desk: Desk) -> None:
    where = workspace(desk)
    with write(desk.engine) as connection:
        ledger.top_up(connection, where, 5, "gift")
        ledger.adjust(connection, where, -1_000_000_000, "typing error")
    assert desk.balance(desk.caller()).available_micros == 5
    with pytest.raises(OutOfCredit), write(desk.engine) as connection:
        ledger.adjust(connection, where, -6, "too much")
    with pytest.raises(BadParameter), write(desk.engine) as connection:
        ledger.top_up(connection, where, 0, "nothing")
    with pytest.raises(NotFound), write(desk.engine) as connection:
        ledger.top_up(connection, "ws_other", 1, "to nobody")
    notes = [row.note for row in desk.rows("SELECT note FROM transfers ORDER BY id")]
    assert notes == ["first credit", "gift", "typing error"]
    assert desk.faults() == []


LIST = PriceList(1, (Price("fast", 20), Price("big", 70), Price("big", 10, 1000), Price("big", 30, 5000)))


@pytest.mark.parametrize(
    ("model", "pixels", "micros"),
    [("fast", 10**9, 20), ("big", 1000, 10), ("big", 1001, 30), ("big", 5000, 30), ("big", 5001, 70)],
)
def test_the_smallest_size_that_fits_has_the_price(model: str, pixels: int, micros: int) -> None:
    assert LIST.quote(model, pixels) == Quote(model, micros, 1)


def test_what_has_no_price_is_not_on_offer() -> None:
    with pytest.raises(ModelNotOffered, match="'creative' is not on offer"):
        LIST.quote("creative", 1)
    with pytest.raises(ModelNotOffered, match="up to 1000 pixels; this one has 1001"):
        PriceList(1, (Price("fast", 20, 1000),)).quote("fast", 1001)


def test_a_new_list_holds_from_now_on_and_old_holds_keep_their_price(desk: Desk) -> None:
    caller = desk.caller()
    ticket = desk.submit(caller)
    with write(desk.engine) as connection:
        prices.publish(connection, [Price("fast", 50_000)], "dearer")
        with pytest.raises(BadParameter, match="two prices"):
            prices.publish(connection, [Price("fast", 1), Price("fast", 2)], "unclear")
    later = desk.submit(caller)
    for job_id in (ticket.job_id, later.job_id):
        desk.run(job_id)
    rows = desk.rows("SELECT billed_micros, price_version FROM usage ORDER BY billed_micros")
    assert [tuple(row) for row in rows] == [(20_000, 1), (50_000, 2)]
    with pytest.raises(ModelNotOffered):
        desk.submit(caller, model="creative")


class Books(RuleBasedStateMachine):
    """Holds, captures, releases, credit and corrections in any order, against a model in Python."""

    desk: Desk
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        name = uuid.uuid4().hex
        self.where = self.desk.accounts.workspaces.create(name, 0).id
        self.available = 0
        self.open: dict[str, int] = {}
        self.resolved: list[str] = []

    def _do(self, work: Callable[[sa.Connection], object]) -> object:
        type(self).steps += 1
        with write(self.desk.engine) as connection:
            return work(connection)

    @rule(micros=st.integers(-3, 10**7))
    def give(self, micros: int) -> None:
        try:
            self._do(lambda connection: ledger.top_up(connection, self.where, micros, "given"))
            self.available += micros
        except BadParameter:
            assert micros < 1

    @rule(micros=st.integers(-(10**7), 10**7))
    def correct(self, micros: int) -> None:
        try:
            self._do(lambda connection: ledger.adjust(connection, self.where, micros, "corrected"))
            self.available += micros
        except OutOfCredit:
            assert self.available + micros < 0

    @rule(micros=st.integers(0, 10**7))
    def set_aside(self, micros: int) -> None:
        job_id = str(uuid.uuid4())
        quote = Quote("fast", micros, 1)
        try:
            self._do(
                lambda connection: ledger.hold(
                    connection,
                    job_id=job_id,
                    workspace_id=self.where,
                    key_id="key",
                    quote=quote,
                    is_test=False,
                )
            )
            self.available -= micros
            self.open[job_id] = micros
        except OutOfCredit:
            assert micros > self.available

    @precondition(lambda self: self.open)
    @rule(data=st.data(), share=st.floats(0, 1.2))
    def take(self, data: st.DataObject, share: float) -> None:
        job_id = data.draw(st.sampled_from(list(self.open)))
        held = self.open[job_id]
        taken = int(held * share)
        try:
            assert self._do(lambda connection: ledger.capture(connection, job_id, taken)) is not None
            self.available += held - taken
            del self.open[job_id]
            self.resolved.append(job_id)
        except BadParameter:
            assert taken > held

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(list(self.open)))
        assert self._do(lambda connection: ledger.release(connection, job_id)) is not None
        self.available += self.open.pop(job_id)
        self.resolved.append(job_id)

    @precondition(lambda self: self.resolved)
    @rule(data=st.data(), way=st.sampled_from([ledger.capture, ledger.release]))
    def resolve_again(self, data: st.DataObject, way: Callable[[sa.Connection, str], object]) -> None:
        job_id = data.draw(st.sampled_from(self.resolved))
        assert self._do(lambda connection: way(connection, job_id)) is None

    @invariant()
    def balances_agree(self) -> None:
        with self.desk.engine.connect() as connection:
            balance = ledger.balance(connection, self.where)
        assert balance == ledger.Balance(self.available, sum(self.open.values()), is_unlimited=False)

    def teardown(self) -> None:
        assert self.desk.faults() == []


def test_the_books_agree_with_a_model_over_thousands_of_steps(desk: Desk, tally: Tally) -> None:
    """Ten thousand in `make faults`."""
    steps = tally.either(10_000, 1_500)
    database = {"postgresql": "postgres"}.get(desk.engine.dialect.name, "sqlite")
    Books.desk, Books.steps = desk, 0
    with tally.attempt("a state machine over the ledger", database) as order:
        turns = 0
        while Books.steps < steps:
            turns += 1
            assert turns < 100
            machine = seed(order.getrandbits(32))(Books)
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=25,
                    stateful_step_count=50,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                    database=None,
                ),
            )
        assert desk.faults() == []
    tally.note("a state machine over the ledger", database, f"{Books.steps:,} steps")


def test_credit_for_ten_jobs_lets_ten_of_two_hundred_in(desk: Desk) -> None:
    desk.accounts.workspaces.create("poor", 10 * 20_000)
    caller = desk.caller("poor")

    def submit(_: int) -> bool:
        try:
            desk.submit(caller)
        except OutOfCredit:
            return False
        return True

    with ThreadPoolExecutor(32) as threads:
        accepted = sum(threads.map(submit, range(200)))
    assert accepted == 10
    assert desk.balance(caller) == ledger.Balance(0, 200_000, is_unlimited=False)
    assert len(desk.jobs.unfinished()) == 10
    assert desk.faults() == []


def test_two_hundred_cancels_at_random_moments_capture_or_release(desk: Desk, tally: Tally) -> None:
    caller = desk.caller()
    print(f"seed {tally.seed}")
    order = random.Random(tally.seed)
    tickets = [desk.submit(caller) for _ in range(200)]

    def race(job_id: str) -> tuple[bool, bool]:
        acts = [lambda: desk.run(job_id), lambda: desk.jobs.cancel(job_id, caller.workspace.id)]
        order.shuffle(acts)
        with ThreadPoolExecutor(2) as two:
            first, second = (two.submit(act) for act in acts)
            return first.result(), second.result()

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(race, [ticket.job_id for ticket in tickets]))
    assert all(sum(pair) == 1 for pair in won), "each job ended once, one way"
    states = {
        row.state: row.n for row in desk.rows("SELECT state, count(*) AS n FROM holds GROUP BY state")
    }
    assert sum(states.values()) == 200
    assert "open" not in states
    billed = desk.rows("SELECT sum(billed_micros) AS billed, count(*) AS n FROM usage")[0]
    assert (int(billed.billed), billed.n) == (20_000 * states.get("captured", 0), 200)
    assert desk.balance(caller) == ledger.Balance(1_000_000_000 - int(billed.billed), 0, is_unlimited=False)
    assert desk.faults() == []
