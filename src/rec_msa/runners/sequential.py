"""Kedro's ``SequentialRunner``, but one cell after the other, or by a plan and within a budget of minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner

from rec_msa.bookkeeping.budget import Plan, has_plan
from rec_msa.datasets.recorded import Recorded
from rec_msa.runners.order import by_cell

if TYPE_CHECKING:
    from collections.abc import Callable

    from kedro.io import CatalogProtocol
    from kedro.pipeline.node import Node
    from pluggy import PluginManager

SEQUENTIAL = f"{SequentialRunner.__module__}.{SequentialRunner.__qualname__} object"


class CellByCellRunner(SequentialRunner):
    """Runs what one cell needs before it begins the next, so that a study which is stopped leaves whole cells.

    Kedro's own order is by distance from the raw data: every target of a study before the first attack. Nodes that have
    places in a plan run in that order.

    Attributes:
        minutes: After which no further place of a plan begins; None: all do.
    """

    minutes: float | None = None

    def __str__(self) -> str:
        """Names Kedro's class: by that name kedro viz knows a runner that its workflow tab can follow."""
        return f"<{SEQUENTIAL}, cell by cell>"

    def _run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol[Any, Any],
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        def unrecorded(node: Node) -> None:
            """What is made of a part of its inputs must not count as made of all."""
            for name in node.outputs:
                dataset: Any = catalog.get(name)
                if isinstance(dataset, Recorded):
                    dataset.expected = None

        def in_order(whole: Pipeline) -> list[Node]:
            return Plan(whole, self.minutes, unrecorded) if has_plan(whole) else by_cell(whole)

        super()._run(_InOrder(pipeline.nodes, in_order), catalog, hook_manager, run_id)

    def _suggest_resume_scenario(self, *_: Any) -> None:
        """Says nothing: Kedro's advice lacks the pipeline and parameters, and stands before what is to be mended."""


class _InOrder(Pipeline):
    """The same pipeline with its nodes in another order."""

    def __init__(self, nodes: Any, in_order: Callable[[Pipeline], list[Node]]) -> None:
        # Kedro goes through the nodes to check them, which must not count as time of a plan.
        self._in_order: list[Node] | None = None
        super().__init__(nodes)
        self._in_order = in_order(Pipeline(nodes))

    @property
    def nodes(self) -> list[Node]:
        """The nodes, each after those that it needs."""
        return super().nodes if self._in_order is None else self._in_order
