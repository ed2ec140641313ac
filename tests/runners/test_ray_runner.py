"""The same artifacts on Ray as in one process; what fails, dies or is not there is named."""

from __future__ import annotations

import errno
import inspect
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from kedro.framework.hooks import manager
from kedro.io import DataCatalog, DatasetError, MemoryDataset
from kedro.pipeline import Pipeline, node
from kedro.validation.core import ValidatorSpec

from rec_msa.datasets.files import JSONDataset, ParquetDataset
from rec_msa.datasets.recorded import Provenance
from rec_msa.framework.clear_error import ClearError, NodesFailedError
from rec_msa.runners import RayRunner, ray_runner
from rec_msa.runners.ray_task import code_digest, execute, own_catalog
from tests.kill_and_resume import contents


def files(folder: Path, *names: str, **parameters: object) -> DataCatalog:
    datasets = {name: JSONDataset(filepath=str(folder / f"{name}.json")) for name in names}
    given = {f"params:{name}": MemoryDataset(value) for name, value in parameters.items()}
    return DataCatalog({**datasets, **given})


def run(nodes: list, catalog: DataCatalog, **options: object) -> None:
    RayRunner(**options).run(Pipeline(nodes), catalog)


def started_nothing(small_project) -> bool:
    return not list(small_project.folder.rglob("*.parquet"))


def test_the_artifacts_are_the_same_bytes_as_in_one_process(cluster, small_project):
    small_project.run("attack_ptq")
    alone = contents(small_project.folder)
    shutil.rmtree("data")
    small_project.run("attack_ptq", runner=RayRunner())
    assert contents(small_project.folder) == alone


