"""One attack from a raw CSV file to its agreement, on data of MovieLens-20M's shape, and where its time goes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd

from bench.measure import ROOT, command

if TYPE_CHECKING:
    from pathlib import Path

    from bench.measure import Figures

ROWS, USERS, ITEMS = "20M", "138000", "27000"
ATTACK = "attack_ptaq"
SETTINGS = """\
dataset: shop
datasets:
  shop: {path: shop.csv, user: user_id, item: item_id, time: timestamp, min_interactions: 5}
"""


def measure(
    project: Path, text: bool, size: tuple[str, str, str] = (ROWS, USERS, ITEMS)
) -> tuple[Figures, dict[str, float]]:
    """Runs the attack in a project without artifacts, on two cores.

    Args:
        project: The project's folder.
        text: Whether the ids of the raw file are no numbers.
        size: Rows, users and items.

    Returns:
        ``seconds``, ``cpu_s``, ``peak_mib``, ``agreement`` of the held-out users, ``interactions``; or ``error``; and
        the processor seconds of each node.
    """
    (project / "conf" / "local" / "parameters.yml").write_text(SETTINGS, encoding="utf-8")
    rows, users, items = size
    shape = ["--rows", rows, "--users", users, "--items", items, "--repeats", "0", *(["--text"] if text else [])]
    made = command(["-m", "bench.synthetic", str(project / "shop.csv"), *shape], ROOT, cores=1)
    figures = made if "error" in made else command(["-m", "kedro", "run", f"--pipeline={ATTACK}"], project, cores=2)
    if "error" in figures:
        return figures, {}
    reporting = project / "data" / "08_reporting"
    results = pd.read_parquet(reporting / "agreement.parquet")
    statistics = json.loads(next(project.glob("data/03_primary/*/statistics.json")).read_text(encoding="utf-8"))
    figures["agreement"] = float(results.loc[results["group"] == "heldout", "agreement"].iloc[0])
    return figures | {"interactions": statistics["interactions"]}, spent_in(project / "data")


def spent_in(data: Path) -> dict[str, float]:
    """The processor seconds of each node that filled a project's data, by its own name, most first.

    What is neither loading nor saving; a node's records, one for each of its artifacts, all say the same.
    """
    records = [json.loads(path.read_text(encoding="utf-8")) for path in data.rglob(".*.record.json")]
    by_node = {record["cost"]["node"]: record["cost"]["seconds"] for record in records if record.get("cost")}
    named = {node.rsplit(".", 1)[-1]: seconds for node, seconds in by_node.items()}
    return dict(sorted(named.items(), key=lambda one: -one[1]))
