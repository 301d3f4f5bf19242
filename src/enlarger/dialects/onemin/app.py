"""1min.ai's API as one application with its own errors and its own OpenAPI document."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from enlarger.dialects.application import make_application
from enlarger.dialects.body import BadField, PayloadTooLarge
from enlarger.dialects.onemin import assets, errors, features, teams
from enlarger.dialects.openapi import BEARER, api_key, describe
from enlarger.errors import EnlargerError
from enlarger.service import Service


def create_app(service: Service) -> FastAPI:
    """Every route of the dialect, at the vendor's own paths."""
    app = make_application(
        "1min.ai image upscaling, served by Enlarger",
        "1",
        {
            BadField: errors.on_bad_field,
            PayloadTooLarge: errors.on_payload_too_large,
            EnlargerError: errors.on_enlarger_error,
            HTTPException: errors.on_http_exception,
            ClientDisconnect: errors.on_hang_up,
            Exception: errors.on_unexpected,
        },
    )
    app.include_router(assets.make_router(service))
    app.include_router(features.make_router(service))
    app.include_router(teams.make_router(service))
    describe(app, {"key": api_key("API-KEY"), "bearer": BEARER})
    return app