@pytest.mark.slow
def test_a_cluster_of_two_machines_is_used_by_its_address(cluster, small_project):
    command = ["run", "--pipeline=attack_ptd", "--runner=rec_msa.runners.RayRunner"]
    address = f"--runner-params=address={cluster.address}"
    done = subprocess.run(
        [sys.executable, "-m", "kedro", *command, address], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Kedro's share" in done.stdout
    assert "ptd" in set(pd.read_parquet("data/08_reporting/agreement.parquet")["attack"])


def test_both_machines_work(cluster, tmp_path):
    def where(value: int) -> str:
        import ray

        time.sleep(0.5)
        return ray.get_runtime_context().get_node_id()

    catalog = files(tmp_path, *"abc", value=1)
    run([node(where, "params:value", name, name=name) for name in "abc"], catalog)
    assert len({catalog.load(name) for name in "abc"}) == 2


def test_a_failing_node_ends_only_what_depends_on_it(cluster, small_project):
    gone = {"path": "gone.csv", "user": "who", "item": "what"}
    study = {"dataset": ["small", "gone"], "model": "bpr", "attacks": ["ptd"]}
    with pytest.raises(NodesFailedError) as failure:
        small_project.run(
            "study", params={"datasets": {"gone": gone}, "studies": {"s": study}, "study": "s"}, runner=RayRunner()
        )
    said = str(failure.value)
    assert said.startswith("1 node failed; 21 that need them did not run, all others did:")
    assert "gone.acquire_raw_file: " in said
    assert "gone.csv" in said
    found = pd.read_parquet("data/08_reporting/agreement.parquet")
    assert set(found["dataset"]) == {"small"}
    assert "ptd" in set(found["attack"])


def test_a_failure_takes_the_whole_chain_behind_it_with_it_in_whatever_order_it_is_given(cluster, tmp_path):
    def fails(_: int) -> int:
        raise ValueError("no")

    names = [f"n{number}" for number in range(12)]
    chain = [node(lambda v: v, given, made, name=made) for given, made in pairwise(names)]
    first = node(fails, "params:value", names[0], name=names[0])
    with pytest.raises(NodesFailedError, match="1 node failed; 11 that need them did not run"):
        run([*reversed(chain), first], files(tmp_path, *names, value=1))


def test_a_failed_run_has_an_exit_status_that_is_not_zero(small_project):
    assert NodesFailedError("x").exit_code != 0


def test_the_task_of_a_killed_worker_is_tried_again(cluster, tmp_path):
    tried = tmp_path / "tried"

    def dies_once(path: str) -> int:
        if not Path(path).exists():
            Path(path).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return 7

    catalog = files(tmp_path, "a", path=str(tried))
    run([node(dies_once, "params:path", "a", name="dies_once")], catalog)
    assert tried.exists()
    assert catalog.load("a") == 7


def test_a_worker_that_dies_every_time_fails_its_node_alone(cluster, tmp_path):
    def dies(_: int) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    catalog = files(tmp_path, "a", "b", "c", value=1)
    nodes = [
        node(dies, "params:value", "a", name="dies"),
        node(lambda a: a, "a", "b", name="needs_it"),
        node(lambda value: value, "params:value", "c", name="other"),
    ]
    with pytest.raises(NodesFailedError, match=r"; 1 that need them(.|\n)*dies: its worker died \(2 times\)"):
        run(nodes, catalog, retries=1)
    assert catalog.load("c") == 1
    assert not catalog.exists("b")


def test_an_error_that_nobody_foresaw_is_named_with_its_node(cluster, tmp_path):
    def divides(value: int) -> float:
        return value / 0

    with pytest.raises(NodesFailedError, match="divides: ZeroDivisionError: division by zero"):
        run([node(divides, "params:value", "a", name="divides")], files(tmp_path, "a", value=1))


class Unreadable:
    """Cannot be read by another process."""

    def __reduce__(self) -> tuple:
        return os.environ.__getitem__, ("NO_SUCH_NAME",)


def test_a_node_that_a_worker_cannot_read_is_no_worker_that_died(cluster, tmp_path):
    unreadable = Unreadable()
    with pytest.raises(NodesFailedError, match=r"n: its worker could not run it: .*NO_SUCH_NAME"):
        run([node(lambda v: (v, unreadable), "params:value", "a", name="n")], files(tmp_path, "a", value=1))


def test_nodes_tagged_gpu_share_one_as_configured_and_others_take_none(cluster, tmp_path):
    def gpus(value: int) -> list[str]:
        import ray

        time.sleep(0.2)
        return [str(identity) for identity in ray.get_gpu_ids()]

    catalog = files(tmp_path, *"abcd", value=1)
    nodes = [node(gpus, "params:value", name, name=name, tags=["gpu"] if name in "ab" else []) for name in "abcd"]
    run(nodes, catalog, gpus=0.5)
    assert [catalog.load(name) for name in "abcd"] == [["0"], ["0"], [], []]


def test_gpus_that_no_machine_has_are_refused_at_once(cluster, tmp_path):
    started = time.monotonic()
    with pytest.raises(ClearError, match="gpus=2 asks for GPUs, but no machine has more than 1"):
        run([node(lambda v: v, "params:value", "a", tags=["gpu"])], files(tmp_path, "a", value=1), gpus=2)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("asked", [{"gpus": 1}, {}])
def test_a_cluster_without_gpus_says_so(cluster, tmp_path, monkeypatch, asked):
    monkeypatch.setattr("rec_msa.runners.ray_run._machines", lambda _: [{"Resources": {"CPU": 2.0}}])
    catalog = files(tmp_path, "a", value=1, device="auto" if asked else "cuda")
    with pytest.raises(ClearError, match="but the cluster has none; leave it out"):
        run([node(lambda v: v, "params:value", "a", tags=["gpu"])], catalog, **asked)


def test_on_cpus_no_gpu_is_asked_for(cluster, tmp_path):
    def gpus(value: int) -> int:
        import ray

        return len(ray.get_gpu_ids())

    catalog = files(tmp_path, "a", value=1, device="cpu")
    run([node(gpus, "params:value", "a", tags=["gpu"])], catalog)
    assert catalog.load("a") == 0


def test_a_task_has_the_threads_that_were_asked_for(cluster, tmp_path):
    def threads(value: int) -> int:
        import torch

        return torch.get_num_threads()

    catalog = files(tmp_path, "a", value=1)
    run([node(threads, "params:value", "a")], catalog, threads=2)
    assert catalog.load("a") == 2


def test_more_threads_than_cores_are_refused(cluster, tmp_path):
    with pytest.raises(ClearError, match="asks for 64 cores"):
        run([node(lambda v: v, "params:value", "a")], files(tmp_path, "a", value=1), threads=64)


def test_a_machine_with_the_gpu_but_too_few_cores_is_no_wait_without_end(cluster, tmp_path):
    catalog = files(tmp_path, "a", "b", value=1)
    with pytest.raises(ClearError, match=r"asks for 2 cores .* no machine with 1 GPU has more than 1"):
        run([node(lambda v: v, "params:value", "a", tags=["gpu"])], catalog, threads=2)
    run([node(lambda v: v, "params:value", "b")], catalog, threads=2)
    assert catalog.load("b") == 1


def test_an_output_in_memory_is_refused_by_name(tmp_path):
    with pytest.raises(ClearError, match="b has no catalog entry"):
        run([node(lambda v: (v, v), "params:value", ["a", "b"])], files(tmp_path, "a", value=1))


def test_a_node_is_sent_its_own_datasets_with_what_validates_them(tmp_path):
    catalog = files(tmp_path, *"abc", value=1)
    catalog["table"] = ParquetDataset(filepath=str(tmp_path / "table.parquet"))
    catalog._validator_specs["table"] = ValidatorSpec.from_dataset_config(
        "table", "rec_msa.interactions.schemas.interactions"
    )
    own = own_catalog(node(lambda a: a, "a", "table"), catalog)
    assert set(own) == {"a", "table"}
    with pytest.raises(DatasetError):
        own.save("table", pd.DataFrame({"user": ["x"]}))


def test_a_machine_with_other_code_is_refused(tmp_path):
    own = files(tmp_path, "a", value=1)
    outcome = execute(node(lambda v: v, "params:value", "a", name="n"), own, None, 1, "other", is_async=False)
    assert "has other code of rec_msa" in outcome.error
    assert code_digest() == code_digest()


@pytest.mark.parametrize(
    ("address", "said"),
    [("127.0.0.1:1", "no cluster answers at 127.0.0.1:1"), ("here", "'here' is not host:port")],
)
def test_an_address_where_no_cluster_answers_is_refused_within_seconds(small_project, address, said, monkeypatch):
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    started = time.monotonic()
    with pytest.raises(ClearError, match=said):
        small_project.run("ingestion", runner=RayRunner(address=address))
    assert time.monotonic() - started < 10
    assert started_nothing(small_project)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"workers": 0}, "workers: 0"),
        ({"workers": "two"}, "workers: 'two'"),
        ({"threads": 0.5}, "threads: 0.5"),
        ({"gpus": 1.5}, "gpus: 1.5"),
        ({"gpus": -1}, "gpus: -1"),
        ({"retries": -1}, "retries: -1"),
        ({"wokers": 2}, r"RayRunner: there is no wokers; did you mean 'workers'\?"),
        ({"workers": 2, "address": "a:1"}, "workers is for Ray on this machine"),
    ],
)
def test_a_wrong_option_is_named(options, said):
    with pytest.raises(ClearError, match=said):
        RayRunner(**options)


