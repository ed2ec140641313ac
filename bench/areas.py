"""The areas of the suite: each measures in fresh processes and returns its tables."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import rich

from bench import end_to_end
from bench.contenders import OURS, PEERS, PLAIN, RIVALS, settings_of
from bench.figure import BY_ROW
from bench.measure import RAW, ROOT, Figures, command, fresh
from bench.tables import Metric, Promise, Row, Table, ratios
from rec_msa.foundation.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RUNS, ENOUGH_SECONDS = 3, 40.0
PEAK = Metric("peak_mib", "peak MiB", 0)
SHARE = Metric("core_share", "share of its core", 2)
Job = tuple[Row, list[str]]
"""A row, and what follows ``python`` to measure it once."""


@dataclass(frozen=True)
class Options:
    """How much is measured.

    Attributes:
        runs: Fresh processes for each row; None: each area's own number.
        threads: Cores and threads of a process.
        large: Whether the rows that take minutes are measured, too.
        only: Models that are measured; None: every model of the project.
    """

    runs: int | None = None
    threads: int = 1
    large: bool = False
    only: list[str] | None = None

    @property
    def models(self) -> list[str]:
        """The models that are measured."""
        from rec_msa.recommenders.settings import SETTINGS

        return [model for model in SETTINGS if self.only is None or model in self.only]

    @property
    def sequential_models(self) -> list[str]:
        """Those of them that read sequences."""
        from rec_msa.recommenders.settings import is_sequential

        return [model for model in self.models if is_sequential(model)]

    @property
    def peers(self) -> list[str]:
        """The peers that these models are set beside."""
        return [peer for peer in PEERS if any(peer in RIVALS.get(model, ()) for model in self.models)]


def in_turn(jobs: list[Job], options: Options) -> None:
    """Measures rows run by run, A B A B, so that what else the machine does hits all of them alike.

    Where the number of runs was not given, a row that has taken long is not measured again.
    """
    spent = dict.fromkeys(range(len(jobs)), 0.0)
    for run in range(options.runs or RUNS):
        for place, (row, arguments) in enumerate(jobs):
            if options.runs or spent[place] < ENOUGH_SECONDS:
                rich.print(f"[dim]  {row.what}, run {run + 1}[/dim]")
                start = time.perf_counter()
                row.runs.append(fresh(arguments, options.threads))
                spent[place] += time.perf_counter() - start


@contextmanager
def speed_task() -> Iterator[str]:
    """The speed task as a file, made once, in a process of its own: this one stays small.

    Raises:
        DataError: There is no raw file of ML-1M.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "task.npz")
        made = fresh(["-m", "bench.speed_task", path], threads=1)
        if "error" in made:
            raise DataError(made["error"])
        yield path


RACE = [
    Metric("epoch_s", "s per epoch", 3),
    Metric("epoch_cpu_s", "processor s per epoch", 3),
    Metric("samples_per_s", "pairs/s", 0),
    Metric("recall_3", "Recall@50 after 3 epochs", 4),
    Metric("best_recall", "best Recall@50", 4),
    Metric("best_at_s", "s to it", 1),
    Metric("to_0.3_s", "s to 0.30", 1),
    Metric("to_0.355_s", "s to 0.355", 1),
    Metric("to_0.355_cpu_s", "processor s to 0.355", 1),
    PEAK,
    SHARE,
]
RACE_PROMISES: dict[tuple[str, str], list[Promise]] = {
    ("bpr", "paper"): [Promise("epoch_s", 0.25)],
    ("bpr", "fast"): [Promise("to_0.355_s", 3.0)],
    ("ncf", "paper"): [Promise("epoch_s", 2.0), Promise("to_0.355_s", 25.0)],
}
RATIO_PROMISES: dict[tuple[str, str], list[Promise]] = {
    ("bpr fast", "cornac-bpr"): [Promise("to_0.355_s", 1.0)],
    ("lmf paper", "bpr paper"): [Promise("epoch_s", 2.0)],
}
EPOCH = ["epoch_s", "epoch_cpu_s"]
RATIOS = [
    Metric("epoch_s", "s per epoch", 2),
    Metric("epoch_cpu_s", "processor s per epoch", 2),
    Metric("to_0.3_s", "s to 0.30", 2),
    Metric("to_0.355_s", "s to 0.355", 2),
    Metric("to_0.355_cpu_s", "processor s to 0.355", 2),
    Metric("recall_3", "Recall@50 after 3 epochs", 3),
    Metric("best_recall", "best Recall@50", 3),
    Metric("top50_s", "top 50", 2),
    Metric("peak_mib", "peak memory", 2),
]


