"""Many at once: one job a key, no job without its money, every submit soon and none refused."""

from __future__ import annotations

import statistics
import threading
import time

import httpx

from enlarger.accounts import KeyTerms, open_accounts
from tests.faults.conftest import Install
from tests.support import callers
from tests.support.callers import PATH, Caller
from tests.support.installation import Installation
from tests.support.tally import Tally

ENQUEUE_S = 1.0
SHIPPED_LIMIT = 150
"""Requests of a key in ten seconds."""


def secret_of(installation: Installation, workspace: str = "default") -> str:
    """The secret of a new key."""
    pepper = installation.folder / "secrets" / "key-pepper"
    accounts = open_accounts(installation.engine, pepper_path=pepper)
    return accounts.keys.create(accounts.workspaces.get(workspace).id, KeyTerms())[1]


def test_fifty_threads_with_twenty_keys_make_twenty_jobs(
    install: Install, database: str, tally: Tally
) -> None:
    installation = install(database)
    threads, keys = tally.either(50, 8), tally.either(20, 10)
    scenario = "threads that share idempotency keys"
    with tally.attempt(scenario, database) as order, installation.running():
        pictures = {f"{order.getrandbits(64):x}": callers.picture(order) for _ in range(keys)}
        turns = [order.sample(sorted(pictures), keys) for _ in range(threads)]
        together = threading.Barrier(threads)
        waiting: list[Caller] = []

        def work(turn: list[str]) -> None:
            together.wait()
            for key in turn:
                caller = Caller(installation.url, pictures[key], key)
                waiting.append(caller)
                caller.run()

        crowd = [threading.Thread(target=work, args=(turn,)) for turn in turns]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join()
        assert len(waiting) == threads * keys
        assert len(installation.jobs()) == keys
        bodies = {(caller.key, caller.answer and caller.answer.content) for caller in waiting}
        assert len(bodies) == keys, "one key, one answer"
        assert {caller.answer and caller.answer.status_code for caller in waiting} == {200}
        installation.check(waiting[:keys])
        other = Caller(installation.url, callers.picture(order, 50), waiting[0].key)
        assert other.post().status_code == 409, "another request with a key that was used"
        tally.note(scenario, database, f"{threads} threads, {keys} keys, {len(installation.jobs())} jobs")


def test_credit_for_ten_jobs_accepts_ten_of_two_hundred(
    install: Install, database: str, tally: Tally
) -> None:
    installation = install(database, ENLARGER_BOOTSTRAP_CREDIT="0.200000")
    count = tally.either(200, 60)
    scenario = "credit for ten jobs"
    with tally.attempt(scenario, database) as order, installation.running() as server:
        pictures = [callers.picture(order) for _ in range(count)]
        statuses: list[int] = []

        def post(picture: bytes) -> None:
            with server.client() as client:
                statuses.append(client.post(PATH, files={"image": picture}).status_code)

        crowd = [threading.Thread(target=post, args=(picture,)) for picture in pictures]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join()
        assert sorted(statuses) == [200] * 10 + [402] * (count - 10)
        assert len(installation.jobs()) == 10
        with server.client() as client:
            assert client.get("/v1/user/balance").json()["credits"] == 0
        installation.check()
        tally.note(scenario, database, f"{count} submits at once, 10 accepted")


def test_five_hundred_submits_at_once_to_the_server_as_it_is_shipped(
    install: Install, database: str, tally: Tally
) -> None:
    """Only the number of workers is raised; keys are as many as the rate limit makes necessary."""
    count = tally.either(500, 150)
    installation = install(
        database,
        ENLARGER_WORKERS="2",
        ENLARGER_RATE_LIMIT="",
        ENLARGER_ADDRESS_RATE_LIMIT="",
        ENLARGER_LEASE_S="",
        ENLARGER_FAULT_PLAN="",
    )
    scenario = "submits at once, as shipped"
    with tally.attempt(scenario, database) as order, installation.running() as server:
        installation.wait_until_ready(workers=2)
        secrets = [secret_of(installation) for _ in range(-(-count // (SHIPPED_LIMIT - 10)))]
        pictures = [callers.picture(order, 32) for _ in range(count)]
        answers: list[tuple[int, float, str]] = []
        together = threading.Barrier(count)

        def post(number: int) -> None:
            headers = {"authorization": f"Bearer {secrets[number % len(secrets)]}"}
            with httpx.Client(
                base_url=installation.url, headers=headers, timeout=120, verify=callers.NO_TLS
            ) as client:
                together.wait()
                started = time.time()
                response = client.post(PATH, files={"image": pictures[number]})
                answers.append((response.status_code, started, response.text[:200]))

        crowd = [threading.Thread(target=post, args=(number,)) for number in range(count)]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join()
        assert [answer for answer in answers if answer[0] != 200] == []
        assert "database is locked" not in server.log()
        installation.check()
        waits = enqueue_waits_s(installation)
        p50, p99 = statistics.median(waits), statistics.quantiles(waits, n=100)[-1]
        first = min(started for _, started, _ in answers)
        [(last_ms,)] = installation.rows("SELECT max(created_ms) FROM jobs")
        tally.note(
            scenario,
            database,
            f"{count} submits; enqueue p50 {1000 * p50:.0f} ms, p99 {1000 * p99:.0f} ms; all accepted"
            f" {last_ms / 1000 - first:.1f} s after the first was sent",
        )
        assert p99 < ENQUEUE_S


def enqueue_waits_s(installation: Installation) -> list[float]:
    """From a picture's being in the store to its job's being in the queue, for every job."""
    modified = {one.key: one.modified_ms for one in installation.store().list("ws")}
    rows = installation.rows("SELECT input_key, created_ms FROM jobs")
    return [max(0, row.created_ms - modified[row.input_key]) / 1000 for row in rows]
