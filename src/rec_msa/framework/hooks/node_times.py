"""What each node took: measured where it runs, and told to whoever keeps account of the run."""

from __future__ import annotations

import json
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from rec_msa.datasets.recorded import Recorded

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline.node import Node

VARIABLE = "REC_MSA_TALLY"


class NodeTimes:
    """Hooks that measure each node from its first input to its last output."""

    def __init__(self) -> None:
        self._functions: dict[str, float] = {}
        self._processor: dict[str, float] = {}
        self._tasks: dict[str, float] = {}
        self._unsaved: dict[str, int] = {}

    def begun(self, node: Node) -> None:
        """A node starts."""

    def finished(self, node: Node, in_function: float, in_task: float) -> None:
        """All outputs of a node are saved; the seconds are those of ``StudyProgress.finish``."""

    def called(self, node: Node) -> None:
        """The function of a node is about to be called, in this thread."""

    def forget(self) -> None:
        """Forgets nodes that were never finished: a notebook's next run has the same hooks."""
        for of_nodes in (self._functions, self._processor, self._tasks, self._unsaved):
            of_nodes.clear()

    @hook_impl
    def before_dataset_loaded(self, node: Node) -> None:
        """A node's first input is loaded: it starts."""
        if node.name not in self._tasks:
            self._tasks[node.name] = time.monotonic()
            self._unsaved[node.name] = len(node.outputs)
            self.begun(node)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """A node's function starts."""
        self.called(node)
        self._functions[node.name], self._processor[node.name] = time.monotonic(), time.process_time()

    @hook_impl
    def after_node_run(self, node: Node, catalog: DataCatalog) -> None:
        """A node's function has ended; the records of what it made will hold what it took of the processor."""
        self._functions[node.name] = time.monotonic() - self._functions[node.name]
        seconds = time.process_time() - self._processor.pop(node.name)
        for output in node.outputs:
            dataset: Any = catalog.get(output)
            if isinstance(dataset, Recorded):
                dataset.cost = {"node": node.name, "tags": sorted(node.tags), "seconds": round(seconds, 3)}

    @hook_impl
    def after_dataset_saved(self, node: Node) -> None:
        """With its last output saved a node is finished."""
        if node.name not in self._tasks:
            return
        self._unsaved[node.name] -= 1
        if not self._unsaved[node.name]:
            self.finished(node, self._functions.pop(node.name), time.monotonic() - self._tasks.pop(node.name))


class Tally:
    """A file in which the processes of ``ParallelRunner`` note their nodes: no hook tells the one that started them."""

    def __init__(self) -> None:
        descriptor, name = tempfile.mkstemp(prefix="rec_msa-", suffix=".tally")
        os.close(descriptor)
        self.path = Path(name)
        os.environ[VARIABLE] = name

    @staticmethod
    def note(node: Node, in_function: float, in_task: float) -> None:
        """Notes a finished node, where such a run has started this process."""
        if VARIABLE in os.environ:
            with Path(os.environ[VARIABLE]).open("a", encoding="utf-8") as file:
                file.write(json.dumps([node.name, in_function, in_task]) + "\n")

    def close(self) -> list[tuple[str, float, float]]:
        """The nodes that were noted, by name, each with its seconds; the file goes."""
        os.environ.pop(VARIABLE, None)
        noted: list[tuple[str, float, float]] = []
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else ():
            with suppress(ValueError):  # of a process that was killed while it wrote
                noted.append(tuple(json.loads(line)))
        self.path.unlink(missing_ok=True)
        return noted
