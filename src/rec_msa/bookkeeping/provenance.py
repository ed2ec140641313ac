"""Fingerprints: what each artifact of a run must have been made from, worked out from the graph before it runs."""

from __future__ import annotations

import hashlib
import json
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import DatasetError
from pydantic import BaseModel

from rec_msa.datasets.json_files import JSONFiles
from rec_msa.datasets.recorded import Provenance, Recorded
from rec_msa.foundation.errors import RecMsaError
from rec_msa.foundation.functions import file_of
from rec_msa.interactions import DatasetSettings, acquire, checksum, locate
from rec_msa.targets.settings import TargetSettings

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

FORMAT_VERSION = 2
"""Raised when the meaning of an artifact changes, so that old files are not taken for new ones."""

LEARNS_OTHERWISE = {"sasrec": 1, "stamp": 1, "gru4rec": 1}
"""Raised when an architecture or a function learns otherwise; what it made from the same inputs is old then."""

RAW_FOLDER = "params:raw_folder"
UNKNOWN = "unknown"


def expect(pipeline: Pipeline, catalog: DataCatalog, *, fetch: bool = True) -> None:
    """Tells every artifact of a pipeline what it must have been made from; what it only reads, what lies there now.

    Raw files that are missing are fetched; or else all that is made from them counts as missing, too.
    """
    now = uuid.uuid4().hex
    raw = {node: _raw_checksum(node, catalog, now, fetch=fetch) for node in pipeline.nodes}
    known = _known(pipeline, catalog, raw)
    for name in pipeline.inputs():
        read: Any = catalog.get(name)
        if isinstance(read, Recorded):
            lies = read.record()
            read.expected = lies and lies._replace(name=name)
    for node in pipeline.nodes:
        made_from = {name: known[name] for name in sorted(node.inputs) if not is_parameter(name)}
        for output in node.outputs:
            dataset: Any = catalog.get(output)
            if isinstance(dataset, Recorded):
                dataset.expected = Provenance(known[output], made_from, output, raw[node])


def fingerprints(pipeline: Pipeline, catalog: DataCatalog) -> dict[str, str]:
    """What every artifact of a pipeline must have been made from, and the inputs that it does not make itself.

    A fingerprint digests the node's function and constants, its parameters, the fingerprints of its inputs, the raw
    file's checksum and the format version. An input that this pipeline does not make counts as what lies on disk.
    """
    now = uuid.uuid4().hex
    return _known(pipeline, catalog, {node: _raw_checksum(node, catalog, now) for node in pipeline.nodes})


def _known(pipeline: Pipeline, catalog: DataCatalog, raw: dict[Node, str | None]) -> dict[str, str]:
    known: dict[str, str] = {}
    for node in pipeline.nodes:
        inputs = {name: _fingerprint_of(name, catalog, known) for name in sorted(set(node.inputs))}
        own = _digest([FORMAT_VERSION, *_function(node), inputs, raw[node], *_learning(node)])
        known |= {output: _digest([own, output]) for output in node.outputs}
    return known


def is_current(name: str, catalog: DataCatalog, seen: dict[str, bool]) -> bool:
    """Whether an artifact on disk still fits the artifacts that it was made from.

    Args:
        seen: Answers found so far, added to.

    Returns:
        False where the artifact has no record or an input was made anew since; an input that is gone says nothing.
    """
    if name not in seen:
        record = _record(name, catalog)
        inputs = record.inputs.items() if record else ()
        seen[name] = (record is not None or _gathered(name, catalog) is not None) and all(
            _still(source, fingerprint, catalog, seen) for source, fingerprint in inputs
        )
    return seen[name]


def whole(name: str, sources: list[str], catalog: DataCatalog) -> Provenance:
    """The provenance of something put together from artifacts on disk."""
    records = {source: _record(source, catalog) for source in sources}
    inputs = {source: record.fingerprint for source, record in records.items() if record is not None}
    return Provenance(_digest([FORMAT_VERSION, inputs]), inputs, name)


def _still(name: str, fingerprint: str, catalog: DataCatalog, seen: dict[str, bool]) -> bool:
    now = _on_disk(name, catalog)
    return now == UNKNOWN or (now == fingerprint and is_current(name, catalog, seen))


