"""libvips, loaded where it is first used and never by importing a module of ours.

The API process reads headers only and has no need of it.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Any


@cache
def loaded() -> Any:
    """The module pyvips, set up.

    Loaders that libvips itself does not trust with hostile files are blocked; ours are called by
    name besides. Its cache of operations is off: it would keep the pictures of the last jobs.
    """
    import pyvips

    # What it warns of is raised as an error as well, or has no consequence for the picture.
    logging.getLogger("pyvips").setLevel(logging.ERROR)
    pyvips.block_untrusted_set(True)
    pyvips.cache_set_max(0)
    return pyvips
