"""Kedro's ``SequentialRunner``, but one cell after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner

from rec_msa.runners.order import by_cell

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol
    from kedro.pipeline.node import Node
    from pluggy import PluginManager


class CellByCellRunner(SequentialRunner):
    """Runs what one cell needs before it begins the next, so that a study which is stopped leaves whole cells.

    Kedro's own order is by distance from the raw data: every target of a study before the first attack.
    """

    def _run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol[Any, Any],
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        super()._run(_CellByCell(pipeline.nodes), catalog, hook_manager, run_id)


class _CellByCell(Pipeline):
    """The same pipeline with its nodes in the order of its cells."""

    def __init__(self, nodes: Any) -> None:
        self._by_cell = by_cell(Pipeline(nodes))
        super().__init__(nodes)

    @property
    def nodes(self) -> list[Node]:
        """The nodes, each after those that it needs."""
        return list(self._by_cell)
