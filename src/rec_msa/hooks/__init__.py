"""The project's hooks: errors a person can read, threads, fingerprints and locks, and the results of a run."""

from rec_msa.hooks.errors import ClearErrors
from rec_msa.hooks.results import ResultsTable
from rec_msa.hooks.runs import Runs
from rec_msa.hooks.threads import Threads, threads_in_environment

__all__ = ["ClearErrors", "ResultsTable", "Runs", "Threads", "threads_in_environment"]
