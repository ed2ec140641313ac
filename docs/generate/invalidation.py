"""Which parameter, when changed, makes which artifacts again: worked out from the graph, and written into the docs.

``python -m docs.generate.invalidation docs/studies.md`` writes the table between its two marks.
"""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from kedro.io import DataCatalog, MemoryDataset

from rec_msa.bookkeeping.provenance import fingerprints
from rec_msa.defenses.settings import DEFENSES
from rec_msa.experiments.grid import Experiments
from rec_msa.experiments.parameters import Parameters, read_parameters
from rec_msa.foundation.errors import DataError, RecMsaError
from rec_msa.recommenders.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro.pipeline import Pipeline
    from pydantic import BaseModel

BASE = Path(__file__).resolve().parents[2] / "conf" / "base"
BEGIN, END = "<!-- made by python -m docs.generate.invalidation -->", "<!-- end -->"

DEFENSE = "popular_mixing_5"
"""The defense of the example's second cell."""

EXAMPLE = {
    "ptaq": {"base": "ptaq"},
    "qsd": {"base": "qsd"},
    "pta_joint": {"base": "pta_joint", "clone": "lmf"},
    "ptq": {"base": "ptq", "clone": "ncf"},
}
"""Attacks that between them have every kind of stage."""

MINE = {
    "path": "there is no such file",
    "user": "user",
    "item": "item",
    "time": "time",
    "min_interactions": 5,
    "min_per_user": 5,
    "min_per_item": 5,
    "order": "order",
    "time_format": "%Y",
    "where": {"event": "buy"},
    "missing": "drop",
    "columns": ["user", "item", "time", "order", "event", "another"],
    "separator": ";",
    "quotes": "backslash",
    "encoding": "latin-1",
    "list_separator": "|",
    "member": "*.csv",
}
"""A data set that nobody fetches, with every setting that there is."""

PLACES = ("dataset", "model", "seed", "defense", "label")
"""What is part of an artifact's name: another value leaves other files, beside these."""

OTHER_DEFENSES = tuple(f"defenses.{name}" for name in DEFENSES if not DEFENSE.startswith(name))

NOT_SHOWN = ("study", "studies", "attacks", "raw_folder", "threads", "dry_run", "datasets.mine.path", *OTHER_DEFENSES)
"""What picks or names, is no part of what an artifact is made from (the raw file's checksum is), or has no example."""

MODELS = {"bpr", *(attack["clone"] for attack in EXAMPLE.values() if "clone" in attack)}

OF_OTHERS = ("sequence", *(f"recommenders.{name}" for name in SETTINGS if name not in MODELS))
"""What the example's target and clones do not read."""

TRAININGS = ("target", "auxiliary", "clone.training", "steal.training")
"""Stages with the settings of a training loop."""

OTHER_VALUES: dict[str, Any] = {
    "device": "cpu",
    "datasets.mine.patience": 5_000,
    "datasets.mine.patience_of": {"bpr": 5_000},
    **{f"datasets.mine.{column}": "another" for column in ("user", "item", "time", "order", "member")},
    "datasets.mine.time_format": "%d.%m.%Y",
    "datasets.mine.where.event": "cart",
    "datasets.mine.missing": "keep",
    "datasets.mine.columns": ["user", "item", "time", "order", "event"],
    "datasets.mine.separator": "|",
    "datasets.mine.quotes": "none",
    "datasets.mine.encoding": "utf-16",
    "datasets.mine.list_separator": ";",
    **{f"{stage}.schedule": "linear" for stage in TRAININGS},
    **{f"{stage}.stop_by": "validation" if stage == "steal.training" else "loss" for stage in TRAININGS},
}
"""Where no other number will do."""


def base_parameters() -> dict[str, Any]:
    """The parameters of ``conf/base`` with the attacks of the example."""
    raw: dict[str, Any] = {}
    for path in BASE.glob("parameters*.yml"):
        raw |= yaml.safe_load(path.read_text(encoding="utf-8"))
    # Without YAML's aliases, through which a change of one parameter would be one of two.
    changed = {"dataset": "mine", "datasets": {"mine": MINE}, "attacks": EXAMPLE}
    return json.loads(json.dumps({**raw, **changed}))  # type: ignore[no-any-return]


def table() -> str:
    """The table in Markdown: a row for each parameter, or for several that make the same artifacts again."""
    raw = base_parameters()
    known = _made_from(raw)
    rows: dict[str, list[str]] = {}
    for key in _leaves(read_parameters(raw).model_dump(mode="json")):
        changed = _change(raw, key)
        if changed is not None:
            rows.setdefault(_describe(known, _made_from(changed)), []).append(f"`{key}`")
    lines = [f"| {', '.join(keys)} | {made} |" for made, keys in rows.items()]
    places = ", ".join(f"`{name}`" for name in PLACES)
    return "\n".join(
        ["| parameter | what is made again |", "|---|---|", f"| {places} | nothing: they name other files |", *lines]
    )


