"""Stability AI, v2beta Stable Image Upscale; README.md beside this file has the tables."""

from enlarger.dialects.stability.app import create_app

__all__ = ["create_app"]
