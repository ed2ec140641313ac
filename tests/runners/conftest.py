"""One Ray cluster of two machines for all tests of the session."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipelines.conftest import SmallProject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


PATIENCE = 40
"""Seconds for the second machine to take a task; on a crowded machine Ray was once seen never to send it any."""


@pytest.fixture
def cluster(machines: Any) -> Any:
    """The cluster, both of whose machines take tasks now; a test is skipped where they do not, so that none hangs."""
    import ray

    def answer() -> bool:
        return True

    probe = ray.remote(num_cpus=0, num_gpus=1)(answer).remote()
    done, _ = ray.wait([probe], timeout=PATIENCE)
    if not done:
        ray.cancel(probe, force=True)
        pytest.skip(f"Ray's second machine took no task within {PATIENCE} s")
    return machines


@pytest.fixture(scope="session")
def machines() -> Iterator[Any]:
    """A head with two cores and a second machine with one core and, it says, one GPU; both are this machine."""
    if not os.environ.get("REC_MSA_RAY_TESTS"):
        pytest.skip("asks for REC_MSA_RAY_TESTS=1: in a fresh clone Ray was seen not to use its second machine")
    pytest.importorskip("ray", reason="needs Ray: pip install 'rec_msa[cluster]'")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 80 << 20, "include_dashboard": False}
    machines = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "num_gpus": 0, **small})
    machines.add_node(num_cpus=1, num_gpus=1, object_store_memory=80 << 20)
    ray.init(address=machines.address, log_to_driver=False, logging_level=logging.ERROR)
    yield machines
    ray.shutdown()
    machines.shutdown()


@pytest.fixture
def small_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallProject:
    """A small project in an empty folder, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return SmallProject(tmp_path)