def training(options: Options) -> list[Table]:
    """Races on the speed task: our models, the peers and the plain loop, in turn.

    Sequential models are left out: the task's pairs have no order.
    """
    models = [model for model in options.models if model not in options.sequential_models]
    if options.sequential_models:
        left_out = ", ".join(options.sequential_models)
        rich.print(f"  not raced, since the speed task has no order in time: {left_out}; see the area sequences")
    with speed_task() as task:
        ours = {(model, name): _our_job(model, name, task) for model in models for name in settings_of(model)}
        peers = {name: (Row(name), ["-m", "bench.peers", name, task]) for name in options.peers}
        plain = {
            name: (Row(f"plain loop {name}"), ["-m", "bench.plain_loop", name, task])
            for name in PLAIN
            if name in options.models
        }
        in_turn([*ours.values(), *peers.values(), *plain.values()], options)
    rows = {row.what: row for row, _ in (*ours.values(), *peers.values(), *plain.values())}
    _promise_recall(rows)
    title = "training on the speed task: 410,380 pairs of 3,020 users and 3,706 items, d = 64"
    races = Table("training", title, RACE, list(rows.values()))
    return [races, Table("training-ratios", "ours over theirs", RATIOS, _compared(rows))]


def _promise_recall(rows: dict[str, Row]) -> None:
    """Recalls that are promised relative to others, which are known only now: cornac's, and that of dense Adam."""
    for what, other, less in (("bpr best", "cornac-bpr", 0.005), ("bpr rows", "bpr paper", 0.003)):
        theirs = rows[other].median("best_recall") if other in rows else None
        if theirs is not None and what in rows:
            rows[what].promises.append(Promise("best_recall", round(theirs - less, 4), at_least=True))


def _compared(rows: dict[str, Row]) -> list[Row]:
    """Ours over the peers', ours over the plain loop's, and lmf over bpr, as far as both were measured."""
    pairs = [(f"{model} {name}", peer) for model in OURS for name in OURS[model] for peer in RIVALS.get(model, ())]
    keys: dict[tuple[str, str], list[str]] = {pair: [metric.key for metric in RATIOS] for pair in pairs}
    keys |= {(f"{model} paper", f"plain loop {model}"): [*EPOCH, "recall_3", "peak_mib"] for model in PLAIN}
    keys["lmf paper", "bpr paper"] = EPOCH
    compared = []
    for (ours, theirs), compared_keys in keys.items():
        if ours in rows and theirs in rows:
            row = ratios(rows[ours], rows[theirs], compared_keys)
            row.promises = RATIO_PROMISES.get((ours, theirs), [])
            compared.append(row)
    return compared


def _our_job(model: str, name: str, task: str) -> Job:
    return Row(f"{model} {name}", promises=RACE_PROMISES.get((model, name), [])), [
        "-m",
        "bench.ours",
        model,
        name,
        task,
    ]


SEQUENCES = [
    Metric("pass_s", "s per pass", 1),
    Metric("pass_cpu_s", "processor s per pass", 1),
    Metric("qsd30_s", "s of QSD30's questions", 1),
    Metric("qsd30_cpu_s", "processor s of QSD30's questions", 1),
    Metric("calls", "questions", 0),
    Metric("clone_step_ms", "ms a step of QSD30's clone", 1),
    Metric("clone_step_cpu_ms", "processor ms", 1),
    PEAK,
    SHARE,
]
SEQUENCES_PROMISES: dict[str, list[Promise]] = {
    "sasrec": [Promise("pass_s", 40.0), Promise("peak_mib", 2048.0)],
    "gru4rec": [Promise("pass_s", 30.0)],
    "stamp": [Promise("pass_s", 45.0)],
}


