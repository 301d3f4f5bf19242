"""Where a job is done. There is one route: the engine of this installation's own workers.

A job keeps the route that was chosen for it, its usage record says so, and whoever adds an upstream
provider adds its route here: what is chosen before the hold decides the price.
"""

LOCAL = "local"
"""The engine of this installation's own workers."""
