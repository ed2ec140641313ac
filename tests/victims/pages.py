"""What a page of docs says to write and to run, done in a copy of the project."""

from __future__ import annotations

import re
import runpy
import shlex
from typing import Any, NamedTuple

import yaml
from kedro.framework.cli.utils import _split_params

from tests.small_project import ROOT, SmallProject

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`([\w/]+\.py)`")


class Page(NamedTuple):
    """A page of docs.

    Attributes:
        parameters: What its YAML puts into conf/local/parameters.yml, all blocks together.
        files: The Python files that it says to write, each named in the text before its block.
        commands: Its commands, as they stand there.
    """

    parameters: dict[str, dict[str, Any]]
    files: dict[str, str]
    commands: list[str]


def page(name: str) -> Page:
    """Reads ``docs/<name>.md``."""
    text = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    blocks = list(BLOCK.finditer(text))
    parameters: dict[str, dict[str, Any]] = {}
    for block in blocks:
        if block[1] == "yaml":
            for key, entries in yaml.safe_load(block[2]).items():
                parameters.setdefault(key, {}).update(entries)
    files = {FILE.findall(text[: block.start()])[-1]: block[2] for block in blocks if block[1] == "python"}
    lines = [line for block in blocks if block[1] == "sh" for line in block[2].splitlines()]
    return Page(parameters, files, lines)


def run_as_written(project: SmallProject, command: str) -> None:
    """Does what ``kedro run --pipeline=... --params=...`` or ``python ...`` does, in this process."""
    program, what, *options = shlex.split(command)
    if program == "python":
        runpy.run_path(what, run_name="__main__")
        return
    assert (program, what) == ("kedro", "run"), command
    resuming = "--only-missing-outputs"
    said = dict(option.removeprefix("--").split("=", 1) for option in options if option != resuming)
    pipeline, params = said.pop("pipeline"), _split_params(None, None, said.pop("params", ""))
    assert not said, command
    project.run(pipeline, params=params, only_missing_outputs=resuming in options)