def sequences(options: Options) -> list[Table]:
    """A pass of each sequential model over ML-1M's first 2,999 users, QSD30's questions, and steps of its clone."""
    jobs = []
    for model in options.sequential_models:
        promises = [*SEQUENCES_PROMISES.get(model, []), Promise("qsd30_s", 20.0)]
        jobs.append((Row(model, promises=promises), ["-m", "bench.sequences", model]))
    in_turn(jobs, options)
    title = "sequential models on ML-1M's first 2,999 users, histories of 50 items"
    return [Table("sequences", title, SEQUENCES, [row for row, _ in jobs])]


RANKING = [
    Metric("seconds", "top 50 s", 3),
    Metric("cpu_s", "processor s", 3),
    Metric("scores_s", "scores alone s", 3),
    Metric("above_mib", "MiB above the start", 0),
    PEAK,
    SHARE,
]


def scoring(options: Options) -> list[Table]:
    """Fused scores and top 50 of the full catalogue."""
    limits = {"ncf": 2.0, "bpr": 0.3, "lmf": 0.3}
    return [_ranked("scoring", "fused, top 50 of 3,706 items for 3,020 users", ["--fused"], limits, options)]


def ranking(options: Options) -> list[Table]:
    """Top 50 of plain models, beside the peers' own."""
    table = _ranked("ranking", "not fused, top 50 of 3,706 items for 3,020 users", [], {}, options)
    with speed_task() as task:
        peers = [(Row(name), ["-m", "bench.peers", name, task, "--epochs", "1"]) for name in options.peers]
        in_turn(peers, options)
    for row, _ in peers:
        row.runs = [_renamed(run, {"top50_s": "seconds"}) for run in row.runs]
        table.rows.append(row)
    return [table, *_ranked_at_size(options)]


LARGE_SIDE = 100_000
"""Users, and items, of a large ranking."""


def _ranked_at_size(options: Options) -> list[Table]:
    """As many users and items as a large shop has, in memory that does not grow with their product."""
    if not options.large:
        return []
    size = ["--users", str(LARGE_SIDE), "--items", str(LARGE_SIDE), "--lists-alone"]
    promises = [Promise("above_mib", 512.0)]
    jobs = [
        (Row(model, promises=promises), ["-m", "bench.ranking", model, *size])
        for model in options.models
        if model in ("bpr", "lmf")
    ]
    in_turn(jobs, options)
    speed = Metric("users_per_s", "users a second", 0), Metric("users_per_cpu_s", "users a processor second", 0)
    columns = [*speed, Metric("seconds", "s", 0), Metric("above_mib", "MiB above the start", 0), PEAK, SHARE]
    title = f"top 50 of {LARGE_SIDE:,} items for {LARGE_SIDE:,} users"
    return [Table("ranking-size", title, columns, [row for row, _ in jobs])]


def _ranked(name: str, title: str, flags: list[str], limits: dict[str, float], options: Options) -> Table:
    jobs = []
    for model in options.models:
        promises = [Promise("seconds", limits[model])] if model in limits else []
        jobs.append((Row(model, promises=promises), ["-m", "bench.ranking", model, *flags]))
    in_turn(jobs, options)
    return Table(name, title, RANKING, [row for row, _ in jobs])


def _renamed(run: Figures, names: dict[str, str]) -> Figures:
    kept = {"error", "peak_mib", "core_share", *names}
    return {names.get(key, key): value for key, value in run.items() if key in kept}


def steal(options: Options) -> list[Table]:
    """The steal stage of a fused clone, steps and looks apart."""
    metrics = [
        Metric("step_ms", "ms per step", 2),
        Metric("step_cpu_ms", "processor ms", 2),
        Metric("look_ms", "ms per look", 1),
        Metric("look_share", "looks' share of the stage", 2),
        PEAK,
        SHARE,
    ]
    jobs = [
        (Row(f"{model}, {size}"), ["-m", "bench.steal_stage", model, size])
        for model in options.models
        for size in ("ml-1m", "ta-feng")
    ]
    in_turn(jobs, options)
    title = "steal stage: lists of 50 items, 206 and 662 taught users, 3,706 and 10,480 items, a look every 100 steps"
    return [Table("steal", title, metrics, [row for row, _ in jobs])]


