"""Scenario, v1: upscale, custom generation, models, jobs and assets; README.md has the tables."""

from enlarger.dialects.scenario.app import create_app
from enlarger.dialects.scenario.errors import render_error

__all__ = ["create_app", "render_error"]
