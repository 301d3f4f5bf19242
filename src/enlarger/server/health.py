"""`/healthz`: this process is alive. `/readyz`: a request sent now would be served."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import sqlalchemy as sa
import structlog
from dbos import DBOSClient
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from enlarger.database.migrate import is_current
from enlarger.errors import NotReady
from enlarger.jobs.durable import foreign_versions
from enlarger.jobs.slots import ready_count
from enlarger.server.draining import Drain
from enlarger.storage import ObjectStore

LOG = structlog.get_logger()


def make_routes(
    engine: sa.Engine, client: DBOSClient, store: ObjectStore, lease_s: float, drain: Drain
) -> list[Route]:
    """The two routes; each check of `/readyz` is one line here."""
    checks: dict[str, Callable[[], str | None]] = {
        "database": lambda: None if is_current(engine) else "the schema is not of this version",
        "objects": lambda: store.check(),
        "worker": lambda: None if ready_count(engine, lease_s) else "no worker is ready",
        "versions": lambda: _strangers(client),
    }

    async def healthz(request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def readyz(request: Request) -> JSONResponse:
        if drain.has_begun:
            # Nothing is asked then: the answer is no, and must not wait for what may be stopping too.
            problems = report = {"server": "it is stopping"}
        else:
            problems = await asyncio.to_thread(_run, checks)
            report = {name: problems.get(name, "ok") for name in checks}
        if not problems:
            return JSONResponse(report)
        return JSONResponse(report, 503, headers={"retry-after": str(NotReady.retry_after_s)})

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


def _run(checks: dict[str, Callable[[], str | None]]) -> dict[str, str]:
    problems = {}
    for name, check in checks.items():
        try:
            problem = check()
        except Exception as error:
            # Whatever is wrong with a part, the report must still say how the others are.
            LOG.warning("readyz.failed", check=name, error=repr(error))
            problem = "cannot be reached"
        if problem is not None:
            problems[name] = problem
    return problems


def _strangers(client: DBOSClient) -> str | None:
    strangers = foreign_versions(client)
    if not strangers:
        return None
    return f"jobs of other versions are waiting and will not run here: {', '.join(sorted(strangers))}"
