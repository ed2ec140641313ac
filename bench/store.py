"""The measured figures on disk: JSON by area, each with the machine, the commit and the command that made it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bench.measure import ROOT
from bench.tables import Table
from rec_msa.bookkeeping.run_entry import commit, machine

if TYPE_CHECKING:
    from pathlib import Path

TARGET = ROOT / "data" / "08_reporting" / "bench.json"


def load(path: Path = TARGET) -> dict[str, Any]:
    """Everything measured so far, by area; empty where there is nothing."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def save(area: str, tables: list[Table], made_by: dict[str, Any], path: Path = TARGET) -> None:
    """Replaces one area's tables and leaves the others."""
    areas = load(path) | {area: {"made_by": made_by, "tables": [table.to_dict() for table in tables]}}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")  # hours of other areas' measurements lie in it
    part.write_text(json.dumps(areas, indent=1), encoding="utf-8")
    part.replace(path)


def tables_of(areas: dict[str, Any]) -> dict[str, Table]:
    """Every stored table by its name."""
    return {plain["name"]: Table.from_dict(plain) for area in areas.values() for plain in area["tables"]}


def stamp(command: str, seconds: float) -> dict[str, Any]:
    """Where and how an area was measured."""
    return {
        "command": command,
        "commit": commit() or "unknown",
        "date": datetime.now(UTC).date().isoformat(),
        "processor": machine()["machine"],
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[2], 1),
        "seconds": round(seconds),
    }


def sentence(made_by: dict[str, Any]) -> str:
    """The stamp as the page shows it."""
    return (
        f"`{made_by['command']}` at commit `{made_by['commit']}`, {made_by['date']}, {made_by['processor']}, "
        f"{made_by['cores']} cores (load {made_by['load']}), {made_by['seconds']} s."
    )
