"""Runs that were killed, artifacts that were damaged, and parameters that were changed: what is made again."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import fsspec
import pandas as pd
import pytest
import yaml
from kedro.framework.cli.utils import KedroCliError
from kedro.framework.project import pipelines
from kedro.io import DatasetError

from docs.generate.invalidation import (
    BEGIN,
    DEFENSE,
    END,
    TRAININGS,
    _example,
    base_parameters,
    invalidated,
    table,
)
from rec_msa import interactions
from rec_msa.bookkeeping import assembly, provenance
from rec_msa.bookkeeping.assembly import ASSEMBLED
from rec_msa.bookkeeping.locks import Lock
from rec_msa.datasets.recorded import _seal
from rec_msa.experiments.grid import Experiments
from rec_msa.experiments.parameters import read_parameters
from tests.kill_and_resume import disturb
from tests.small_project import ROOT, SmallProject


def artifacts() -> dict[Path, int]:
    """What the nodes of a run left, with the time of writing."""
    assembled = [Path("data/08_reporting") / f"{name}.parquet" for name in ASSEMBLED]
    return {
        path: path.stat().st_mtime_ns
        for path in Path("data").rglob("[!.]*.*")
        if path.is_file() and path.parent.name != "journal" and path not in assembled
    }


ATTACKER_TRAIN = "05_model_input/small/seed0/users10/attacker_train.parquet"
FIGURES = {"comparison_picture"}


def kind(name: str) -> str:
    """The last part of a dataset's name, from the name of its file."""
    stem, suffix = Path(name).stem, Path(name).suffix
    if stem.startswith("small.seed0"):
        return "comparison_picture"
    return f"{stem}_model" if suffix == ".pt" else stem


def made_again(project, before: dict[Path, int], **params: object) -> set[str]:
    """Names of the artifacts that a resumed run writes."""
    project.run("attack_ptd", params=params, only_missing_outputs=True)
    return {path.name for path, written in artifacts().items() if before.get(path) != written}


@pytest.mark.slow
def test_killed_runs_go_on_and_end_in_the_same_bytes(tmp_path):
    counts = disturb(tmp_path, "attack_ptd", kills=2)  # one by the clock, one while a file is written
    assert counts.kills == 2
    assert counts.files > 40
    assert not counts.differing


APART = {
    "a target and a clone's lists": (
        "data/06_models/small/seed0/bpr/target.pt",
        "data/07_model_output/small/seed0/bpr/none/ptd/clone_lists.parquet",
    ),
    "figures of a target and a picture": (
        "data/08_reporting/small/seed0/bpr/none/target_quality.json",
        "data/08_reporting/comparison/small.seed0.bpr.none.ptd.png",
    ),
}
"""Artifacts of every kind of file; of those that are damaged at once, none is made from another."""


def damage(path: Path, how: str) -> None:
    """Flips a bit in the middle of a file, cuts it off there, or takes it away."""
    whole = path.read_bytes()
    half = len(whole) // 2
    path.unlink()
    if how != "gone":
        path.write_bytes(whole[:half] + (bytes([whole[half] ^ 4]) + whole[half + 1 :] if how == "flipped" else b""))


@pytest.mark.parametrize("apart", APART)
@pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
def test_a_damaged_artifact_and_nothing_else_is_made_again(ran_once, apart, how):
    project, before = ran_once
    whole = {Path(path): Path(path).read_bytes() for path in APART[apart]}
    for path in whole:
        damage(path, how)
    project.run("attack_ptd", only_missing_outputs=True)
    assert {path: path.read_bytes() for path in whole} == whole
    # The other outputs of the same node are written with it.
    beside = {"target_curve.parquet"} if Path(APART[apart][0]).suffix == ".pt" else set()
    after = artifacts()
    assert {path.name for path, written in before.items() if path not in whole and after[path] != written} == beside


def test_another_format_makes_everything_again(ran_once, monkeypatch):
    project, before = ran_once
    monkeypatch.setattr(provenance, "FORMAT_VERSION", provenance.FORMAT_VERSION + 1)
    assert made_again(project, before) == {path.name for path in before}


