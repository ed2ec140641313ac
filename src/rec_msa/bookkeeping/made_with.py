"""Which settings artifacts are made with, and what a run would replace that was made with others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from rec_msa.bookkeeping.assembly import measured_spaces
from rec_msa.bookkeeping.provenance import RAW_FOLDER, is_current, is_parameter, plain
from rec_msa.datasets.recorded import Recorded
from rec_msa.foundation.differences import differing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

Settings = dict[str, Any]
"""Parameters by the name under which a node reads them."""

READ_OF_A_DATA_SET = ("reading.", "filtering.")
"""What stands apart of a data set's own key."""

SHOWN = 4


def tell_settings(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Tells every artifact of a pipeline the settings that it is made with, which its record will hold."""
    known: dict[str, Settings] = {}
    for node in pipeline.nodes:
        settings = _own(node, catalog)
        for name in node.inputs:
            settings = _of(name, catalog, known) | settings
        for output in node.outputs:
            known[output] = settings
            dataset: Any = catalog.get(output)
            if isinstance(dataset, Recorded):
                dataset.settings = settings


def _own(node: Node, catalog: DataCatalog) -> Settings:
    """What a node itself reads, and what its function was bound to of an attack's and a data set's settings."""
    names = [name for name in node.inputs if is_parameter(name) and name != RAW_FOLDER]
    attack = f"params:attacks.{str(node.namespace).rpartition('.')[2]}"
    found: Settings = {}
    for name in [*names, *([attack] if attack in catalog else [])]:
        key, value = name.removeprefix("params:"), json.loads(json.dumps(catalog.load(name), default=plain))
        for part in READ_OF_A_DATA_SET:
            key = f"datasets.{key.removeprefix(part)}" if key.startswith(part) else key
        found[key] = {**found[key], **value} if key in found else value
    patience = getattr(node.func, "constants", {}).get("patience")
    return found if patience is None else {**found, "patience": patience}


def _of(name: str, catalog: DataCatalog, known: dict[str, Settings]) -> Settings:
    if name not in known and not is_parameter(name):
        dataset: Any = catalog.get(name)
        known[name] = (dataset.recorded_settings() if isinstance(dataset, Recorded) else None) or {}
    return known.get(name, {})


class Replaced(NamedTuple):
    """What a run replaces that was made with other settings or data.

    Attributes:
        artifacts: Their names.
        settings: The keys that differ, each with the old value and the new one, as far as they are known.
        lost: Results that this run does not make again and that will no longer fit what lies beside them.
        label: The run's; empty without one.
    """

    artifacts: list[str]
    settings: dict[str, list[Any]]
    lost: list[str]
    label: str = ""

    def __str__(self) -> str:
        changes = [f"{key} {old} → {new}" for key, (old, new) in self.settings.items()]
        why = f": {_few(changes)}" if changes else " or data"
        results = [name.removesuffix(".agreement") for name in self.artifacts if name.endswith(".agreement")]
        lines = [f"this run replaces {len(self.artifacts)} artifacts that were made with other settings{why}"]
        lines += [f"results that it replaces: {_few(results)}"] if results else []
        lines += (
            [f"results that will no longer fit and leave agreement.parquet: {_few(self.lost)}"] if self.lost else []
        )
        remedy = "to keep them: stop it (Ctrl-C), and give this run a place of its own, --params=label=<a name>"
        if self.label:
            remedy = f"to keep them: stop it (Ctrl-C), and repeat the settings of label {self.label} with each command"
        return "\n".join([*lines, remedy])


def replaced(nodes: Iterable[Node], catalog: DataCatalog) -> Replaced | None:
    """Looks at what some nodes will write over; None where all of it was made with the same settings.

    Args:
        nodes: What will run; drawings are not looked at, they are of whatever was measured.
        catalog: Their datasets, told what to expect.
    """
    made = [name for node in nodes if "reporting" not in node.tags for name in node.outputs]
    found = {name: dataset for name, dataset in _recorded(made, catalog) if _of_other_settings(name, dataset)}
    if not found:
        return None
    changes: dict[str, list[Any]] = {}
    for dataset in found.values():
        before = dataset.recorded_settings()
        changes |= differing(before, dataset.settings or {}) if before else {}
    label = catalog.load("params:label") if "params:label" in catalog else None
    return Replaced(list(found), changes, _lost(made, found, catalog), label or "")


def _recorded(names: Iterable[str], catalog: DataCatalog) -> Iterator[tuple[str, Recorded]]:
    for name in names:
        dataset: Any = catalog.get(name)
        if isinstance(dataset, Recorded):
            yield name, dataset


def _of_other_settings(name: str, dataset: Recorded) -> bool:
    lies, expected = dataset.record(), dataset.expected
    return lies is not None and expected is not None and lies.name == name and lies.fingerprint != expected.fingerprint


def _lost(made: list[str], found: Iterable[str], catalog: DataCatalog) -> list[str]:
    """Results that fit now and would not once these are made anew."""
    now: dict[str, bool] = {}
    then = dict.fromkeys(found, False)
    others = [space for space in measured_spaces(catalog) if f"{space}.agreement" not in made]
    return [
        space
        for space in others
        if is_current(f"{space}.agreement", catalog, now) and not is_current(f"{space}.agreement", catalog, then)
    ]


def _few(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