def test_the_two_private_functions_of_kedro_are_as_expected():
    assert version("kedro").startswith("1.7.")
    assert list(inspect.signature(manager._create_hook_manager).parameters) == []
    assert list(inspect.signature(manager._register_hooks).parameters) == ["hook_manager", "hooks"]
    assert isinstance(DataCatalog()._validator_specs, dict)


def test_an_address_that_accepts_and_stays_silent_hung_for_minutes(monkeypatch):
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray_runner, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)  # other tests' cluster may be up
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(ClearError, match=rf"no cluster answers at {address} \(timed out\)"):
            run([], files(Path()), address=address)
        assert time.monotonic() - started < 60  # most of it the import of Ray on a busy machine; before, 823


def test_a_node_that_came_up_too_late_was_a_bare_exception(monkeypatch):
    def late(**_: object) -> None:
        raise Exception("The current node timed out during startup.")

    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "init", late)
    with pytest.raises(ClearError, match=r"Ray did not start here: The current node timed out during startup\."):
        RayRunner._start()


@pytest.mark.parametrize("port", ["99999", "999999999999"])
def test_a_port_that_cannot_be_is_one_clear_error(port, monkeypatch):
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(ClearError, match="no cluster answers at 127"):
        run([], files(Path()), address=f"127.0.0.1:{port}")


def test_a_damaged_artifact_was_a_bare_traceback_on_a_worker(cluster, tmp_path):
    catalog = files(tmp_path, "a", "b", value=1)
    catalog["a"].expected = Provenance("abc", {}, "a")
    catalog.save("a", 7)
    (tmp_path / "a.json").write_text("8")
    with pytest.raises(NodesFailedError, match=r"needs_it: a: .*is not what was written there.*makes it again"):
        run([node(lambda a: a, "a", "b", name="needs_it")], catalog)


def test_a_full_disk_was_a_bare_traceback_on_a_worker(cluster, tmp_path):
    def full(_: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/a.json")

    with pytest.raises(
        NodesFailedError, match=r"full: No space left on device: /data/a.json; .*make room or give access"
    ):
        run([node(full, "params:value", "a", name="full")], files(tmp_path, "a", value=1))


def test_a_cluster_with_tls_hung_up_on_a_greeting_and_was_taken_for_none(monkeypatch):
    monkeypatch.setattr(ray_runner, "CONNECT_SECONDS", 0.3)
    monkeypatch.setenv("RAY_USE_TLS", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ray_runner._greet("127.0.0.1", silent.getsockname()[1])
    with pytest.raises(OSError, match="refused"):
        ray_runner._greet("127.0.0.1", 1)
