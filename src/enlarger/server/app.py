"""The whole HTTP application."""

from __future__ import annotations

import sqlalchemy as sa
from dbos import DBOSClient
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from enlarger.accounts import open_accounts
from enlarger.administration import Administration
from enlarger.dialects import own, stability
from enlarger.jobs.submission import Depth
from enlarger.limits.admission import Admission
from enlarger.limits.limiter import Limiter
from enlarger.limits.store import Windows
from enlarger.server import files, health
from enlarger.server.doors import OWN, STABILITY, Door, Doors
from enlarger.server.gate import Gate
from enlarger.server.middleware import Lingering, RequestIds
from enlarger.server.remembering import Remembering
from enlarger.service import Limits, Service
from enlarger.settings import Settings
from enlarger.storage import ObjectStore


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
    settings: Settings, engine: sa.Engine, client: DBOSClient, store: ObjectStore, limiter: Limiter
) -> Service:
    """The service that `settings` describe."""
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
        open_accounts(engine, settings.data_dir),
        limits,
        limiter=limiter,
        admission=Admission(settings.max_body_bytes_in_flight),
    )


def make_administration(settings: Settings, engine: sa.Engine, limiter: Limiter) -> Administration:
    """The administration that `settings` describe."""
    accounts = open_accounts(engine, settings.data_dir)
    return Administration(engine, accounts, limiter=limiter, session_ms=settings.session_ms)


def make_app(
    settings: Settings,
    service: Service,
    administration: Administration,
    engine: sa.Engine,
    client: DBOSClient,
    store: ObjectStore,
    limiter: Limiter,
) -> ASGIApp:
    """Every dialect, the health routes, and what surrounds them."""
    rest = Starlette(
        routes=[*health.make_routes(engine, client, store, settings.lease_s), files.make_route(store)],
        exception_handlers={HTTPException: _on_http_exception},
    )
    doors = Doors(
        {
            STABILITY: Door(stability.create_app(service), stability.render_error),
            OWN: Door(
                own.create_app(service, administration, public_url=settings.public_url), own.render_error
            ),
        },
        otherwise=Door(rest, own.render_error),
    )
    return RequestIds(Lingering(Gate(Remembering(doors, service), limiter, doors.refuse)))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """Our own shape of an error, for paths that belong to no vendor."""
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for this class alone)
    return own.render_refusal(request, error)
