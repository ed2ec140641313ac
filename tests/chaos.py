"""Kills runs by the hundred, wherever they are, and compares what they leave with an undisturbed run, byte for byte.

``make chaos`` prints the table of ``docs/reliability.md``: for each way of killing how many runs were killed, at what,
and how many files differ when the runs have gone on and ended. More kills: ``make chaos ARGS="--steps 700 --ray 50"``.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.forked import Command
from tests.kill_and_resume import contents
from tests.killed_run import SAID, Steps
from tests.small_project import SmallProject

if TYPE_CHECKING:
    from collections.abc import Sequence

PIPELINES = ("attack_ptaq", "reporting")
"""From the raw file to the agreement, and the report on it."""

ON_RAY = ("--runner=rec_msa.runners.RayRunner", "--runner-params=workers=2,threads=1")
OTHERWISE = "--params=split.validation_fraction=0.2,steal.margin=0.25"
MOST_STEPS = 80
"""A run goes on where it was killed, and each artifact is some six steps: so all stages are met."""

OF_THE_JOURNAL = ("report.html", "reproduction.html", "reproduction.md", "report/runs.csv")
OF_THE_JOURNAL += tuple(
    f"/.{name}.record.json" for name in ("report.html", "reproduction.html", "reproduction.md", "report")
)

STAGES = {
    ".locks": "a claim",
    "journal": "the journal",
    "01_raw": "the raw file's description",
    "02_intermediate": "reading",
    "03_primary": "filtering",
    "04_feature": "the split",
    "05_model_input": "the parts of the data",
    "06_models": "a training",
    "07_model_output": "served lists, ledger, ranking",
}


@dataclass
class Counts:
    """What came out of one way of killing.

    Attributes:
        way: What was done.
        kills: Runs or processes ended by SIGKILL.
        at: What they were writing, as far as it is known, and how often.
        whole: Runs that came to their end.
        refused: Runs that ended in one clear line, since another one worked on the same artifacts.
        traced: Runs that ended in a traceback.
        differing: Files that differ from the undisturbed run's at the end, or are on one side only.
        files: Files compared.
    """

    way: str
    kills: int = 0
    at: Counter[str] = field(default_factory=Counter)
    whole: int = 0
    refused: int = 0
    traced: int = 0
    differing: list[str] = field(default_factory=list)
    files: int = 0


class Run(Command):
    """``kedro run --only-missing-outputs``: forked, a kill costs a second, and hundreds fit into minutes.

    Args:
        folder: The project.
        arguments: What else is typed.
        steps: The step of writing at which it ends itself; None: it does not.
    """

    def __init__(self, folder: Path, *arguments: str, steps: int | None = None) -> None:
        first = None if steps is None else Steps(steps).watch
        super().__init__(folder, "run", "--only-missing-outputs", *arguments, first=first)

    def kill_after(self, seconds: float) -> None:
        """Kills it with all that it started."""
        if not self.ended(seconds):
            self.kill()


def end(counts: Counts, run: Run) -> None:
    """Waits for a run and notes how it ended."""
    run.ended()
    printed, status = run.printed(), run.status
    if status == -signal.SIGKILL:
        counts.kills += 1
        said = [line for line in printed.splitlines() if line.startswith(SAID)]
        counts.at.update(stage(line.rpartition(" ")[2]) for line in said)
    elif status == 0:
        counts.whole += 1
    elif "Traceback" not in printed and "Error: " in printed:
        counts.refused += 1
    else:
        counts.traced += 1
        print(printed[-2000:], file=sys.stderr)  # noqa: T201 - what must be looked into


def stage(path: str) -> str:
    """What a file is part of."""
    parts = Path(path).parts
    for part in parts:
        if part in STAGES:
            return STAGES[part]
    name = Path(path).name.lstrip(".")
    if parts[-2] == "08_reporting" and not name.startswith(("report", "defense")):
        return "the tables put together"
    return "the report" if "report" in (parts[-2], name[:6]) or parts[-2] == "defense" else "a cell's results"


def comparable(folder: Path) -> dict[str, str]:
    """Checksums of what runs leave, but for the pages that say how often and how long was run."""
    return {name: found for name, found in contents(folder).items() if not name.endswith(OF_THE_JOURNAL)}


def compare(counts: Counts, folder: Path, right: dict[str, str]) -> None:
    """Ends what was begun and compares it."""
    for pipeline in PIPELINES:
        run = Run(folder, f"--pipeline={pipeline}")
        run.ended()
        printed = run.printed()
        if run.status:
            raise RuntimeError(printed)
    left = comparable(folder)
    counts.files += len(left.keys() | right.keys())
    counts.differing += sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))


def by_steps(folder: Path, right: dict[str, str], kills: int, rng: random.Random, _: float) -> Counts:
    """Every run ends itself at one of its next steps of writing."""
    counts = Counts("one process, killed at a step of writing")
    while counts.kills < kills:
        for pipeline in PIPELINES:
            whole = counts.whole
            while counts.whole == whole and counts.kills < kills and not counts.traced:
                end(counts, Run(folder, f"--pipeline={pipeline}", steps=rng.randint(1, MOST_STEPS)))
        compare(counts, folder, right)
        if counts.kills < kills:
            shutil.rmtree(folder / "data")
    return counts


def by_clock(folder: Path, right: dict[str, str], kills: int, rng: random.Random, seconds: float) -> Counts:
    """Every run is killed from outside after some seconds."""
    counts = Counts("one process, killed by the clock")
    while counts.kills < kills:
        whole, run = counts.whole, Run(folder, f"--pipeline={rng.choice(PIPELINES)}")
        run.kill_after(rng.uniform(0.02 * seconds, 0.5 * seconds))
        end(counts, run)
        if counts.whole > whole:
            shutil.rmtree(folder / "data")
    compare(counts, folder, right)
    return counts


def two_at_once(folder: Path, right: dict[str, str], kills: int, rng: random.Random, seconds: float) -> Counts:
    """Two runs with other settings of each other work on the same files; both are killed, not at the same moment."""
    counts = Counts("two runs at once with other settings, both killed")
    while counts.kills < kills:
        typed = [[f"--pipeline={PIPELINES[0]}"], [f"--pipeline={PIPELINES[0]}", OTHERWISE]]
        rng.shuffle(typed)
        first = Run(folder, *typed[0])
        time.sleep(rng.uniform(0, 0.3 * seconds))
        second = Run(folder, *typed[1])
        for run in rng.sample([first, second], 2):
            run.kill_after(rng.uniform(0.02 * seconds, 0.5 * seconds))
        for run in (first, second):
            end(counts, run)
    compare(counts, folder, right)
    return counts


def on_ray(folder: Path, right: dict[str, str], kills: int, rng: random.Random, seconds: float) -> Counts:
    """Under Ray the driver, or one of its processes, is killed: a worker, the raylet, the head."""
    counts = Counts("Ray: driver, worker, raylet or head killed")
    while counts.kills < kills:
        whole, run = counts.whole, Run(folder, f"--pipeline={PIPELINES[0]}", *ON_RAY)
        wanted = VICTIMS[counts.kills % len(VICTIMS)]
        victim = _wait_for(run, wanted, rng.uniform(0.2, 1.0) * seconds)
        family = [*below(run.pid)]
        if victim is not None and _kill(victim):
            counts.at[wanted] += 1
            counts.kills += wanted != DRIVER
        if not run.ended(120):
            counts.traced += 1
            print(f"still there two minutes after {wanted} was killed", file=sys.stderr)  # noqa: T201
            _kill(run.pid)
        end(counts, run)
        for process in family:
            _kill(process)
        if counts.whole > whole:
            shutil.rmtree(folder / "data")
    compare(counts, folder, right)
    return counts


def _wait_for(run: Run, wanted: str, seconds: float) -> int | None:
    """The process of a run to kill, once it is there and some seconds are over; None where the run ended before."""
    deadline = time.monotonic() + seconds
    while not run.ended(0.1):
        found = [process for process, name in below(run.pid).items() if wanted in name]
        if found and time.monotonic() > deadline:
            return found[0]
    return None


DRIVER = "kedro"
VICTIMS = (DRIVER, "ray::", "raylet", "gcs_server")


def below(process: int) -> dict[int, str]:
    """A process and those that it started, with what they are called."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()]
    found = {process: DRIVER}
    for _ in range(5):
        found |= {
            int(row[0]): row[2] for row in rows if len(row) > 2 and int(row[1]) in found and int(row[0]) not in found
        }
    return found


