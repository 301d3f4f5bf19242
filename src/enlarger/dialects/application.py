"""What every dialect's application has in common."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import FastAPI, Request, Response

Handlers = dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]]


def make_application(title: str, version: str, handlers: Handlers) -> FastAPI:
    """An application without routes, without FastAPI's own pages, and without redirects.

    title, version  of its OpenAPI document.
    handlers        by the exception that each answers in the vendor's shape, `Exception` among them.
    """
    return FastAPI(
        title=title,
        version=version,
        docs_url=None,
        redoc_url=None,
        # A redirect would be made from the Host header, which is the caller's to choose.
        redirect_slashes=False,
        exception_handlers=handlers,
    )
