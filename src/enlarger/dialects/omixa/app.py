"""Omixa's API as one application with its own errors and its own OpenAPI document."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from enlarger.administration import Administration
from enlarger.dialects.application import make_application
from enlarger.dialects.body import BadField, PayloadTooLarge
from enlarger.dialects.omixa import catalogue, errors, images, usage
from enlarger.dialects.omixa.schemas import request_body
from enlarger.dialects.omixa.who import Who
from enlarger.dialects.openapi import BEARER, describe
from enlarger.errors import EnlargerError
from enlarger.service import Service


def create_app(
    service: Service, administration: Administration, *, require_signature: bool = False
) -> FastAPI:
    """Every route of the dialect, at the vendor's own paths.

    require_signature  whether requests must carry `X-Omixa-Signature`; if not, nobody looks at it.
    """
    app = make_application(
        "Omixa, served by Enlarger",
        "v1",
        {
            BadField: errors.on_bad_field,
            PayloadTooLarge: errors.on_payload_too_large,
            EnlargerError: errors.on_enlarger_error,
            RequestValidationError: errors.on_invalid_query,
            HTTPException: errors.on_http_exception,
            ClientDisconnect: errors.on_hang_up,
            Exception: errors.on_unexpected,
        },
    )
    app.state.who = Who(service, is_signature_required=require_signature)
    app.include_router(images.make_router(service))
    app.include_router(catalogue.make_router(service))
    app.include_router(usage.make_router(administration))
    _, definitions = request_body()
    describe(app, {"bearer": BEARER}, definitions)
    return app
