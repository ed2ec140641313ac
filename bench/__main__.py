"""Prints what commands and hot paths cost on this machine, beside what the project promises for two cores.

Everything runs in a copy of the project's configuration in a temporary folder, on the raw files that lie in
``data/01_raw``; a row whose raw file is absent says so. The figures go to ``data/08_reporting/bench.json``, too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import rich
from rich.table import Table

from bench.measure import Figure, command
from rec_msa.interactions import DatasetSettings, locate

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
RAW = ROOT / "data" / "01_raw"
KEDRO = ["-m", "kedro"]


def main() -> None:
    """Measures everything and prints the tables."""
    figures = [*fused_ranking()]
    with project_copy() as project:
        figures += [*commands(project)]
    show(figures)
    target = ROOT / "data" / "08_reporting" / "bench.json"
    rows = [asdict(figure) | {"median": figure.median} for figure in figures]
    target.write_text(json.dumps({"cores": len(os.sched_getaffinity(0)), "figures": rows}, indent=1))


def fused_ranking() -> Iterator[Figure]:
    """Full-catalogue top 50 through the fusion, five fresh processes for each architecture."""
    for architecture in ("bpr", "lmf", "ncf"):
        runs = [
            subprocess.run(
                [sys.executable, "-m", "bench.fused_ranking", architecture],
                cwd=ROOT,
                check=True,
                capture_output=True,
                text=True,
            ).stdout.split()
            for _ in range(5)
        ]
        what = f"fused top 50, 3,020 x 3,706, {architecture}"
        limit = "1 s, 500 MiB" if architecture != "ncf" else ""
        yield Figure(what, [float(run[0]) for run in runs], max(float(run[1]) for run in runs), limit)


def commands(project: Path) -> Iterator[Figure]:
    """Commands as a user types them."""
    yield command("kedro registry list", [*KEDRO, "registry", "list"], project, runs=5, limit="2 s")
    attack = [*KEDRO, "run", "--pipeline=attack_ptaq"]
    command("warm up: fetches the raw file", [*KEDRO, "run", "--pipeline=ingestion"], project)
    yield command("attack_ptaq, ml-100k, bpr", attack, project, runs=3, limit="60 s")
    nothing = [*attack, "--only-missing-outputs"]
    yield command("the same with nothing left to do: Kedro's own share", nothing, project, runs=3, limit="6 s")
    if locate("ml-1m", DatasetSettings(), RAW) is None:
        rich.print("no data/01_raw/ml-1m/ratings.dat[.gz]: the row for ML-1M is left out")
        return
    large = [*attack, "--env=paper", "--params=dataset=ml-1m,model=bpr,seed=0"]
    yield command("attack_ptaq, ml-1m unfiltered, bpr", large, project, limit="180 s, 2 GiB")


@contextmanager
def project_copy() -> Iterator[Path]:
    """A project of the same configuration and raw files with no artifacts."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        shutil.copy(ROOT / "pyproject.toml", project)
        shutil.copytree(ROOT / "conf", project / "conf")
        (project / "conf" / "local").mkdir(exist_ok=True)
        shutil.copytree(ROOT / "src", project / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        (project / "data").mkdir()
        shutil.copytree(RAW, project / "data" / "01_raw")
        yield project


def show(figures: list[Figure]) -> None:
    """Prints the table."""
    table = Table(title=f"rec_msa on {len(os.sched_getaffinity(0))} cores")
    table.add_column("what")
    for name in ("median s", "min", "max", "peak MiB", "promise (2 cores)"):
        table.add_column(name, justify="right")
    for figure in figures:
        seconds = (figure.median, min(figure.seconds), max(figure.seconds))
        table.add_row(figure.what, *(f"{value:.2f}" for value in seconds), f"{figure.mebibytes:.0f}", figure.limit)
    rich.print(table)


if __name__ == "__main__":
    main()
