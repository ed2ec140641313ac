"""Pipelines as kedro viz draws them: a box for each stage, where the namespaces of runs say which cell."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kedro.framework.cli.hooks import cli_hook_impl
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

if TYPE_CHECKING:
    from collections.abc import Sequence

BOXES = ("gate", "auxiliary", "attack", "target", "evaluation", "export", "audit", "reporting", "ingestion")
"""Tags that are stages; the first of a node's is its box."""

VARIABLE = "REC_MSA_BOXES"
"""Set in the environment where pipelines are drawn: kedro viz loads them in a process of its own."""


class DrawsStages:
    """Kedro's hook on its commands (an entry point of this package): ``kedro viz`` draws stages."""

    @cli_hook_impl
    def before_command_run(self, command_args: Sequence[str]) -> None:
        """Marks the processes of ``kedro viz``."""
        if command_args[:1] == ["viz"]:
            os.environ[VARIABLE] = "stages"


class Boxed(Node):
    """A node in the box of its stage; its name, inputs and outputs are those of runs."""

    def __init__(self, node: Node) -> None:
        self._in_runs = node.name
        box = next(stage for stage in BOXES if stage in node.tags)
        super().__init__(node.func, node._inputs, node._outputs, name=node.short_name, tags=node.tags, namespace=box)

    @property
    def name(self) -> str:
        """What ``--nodes`` takes."""
        return self._in_runs

    @property
    def namespace_prefixes(self) -> list[str]:
        """None: by them Kedro warns of namespaces that cannot run alone, which no box has to."""
        return []


def as_drawn(pipeline: Pipeline) -> Pipeline:
    """A pipeline as it is: in runs by cell, under kedro viz by stage."""
    return Pipeline([Boxed(node) for node in pipeline.nodes]) if VARIABLE in os.environ else pipeline


draws_stages = DrawsStages()
"""What the entry point names."""