INGESTION = [
    Metric("core_seconds", "read, deduplicate, 5-core s", 1),
    Metric("core_peak_mib", "peak MiB until there", 0),
    Metric("total_seconds", "with split and writing s", 1),
    PEAK,
]
INGESTION_PROMISES = {
    "10M": [Promise("core_seconds", 7.0), Promise("core_peak_mib", 1331.0)],
    "50M": [Promise("total_seconds", 45.0), Promise("peak_mib", 6144.0)],
    "100M": [Promise("peak_mib", 8192.0)],
}


def ingestion(options: Options) -> list[Table]:
    """Made-up interactions from the file to the split, and what anybody would write with pandas instead."""
    module = ["-m", "bench.ingestion", "--rows"]
    jobs = []
    for size in ("10M", "50M", "100M") if options.large else ("10M",):
        promises = INGESTION_PROMISES[size]
        jobs.append((Row(f"{size} rows", promises=promises), [*module, size]))
    jobs.append((Row("10M rows, plain pandas"), [*module, "10M", "--plain"]))
    in_turn(jobs, options)
    return [Table("ingestion", "ingestion of made-up interactions", INGESTION, [row for row, _ in jobs])]


SIZES = (410_380, 1_000_000, 2_500_000, 6_300_000, 20_000_000)
CATALOGUES = (3_706, 10_000, 30_000, 100_000, 300_000, 1_000_000)


def scaling(options: Options) -> list[Table]:
    """How an epoch grows with interactions, and a step with the catalogue, for bpr."""
    module = ["-m", "bench.scaling", "--seconds", "4"]
    grown = [(Row(f"{size:,} pairs"), [*module, "--interactions", str(size)]) for size in SIZES]
    widened = [(Row(f"{size:,} items"), [*module, "--items", str(size)]) for size in CATALOGUES]
    in_turn([*grown, *widened], options)
    epoch, step = Metric("epoch_s", "processor s per epoch", 3), Metric("step_ms", "processor ms per step", 2)
    share = Metric("timed_share", "share of its steps timed", 2)
    shape = [Metric("users", "users", 0), Metric("items", "items", 0)]
    by_size = [row for row, _ in grown]
    by_catalogue = [row for row, _ in widened]
    rows_alone = [row for row, size in zip(by_catalogue, CATALOGUES, strict=True) if size >= BY_ROW]
    slopes = [
        _slope("processor s per epoch against interactions", by_size, "interactions", "epoch_s", 1.1),
        _slope("processor ms per step against items, batch 2,048", by_catalogue, "items", "step_ms"),
        _slope(f"the same from {BY_ROW:,} items on, where rows are updated", rows_alone, "items", "step_ms", 0.2),
    ]
    return [
        Table(
            "scaling-interactions",
            "an epoch of bpr by interactions",
            [*shape, epoch, step, share, PEAK, SHARE],
            by_size,
        ),
        Table("scaling-items", "a step of bpr by the size of the catalogue", [step, PEAK, SHARE], by_catalogue),
        Table("scaling-slopes", "log-log: 1 is linear, 0 independent", [Metric("slope", "slope")], slopes),
    ]


def size(options: Options) -> list[Table]:
    """An attack from a raw CSV file to its agreement, on data of MovieLens-20M's shape: ten minutes or so each."""
    promises = [Promise("seconds", 1800.0), Promise("peak_mib", 4096.0)]
    rows, nodes = [], {}
    for text, what in ((False, "ids are numbers"), (True, "ids are text")):
        rich.print(f"[dim]  {what}[/dim]")
        with project_copy() as project:
            figures, nodes[what] = end_to_end.measure(project, text)
        rows.append(Row(what, [figures], promises=promises))
    columns = [Metric("seconds", "s", 0), Metric("cpu_s", "processor s", 0), PEAK]
    columns += [Metric("interactions", "interactions", 0), Metric("agreement", "Agr@50, held-out users", 3)]
    title = f"{end_to_end.ATTACK}, {end_to_end.ROWS} rows, {end_to_end.USERS} users, {end_to_end.ITEMS} items"
    where = [
        Table(f"size-{what.split()[-1]}", f"{title}: {what}", [Metric("cpu_s", "processor s", 1)], _parts(of, figures))
        for (what, of), figures in zip(nodes.items(), (row.runs[0] for row in rows), strict=True)
    ]
    return [Table("size", title, columns, rows), *where]


