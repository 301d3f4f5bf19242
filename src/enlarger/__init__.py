"""Enlarger: self-hosted AI image upscaling.

    from enlarger import upscale
    upscale("in.jpg").save("out.png")

The names below are public; everything else may change. They load on first use: importing this
package imports no runtime and no server.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from enlarger.errors import EnlargerError
    from enlarger.library import Result, Upscaler, upscale
    from enlarger.settings import Settings

__version__ = "0.1.0"

_HOMES = {
    "EnlargerError": "enlarger.errors",
    "Result": "enlarger.library",
    "Settings": "enlarger.settings",
    "Upscaler": "enlarger.library",
    "upscale": "enlarger.library",
}

__all__ = ["EnlargerError", "Result", "Settings", "Upscaler", "__version__", "upscale"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'enlarger' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
