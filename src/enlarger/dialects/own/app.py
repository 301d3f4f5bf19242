"""Our own API as one application with its own errors and its own OpenAPI document."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from enlarger.administration import Administration
from enlarger.dialects.application import make_application
from enlarger.dialects.body import BadField, PayloadTooLarge
from enlarger.dialects.openapi import BEARER, describe
from enlarger.dialects.own import errors, jobs, keys, members, money, session
from enlarger.dialects.own.who import Who
from enlarger.errors import EnlargerError
from enlarger.service import Service


def create_app(
    service: Service, administration: Administration, *, public_url: str | None = None
) -> FastAPI:
    """Every route, from `/v1` on: the server puts it below `/enlarger`.

    public_url  scheme and host that callers reach us at; None takes those of each request.
    """
    app = make_application(
        "Enlarger",
        "v1",
        {
            BadField: errors.on_bad_field,
            PayloadTooLarge: errors.on_payload_too_large,
            EnlargerError: errors.on_enlarger_error,
            RequestValidationError: errors.on_invalid,
            HTTPException: errors.on_http_exception,
            ClientDisconnect: errors.on_hang_up,
            Exception: errors.on_unexpected,
        },
    )
    app.state.who = Who(service, administration, public_url)
    app.include_router(jobs.make_router(service))
    app.include_router(money.make_router(service, administration))
    app.include_router(keys.make_router(administration))
    app.include_router(members.make_router(administration))
    app.include_router(session.make_router(administration))
    describe(app, {"bearer": BEARER})
    return app
