"""Time and memory of the ingestion at any number of rows: read, deduplicate, 5-core, split, write.

``python -m bench.ingestion --rows 10M`` makes such a file and prints one line of JSON; ``--file`` takes one that is
there, with the columns of ``bench.synthetic``; ``--plain`` measures what anybody would write with pandas instead.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.measure import ROOT, peak_mib
from bench.synthetic import row_count

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_INTERACTIONS = 5


def measure(n_rows: int | None = None, file: Path | None = None, plain: bool = False) -> dict[str, Any]:
    """Measures one ingestion in a fresh process with one core.

    Args:
        n_rows: Rows of a file that is made for it and removed; needed where no file is given.
        file: A parquet file with the columns ``user_id``, ``item_id`` and ``timestamp``.
        plain: The plain way with pandas, which only reads, deduplicates and filters.

    Returns:
        ``rows``, ``kept_rows``; ``seconds`` and ``cpu_seconds`` of each step by its name; ``core_seconds``, those of
        reading and filtering; ``total_seconds``; ``core_peak_mib`` after filtering, and ``peak_mib`` at the end.

    Raises:
        SystemExit: The process failed; its output is shown.
    """
    with tempfile.TemporaryDirectory() as folder:
        if file is None:
            file = Path(folder) / "interactions.parquet"
            _fresh_process("bench.synthetic", str(file), f"--rows={n_rows}")
        output = _fresh_process("bench.ingestion", f"--inside={file.resolve()}", *(["--plain"] if plain else []))
    figures: dict[str, Any] = json.loads(output)
    return figures


def main() -> None:
    """Prints the figures of one ingestion."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=row_count, default="10M")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside is None:
        figures = measure(arguments.rows, arguments.file, arguments.plain)
    else:
        figures = _plain(arguments.inside) if arguments.plain else _ingest(arguments.inside)
    print(json.dumps(figures))


class _Steps:
    """Wall and processor seconds of named steps."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.cpu_seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds[name] = time.perf_counter() - wall
        self.cpu_seconds[name] = time.process_time() - cpu

    def figures(self, rows: int, kept_rows: int, core_peak: float) -> dict[str, Any]:
        core = sum(self.seconds[name] for name in ("read", "filter"))
        return {
            "rows": rows,
            "kept_rows": kept_rows,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "core_seconds": core,
            "total_seconds": sum(self.seconds.values()),
            "core_peak_mib": core_peak,
            "peak_mib": peak_mib(),
        }


def _ingest(file: Path) -> dict[str, Any]:
    """The project's way, in this process."""
    _use_one_core()
    from rec_msa import interactions as domain
    from rec_msa.interactions import DatasetSettings, RawFile, SplitSettings

    settings = DatasetSettings(
        path=str(file), user="user_id", item="item_id", time="timestamp", min_interactions=MIN_INTERACTIONS
    )
    steps = _Steps()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with steps.step("read"):
            raw = domain.read_raw(RawFile("synthetic", str(file), "", 1, "local", known=False), settings)
        n_rows = len(raw)
        with steps.step("filter"):
            interactions, users, items, _ = domain.prepare(raw, settings)
        core_peak = peak_mib()
        del raw
        with steps.step("write"):
            for name, table in {"interactions": interactions, "users": users, "items": items}.items():
                table.to_parquet(folder / f"{name}.parquet")
        n_kept = len(interactions)
        with steps.step("split"):
            split = domain.split_interactions(interactions, SplitSettings(), seed=0)
        del interactions
        with steps.step("write the split"):
            split.to_parquet(folder / "split.parquet")
        with steps.step("write its parts"):
            for select in (domain.target_parts, domain.auxiliary_parts):
                for place, part in enumerate(select(split)):
                    part.to_parquet(folder / f"{select.__name__}-{place}.parquet")
    return steps.figures(n_rows, n_kept, core_peak)


def _plain(file: Path) -> dict[str, Any]:
    """The plain way, in this process."""
    _use_one_core()
    import pandas as pd

    from bench import plain_ingestion

    steps = _Steps()
    with steps.step("read"):
        raw = pd.read_parquet(file).set_axis(["user", "item", "timestamp"], axis="columns")
    with steps.step("filter"):
        kept = plain_ingestion.kept_rows(raw, MIN_INTERACTIONS)
    return steps.figures(len(raw), len(kept), peak_mib())


def _fresh_process(module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", module, *arguments]
    run = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{module} {' '.join(arguments)} failed\n{run.stdout}{run.stderr}")
    return run.stdout


def _use_one_core() -> None:
    import pyarrow as pa

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)


if __name__ == "__main__":
    main()
