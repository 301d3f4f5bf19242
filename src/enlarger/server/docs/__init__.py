"""`/docs`: what may be called, with examples; made here, without a script or anything from outside."""

from enlarger.server.docs.routes import make_routes

__all__ = ["make_routes"]
