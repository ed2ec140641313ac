"""Runs that were killed, artifacts that were damaged, and parameters that were changed: what is made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from rec_msa import provenance
from tests.kill_and_resume import disturb
from tests.pipelines.conftest import SmallProject


def artifacts() -> dict[Path, int]:
    """What the nodes of a run left, with the time of writing."""
    assembled = [Path("data/08_reporting") / f"{name}.parquet" for name in ("agreement", "agreement_per_user")]
    return {
        path: path.stat().st_mtime_ns
        for path in Path("data").rglob("[!.]*.*")
        if path.is_file() and path not in (*assembled, Path("data/08_reporting/target_quality.parquet"))
    }


def made_again(project, before: dict[Path, int], **params: object) -> set[str]:
    """Names of the artifacts that a resumed run writes."""
    project.run("attack_ptd", params=params, only_missing_outputs=True)
    return {path.name for path, written in artifacts().items() if before.get(path) != written}


@pytest.mark.slow
def test_killed_runs_go_on_and_end_in_the_same_bytes(tmp_path):
    counts = disturb(tmp_path, "attack_ptq", kills=3)
    assert counts.kills == 3
    assert counts.files > 50
    assert not counts.differing


@pytest.mark.parametrize("kind", [".pt", ".parquet", ".json", ".png"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_damaged_artifact_and_nothing_else_is_made_again(ran_once, kind, damage):
    project, before = ran_once
    path = {
        ".pt": "data/06_models/small/seed0/bpr/target.pt",
        ".parquet": "data/07_model_output/small/seed0/bpr/none/ptd/clone_lists.parquet",
        ".json": "data/08_reporting/small/seed0/bpr/none/target_quality.json",
        ".png": "data/08_reporting/comparison/small.seed0.bpr.none.ptd.png",
    }[kind]
    whole = Path(path).read_bytes()
    if damage == "gone":
        Path(path).unlink()
    else:
        half = len(whole) // 2
        rest_of_it = b"" if damage == "cut" else bytes([whole[half] ^ 4]) + whole[half + 1 :]
        Path(path).write_bytes(whole[:half] + rest_of_it)
    rest = {name: written for name, written in before.items() if name != Path(path)}
    project.run("attack_ptd", only_missing_outputs=True)
    assert Path(path).read_bytes() == whole
    # The other outputs of the same node are written with it.
    beside = {".pt": {"target_curve.parquet"}, ".png": {"small.seed0.bpr.none.ptd.json"}}.get(kind, set())
    assert {path.name for path, written in rest.items() if artifacts()[path] != written} == beside
    before.update(artifacts())


def test_another_format_makes_everything_again(ran_once, monkeypatch):
    project, before = ran_once
    monkeypatch.setattr(provenance, "FORMAT_VERSION", provenance.FORMAT_VERSION + 1)
    assert made_again(project, before) == {path.name for path in before}
    monkeypatch.undo()
    made_again(project, before)
    before.update(artifacts())


def test_other_raw_data_make_everything_again(ran_once):
    project, before = ran_once
    raw = project.folder / "small.csv"
    content = raw.read_text()
    raw.write_text(content + "1000,5000,1500000\n")
    assert made_again(project, before) == {path.name for path in before}
    raw.write_text(content)
    made_again(project, before)
    before.update(artifacts())


@pytest.fixture(scope="module")
def ran_once(tmp_path_factory):
    """A project in which ``attack_ptd`` has run, and when each artifact was written; tests leave it as they find it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("resumed")
        patch.chdir(folder)
        project = SmallProject(folder)
        project.run("attack_ptd")
        yield project, artifacts()
