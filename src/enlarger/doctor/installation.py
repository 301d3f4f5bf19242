"""Checks of the installation: weights, secrets, database, books, store, workers, port."""

from __future__ import annotations

import http.client
import socket
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from enlarger.accounts.tables import KEYS
from enlarger.database import connect, now_ms, snapshot
from enlarger.database.migrate import is_current
from enlarger.doctor.finding import Verdict, fail, ok, warn
from enlarger.errors import ModelError
from enlarger.jobs.job import JobState
from enlarger.jobs.slots import live_slots, ready_count
from enlarger.jobs.tables import JOBS, SLOTS
from enlarger.ledger import ledger
from enlarger.models import ModelStore, known_assets
from enlarger.secret_file import read_secret
from enlarger.settings import Settings
from enlarger.storage import open_store

POOL_SIZE = 2
SLOW_QUEUE_S = 300.0
"""A job that waits longer is worth a look."""
CLOCK_GOOD_S = 1.0
"""Clocks that differ by less harm nothing; by a lease, workers take each other for dead."""
NOT_YET = "there is no installation yet"
START = "start the server once (`enlarger serve`)"


def models(settings: Settings) -> Verdict:
    """The weights of the default networks are here, and are those of the catalogue."""
    store = ModelStore(settings.models_path)
    entries = list(known_assets().defaults)
    for entry in entries:
        try:
            store.verify(entry)
        except ModelError as error:
            return fail(error.message, f"enlarger models pull {entry.name}")
    return ok(f"{len(entries)} in {settings.models_path}, every digest right")


def secrets(settings: Settings) -> Verdict:
    """The secrets are there, and are their owner's alone."""
    folder = settings.secrets_path
    if not folder.is_dir():
        if is_installed(settings):
            return fail(f"{folder} is missing: no key opens", "put its backup there")
        return ok(NOT_YET)
    for path in (folder, *folder.rglob("*")):
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            return fail(f"{path} can be read by others", f"chmod go= {path}")
    read_secret(settings.pepper_path, "no key opens any longer")
    return ok(f"{folder} is its owner's alone")


def database(settings: Settings) -> Verdict:
    """The database answers, with the schema of this version."""
    if not is_installed(settings):
        return warn(NOT_YET, START)
    with opened(settings) as engine:
        if not is_current(engine):
            return fail("the schema is of another version", START)
        return ok(f"{engine.dialect.name} answers, the schema is current")


def books(settings: Settings) -> Verdict:
    """The ledger sums up."""
    if not is_installed(settings):
        return ok(NOT_YET)
    with opened(settings) as engine, snapshot(engine) as connection:
        faults = list(ledger.verify(connection))
    if faults:
        return fail(f"{len(faults)} faults: {faults[0]}", "restore a backup, or report it; do not adjust")
    return ok("every transfer sums to zero, every balance is that of its entries")


def objects(settings: Settings) -> Verdict:
    """An object can be stored, read and deleted."""
    if settings.object_store_url is None and not is_installed(settings):
        return ok(NOT_YET)
    store = open_store(settings.object_store)
    key, content = f"health/doctor-{uuid.uuid4().hex}", b"written by enlarger doctor"
    store.create(key, content)
    try:
        if store.read(key) != content:
            return fail("what was stored is not what is read", "look at the disk or the bucket")
    finally:
        store.delete([key])
    return ok(f"{settings.object_store.partition(':')[0]}: stored, read and deleted")


def workers(settings: Settings) -> Verdict:
    """Workers renew their leases and can take a job."""
    if not is_installed(settings):
        return ok(NOT_YET)
    with opened(settings) as engine:
        live, ready = len(live_slots(engine, settings.lease_s)), ready_count(engine, settings.lease_s)
    told = f"{live} live, {ready} ready"
    if not ready:
        return warn(told, "start the server, or look at its log")
    return ok(told)


def queue(settings: Settings) -> Verdict:
    """Jobs do not wait for long."""
    if not is_installed(settings):
        return ok(NOT_YET)
    query = sa.select(sa.func.count(), sa.func.min(JOBS.c.created_ms)).where(
        JOBS.c.state == JobState.QUEUED
    )
    with opened(settings) as engine, engine.connect() as connection:
        count, oldest_ms = connection.execute(query).one()
    if not count:
        return ok("nobody waits")
    age_s = (now_ms() - oldest_ms) / 1000
    told = f"{count} jobs wait, the oldest for {age_s:.0f} s"
    if age_s > SLOW_QUEUE_S:
        return warn(told, "run more workers, or look at why they do not take it")
    return ok(told)


def clock(settings: Settings) -> Verdict:
    """This machine's clock agrees with the database's, and with what other machines have written."""
    if not is_installed(settings):
        return ok(NOT_YET)
    with opened(settings) as engine, engine.connect() as connection:
        before = now_ms()
        if engine.dialect.name == "postgresql":
            theirs = connection.scalar(
                sa.text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)")
            )
        else:
            theirs = connection.scalar(
                sa.text("SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)")
            )
        middle = (before + now_ms()) / 2
        latest = connection.scalar(sa.select(sa.func.max(SLOTS.c.heartbeat_ms))) or 0
    apart_s = (int(theirs or 0) - middle) / 1000
    ahead_s = (latest - now_ms()) / 1000
    worst = max(abs(apart_s), ahead_s)
    told = f"{abs(apart_s):.2f} s from the database's"
    if ahead_s > CLOCK_GOOD_S:
        told = f"a worker's last sign of life lies {ahead_s:.0f} s in the future"
    remedy = "keep the clocks of all machines in step (chrony, systemd-timesyncd)"
    if worst > settings.lease_s / 2:
        return fail(told, remedy)
    return warn(told, remedy) if worst > CLOCK_GOOD_S else ok(told)


def port(settings: Settings) -> Verdict:
    """The port is free, or the server answers there."""
    if settings.port == 0:
        return ok("a free one is taken at the start")
    where = f"{settings.host} port {settings.port}"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        if _is_ours(settings):
            return ok(f"the server answers at {where}")
        return fail(f"{where}: {error.strerror}", "set ENLARGER_PORT, or end what uses it")
    return ok(f"{where} is free")


def is_installed(settings: Settings) -> bool:
    """Whether there is a database to look at; one elsewhere is asked, one here is not made."""
    url = sa.make_url(settings.database)
    if url.get_backend_name() != "sqlite" or url.database is None:
        with opened(settings) as engine:
            return sa.inspect(engine).has_table(KEYS.name)
    return Path(url.database).exists()


@contextmanager
def opened(settings: Settings) -> Iterator[sa.Engine]:
    """The database, for a moment."""
    engine = connect(settings.database, pool_size=POOL_SIZE)
    try:
        yield engine
    finally:
        engine.dispose()


def _is_ours(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().read() == b'{"status":"ok"}'
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
