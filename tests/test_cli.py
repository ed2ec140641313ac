"""The project's own commands."""

from __future__ import annotations

import yaml
from click.testing import CliRunner
from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project

from rec_msa.cli import cli
from rec_msa.pipeline_registry import register_pipelines


def test_the_list_of_pipelines_is_yaml_with_what_each_does(small_project):
    small_project.session().load_context()
    said = CliRunner().invoke(cli, ["registry", "list"], catch_exceptions=False).output
    pipelines = register_pipelines()
    assert yaml.safe_load(said) == sorted(pipelines)
    assert all(line.partition("# ")[2] for line in said.splitlines())
    assert pipelines.descriptions.keys() == pipelines.builders.keys(), "DESCRIPTIONS in pipeline_registry.py lacks one"


def test_a_named_attack_says_how_it_differs_from_its_base(small_project):
    small_project.session(attacks={"few": {"base": "ptq", "query_fraction": 0.2}}).load_context()
    said = register_pipelines().descriptions["attack_few"]
    assert said == "steals from known users' data and answers; query_fraction=0.2"


def test_the_installed_package_still_finds_its_run_command():
    configure_project("rec_msa")
    assert find_run_command("rec_msa").name == "run"