def test_other_raw_data_make_everything_again(ran_once):
    project, before = ran_once
    raw = project.folder / "small.csv"
    raw.write_text(raw.read_text() + "1000,5000,1500000\n")
    assert made_again(project, before) == {path.name for path in before}


@pytest.fixture
def ran_once(attacked_project) -> tuple[SmallProject, dict[Path, int]]:
    """A project in which ``attack_ptd`` has run, and when each artifact was written."""
    return attacked_project, artifacts()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("steal.margin", 0.25),
        ("split.heldout_fraction", 0.5),
        ("clone.held_back_fraction", 0.1),
        ("datasets.small.patience", 1_000),
        ("defenses.popular_mixing.pool", 50),
    ],
)
def test_a_changed_parameter_makes_again_what_the_table_in_the_docs_says(ran_once, key, value):
    project, before = ran_once
    changed: object = value
    for part in reversed(key.split(".")):
        changed = {part: changed}
    # ptd reads what the example's attacks read but for auxiliary data, questions, lists and a twin of the target.
    trained = {f"{model}_{what}" for model in ("auxiliary", "retrain") for what in ("model", "curve")}
    of_others = {"served_lists", "ledger", "stolen_model", "steal_curve", *trained, *FIGURES}
    stale = invalidated(key.replace("small", "mine"))
    said = {name.rpartition(".")[2] for name in stale if f".{DEFENSE}." not in name} - of_others
    written = {kind(name) for name in made_again(project, before, **changed)} - FIGURES
    assert written == (set() if key == "steal.margin" else said)


@pytest.mark.parametrize("stage", TRAININGS)
def test_the_table_in_the_docs_lacked_what_ends_a_training(stage):
    assert any(name.endswith("_curve") for name in invalidated(f"{stage}.stop_by"))


def test_the_table_in_the_docs_is_up_to_date():
    page = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0].strip() == table()


def test_a_node_is_handed_the_parameters_that_its_function_reads_and_no_more():
    nodes = _example(Experiments(read_parameters(base_parameters()))).nodes
    handed = {node.func.__name__: {name for name in node.inputs if provenance.is_parameter(name)} for node in nodes}
    parts = {f"params:split.{part}_fraction" for part in ("target", "validation", "test", "attacker", "heldout")}
    of_attackers = {"params:split.attacker_fraction", "params:split.heldout_fraction"}
    assert handed["choose_attackers"] == of_attackers
    assert handed["split_by_seed"] == parts - of_attackers
    assert handed["filter_and_index"] == {"params:filtering.mine"}
    assert handed["read_raw_interactions"] == {"params:reading.mine", "params:raw_folder"}


def test_a_run_that_would_write_what_another_writes_is_refused_at_once(ran_once):
    project, before = ran_once
    other = Lock(
        fsspec.filesystem("file"), str(project.folder / "data/.locks"), ["06_models/small/seed0/bpr/target.pt"]
    )
    other.take()
    with pytest.raises(KedroCliError, match=rf"another run writes 1 of the same artifacts.*process {os.getpid()} on "):
        project.run("attack_ptd")
    # What is there already, nobody writes.
    project.run("attack_ptd", only_missing_outputs=True)
    other.free()
    assert artifacts() == before


def test_one_data_folder_under_two_paths_had_two_locks(ran_once, tmp_path):
    project, before = ran_once
    (tmp_path / "linked").symlink_to(project.folder / "data")
    (project.folder / "conf/local/globals.yml").write_text(f"data: {tmp_path / 'linked'}\n")
    other = Lock(
        fsspec.filesystem("file"), str(project.folder / "data/.locks"), ["06_models/small/seed0/bpr/target.pt"]
    )
    other.take()
    with pytest.raises(KedroCliError, match="another run writes 1 of the same artifacts"):
        project.run("attack_ptd")
    other.free()
    assert artifacts() == before


def test_a_run_that_reads_what_another_makes_anew_ended_in_a_mixture_of_both(ran_once):
    project, before = ran_once
    reading = Lock(fsspec.filesystem("file"), str(project.folder / "data/.locks"), [], [ATTACKER_TRAIN])
    reading.take()
    with pytest.raises(KedroCliError, match=r"another run reads 1 of the same artifacts, as .*attacker_train"):
        project.run("attack_ptd", params={"split": {"validation_fraction": 0.2}}, only_missing_outputs=True)
    reading.free()
    assert artifacts() == before


