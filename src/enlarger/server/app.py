"""The whole HTTP application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from dbos import DBOSClient
from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from enlarger.accounts import open_accounts
from enlarger.administration import Administration
from enlarger.bells import Bell
from enlarger.dialects import omixa, onemin, own, scenario, stability
from enlarger.errors import EnlargerError
from enlarger.fetching import Fetcher
from enlarger.jobs.submission import Depth
from enlarger.limits.admission import Admission
from enlarger.limits.limiter import Limiter
from enlarger.limits.store import Windows
from enlarger.server import docs, files, health, metrics, parts
from enlarger.server.audit import Audit
from enlarger.server.doors import OMIXA, ONEMIN, OWN, SCENARIO, STABILITY, Door, Doors
from enlarger.server.draining import Drain, Drained
from enlarger.server.gate import Gate
from enlarger.server.middleware import Lingering, RequestIds
from enlarger.server.remembering import Remembering
from enlarger.server.traffic import Traffic, note_refusal
from enlarger.server.vitals import Vitals
from enlarger.service import Limits, Service
from enlarger.settings import Settings
from enlarger.storage import Links, ObjectStore


def make_limiter(settings: Settings) -> Limiter:
    """The rate limits that `settings` describe."""
    windows = Windows(settings.limits_database)
    return Limiter(
        windows,
        key=settings.rate_rule,
        address=settings.address_rate_rule,
        sign_in=settings.sign_in_rule,
    )


def make_service(
    settings: Settings,
    engine: sa.Engine,
    client: DBOSClient,
    store: ObjectStore,
    limiter: Limiter,
    bell: Bell | None = None,
) -> Service:
    """The service that `settings` describe.

    bell  of this process, if it has one.
    """
    limits = Limits(
        max_input_pixels=settings.max_input_pixels,
        max_output_pixels=settings.max_output_pixels,
        wait_timeout_s=settings.wait_timeout_s,
        depth=Depth(settings.max_jobs, settings.max_workspace_jobs),
        job_deadline_s=settings.job_deadline_s,
        keep_results_ms=settings.keep_results_ms,
        keep_answers_ms=settings.keep_answers_ms,
    )
    return Service(
        engine,
        client,
        store,
        open_accounts(engine, pepper_path=settings.pepper_path),
        limits,
        limiter=limiter,
        admission=Admission(settings.max_body_bytes_in_flight),
        fetcher=Fetcher(is_allowed=settings.fetch_urls == "public" and not settings.offline),
        bells=settings.bells_path,
        bell=bell,
        links=Links(settings.link_keys_path, public_url=settings.public_url),
    )


def make_administration(settings: Settings, engine: sa.Engine, limiter: Limiter) -> Administration:
    """The administration that `settings` describe."""
    accounts = open_accounts(engine, pepper_path=settings.pepper_path)
    return Administration(engine, accounts, limiter=limiter, session_ms=settings.session_ms)


def make_app(
    settings: Settings,
    service: Service,
    administration: Administration,
    engine: sa.Engine,
    client: DBOSClient,
    store: ObjectStore,
    limiter: Limiter,
    drain: Drain,
    audit: Audit,
) -> ASGIApp:
    """Every dialect, the operator's routes, and what surrounds them."""
    # One more series for each that there is, which nobody asks for.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    rest = Starlette(
        routes=[
            *health.make_routes(engine, client, store, settings.lease_s, drain),
            metrics.make_route(registry, settings.metrics_token),
            parts.make_route(service, settings.scratch_path / "arrivals"),
            files.make_route(store),
        ],
        exception_handlers={HTTPException: _on_http_exception},
    )
    rest.router.redirect_slashes = False
    ours = own.create_app(service, administration, public_url=settings.public_url)
    theirs = omixa.create_app(service, administration, require_signature=settings.require_signature)
    doors = Doors(
        {
            STABILITY: Door(
                _noting(stability.create_app(service)),
                stability.render_error,
                (f"/{STABILITY}", stability.PROXY),
            ),
            OMIXA: Door(_noting(theirs), omixa.render_error, (f"/{OMIXA}",)),
            ONEMIN: Door(_noting(onemin.create_app(service)), onemin.render_error, ("/1min",)),
            SCENARIO: Door(_noting(scenario.create_app(service)), scenario.render_error, (f"/{SCENARIO}",)),
            OWN: Door(_noting(ours), own.render_error, (f"/{OWN}",)),
        },
        otherwise=Door(_noting(rest), own.render_error),
    )
    rest.router.routes.extend(docs.make_routes(doors.dialects, settings.public_url))
    traffic = Traffic(registry, doors.name_of)
    ProcessCollector(registry=registry)
    registry.register(Vitals(engine, lease_s=settings.lease_s, audit=audit))
    gate = Gate(Remembering(doors, service), limiter, doors.refuse)
    return RequestIds(Lingering(Drained(gate, drain, doors.refuse)), traffic)


def _noting(app: Starlette) -> Starlette:
    """`app`, whose handlers of our errors tell the metrics why a request is refused."""

    def noting(handler: Callable[..., Any]) -> Callable[..., Any]:
        async def noted(request: Request, error: Exception) -> Response:
            note_refusal(request.scope, error)
            response: Response = await handler(request, error)
            return response

        return noted

    for kind, handler in app.exception_handlers.items():
        if isinstance(kind, type) and issubclass(kind, EnlargerError):
            app.exception_handlers[kind] = noting(handler)
    return app


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """Our own shape of an error, for paths that belong to no vendor."""
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for this class alone)
    return own.render_refusal(request, error)