def invalidated(key: str) -> set[str]:
    """Names of the artifacts that a change of one parameter makes again.

    Args:
        key: The parameter, as ``steal.margin``.

    Raises:
        KeyError: It has no other valid value.
    """
    raw = base_parameters()
    changed = _change(raw, key)
    if changed is None:
        raise KeyError(key)
    before, after = _made_from(raw), _made_from(changed)
    return {name for name in before if after[name] != before[name]}


def write(page: Path) -> None:
    """Puts the table between the two marks of a page.

    Raises:
        DataError: The page lacks one of them.
    """
    text = page.read_text(encoding="utf-8")
    if not 0 <= text.find(BEGIN) < text.find(END):
        raise DataError(f"{page}: the table goes between the lines '{BEGIN}' and '{END}', which are not there")
    head, _, rest = text.partition(BEGIN)
    page.write_text(f"{head}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def _made_from(raw: dict[str, Any]) -> dict[str, str]:
    """The fingerprint of every artifact of an undefended and a defended cell."""
    parameters = read_parameters(raw)
    catalog = DataCatalog(
        {name: MemoryDataset(value, copy_mode="assign") for name, value in _parameter_datasets(parameters)}
    )
    pipeline = _example(Experiments(parameters))
    known = fingerprints(pipeline, catalog)
    return {name: known[name] for name in pipeline.all_outputs()}


def _example(experiments: Experiments) -> Pipeline:
    from rec_msa.pipeline_registry import comparison

    cell = next(iter(experiments.cells))
    cells = [cell, replace(cell, defense=DEFENSE)]
    attacks = {each: [experiments.attack(each, name) for name in EXAMPLE] for each in cells}
    parts = [comparison(each, of_cell, experiments.retrained) for each, of_cell in attacks.items()]
    return parts[0] + parts[1]


def _parameter_datasets(parameters: Parameters) -> Iterator[tuple[str, Any]]:
    def walk(name: str, value: Any) -> Iterator[tuple[str, Any]]:
        yield name, value
        if isinstance(value, dict):
            for key, part in value.items():
                yield from walk(f"{name}.{key}", part)

    for key, value in parameters.catalogued().items():
        yield from walk(f"params:{key}", value)


def _leaves(parameters: dict[str, Any], head: str = "") -> Iterator[str]:
    for name, value in parameters.items():
        key = f"{head}{name}"
        if key in (*PLACES, *NOT_SHOWN, *OF_OTHERS):
            continue
        if value and isinstance(value, dict):
            yield from _leaves(value, f"{key}.")
        else:
            yield key


def _change(raw: dict[str, Any], key: str) -> dict[str, Any] | None:
    """The parameters with another valid value for one of them; None where there is none."""
    *parents, name = key.split(".")
    value = _value(read_parameters(raw), key)
    for other in [OTHER_VALUES[key]] if key in OTHER_VALUES else _others(value):
        changed = deepcopy(raw)
        place = changed
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = other
        try:
            read_parameters(changed)
        except RecMsaError:
            continue
        return changed
    return None


def _value(parameters: BaseModel, key: str) -> Any:
    value: Any = parameters
    for part in key.split("."):
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    return value


def _others(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, float):
        return [value / 2 if value else 0.5, value * 1.5]
    if isinstance(value, tuple):
        return [value[:-1]]
    return []


def _describe(before: dict[str, str], after: dict[str, str]) -> str:
    again = {name for name in before if after.get(name) != before[name]}
    if not again:
        return "nothing"
    kept = before.keys() - again
    defended = {name for name in again if f".{DEFENSE}." in name}
    where = " of defended cells" if defended == again else ""
    short, left = sorted({_short(name) for name in again}), {_short(name) for name in kept}
    made = [name for name in short if name not in left or where]
    partly = [name for name in short if name in left and not where]
    return "; ".join(
        [
            *([", ".join(made) + where] if made else []),
            *([f"of some attacks or models: {', '.join(partly)}"] if partly else []),
        ]
    )


def _short(name: str) -> str:
    return name.rpartition(".")[2]


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the module and a page
        sys.exit("usage: python -m docs.generate.invalidation docs/studies.md")
    try:
        write(Path(sys.argv[1]))
    except RecMsaError as error:
        sys.exit(str(error))
