"""One Ray cluster of two machines for all tests of the session."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def cluster(machines: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The cluster; tasks ask for one core, whatever number of threads an earlier run of this process has set."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return machines


@pytest.fixture(scope="session")
def machines() -> Iterator[Any]:
    """A head with two cores and a second machine with one core and, it says, one GPU; both are this machine."""
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
