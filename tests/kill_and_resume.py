"""Kills runs at random moments, goes on, and compares what is left with an undisturbed run, byte for byte.

``python -m tests.kill_and_resume --kills 10`` does it on a small data set; the test suite does it with fewer kills.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.forked import Command
from tests.small_project import SmallProject

POLL_SECONDS = 0.002


@dataclass
class Counts:
    """What happened.

    Attributes:
        kills: Runs ended by SIGKILL.
        while_writing: Those of them that left a half-written file.
        whole: Runs that came to their end before they were killed; then everything is made anew.
        differing: Files that differ from the undisturbed run's, or are on one side only.
        files: Files compared.
    """

    kills: int = 0
    while_writing: int = 0
    whole: int = 0
    differing: tuple[str, ...] = ()
    files: int = 0


def disturb(folder: Path, pipeline: str, kills: int, seed: int = 0) -> Counts:
    """Runs a pipeline undisturbed, then from nothing with kills.

    Args:
        folder: An empty folder, for the project.
        pipeline: The pipeline.
        kills: How many runs are killed before the last is left alone.
        seed: For the moments.
    """
    project = SmallProject(folder).folder
    _finish(_start(project, "ingestion"))  # what all runs are forked from is there now, and imports are no run's
    start = time.perf_counter()
    _finish(_start(project, pipeline))
    seconds = time.perf_counter() - start
    left = contents(project)
    shutil.rmtree(_data(project))
    counts, rng = Counts(), random.Random(seed)
    while counts.kills < kills:
        moment = rng.uniform(0.1 * seconds, seconds)
        run = _start(project, pipeline)
        # Every other time not by the clock, but in the middle of writing a file.
        if _killed(run, project, moment, files=rng.randint(1, 12) if counts.kills % 2 else None):
            counts.kills += 1
            counts.while_writing += any(_data(project).rglob(".*.part"))
        else:
            counts.whole += 1
            shutil.rmtree(_data(project))
    _finish(_start(project, pipeline))
    right = contents(project)
    counts.files = len(left.keys() | right.keys())
    counts.differing = tuple(sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name)))
    return counts


def _data(folder: Path) -> Path:
    return folder / "data"


def _start(folder: Path, pipeline: str) -> Command:
    return Command(folder, "run", f"--pipeline={pipeline}", "--only-missing-outputs")


def _finish(run: Command) -> None:
    run.ended()
    printed = run.printed()
    if run.status:
        raise RuntimeError(printed)


def _killed(run: Command, folder: Path, moment: float, files: int | None) -> bool:
    """Kills a run after some seconds, or while it writes its n-th file; False where it ended before that."""
    deadline, seen = time.perf_counter() + moment, set[str]()
    while not run.ended(POLL_SECONDS):
        if files is not None:
            seen |= {part.name for part in _data(folder).rglob(".*.part")}
        due = time.perf_counter() > deadline if files is None else len(seen) >= files
        if due:
            with suppress(ProcessLookupError):  # ended this moment, or not yet begun
                run.kill()
    run.printed()
    return run.status == -signal.SIGKILL


def contents(folder: Path) -> dict[str, str]:
    """Checksums of all files under a project's data folder, by name, but of what depends on the clock."""
    files = [path for path in _data(folder).rglob("*") if path.is_file() and not {".locks", "journal"} & {*path.parts}]
    return {str(path.relative_to(folder)): sha256(_timeless(path)).hexdigest() for path in files}


def _timeless(path: Path) -> bytes:
    """What a file holds, without what it took to make it."""
    if path.name.endswith(".record.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        if path.name == ".costs.parquet.record.json":
            record |= {"bytes": 0, "sha256": ""}
        return json.dumps({**record, "cost": {}, "seal": ""}).encode()
    return b"" if path.name == "costs.parquet" else path.read_bytes()


def main() -> int:
    """Prints the counts; the status is not zero where a file differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pipeline", default="__default__")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = disturb(Path(folder), arguments.pipeline, arguments.kills, arguments.seed)
    print(  # noqa: T201 - a command's answer
        f"{counts.kills} kills, {counts.while_writing} of them in the middle of a file; {counts.whole} runs ended "
        f"before they could be killed and began anew; {len(counts.differing)} of {counts.files} files differ from an "
        f"undisturbed run's {', '.join(counts.differing)}"
    )
    return bool(counts.differing)


if __name__ == "__main__":
    sys.exit(main())
