"""`/metrics`: the numbers are right, few, cheap to read, and nobody else's business."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.applications import Starlette

from enlarger.accounts.tables import WORKSPACES
from enlarger.database import connect, now_ms, snapshot, write
from enlarger.errors import InferenceCrashed
from enlarger.jobs import Outcome, counters
from enlarger.jobs.reconcile import expel_expired
from enlarger.jobs.tables import JOBS, SLOTS
from enlarger.ledger import ledger
from enlarger.models import ModelStore
from enlarger.server.audit import Audit
from enlarger.server.metrics import make_route
from enlarger.server.vitals import Vitals
from tests.conftest import MODELS, REPOSITORY
from tests.support.desk import Desk
from tests.support.photos import crop, encoded
from tests.support.running import SECRET, RunningServer, wait_for

PATH = "/v2beta/stable-image/upscale/fast"
REPAIRED = Outcome(
    "ws/a/results/b.png", 2048, 1024, 9, 500, 30, '{"repairs": {"f32": 2, "split": 1}}', 6, 480
)
MANY = 10_000
SCRAPE_S = 0.25
"""Far more than it takes (0.01 s measured), so that a busy machine does not matter."""

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(page: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


class Scraper:
    def __init__(self, desk: Desk) -> None:
        self.registry = CollectorRegistry()
        self.audit = Audit(desk.engine)
        self.registry.register(Vitals(desk.engine, lease_s=15.0, audit=self.audit))

    def page(self) -> str:
        return generate_latest(self.registry).decode()

    def value(self, name: str, **labels: str) -> float:
        return read(self.page())[name, tuple(sorted(labels.items()))]


@pytest.fixture
def scraper(desk: Desk) -> Scraper:
    return Scraper(desk)


def test_a_job_that_ends_is_counted_in_its_own_commit(desk: Desk, scraper: Scraper) -> None:
    caller = desk.caller()
    good, bad, unwanted = (desk.submit(caller).job_id for _ in range(3))
    assert desk.run(good, REPAIRED)
    assert not desk.run(good, REPAIRED), "and is not counted twice"
    desk.jobs.begin_attempt(bad)
    desk.jobs.fail(bad, InferenceCrashed())
    desk.jobs.cancel(unwanted, caller.workspace.id)
    value = scraper.value
    ended = {state: value("enlarger_jobs_ended_total", state=state) for state in ("succeeded", "failed")}
    assert ended == {"succeeded": 1, "failed": 1}
    assert value("enlarger_jobs_ended_total", state="cancelled") == 1
    assert value("enlarger_captures_total") == 1
    assert (value("enlarger_tiles_total"), value("enlarger_tile_seconds_total")) == (6, 0.48)
    assert value("enlarger_tile_repairs_total", kind="f32") == 2
    assert value("enlarger_tile_repairs_total", kind="split") == 1
    assert value("enlarger_job_pickup_seconds_count") == 2, "the cancelled one was never begun"
    assert value("enlarger_job_run_seconds_count") == 1
    assert value("enlarger_job_run_seconds_bucket", le="+Inf") == 1


def test_the_queue_the_holds_and_the_slots_are_as_they_stand(desk: Desk, scraper: Scraper) -> None:
    caller = desk.caller()
    first, *_ = (desk.submit(caller).job_id for _ in range(3))
    desk.jobs.begin_attempt(first)
    with write(desk.engine) as connection:
        connection.execute(JOBS.update().where(JOBS.c.id != first).values(created_ms=now_ms() - 90_000))
        for number, age_ms in enumerate((0, 1_000, 60_000)):
            connection.execute(
                SLOTS.insert().values(
                    id=f"here-{number}",
                    host="here",
                    pid=1,
                    fence=1,
                    ready=number == 0,
                    started_ms=0,
                    heartbeat_ms=now_ms() - age_ms,
                )
            )
    value = scraper.value
    assert (value("enlarger_jobs_waiting"), value("enlarger_jobs_running")) == (2, 1)
    assert 90 <= value("enlarger_job_oldest_waiting_seconds") < 120
    assert value("enlarger_holds_open") == 3
    assert 0 <= value("enlarger_hold_oldest_seconds") < 60
    slots = [value(f"enlarger_slots_{state}") for state in ("live", "ready", "expired")]
    assert slots == [2, 1, 1]
    assert expel_expired(desk.engine, 15.0) == ["here-2"]
    assert value("enlarger_slots_expired") == 0
    assert value("enlarger_database_bytes") > 0
    assert value("enlarger_database_up") == 1


def test_the_books_are_recomputed_beside_the_scrapes(desk: Desk, scraper: Scraper) -> None:
    caller = desk.caller()
    desk.run(desk.submit(caller).job_id)
    assert "enlarger_holds" in scraper.page(), "a scrape begins the first audit and does not wait for it"
    wait_for(lambda: scraper.audit.latest() is not None, 30, "the audit ends")
    assert scraper.value("enlarger_ledger_faults") == 0
    with write(desk.engine) as connection:
        connection.execute(sa.text("UPDATE balances SET micros = micros + 1 WHERE account LIKE '%held'"))
    impatient = Audit(desk.engine, every_s=0.0)
    wait_for(lambda: impatient.latest() is not None, 30, "the audit ends")
    found = impatient.latest()
    assert found is not None
    assert found.faults == 2, "the balance fits neither its entries nor its holds"
    assert scraper.value("enlarger_ledger_faults") == 0, "and the other audit is not due yet"


def test_a_server_that_starts_says_what_is_wrong_in_its_books(store: ModelStore, tmp_path: Path) -> None:
    with Desk.open(f"sqlite:///{tmp_path / 'enlarger.db'}") as desk, write(desk.engine) as connection:
        connection.execute(sa.text("UPDATE balances SET micros = micros + 1 WHERE account LIKE '%held'"))
    with RunningServer.start(tmp_path, MODELS) as server:
        wait_for(lambda: "ledger.fault" in server.log(), 30, "nobody has asked for it")
        assert "the open holds sum to 0.000000" in server.log()


def test_an_audit_while_jobs_come_and_go_finds_no_fault(desk: Desk) -> None:
    """Its queries see one moment: a job accepted between two of them is in both or in neither."""
    caller = desk.caller()
    with snapshot(desk.engine) as connection:
        connection.scalar(sa.select(sa.func.count()).select_from(WORKSPACES))
        desk.run(desk.submit(caller).job_id)
        desk.submit(caller)
        assert ledger.open_holds(connection) == (0, None)
        assert list(ledger.verify(connection)) == []
    with desk.engine.connect() as connection:
        assert ledger.open_holds(connection)[0] == 1


def test_counters_of_several_transactions_add_up(desk: Desk) -> None:
    for _ in range(3):
        with write(desk.engine) as connection:
            counters.add_all(connection, {("b", "x"): 2, ("a", ""): 1})
    counts: counters.Counts = {}
    for ms in (0, 25, 26, 900_000, 900_001):
        counters.observe(counts, "h", ms)
    with write(desk.engine) as connection:
        counters.add_all(connection, counts)
        counters.add_all(connection, {})
        read_back = counters.read(connection)
    assert (read_back["b", "x"], read_back["a", ""]) == (6, 3)
    buckets = {label: value for (name, label), value in read_back.items() if name == "h"}
    assert buckets == {"25": 2, "50": 1, "900000": 1, "+Inf": 1}
    assert read_back["h_sum", ""] == 25 + 26 + 900_000 + 900_001


def test_a_scrape_is_cheap_with_ten_thousand_jobs(desk: Desk, scraper: Scraper) -> None:
    caller = desk.caller()
    desk.submit(caller)
    with write(desk.engine) as connection:
        columns = ", ".join(column.name for column in JOBS.columns if column.name not in ("id", "state"))
        numbers = (
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})"
            if desk.engine.dialect.name == "sqlite"
            else f"WITH n(i) AS (SELECT generate_series(1, {MANY}))"
        )
        # Every second one waits: as deep as the queue may be with as many that have ended.
        state = "CASE i - i / 2 * 2 WHEN 0 THEN 'queued' ELSE 'succeeded' END"
        select = f"SELECT 'job-' || i, {state}, {columns} FROM jobs, n"
        insert = f"INSERT INTO jobs (id, state, {columns})"
        connection.exec_driver_sql(f"{insert} {numbers} {select}")
    if desk.engine.dialect.name == "postgresql":
        with desk.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE jobs")
    scraper.page()
    times = []
    for _ in range(5):
        started = time.perf_counter()
        page = scraper.page()
        times.append(time.perf_counter() - started)
    assert read(page)["enlarger_jobs_waiting", ()] == MANY / 2 + 1
    print(f"{desk.engine.dialect.name}: {1000 * min(times):.1f} to {1000 * max(times):.1f} ms")
    assert min(times) < SCRAPE_S


def test_a_database_that_is_away_is_a_number_and_no_error() -> None:
    engine = connect("sqlite:////nowhere/at/all.db", pool_size=1)
    registry = CollectorRegistry()
    registry.register(Vitals(engine, lease_s=15.0, audit=Audit(engine)))
    samples = read(generate_latest(registry).decode())
    assert samples["enlarger_database_up", ()] == 0
    assert ("enlarger_jobs_waiting", ()) not in samples


TOKEN = "a-token-for-tests-of-more-than-32-characters"


def ask(
    token: str | None, peer: str = "127.0.0.1", host: str = "localhost:8000", **headers: str
) -> httpx.Response:
    app = Starlette(routes=[make_route(CollectorRegistry(), None if token is None else SecretStr(token))])

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(peer, 5))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.get("/metrics", headers={"host": host, **sent})

    return asyncio.run(run())


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000"])
def test_without_a_token_this_machine_may_read(peer: str, host: str) -> None:
    assert ask(None, peer, host).status_code == 200


@pytest.mark.parametrize(
    ("peer", "host", "headers"),
    [
        ("10.0.0.7", "localhost", {}),
        ("not-an-address", "localhost", {}),
        ("::ffff:10.0.0.7", "localhost", {}),
        ("127.0.0.1", "enlarger.example", {}),
        ("127.0.0.1", "localhost.example", {}),
        ("127.0.0.1", "[", {}),
        ("127.0.0.1", "localhost", {"x_forwarded_for": "127.0.0.1"}),
        ("127.0.0.1", "localhost", {"forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", "localhost", {"via": "1.1 a"}),
        ("127.0.0.1", "localhost", {"x_real_ip": "127.0.0.1"}),
        ("10.0.0.7", "localhost", {"authorization": f"Bearer {TOKEN}"}),
    ],
)
def test_without_a_token_nobody_else_learns_that_it_is_there(
    peer: str, host: str, headers: dict[str, str]
) -> None:
    assert ask(None, peer, host, **headers).status_code == 404


def test_with_a_token_only_the_token_counts() -> None:
    def status(peer: str = "10.0.0.7", **headers: str) -> int:
        return ask(TOKEN, peer, "enlarger.example", **headers).status_code

    assert status(authorization=f"Bearer {TOKEN}") == 200
    assert status(authorization=f"bearer {TOKEN}", x_forwarded_for="10.0.0.9") == 200
    assert status(authorization=f"Bearer {TOKEN}x") == 401
    assert status(authorization=f"Basic {TOKEN}") == 401
    assert status("127.0.0.1") == 401


def test_requests_are_counted_by_door_route_and_status_and_never_by_path(server: RunningServer) -> None:
    with server.client() as client:
        before = read(client.get("/metrics").text)
        assert client.post(PATH, files={"image": encoded(crop("coffee", 40, 36))}).status_code == 200
        assert client.post(f"/stability{PATH}", files={"image": b"no picture"}).status_code == 400
        assert client.post(PATH, headers={"authorization": "Bearer no"}).status_code == 401
        for number in range(5):
            assert client.get(f"/v2beta/nothing/{number}").status_code == 404
            assert client.get(f"/nothing/{number}").status_code == 404
        assert client.get("/files/ws/a/b?s=1").status_code == 403
        page = client.get("/metrics").text
    after = read(page)

    def more(name: str, **labels: str) -> float:
        key = name, tuple(sorted(labels.items()))
        return after.get(key, 0.0) - before.get(key, 0.0)

    requests = "enlarger_http_requests_total"
    assert more(requests, door="stability", route=PATH, status="200") == 1
    assert more(requests, door="stability", route=PATH, status="400") == 1
    assert more(requests, door="stability", route=PATH, status="401") == 1
    assert more(requests, door="stability", route="unknown", status="404") == 5
    assert more(requests, door="enlarger", route="unknown", status="404") == 5
    assert more("enlarger_http_request_seconds_count", door="stability", route=PATH) == 3
    refusals = "enlarger_http_refusals_total"
    assert more(refusals, door="stability", code="bad_key") == 1
    assert more(refusals, door="stability", code="unsupported_picture") == 1
    assert more(refusals, door="stability", code="http_404") == 5
    assert more(refusals, door="enlarger", code="link_refused") == 1
    assert more("enlarger_captures_total") == 1
    assert more("enlarger_tiles_total") >= 1
    assert more("enlarger_tile_seconds_total") > 0
    assert "nothing/" not in page
    assert SECRET not in page
    assert after["process_resident_memory_bytes", ()] > 0


def test_names_follow_the_conventions(server: RunningServer) -> None:
    with server.client() as client:
        page = client.get("/metrics").text
    page_of_the_manual = (REPOSITORY / "docs" / "how-to" / "operate.md").read_text()
    for family in text_string_to_metric_families(page):
        if not family.name.startswith("process_"):
            assert family.name.startswith("enlarger_"), family.name
            assert not family.name.endswith(("_ms", "_seconds_total_total", "_count")), family.name
            assert family.documentation.endswith("."), family.name
            assert family.name in page_of_the_manual, family.name
