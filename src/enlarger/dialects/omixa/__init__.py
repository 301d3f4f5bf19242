"""Omixa, images and the gateway around them; README.md beside this file has the tables."""

from enlarger.dialects.omixa.app import create_app
from enlarger.dialects.omixa.errors import render_error

__all__ = ["create_app", "render_error"]