def _kill(process: int) -> bool:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def table(counts: Sequence[Counts]) -> str:
    """The counts in Markdown."""
    lines = [
        "| what was done | kills | ended whole | refused in one line | tracebacks | files that differ |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for one in counts:
        differ = f"{len(one.differing)} of {one.files}"
        lines.append(f"| {one.way} | {one.kills} | {one.whole} | {one.refused} | {one.traced} | {differ} |")
    places = sum((one.at for one in counts), Counter[str]())
    return "\n".join([*lines, "", "Killed at: " + ", ".join(f"{name} {n}" for name, n in places.most_common())])


def main() -> int:
    """Prints the table; the status is not zero where a file differs or a run ended in a traceback."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("steps", 70), ("clock", 15), ("two", 20), ("ray", 15)):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"kills of this kind; {default} if not given")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng, counts = random.Random(asked.seed), []
    with tempfile.TemporaryDirectory() as place:
        folder = SmallProject(Path(place)).folder
        began = time.monotonic()
        compare(Counts("undisturbed"), folder, {})
        right, seconds = comparable(folder), (time.monotonic() - began) / 2
        for way, kills in (
            (by_steps, asked.steps),
            (by_clock, asked.clock),
            (two_at_once, asked.two),
            (on_ray, asked.ray),
        ):
            if not kills:
                continue
            shutil.rmtree(folder / "data")
            counts.append(way(folder, right, kills, rng, seconds))
            print(table(counts), flush=True)  # noqa: T201 - a command's answer
        left = [str(path.relative_to(folder)) for path in (folder / "data/.locks").iterdir()]
    print(f"claims left behind: {left or 'none'}")  # noqa: T201
    for name in sorted({name for one in counts for name in one.differing}):
        print(f"differs: {name}")  # noqa: T201
    return any(one.differing or one.traced for one in counts)


if __name__ == "__main__":
    sys.exit(main())
