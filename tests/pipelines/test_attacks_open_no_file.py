"""An attack knows what its node is handed: it opens no file, and gives the same where there is none to open."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import torch
from kedro.framework.project import pipelines

from rec_msa.attacks.gate import require_answered, require_sequences_answered
from rec_msa.attacks.heldout_sequences import HeldoutSequences, histories_of
from rec_msa.attacks.prefixes import PrefixLists
from tests.small_project import SmallProject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro.io import DataCatalog
    from kedro.pipeline.node import Node

CODE = tuple({sys.prefix, sys.base_prefix, *map(os.path.realpath, (sys.prefix, sys.base_prefix))})
SYSTEM = ("/proc/", "/sys/", "/dev/")

_opened: list[str] | None = None


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    """Python's audit hook: there is no way to take one away, so it only listens when it is asked to."""
    if event == "open" and _opened is not None and isinstance(arguments[0], str | bytes | os.PathLike):
        _opened.append(os.path.realpath(os.fsdecode(arguments[0])))


@contextmanager
def listened() -> Iterator[list[str]]:
    """The files that are opened meanwhile, but for those of Python's own and of the code."""
    global _opened  # noqa: PLW0603 - the hook of a process is global, too
    if not getattr(sys, "_rec_msa_hears", False):
        sys.addaudithook(_hear)
        sys._rec_msa_hears = True
    heard: list[str] = []
    _opened = []
    try:
        yield heard
    finally:
        heard += [
            path for path in _opened if not path.startswith((*CODE, *SYSTEM)) and not path.endswith((".py", ".pyc"))
        ]
        _opened = None


@pytest.fixture(scope="module")
def attacked(tmp_path_factory) -> Iterator[tuple[SmallProject, DataCatalog]]:
    """A project in which attacks of every stage have run, also on a sequential target."""
    project = SmallProject(tmp_path_factory.mktemp("attacked"))
    short = {"batch_size": 256, "max_steps": 20, "validate_every": 10, "patience": 20}
    stages = {"target": short, "auxiliary": short, "clone": {"training": short}, "steal": {"training": short}}
    given = {"model": ["bpr", "gru4rec"], "recommenders": {"gru4rec": {"dimensions": 8, "length": 6}}}
    project.configure(project.parameters | given | stages)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        for attack in ATTACKS:
            project.run(f"attack_{attack}", only_missing_outputs=True, params=CELLS[attack])
        yield project, project.catalog(*(f"attack_{attack}" for attack in ATTACKS))


CELLS = {"ptaq": {"model": "bpr"}, "qsd5": {"model": "gru4rec"}}
ATTACKS = tuple(CELLS)


def nodes_of(attack: str) -> list[Node]:
    model = CELLS[attack]["model"]
    own = f".{model}."
    return [n for n in pipelines[f"attack_{attack}"].nodes if n.tags & {"gate", "attack"} and own in n.name]


def learn(node: Node, catalog: DataCatalog, project: SmallProject) -> tuple[dict[str, Any], list[str]]:
    """Runs a node's function while the data folder is not where it was; what it returns, and the files it opened."""
    inputs = {name: catalog.load(name) for name in node.inputs}
    data, aside = project.folder / "data", project.folder / "aside"
    data.rename(aside)
    try:
        with listened() as opened:
            made = node.run(inputs)
    finally:
        aside.rename(data)
    return made, opened


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_s_nodes_open_no_file_and_give_the_same_without_any(attacked, attack):
    project, catalog = attacked
    nodes = nodes_of(attack)
    assert {node.func.__name__ for node in nodes} >= {"qsd5": {"steal_from_lists_alone", "query_target"}}.get(
        attack, {"train_clone", "query_target", "steal"}
    )
    for node in nodes:
        made, opened = learn(node, catalog, project)
        assert not opened, f"{node.name} opened {opened}"
        for name in node.outputs:
            assert _same(made[name], catalog.load(name)), f"{name} is another without the data folder"


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, pd.DataFrame):
        return one.astype(str).equals(other.astype(str))
    return all(torch.equal(value, other["state"][name]) for name, value in one["state"].items())


def test_a_stage_that_opens_the_target_by_its_path_is_found_out(attacked):
    project, catalog = attacked
    steal = next(node for node in nodes_of("ptaq") if node.name.endswith(".steal"))
    path = project.folder / "aside/06_models/small/seed0/bpr/target.pt"

    def stealthy(*_: Any) -> tuple[Any, Any]:
        return torch.load(path, weights_only=True), pd.DataFrame()

    mutant = steal._copy(func=stealthy, inputs=list(steal.inputs))
    _, opened = learn(mutant, catalog, project)
    assert opened == [str(path.resolve())]


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_the_gates_left_holds_nothing_but_answers_about_queried_users(attacked, attack):
    _, catalog = attacked
    gate = next(node for node in nodes_of(attack) if "gate" in node.tags)
    served, ledger = (catalog.load(name) for name in gate.outputs)
    attackers, train = (
        catalog.load(next(name for name in gate.inputs if name.endswith(kind)))
        for kind in (".attackers", ".target_train")
    )
    measured = attackers.loc[attackers["group"] == "heldout", "user"].to_numpy()
    if attack != "qsd5":
        require_answered(served, ledger, attackers)
        assert not set(served["user"]) & set(measured)
        return
    heldout = histories_of(measured, (train["user"].to_numpy(), train["item"].to_numpy()))
    assert len(heldout) == len(measured)
    require_sequences_answered(PrefixLists.from_frame(served), ledger, HeldoutSequences(heldout, 20, len(ledger)))
