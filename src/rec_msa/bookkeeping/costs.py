"""What attacks took: processor seconds of all that the attacker computed, by the records of what they are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rec_msa.datasets.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from kedro.io import DataCatalog

    Made = tuple[Collection[str], dict[str, Any]]
    """Of an artifact: the names of what it is made from, and what its node took."""

ATTACKER = {"auxiliary", "attack"}
"""Tags of the nodes in which the attacker computes; the target's training, the gate and all measuring are others'."""


def attacker_seconds(name: str, made: Callable[[str], Made | None]) -> float | None:
    """Processor seconds behind an artifact, of the attacker's nodes alone and of each once.

    A node's are those of its process meanwhile; where ``ThreadRunner`` runs others in the same one, of these, too.

    Args:
        name: The artifact, as an attack's agreement.
        made: Looks an artifact up; None where nothing is known of it.

    Returns:
        The seconds; None where something behind it has no record of what it took.
    """
    seen, waiting, took = {name}, [name], {}
    while waiting:
        found = made(waiting.pop())
        if found is None:
            return None
        inputs, cost = found
        if ATTACKER & set(cost["tags"]):
            took[cost["node"]] = float(cost["seconds"])
        waiting += set(inputs) - seen
        seen |= set(inputs)
    return sum(took.values())


def made_by(catalog: DataCatalog) -> Callable[[str], Made | None]:
    """Looks up a catalog's artifacts, the record of each once."""
    known: dict[str, Made | None] = {}

    def made(name: str) -> Made | None:
        if name not in known:
            known[name] = _made(catalog.get(name))
        return known[name]

    return made


def _made(dataset: Any) -> Made | None:
    if not isinstance(dataset, Recorded):
        return None
    record, cost = dataset.record(), dataset.recorded_cost()
    return None if record is None or cost is None else (record.inputs, cost)


def mean_seconds(spaces: Mapping[str, Sequence[str]], made: Callable[[str], Made | None]) -> dict[str, float]:
    """What attacks took, a mean over the cells of which it is known.

    Args:
        spaces: The namespaces in which each attack was measured.
        made: Looks an artifact up.
    """
    known = {
        name: [took for space in each if (took := attacker_seconds(f"{space}.agreement", made)) is not None]
        for name, each in spaces.items()
    }
    return {name: sum(each) / len(each) for name, each in known.items() if each}
