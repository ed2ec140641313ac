"""What a run will do: nodes, trainings, calls to the target, and about how long, by what earlier runs took."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rec_msa.bookkeeping.run_entry import processor
from rec_msa.bookkeeping.study_progress import duration, is_last_of_a_cell, is_training, kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from kedro.io import DataCatalog
    from kedro.pipeline.node import Node

SHOWN = 3
GATE = "gate"


@dataclass(frozen=True)
class Earlier:
    """What nodes took in earlier runs on a processor of this name.

    Attributes:
        seconds: Of each kind of node (data set, model and function) the mean.
        n_runs: How many runs are behind it.
    """

    seconds: dict[str, float]
    n_runs: int

    @classmethod
    def of(cls, journal: pd.DataFrame) -> Earlier:
        """Reads it from the journal, whose older entries say nothing of nodes.

        Args:
            journal: ``machine`` and ``nodes``: of each kind, how many ran and their seconds in all.
        """
        here, took, n_runs = processor(), defaultdict[str, list[float]](lambda: [0.0, 0.0]), 0
        for machine, nodes in journal.reindex(columns=["machine", "nodes"]).itertuples(index=False, name=None):
            if machine != here or not isinstance(nodes, dict):
                continue
            n_runs += 1
            for kind, (n, seconds) in nodes.items():
                took[kind][0] += n
                took[kind][1] += seconds
        return cls({kind: seconds / n for kind, (n, seconds) in took.items() if n}, n_runs)


@dataclass(frozen=True)
class Plan:
    """What will run.

    Attributes:
        nodes: The nodes that will run.
        n_current: Nodes whose artifacts are there already.
        calls: Calls to the target; None where the users to ask about are not drawn yet.
        earlier: What nodes took in earlier runs.
    """

    nodes: Sequence[Node]
    n_current: int
    calls: int | None
    earlier: Earlier

    @property
    def n_cells(self) -> int:
        """Cells that will be finished."""
        return sum(map(is_last_of_a_cell, self.nodes))

    @property
    def trainings(self) -> list[Node]:
        """What is trained."""
        return [node for node in self.nodes if is_training(node)]

    def __str__(self) -> str:
        n_cells, n_gates = self.n_cells, sum(GATE in node.tags for node in self.nodes)
        parts = [_count(len(self.nodes), "node"), *([_count(n_cells, "cell")] if n_cells else [])]
        parts += [_count(len(self.trainings), "training")]
        calls = (
            " (the users are not drawn yet)" if self.calls is None else f": {_count(self.calls, 'call')} to the target"
        )
        parts += [f"{_count(n_gates, 'attack')} that ask{'s' * (n_gates == 1)}{calls}"] if n_gates else []
        there = f", {_count(self.n_current, 'node')} more have left their artifacts" if self.n_current else ""
        return f"To run: {', '.join(parts)}{there}.\n{self.time()}"

    def time(self) -> str:
        """About how long it takes, one node after the other."""
        if not self.nodes:
            return "There is nothing to run."
        if not self.earlier.n_runs:
            return "How long it takes is not known: the journal has no earlier run of this machine."
        known = [self.earlier.seconds[kinds(node)[0]] for node in self.nodes if kinds(node)[0] in self.earlier.seconds]
        unknown = [kinds(node)[0] for node in self.trainings if kinds(node)[0] not in self.earlier.seconds]
        runs = _count(self.earlier.n_runs, "earlier run")
        time = f"about {duration(sum(known))}, one node after the other, by {runs}"
        if not unknown:
            return f"It takes {time}."
        names = list(dict.fromkeys(" on ".join(reversed(kind.split("/")[:2])) for kind in unknown))
        shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
        what = f"{_count(len(unknown), 'training')} whose like never ran here ({shown})"
        rest = f"; the rest {time}" if sum(known) >= 1 else ""
        return f"How long it takes is not known: {what}{rest}."


def plan_of(nodes: Sequence[Node], n_current: int, catalog: DataCatalog, earlier: Earlier) -> Plan:
    """Looks at what will run."""
    counts = [_calls(node, catalog) for node in nodes if GATE in node.tags]
    known = [count for count in counts if count is not None]
    return Plan(nodes, n_current, sum(known) if len(known) == len(counts) else None, earlier)


def _calls(gate: Node, catalog: DataCatalog) -> int | None:
    """The calls of an attack, where its users are drawn."""
    constants: dict[str, Any] = getattr(gate.func, "constants", {})
    for name in gate.inputs:
        if name.endswith(".attackers") and catalog.exists(name):
            queried = int((catalog.load(name)["group"] == "queried").sum())
            return queried * int(constants["asking"].calls_per_user)
    return None


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