def test_what_was_made_anew_behind_a_run_s_back_was_read_as_what_the_run_began_with(ran_once):
    """Where no claim helps: the file was exchanged by hand, with a record that fits it."""
    project, before = ran_once
    source, record = (
        Path("data") / ATTACKER_TRAIN,
        Path("data") / ATTACKER_TRAIN.replace("attacker_train", ".attacker_train"),
    )
    record = record.with_name(f"{record.name}.record.json")
    mine = source.read_bytes(), record.read_bytes()
    made_again(project, before, split={"validation_fraction": 0.2})
    others = source.read_bytes(), record.read_bytes()
    project.run("attack_ptd", only_missing_outputs=True)
    assert source.read_bytes() == mine[0] != others[0]

    catalog = project.catalog("attack_ptd")
    pipeline = pipelines["attack_ptd"]
    provenance.expect(pipeline, catalog)
    name = "small.seed0.users10.attacker_train"
    assert len(catalog.load(name))
    source.write_bytes(others[0])
    record.write_bytes(others[1])
    with pytest.raises(DatasetError, match="made anew or exchanged since this run began"):
        catalog.load(name)
    record.unlink()
    with pytest.raises(DatasetError):
        catalog.load(name)


def test_a_finished_and_a_failed_run_leave_no_lock(ran_once):
    project, _ = ran_once
    with pytest.raises(KedroCliError, match="held-out"):
        project.run("attack_few", params={"attacks": {"few": {"base": "ptq", "attacker_fraction": 0.02}}})
    with pytest.raises(KedroCliError, match="list_length"):
        project.run("attack_ptd", params={"list_length": 500})
    assert not list(Path("data/.locks").iterdir())


