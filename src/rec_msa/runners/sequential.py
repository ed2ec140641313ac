"""Kedro's ``SequentialRunner``, but one cell after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner

from rec_msa.progress import is_last_of_a_cell

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol
    from kedro.pipeline.node import Node
    from pluggy import PluginManager

CHECK = "check"
"""The tag of nodes that refuse settings which no cell could use: before anything is trained."""


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


def by_cell(pipeline: Pipeline) -> list[Node]:
    """The nodes cell by cell, each after those that it needs.

    Args:
        pipeline: Any pipeline; nodes that refuse what cannot work come first, nodes that no cell needs last.
    """
    nodes, needed = pipeline.nodes, pipeline.node_dependencies
    place: dict[Node, int] = {}
    checks = [(-1, node) for node in nodes if CHECK in node.tags]
    for cell, last in [*checks, *enumerate(filter(is_last_of_a_cell, nodes))]:
        open_nodes = [last]
        while open_nodes:
            node = open_nodes.pop()
            if node not in place:
                place[node] = cell
                open_nodes += needed[node]
    # What only describes a cell (its target's quality) is needed by nothing, and belongs to it all the same.
    space = {last.namespace: cell for cell, last in enumerate(filter(is_last_of_a_cell, nodes))}
    order = {node: number for number, node in enumerate(nodes)}
    return sorted(nodes, key=lambda node: (place.get(node, space.get(node.namespace, len(nodes))), order[node]))
