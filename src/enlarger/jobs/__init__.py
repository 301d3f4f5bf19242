"""Durable jobs: accepted in one commit, done once, whatever dies in between.

This room is the API side and the shared state; the process that does the work is `worker`. Pixels
never pass through here: a job knows its pictures by their keys in the object store.
"""

from enlarger.jobs.job import Job, JobState, Outcome
from enlarger.jobs.jobs import JobFilter, JobPage, Jobs

__all__ = ["Job", "JobFilter", "JobPage", "JobState", "Jobs", "Outcome"]
