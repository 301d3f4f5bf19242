"""Our own API, `/enlarger/v1/...`: jobs, money, members; README.md beside this file has the tables."""

from enlarger.dialects.own.app import create_app
from enlarger.dialects.own.errors import render_error, render_refusal

__all__ = ["create_app", "render_error", "render_refusal"]
