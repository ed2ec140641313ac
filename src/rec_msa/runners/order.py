"""In which order nodes run: cell by cell, and of what may run at once the longest way first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.bookkeeping.study_progress import is_last_of_a_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

    from rec_msa.bookkeeping.study_progress import StudyProgress

CHECK = "check"
"""The tag of nodes that refuse settings which no cell could use: before anything is trained."""


def by_cell(pipeline: Pipeline) -> list[Node]:
    """The nodes cell by cell, each after those that it needs: checks come first, what no cell needs last."""
    cells = cells_of(pipeline)
    return sorted(pipeline.nodes, key=cells.__getitem__)


def cells_of(pipeline: Pipeline) -> dict[Node, int]:
    """The number of the first cell that needs each node.

    It is -1 of checks and of what these need, and beyond all cells of what no cell needs.
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
    return {node: place.get(node, space.get(node.namespace, len(nodes))) for node in nodes}


def ways(pipeline: Pipeline, seconds: Callable[[Node], float]) -> dict[Node, float]:
    """What lies ahead of each node: its own seconds and those of the longest chain of nodes that wait for it."""
    way: dict[Node, float] = {}
    ahead = dict.fromkeys(pipeline.nodes, 0.0)
    for node in reversed(pipeline.nodes):
        way[node] = seconds(node) + ahead[node]
        for needed in pipeline.node_dependencies[node]:
            ahead[needed] = max(ahead[needed], way[node])
    return way


class Urgency:
    """Which of several nodes should start first: of the first cell's the one with the longest way ahead.

    Otherwise a long node would be left for the end, and run alone. Ways are worked out anew when a node has finished.
    """

    def __init__(self, pipeline: Pipeline, progress: StudyProgress) -> None:
        self.pipeline, self.progress = pipeline, progress
        self.cells = cells_of(pipeline)
        self._known = -1
        self._ways: dict[Node, float] = {}

    def first(self, nodes: Iterable[Node]) -> list[Node]:
        """The nodes, the most urgent one first."""
        known = len(self.progress.waiting)
        if known != self._known:
            self._known, self._ways = known, ways(self.pipeline, self.progress.expected)
        return sorted(nodes, key=lambda node: (self.cells[node], -self._ways[node], node.name))
