"""Scenario's API as one application with its own errors and its own OpenAPI document."""

from __future__ import annotations

from fastapi import FastAPI

from enlarger.dialects.application import make_application
from enlarger.dialects.openapi import BASIC, BEARER, describe
from enlarger.dialects.scenario import asset_routes, generate, jobs, model_routes, uploads
from enlarger.dialects.scenario.errors import HANDLERS
from enlarger.service import Service


def create_app(service: Service) -> FastAPI:
    """Every route of the dialect, at the vendor's own paths."""
    app = make_application(
        "Scenario API v1, served by Enlarger",
        "v1",
        HANDLERS,
    )
    app.state.service = service
    for room in (generate, model_routes, jobs, asset_routes, uploads):
        app.include_router(room.make_router(service))
    describe(app, {"basic": BASIC, "bearer": BEARER})
    return app
