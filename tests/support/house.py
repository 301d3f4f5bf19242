"""Every door of the server in this process, on a database and a folder, with no worker beside it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
import uvicorn
from starlette.types import ASGIApp

from enlarger.accounts import Accounts, KeyTerms, Member, Role
from enlarger.accounts.secret import read_or_make_pepper
from enlarger.limits import store as limits
from enlarger.server.app import make_administration, make_app, make_limiter, make_service
from enlarger.server.audit import Audit
from enlarger.server.draining import Drain
from enlarger.server.sign_on import believing
from enlarger.settings import Settings
from enlarger.storage import Links, ObjectStore, open_store
from tests.support.desk import OUTCOME, Desk
from tests.support.photos import crop, encoded
from tests.support.running import wait_for

SMALL = encoded(crop("coffee", 48, 40))
PASSWORD = "correct horse battery"
JOBS = "/enlarger/v1/jobs"


def accounts_of(engine: sa.Engine, data_dir: Path) -> Accounts:
    """The accounts as an installation with this data folder opens them."""
    return Accounts(engine, read_or_make_pepper(data_dir / "secrets" / "key-pepper"))


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve an application from a thread; gives its URL."""
    config = uvicorn.Config(
        app, port=0, log_config=None, lifespan="off", proxy_headers=False, timeout_graceful_shutdown=10
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: server.started, 30, "the server in this process")
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the server in this process does not stop"


@dataclass
class House:
    """What tests knock at."""

    desk: Desk
    store: ObjectStore
    http: httpx.Client
    url: str

    @classmethod
    @contextlib.contextmanager
    def open(cls, desk: Desk, folder: Path, **changes: Any) -> Iterator[House]:
        """The doors on a desk's database. `changes` are settings."""
        settings = Settings(
            data_dir=folder,
            database_url=desk.engine.url.render_as_string(hide_password=False),
            **{"rate_limit": "off", "address_rate_limit": "off", **changes},
        )
        folder.mkdir(exist_ok=True)
        limits.prepare(settings.limits_database)
        desk.accounts = accounts_of(desk.engine, folder)
        store = open_store(settings.object_store, Links(settings.link_keys_path))
        limiter = make_limiter(settings)
        service = make_service(settings, desk.engine, desk.client, store, limiter)
        administration = make_administration(settings, desk.engine, limiter)
        drain = Drain(settings.drain_timeout_s)
        audit = Audit(desk.engine)
        app = make_app(
            settings, service, administration, desk.engine, desk.client, store, limiter, drain, audit
        )
        believed = believing(app, settings.trusted_proxies, settings.sign_on_header)
        with (
            contextlib.closing(limiter),
            serving(believed) as url,
            httpx.Client(base_url=url, timeout=60) as http,
        ):
            yield cls(desk, store, http, url)

    def key(self, workspace: str = "default", **terms: Any) -> dict[str, str]:
        """The header of a new key."""
        where = self.desk.accounts.workspaces.get(workspace).id
        _, secret = self.desk.accounts.keys.create(where, KeyTerms(**terms))
        return {"authorization": f"Bearer {secret}"}

    def member(self, email: str, role: str, workspace: str = "default") -> Member:
        """A new member with the password of the tests."""
        where = self.desk.accounts.workspaces.get(workspace).id
        return self.desk.accounts.members.add(where, email, Role(role), PASSWORD)

    def session(self, email: str, **more: str) -> dict[str, str]:
        """The headers of a browser in which a member has signed in."""
        answer = self.http.post("/enlarger/v1/session", json={"email": email, "password": PASSWORD, **more})
        assert answer.status_code == 201, answer.text
        token = answer.cookies["enlarger_session"]
        self.http.cookies.clear()
        return {"cookie": f"enlarger_session={token}", "origin": self.url}

    def post(self, headers: dict[str, str], files: Any = None, **data: str) -> httpx.Response:
        """Ask for a job."""
        return self.http.post(JOBS, headers=headers, files=files or {"image": SMALL}, data=data)

    def get(self, path: str, headers: dict[str, str], **query: Any) -> httpx.Response:
        """Ask for something."""
        return self.http.get(f"/enlarger/v1{path}", headers=headers, params=query)

    def jobs(self) -> int:
        """How many have been accepted."""
        return int(self.desk.rows("SELECT count(*) AS n FROM jobs")[0].n)

    def finish(self, job_id: str) -> None:
        """Do what a worker does with a job that goes well; its picture is the one that was sent."""
        job = self.desk.jobs.get(job_id)
        key = f"ws/{job.workspace_id}/results/{job_id}-1.png"
        self.store.create(key, self.store.read(job.input_key))
        assert self.desk.run(job_id, replace(OUTCOME, result_key=key))
