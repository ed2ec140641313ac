"""The names of a pipeline's parts as the command line takes them, and what was meant where there is no such part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rec_msa.foundation.errors import did_you_mean
from rec_msa.framework.clear_error import ClearError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kedro.pipeline import Pipeline


def require_parts(pipeline: Pipeline, options: Mapping[str, Any]) -> None:
    """Names the first part that a run asks for and that is not there.

    Args:
        pipeline: What is to run, before a part of it is chosen.
        options: The arguments of ``KedroSession.run``.

    Raises:
        ClearError: A node, dataset, namespace or tag of that name is not there.
    """
    for argument, (option, kind, names_in) in OPTIONS.items():
        asked = tuple(options.get(argument) or ())
        names = names_in(pipeline) if asked else set()
        for name in asked:
            if name not in names:
                raise ClearError(
                    f"{option}: there is no {kind} '{name}' in what is to run; {_meant(name, names)}a part of "
                    "another cell needs the --pipeline and the --params (dataset, model, seed) of its run."
                )


def _meant(name: str, names: Iterable[str]) -> str:
    """Asks for the name that ends so, as kedro viz writes names on nodes, else for the nearest."""
    whole = sorted(one for one in names if one.endswith(f".{name}"))
    return f"did you mean '{whole[0]}'? " if whole else did_you_mean(name, names)


def _nodes(pipeline: Pipeline) -> set[str]:
    return {node.name for node in pipeline.nodes}


def _namespaces(pipeline: Pipeline) -> set[str]:
    return {prefix for node in pipeline.nodes for prefix in node.namespace_prefixes}


def _tags(pipeline: Pipeline) -> set[str]:
    return {tag for node in pipeline.nodes for tag in node.tags}


OPTIONS: dict[str, tuple[str, str, Callable[[Pipeline], Iterable[str]]]] = {
    "node_names": ("--nodes", "node", _nodes),
    "from_nodes": ("--from-nodes", "node", _nodes),
    "to_nodes": ("--to-nodes", "node", _nodes),
    "from_inputs": ("--from-inputs", "dataset", lambda pipeline: pipeline.datasets()),
    "to_outputs": ("--to-outputs", "dataset", lambda pipeline: pipeline.datasets()),
    "namespaces": ("--namespaces", "namespace", _namespaces),
    "tags": ("--tags", "tag", _tags),
}
"""An argument of ``KedroSession.run``: its option, what it names, and what of that a pipeline has."""