def _parts(nodes: dict[str, float], figures: Figures) -> list[Row]:
    """A row for each node that took a second of the processor, and one for what is left."""
    shown = {name: seconds for name, seconds in nodes.items() if seconds >= 1}
    if "cpu_s" in figures:
        shown["all else: loading, saving, Kedro"] = figures["cpu_s"] - sum(shown.values())
    return [Row(name, [{"cpu_s": seconds}]) for name, seconds in shown.items()]


def _slope(what: str, rows: list[Row], x: str, y: str, promise: float | None = None) -> Row:
    """The exponent of y in x: a line through the medians on log-log axes; a promise is an upper bound."""
    from math import log

    promises = [] if promise is None else [Promise("slope", promise)]
    points = [(row.median(x), row.median(y)) for row in rows if not row.error]
    logs = [(log(a), log(b)) for a, b in points if a and b]
    if len(logs) <= 1:
        return Row(what, [{"error": "fewer than two sizes were measured"}])
    slope = statistics.linear_regression(*zip(*logs, strict=True)).slope
    return Row(what, [{"slope": slope}], promises=promises)


KEDRO = ["-m", "kedro"]


def kedro(options: Options) -> list[Table]:
    """Commands as a user types them, on two cores, in a copy of the project with no artifacts."""
    attack = [*KEDRO, "run", "--pipeline=attack_ptaq"]
    seconds = Metric("seconds", "s", 2)
    small = Row("attack_ptaq, ml-100k, bpr", promises=[Promise("seconds", 20.0)])
    listing = Row("kedro registry list", promises=[Promise("seconds", 2.0)])
    nothing = Row("the same with nothing left to do: Kedro's own share", promises=[Promise("seconds", 6.0)])
    large = Row("attack_ptaq, ml-1m unfiltered, bpr", promises=[Promise("seconds", 60.0), Promise("peak_mib", 2048.0)])
    with project_copy() as project:
        command([*KEDRO, "run", "--pipeline=ingestion"], project, cores=2)  # fetches the raw file
        for row, arguments, runs in (
            (listing, [*KEDRO, "registry", "list"], 5),
            (small, attack, 3),
            (nothing, [*attack, "--only-missing-outputs"], 3),
            (large, [*attack, "--env=paper", "--params=dataset=ml-1m,model=bpr,seed=0"], 1),
        ):
            rich.print(f"[dim]  {row.what}[/dim]")
            row.runs = [command(arguments, project, cores=2) for _ in range(options.runs or runs)]
    title = "commands on two cores; attacks with their target and auxiliary model"
    return [Table("kedro", title, [seconds, PEAK], [listing, small, nothing, large])]


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


MACHINE = {
    "copy_memory": "GB/s moved by copying 512 MiB",
    "copy_cache": "GB/s moved by copying 8 MiB",
    "add_cache": "GB/s moved by adding in place to 4 MiB",
    "gather": "GB/s moved by gathering 2,048 rows of 64 floats",
    "sgemm": "Gflop/s of a 2,048 x 2,048 product of 32-bit floats",
    "dispatch": "microseconds of an operation on eight numbers",
    "uniform": "million 64-bit random numbers a second",
}


def machine(options: Options) -> list[Table]:
    """The rates of the machine itself."""
    rows = {key: Row(what) for key, what in MACHINE.items()}
    for _ in range(options.runs or 3):
        figures = fresh(["-m", "bench.machine"], options.threads)
        for key, row in rows.items():
            row.runs.append({"rate": figures[key]} if key in figures else figures)
    return [Table("machine", "what the machine can do", [Metric("rate", "rate", 1)], list(rows.values()))]


AREAS: dict[str, Callable[[Options], list[Table]]] = {
    area.__name__: area
    for area in (machine, training, sequences, scoring, ranking, steal, ingestion, scaling, size, kedro)
}
"""Every area by the name that the command line knows."""
