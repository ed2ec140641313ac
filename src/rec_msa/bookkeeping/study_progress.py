"""What a person sees of a study: what runs, how many of how many, time left, and a line for each finished cell."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pandas as pd
import rich
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from rec_msa.bookkeeping.processes import age
from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.evaluation.results import LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kedro.io import DataCatalog
    from kedro.pipeline.node import Node

LAST_OF_A_CELL = "last-of-cell"
"""Tag of the node that needs every other one of its cell, or of an attack on it that runs alone."""

TRAINS = "gpu"
"""Tag of the nodes that train, as they would on a GPU where there is one."""

SEED = re.compile(r"seed[0-9]+")
HEADLINE = "ptaq"
FRESH_PROCESS_SECONDS = 30.0
SHOWN_AT_ONCE = 3
QUIET_SECONDS = 60.0
"""How long nothing may be said where lines are kept, as those of a job in a file, before a finished node gets one."""
BAR, GAPS = 12, 3
"""Characters of the bar, and beside its columns."""


class StudyProgress:
    """Counts the nodes of a run, shows them where asked, and keeps account of time.

    Args:
        n_current: Nodes whose artifacts are there already.
        catalog: The catalog, for the results of finished cells.
        started: When the run began, in seconds of ``time.monotonic``.
        before: What each kind of node took in earlier runs.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        n_current: int,
        catalog: DataCatalog,
        started: float,
        before: Mapping[str, float] | None = None,
    ) -> None:
        self.before = before or {}
        self.catalog, self.started, self.n_current = catalog, started, n_current
        self.nodes = nodes
        self.waiting = {node.name: node for node in nodes}
        self.running: dict[str, float] = {}
        self.n_nodes, self.n_done = len(nodes), 0
        self.n_cells = sum(is_last_of_a_cell(node) for node in nodes)
        self.cells_done = 0
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.in_functions = self.in_tasks = 0.0
        self.bar: Progress | None = None
        self.shown = self.in_full = False
        self.said = time.monotonic()

    def show(self, *, in_full: bool = True) -> None:
        """Shows the progress from now on; in full with a line for each finished cell and an account at the end."""
        self.in_full = self.in_full or in_full
        if self.shown:
            return
        self.shown = True
        if not self.n_nodes:
            rich.get_console().print(f"All {self.n_current} nodes have left their artifacts: there is nothing to run.")
            return
        columns = (
            TextColumn("{task.completed:.0f} of {task.total:.0f} nodes", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=BAR),
            TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis")),
        )
        self.bar = Progress(*columns, console=rich.get_console(), refresh_per_second=2, transient=True)
        self.task = self.bar.add_task("", total=self.n_nodes)
        self.bar.start()

    def stop(self) -> None:
        """Takes the display away."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None

    def begin(self, node: Node) -> None:
        """A node starts."""
        self.running.setdefault(node.name, time.monotonic())
        self._refresh()

    def finish(self, node: Node, in_function: float, in_task: float) -> None:
        """A node has saved its outputs, after seconds in its own function and, with loading and saving, in its task."""
        self.running.pop(node.name, None)
        self.waiting.pop(node.name, None)
        self.n_done += 1
        self.in_functions += in_function
        self.in_tasks += in_task
        for kind in kinds(node):
            self.seconds[kind].append(in_task)
        if is_last_of_a_cell(node):
            self.cells_done += 1
            self._report_cell(node)
        self._break_silence(node, in_task)
        self._refresh()
        if not self.waiting:
            self.stop()

    def drop(self, node: Node) -> None:
        """A node failed, or something that it needs did."""
        self.running.pop(node.name, None)
        self.waiting.pop(node.name, None)
        self._refresh()

    def seconds_left(self) -> float | None:
        """What the nodes that wait will take, by what their like took.

        None before the first has finished, and while the like of a training that waits has never run.
        """
        trainings = [node for node in self.waiting.values() if is_training(node)]
        if not (self.in_tasks or self.before) or any(self.known_seconds(node) is None for node in trainings):
            return None
        expected = sum(self.expected(node) for node in self.waiting.values())
        passed = sum(time.monotonic() - since for since in self.running.values())
        at_once = max(1.0, len(self.running))
        return max(0.0, expected - passed) / at_once

    def expected(self, node: Node) -> float:
        """Seconds that a node will take, by what its like took; 0 before the first has finished."""
        known = self.known_seconds(node)
        if known is not None:
            return known
        if not self.seconds:
            return 0.0
        return self.in_tasks / sum(len(self.seconds[kind]) for kind in self.seconds if "/" not in kind)

    def known_seconds(self, node: Node) -> float | None:
        """What the like of a node took, in this run or in earlier ones; None where it never ran."""
        for kind in kinds(node):
            if kind in self.seconds:
                return sum(self.seconds[kind]) / len(self.seconds[kind])
            if kind in self.before:
                return self.before[kind]
        return None

    def _refresh(self) -> None:
        if self.bar is None:
            return
        names = list(self.running)
        more = f" and {len(names) - SHOWN_AT_ONCE} more" if len(names) > SHOWN_AT_ONCE else ""
        left, counts = self._left(), f"{self.n_nodes} of {self.n_nodes} nodes"
        room = rich.get_console().width - len(counts) - BAR - GAPS - len(left)
        shown = ", ".join(names[:SHOWN_AT_ONCE]) + more
        # The end of a name says what runs; a line that fills the terminal's last column would be torn.
        shown = shown if len(shown) <= room else "…" + shown[-max(room - 1, 1) :]
        self.bar.update(self.task, completed=self.n_done, description=f"{left}{shown}")

    def _left(self) -> str:
        left = self.seconds_left()
        return "" if left is None or not self.waiting else f"{duration(left)} left · "

    def _report_cell(self, node: Node) -> None:
        if not self.in_full:
            return
        self.said = time.monotonic()
        rich.get_console().print(
            f"{headline(node, self.catalog)} ({self.cells_done} of {self.n_cells} cells, "
            f"{self._left()}{duration(time.monotonic() - self.started)} so far)",
            highlight=False,
            soft_wrap=True,
        )

    def _break_silence(self, node: Node, seconds: float) -> None:
        """Says where a run stands that no bar shows: at most a line a minute."""
        now, console = time.monotonic(), rich.get_console()
        if self.bar is None or console.is_terminal or now - self.said < QUIET_SECONDS:
            return
        self.said = now
        console.print(
            f"{self.n_done} of {self.n_nodes} nodes, {self._left()}{duration(now - self.started)} so far: "
            f"{node.name} took {duration(seconds)}",
            highlight=False,
            soft_wrap=True,
        )

    def took(self) -> dict[str, tuple[int, float]]:
        """Of each kind of node how many have finished, and their seconds in all."""
        return {kind: (len(each), round(sum(each), 3)) for kind, each in self.seconds.items() if "/" in kind}

    def account(self, outside: float | None = None) -> str:
        """What the run took, and how much of it was neither a node's function nor waiting for one.

        Args:
            outside: Seconds in which no task was under way, where several run at once; by default what is left over.
        """
        total = time.monotonic() - self.started
        if not self.n_nodes:
            return f"Looked at {self.n_current} nodes in {duration(total)}."
        if outside is None:
            kedro = total - self.in_functions
        else:
            kedro = outside + (total - outside) * (1 - self.in_functions / max(self.in_tasks, 1e-9))
        return (
            f"{self.n_nodes} nodes in {duration(total)}. Kedro's share (start, catalog, loading, saving, hooks): "
            f"{duration(kedro)}, {100 * kedro / total:.1f} %."
        )


def is_last_of_a_cell(node: Node) -> bool:
    """Whether a node ends its cell, or an attack on it that runs alone."""
    return LAST_OF_A_CELL in node.tags


def headline(node: Node, catalog: DataCatalog) -> str:
    """The cell, and the held-out agreement of its strongest attack that the paper proposes, or of its best one."""
    measured = pd.concat([catalog.load(name) for name in node.inputs], ignore_index=True)
    place = measured.iloc[0]
    labels = [place["dataset"], place["target"], f"seed {place['seed']}"]
    labels += [] if place["defense"] == NO_DEFENSE else [place["defense"]]
    labels += [place[LABEL]] if place.get(LABEL) else []
    rows = measured.query("kind == 'attack' and group == 'heldout' and against == 'served'")
    if rows.empty:
        return f"{' · '.join(labels)}: no attack"
    whole = rows.loc[rows.groupby("attack")["k"].idxmax()]
    best = whole.assign(own=whole["attack"] == HEADLINE).sort_values(["own", "agreement"]).iloc[-1]
    return f"{' · '.join(labels)}: {best['attack']} Agr@{best['k']} {best['agreement']:.3f} held-out"


def duration(seconds: float) -> str:
    """``8.2 s``, ``12 min`` or ``3 h 5 min``."""
    if seconds < 90:  # noqa: PLR2004 - more is read in minutes
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004


def run_started() -> float:
    """When this run began, in seconds of ``time.monotonic``: with its process, or now in one that is older."""
    before = age()
    return time.monotonic() - (before if before < FRESH_PROCESS_SECONDS else 0.0)


def is_training(node: Node) -> bool:
    """Whether a node trains a model."""
    return TRAINS in node.tags


def kinds(node: Node) -> tuple[str, str]:
    """What tells how long a node takes: its function with its data set and model, and the function alone."""
    constants: dict[str, Any] = getattr(node.func, "constants", {})
    parts = str(node.namespace).split(".")
    seed = next((place for place, part in enumerate(parts) if SEED.fullmatch(part)), 1)  # before it, maybe, a label
    model = constants.get("architecture") or ".".join(parts[seed + 1 : seed + 2])
    return f"{parts[seed - 1]}/{model}/{node.func.__name__}", node.func.__name__