def _record(name: str, catalog: DataCatalog) -> Provenance | None:
    """The record of an artifact that lies in its own place; one that was copied there from another's counts as none."""
    dataset: Any = catalog.get(name)
    record = dataset.record() if isinstance(dataset, Recorded) else None
    return record if record is not None and record.name == name else None


def _fingerprint_of(name: str, catalog: DataCatalog, known: dict[str, str]) -> str:
    if name not in known:
        if is_parameter(name):
            # Where raw data lie says nothing: their checksum counts.
            known[name] = _digest(None if name == RAW_FOLDER else catalog.load(name))
        else:
            known[name] = _on_disk(name, catalog)
    return known[name]


def _on_disk(name: str, catalog: DataCatalog) -> str:
    """What lies there was made from; of gathered files, which have no record, what they are."""
    gathered = _gathered(name, catalog)
    if gathered is not None:
        return gathered.fingerprint()
    record = _record(name, catalog)
    return record.fingerprint if record else UNKNOWN


def _gathered(name: str, catalog: DataCatalog) -> JSONFiles | None:
    dataset: Any = catalog.get(name)
    return dataset if isinstance(dataset, JSONFiles) else None


def _function(node: Node) -> tuple[str, Any]:
    """A node's function and its constants; of a constant that acts, as a way of asking, its class says how."""
    function = node.func
    constants = getattr(function, "constants", {})
    acting = {name: type(value).__qualname__ for name, value in constants.items() if isinstance(value, BaseModel)}
    return f"{function.__module__}.{function.__qualname__}", {**constants, **({"classes": acting} if acting else {})}


def _learning(node: Node) -> list[int]:
    names = getattr(node.func, "constants", {}).get("architecture"), node.func.__name__
    return [LEARNS_OTHERWISE[name] for name in names if name in LEARNS_OTHERWISE]


def _raw_checksum(node: Node, catalog: DataCatalog, now: str, *, fetch: bool = True) -> str | None:
    """The checksum of the raw file that a node will read, so that another file is another input."""
    constants = getattr(node.func, "constants", {})
    if "code" in constants:
        code = _code_checksum(constants)
        unknown = "version" in constants and constants["version"] is None
        return f"{code}:{_since(node, catalog, now, ask=fetch)}" if unknown else code
    dataset = constants.get("dataset")
    if dataset is None:
        return None
    settings = catalog.load(f"params:reading.{dataset}")
    settings = settings if isinstance(settings, DatasetSettings) else DatasetSettings.model_validate(settings)
    try:
        folder = Path(catalog.load(RAW_FOLDER))
        if settings.path is not None:
            return acquire(dataset, settings, folder).sha256
        path = locate(dataset, settings, folder)
        if path is None and not fetch:
            return None
        # Fetched now where it is missing: a fingerprint without the checksum would never be met again.
        return checksum(path)[0] if path else acquire(dataset, settings, folder).sha256
    except RecMsaError:
        # The node that reads the file says what is wrong with it.
        return None


def _code_checksum(constants: dict[str, Any]) -> str | None:
    """The checksum of the modules of a user's own functions: another text is another target."""
    paths = [path for name in constants["code"] if (path := file_of(name))]
    return "".join(checksum(path)[0] for path in paths) or None


def _since(node: Node, catalog: DataCatalog, now: str, *, ask: bool) -> str:
    """Since when a function answers as it does, which nobody can tell from its text: it is asked again.

    It is ``now`` where there is no record of its answers, or their file is damaged.
    """
    from rec_msa.targets.recording import answers_as_before

    record = _record(node.outputs[0], catalog)
    if record is None or record.raw is None:
        return now
    with suppress(DatasetError):
        if not ask or answers_as_before(catalog.load(node.outputs[0])):
            return record.raw.rpartition(":")[2]
    return now


def is_parameter(name: str) -> bool:
    """Whether a node's input is a parameter, which lies in no file."""
    return name == "parameters" or name.startswith("params:")


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=plain)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def plain(value: Any) -> Any:
    """What JSON takes of a parameter that is a pydantic model; where data lie is no part of it."""
    if isinstance(value, DatasetSettings):
        return value.model_dump(mode="json", exclude={"path"})
    if isinstance(value, TargetSettings):
        return value.model_dump(mode="json", exclude={"lists", "auxiliary"})
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    msg = f"a parameter of type {type(value).__name__} cannot be fingerprinted"
    raise TypeError(msg)
