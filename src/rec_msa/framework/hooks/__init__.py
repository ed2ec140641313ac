"""The project's hooks: errors a person can read, what was read, threads, fingerprints and locks, and the
results of a run."""

from rec_msa.framework.hooks.errors import ClearErrors
from rec_msa.framework.hooks.readings import Readings
from rec_msa.framework.hooks.runs import Runs
from rec_msa.framework.hooks.threads import Threads, threads_in_environment

__all__ = ["ClearErrors", "Readings", "Runs", "Threads", "threads_in_environment"]
