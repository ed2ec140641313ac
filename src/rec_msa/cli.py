"""The project's own commands: Kedro's list of pipelines, each with what it does."""

from __future__ import annotations

from typing import Any

import click


def __getattr__(name: str) -> Any:
    """Kedro's own ``run``, which it looks for here where only the package is installed."""
    if name != "run":
        raise AttributeError(name)
    from kedro.framework.cli.project import run

    return run


@click.group(name="rec_msa")
def cli() -> None:
    """The project's own commands."""


@cli.group()
def registry() -> None:
    """Commands for working with registered pipelines."""


@registry.command("list")
def list_pipelines() -> None:
    """Lists every pipeline with what it does, as YAML whose comments they are."""
    from rec_msa.pipeline_registry import register_pipelines

    pipelines = register_pipelines()
    width = max(map(len, pipelines))
    for name in sorted(pipelines):
        click.echo(f"- {name:<{width}}  # {pipelines.descriptions.get(name, '')}")


@registry.command("describe", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def describe_pipeline(metadata: Any, arguments: tuple[str, ...]) -> None:
    """Names the nodes of a pipeline."""
    from kedro.framework.cli.registry import describe_registered_pipeline

    describe_registered_pipeline.main(list(arguments), "kedro registry describe", obj=metadata)
