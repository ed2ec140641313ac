"""What was read of each data set, what an audit will do, and what it found: in a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from rec_msa.framework.saying import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from kedro.io import DataCatalog
    from kedro.pipeline.node import Node


def _reading(name: str, statistics: dict[str, Any], _: DataCatalog) -> str:
    from rec_msa.interactions import summary_line

    return f"{name}: {summary_line(statistics)}"


def _plan(name: str, plan: dict[str, Any], _: DataCatalog) -> str:
    return f"{name}: {plan['says']}"


def _finding(name: str, audit: dict[str, Any], catalog: DataCatalog) -> str:
    page: Any = catalog.get(f"{name}.audit_page")
    return f"{name}: {audit['headline']} The whole audit: {page._filepath}"


SAID: dict[str, Callable[[str, dict[str, Any], DataCatalog], str]] = {
    ".statistics": _reading,
    ".audit_plan": _plan,
    ".audit_json": _finding,
}
"""What is said of an artifact, by how its name ends."""


class Readings:
    """Says what ingestion read and left out, where a wrong number would show first, and what an audit comes to."""

    @hook_impl
    def after_node_run(self, node: Node, catalog: DataCatalog, outputs: dict[str, Any]) -> None:
        """Prints a line for each of these that a node has made."""
        for name in node.outputs:
            for ending, line_of in SAID.items():
                if name.endswith(ending) and name in outputs:
                    say(line_of(name.removesuffix(ending), outputs[name], catalog))
