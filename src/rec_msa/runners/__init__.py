"""Runners: cell by cell in one process, and on Ray."""

from rec_msa.runners.ray_runner import RayRunner
from rec_msa.runners.sequential import CellByCellRunner

__all__ = ["CellByCellRunner", "RayRunner"]
