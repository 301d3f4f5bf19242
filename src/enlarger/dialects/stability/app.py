"""Stability's API as one application with its own errors and its own OpenAPI document."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from enlarger.dialects.application import make_application
from enlarger.dialects.body import BadField, PayloadTooLarge
from enlarger.dialects.openapi import BEARER, api_key, describe
from enlarger.dialects.stability import account, engines, errors, results, upscale
from enlarger.dialects.stability.schemas import SCHEMAS
from enlarger.errors import EnlargerError
from enlarger.service import Service


def create_app(service: Service) -> FastAPI:
    """Every route of the dialect, at the vendor's own paths."""
    app = make_application(
        "Stability AI v2beta, served by Enlarger",
        "v2beta",
        {
            BadField: errors.on_bad_field,
            errors.NoEngine: errors.on_no_engine,
            PayloadTooLarge: errors.on_payload_too_large,
            EnlargerError: errors.on_enlarger_error,
            HTTPException: errors.on_http_exception,
            ClientDisconnect: errors.on_hang_up,
            Exception: errors.on_unexpected,
        },
    )
    app.include_router(upscale.make_router(service))
    app.include_router(results.make_router(service))
    app.include_router(engines.make_router(service))
    app.include_router(account.make_router(service))
    schemes = {"bearer": BEARER, "bare": api_key("authorization"), "comfyui": api_key("x-api-key")}
    describe(app, schemes, SCHEMAS)
    return app
