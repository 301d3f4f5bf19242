"""Jobs whose workflow has ended without them: cancelled from outside, or given up by the engine.

Their body never runs again, so nothing else would ever end them.
"""

from __future__ import annotations

import structlog
from dbos import DBOS

from enlarger.errors import EnlargerError
from enlarger.jobs.jobs import Jobs

LOG = structlog.get_logger()
IDS_AT_ONCE = 500
"""Ids in one query: SQLite bounds the variables of a statement."""
ENDED = ["ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
"""States of a workflow whose body never runs again, other than the good end."""


def fail_stranded(jobs: Jobs) -> list[str]:
    """End every unfinished job whose workflow has ended badly; returns their ids."""
    unfinished = jobs.unfinished()
    stranded: list[str] = []
    for start in range(0, len(unfinished), IDS_AT_ONCE):
        ended = DBOS.list_workflows(
            workflow_ids=unfinished[start : start + IDS_AT_ONCE],
            status=ENDED,
            load_input=False,
            load_output=False,
        )
        stranded += [workflow.workflow_id for workflow in ended]
    for job_id in stranded:
        jobs.fail(job_id, EnlargerError())
        LOG.error("job.stranded", job=job_id)
    return stranded