def test_a_read_only_data_folder_is_named_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    project = SmallProject(tmp_path)

    def read_only(path: str, **_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", path)

    monkeypatch.setattr("fsspec.implementations.local.LocalFileSystem.makedirs", lambda _, path, **o: read_only(path))
    with pytest.raises(KedroCliError, match=r"nothing was run: Read-only file system: .*\.locks"):
        project.run("ingestion")
    assert not list(tmp_path.rglob("*.parquet"))


def test_artifacts_may_lie_on_a_url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    project = SmallProject(tmp_path)
    (tmp_path / "conf/local/globals.yml").write_text(f"data: memory://{tmp_path}/elsewhere\n")
    project.run("attack_ptd")
    memory = fsspec.filesystem("memory")
    assert not list(tmp_path.rglob("*.parquet"))
    before = {path: memory.created(path) for path in memory.find(f"{tmp_path}/elsewhere")}
    assert f"{tmp_path}/elsewhere/08_reporting/agreement.parquet" in before
    project.run("attack_ptd", only_missing_outputs=True)
    after = {path: memory.created(path) for path in memory.find(f"{tmp_path}/elsewhere")}
    assert after == before
    model = f"{tmp_path}/elsewhere/06_models/small/seed0/bpr/target.pt"
    whole = memory.cat_file(model)
    memory.pipe_file(model, whole[:-1])
    project.run("attack_ptd", only_missing_outputs=True)
    assert memory.cat_file(model) == whole


def test_a_damaged_result_is_left_out_of_the_assembled_table_and_named(ran_once, caplog):
    project, _ = ran_once
    path = Path("data/08_reporting/small/seed0/bpr/none/ptd/agreement.parquet")
    whole = path.read_bytes()
    path.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
    project.run("ingestion", only_missing_outputs=True)
    assert "ptd" not in set(pd.read_parquet("data/08_reporting/agreement.parquet")["attack"])
    assert "small.seed0.bpr.none.ptd" in caplog.text
    path.write_bytes(whole)
    project.run("ingestion", only_missing_outputs=True)
    assert "ptd" in set(pd.read_parquet("data/08_reporting/agreement.parquet")["attack"])


def test_every_artifact_lies_where_globals_say():
    entries = yaml.safe_load((ROOT / "conf" / "base" / "catalog.yml").read_text(encoding="utf-8"))
    files = {name: entry for name, entry in entries.items() if not name.startswith("_")}
    paths = {name: entry.get("filepath") or entry["path"] for name, entry in files.items()}
    assert {name for name, path in paths.items() if not path.startswith("${globals:data}/")} == set()


def results() -> pd.DataFrame:
    return pd.read_parquet("data/08_reporting/agreement.parquet")


COPIES = {
    "small_old": "small",
    "small.bak": "small",
    "small/seed0_old": "small/seed0",
    "small/seed0 copy": "small/seed0",
    "small/seed1": "small/seed0",
    "small/seed0/bpr/none_old": "small/seed0/bpr/none",
    "small/seed0/bpr/none/ptd_old": "small/seed0/bpr/none/ptd",
}
"""What a user may leave beside results, and what it is a copy of; the largest first, so that none holds another."""


def test_a_copy_of_results_left_beside_them_was_counted_again_or_ended_every_run(ran_once, caplog):
    project, _ = ran_once
    whole = results()
    reporting = Path("data/08_reporting")
    for copy, folder in COPIES.items():
        shutil.copytree(reporting / folder, reporting / copy)
    project.run("ingestion", only_missing_outputs=True)
    pd.testing.assert_frame_equal(results(), whole)
    assert [copy for copy in COPIES if copy.replace("/", ".") not in caplog.text] == []


def test_rows_that_do_not_say_the_place_where_they_lie_were_counted_there(ran_once):
    """Where a record was made for them, too: by whatever wrote both."""
    project, _ = ran_once
    whole, place = results(), Path("data/08_reporting/small/seed1/bpr/none/ptd")
    shutil.copytree("data/08_reporting/small/seed0/bpr/none/ptd", place)
    for record in place.glob(".*.record.json"):
        content = json.loads(record.read_text())
        content["name"] = content["name"].replace("seed0", "seed1")
        del content["seal"]
        record.write_text(json.dumps({**content, "seal": _seal(content)}))
    project.run("ingestion", only_missing_outputs=True)
    pd.testing.assert_frame_equal(results(), whole)


def test_another_seed_s_quality_with_its_record_was_believed(ran_once):
    project, _ = ran_once
    place = Path("data/08_reporting/small/seed0/bpr/none")
    names = ("target_quality.json", ".target_quality.json.record.json")
    mine = [(place / name).read_bytes() for name in names]
    record = json.loads(mine[1])
    del record["seal"]
    record["name"] = record["name"].replace("seed0", "seed1")
    (place / names[1]).write_text(json.dumps({**record, "seal": _seal(record)}))
    project.run("ingestion", only_missing_outputs=True)
    assert pd.read_parquet("data/08_reporting/target_quality.parquet").empty
    for name, content in zip(names, mine, strict=True):
        (place / name).write_bytes(content)
    project.run("ingestion", only_missing_outputs=True)
    assert len(pd.read_parquet("data/08_reporting/target_quality.parquet")) == 1


def test_a_record_that_is_no_object_ended_every_run(ran_once):
    project, _ = ran_once
    records = sorted(Path("data/08_reporting/small/seed0").rglob(".*.record.json"))
    names = [json.loads(record.read_text())["name"] for record in records]
    contents = ["[]", "3", "null", '{"seal": []}', "[" * 100_000]
    for record, content in zip(records, contents, strict=False):
        record.write_text(content)
    project.run("attack_ptd", only_missing_outputs=True)
    assert [json.loads(record.read_text())["name"] for record in records] == names
    assert len(records) >= len(contents)


@pytest.mark.parametrize("when", ["before it is acquired", "before it is read"])
def test_a_raw_file_that_was_exchanged_during_a_run_and_put_back_was_taken_for_the_right_one(
    tmp_path, monkeypatch, when
):
    monkeypatch.chdir(tmp_path)
    project = SmallProject(tmp_path)
    raw = tmp_path / "small.csv"
    mine = raw.read_bytes()
    others = mine.replace(b"\n1000,", b"\n1001,", 5)
    method = {"before it is acquired": "acquire", "before it is read": "verified"}[when]
    plain = getattr(interactions, method)

    def exchange(*arguments: object) -> object:
        raw.write_bytes(others)
        return plain(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(interactions, method, exchange)
        with pytest.raises(KedroCliError, match=r"exchanged since the run began|not the file that the run began with"):
            project.run("ingestion")
    raw.write_bytes(mine)
    project.run("ingestion", only_missing_outputs=True)
    read = pd.read_parquet("data/02_intermediate/small/raw_interactions.parquet")
    assert read["user"].tolist() == pd.read_csv(raw)["who"].tolist()
    assert str(tmp_path) not in Path("data/01_raw/small/raw_file.json").read_text()


@pytest.mark.parametrize("times", [1, 9])
def test_a_cell_made_anew_while_results_were_put_together_left_its_old_rows_as_current(ran_once, monkeypatch, times):
    project, _ = ran_once
    Path("data/08_reporting/.agreement.parquet.record.json").unlink()
    catalog, spaces_of, made = project.catalog("attack_ptd"), assembly.spaces_of, []
    cell = catalog.get("small.seed0.bpr.none.ptd.agreement")

    def make_anew_meanwhile(rows: pd.DataFrame) -> pd.Series:
        if set(rows["attack"]) == {"ptd"} and len(made) < times:
            made.append(f"{len(made)}")
            cell.expected = cell.record()._replace(fingerprint=made[-1])
            cell.save(rows.assign(agreement=0.125 * len(made)))
        return spaces_of(rows)

    monkeypatch.setattr(assembly, "spaces_of", make_anew_meanwhile)
    assembly.assemble(catalog)
    record = json.loads(Path("data/08_reporting/.agreement.parquet.record.json").read_text())
    rows = float(results().query("attack == 'ptd'")["agreement"].iloc[0])
    assert len(made) == min(times, assembly.MOST_TIMES)
    # Either the new cell's rows, or a record that names an old one.
    assert (rows == 0.125 * len(made)) == (record["inputs"]["small.seed0.bpr.none.ptd.agreement"] == made[-1])
    assert (rows == 0.125) == (times == 1)


def test_a_report_was_one_run_late_and_believed_a_table_without_a_record(ran_once):
    project, _ = ran_once
    reporting = Path("data/08_reporting")
    whole, right = results(), (reporting / "small/seed0/bpr/none/ptd/agreement.parquet").read_bytes()
    whole.assign(agreement=0.999).to_parquet(reporting / "agreement.parquet", index=False)
    (reporting / ".agreement.parquet.record.json").unlink()
    project.run("reporting")
    pd.testing.assert_frame_equal(results(), whole)
    assert ".999" not in (reporting / "reproduction.md").read_text()
    # A result that is left out of the table is left out of the report of the same run, too.
    (reporting / "small/seed0/bpr/none/ptd/agreement.parquet").write_bytes(right[:-1])
    project.run("reporting")
    made_from = json.loads((reporting / ".report.html.record.json").read_text())["inputs"]["agreement"]
    assert made_from == json.loads((reporting / ".agreement.parquet.record.json").read_text())["fingerprint"]
    assert "ptd" not in set(results()["attack"])
    assert not list(Path("data/.locks").iterdir())
    (reporting / "small/seed0/bpr/none/ptd/agreement.parquet").write_bytes(right)
    with (
        pytest.raises(KedroCliError, match=r"this run makes some of them .* run it alone afterwards"),
        project.session() as session,
    ):
        session.run(pipeline_names=["attack_ptq", "reporting"])


def test_another_seed_s_data_with_their_record_were_read_by_a_part_of_a_pipeline(ran_once):
    project, _ = ran_once
    record = Path("data") / ATTACKER_TRAIN.replace("attacker_train", ".attacker_train")
    record = record.with_name(f"{record.name}.record.json")
    mine = record.read_bytes()
    content = json.loads(mine)
    del content["seal"]
    content["name"] = content["name"].replace("seed0", "seed1")
    record.write_text(json.dumps({**content, "seal": _seal(content)}))
    with pytest.raises(
        KedroCliError, match=r"attacker_train\.parquet is small\.seed1\.users10\.attacker_train.* copied here"
    ):
        project.run("attack_ptd", node_names=["small.seed0.users10.bpr.own.train_clone"])
