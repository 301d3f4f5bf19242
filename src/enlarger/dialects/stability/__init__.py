"""Stability AI, v2beta Stable Image Upscale; README.md beside this file has the tables."""

from enlarger.dialects.stability.answers import PROXY
from enlarger.dialects.stability.app import create_app
from enlarger.dialects.stability.errors import render_error

__all__ = ["PROXY", "create_app", "render_error"]
