"""1min.ai, its asset and feature API for enlarging pictures; README.md beside this file has the tables."""

from enlarger.dialects.onemin.app import create_app
from enlarger.dialects.onemin.errors import render_error

__all__ = ["create_app", "render_error"]
