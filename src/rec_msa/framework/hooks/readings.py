"""What was read of each data set, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich
from kedro.framework.hooks import hook_impl

if TYPE_CHECKING:
    from kedro.pipeline.node import Node

STATISTICS = ".statistics"


class Readings:
    """Says what ingestion read and left out, where a wrong number would show first."""

    @hook_impl
    def after_node_run(self, node: Node, outputs: dict[str, Any]) -> None:
        """Prints a line for the statistics that a node has made."""
        from rec_msa.interactions import summary_line

        for name in node.outputs:
            if name.endswith(STATISTICS) and name in outputs:
                line = f"{name.removesuffix(STATISTICS)}: {summary_line(outputs[name])}"
                rich.get_console().print(line, markup=False, highlight=False, soft_wrap=True)
