"""A sequential model on ML-1M's first 2,999 users: a pass of training, QSD30's questions and its clone: ``sasrec``."""

from __future__ import annotations

import argparse
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch._dynamo  # the first optimiser of a process imports it; imports are outside the clock

from bench.contenders import Setting
from bench.measure import RAW, report
from bench.ours import train_in_a_race
from rec_msa.attacks.gate import SequenceSide, query_by_sequences
from rec_msa.attacks.prefixes import PrefixLists, ask_prefixes
from rec_msa.attacks.settings import StealSettings
from rec_msa.attacks.steal_prefixes import steal_from_prefixes
from rec_msa.defenses.serving import Server, served_after_sequences
from rec_msa.foundation.errors import DataError
from rec_msa.interactions import (
    DatasetSettings,
    RawFile,
    SequenceSettings,
    SplitSettings,
    attackers,
    in_sequence,
    locate,
    prepare,
    read_raw,
    split_by_time,
    target_parts,
)
from rec_msa.recommenders.checkpoint import build, to_checkpoint
from rec_msa.training.settings import TrainingSettings

if TYPE_CHECKING:
    import pandas as pd

    from rec_msa.recommenders.checkpoint import Checkpoint

DATASET, LENGTH, CALLS_PER_USER, LIST_LENGTH = "ml-1m-2999", 50, 30, 50
STEPS = 300
"""Of QSD30's clone, with a look at what was held back after each 20."""


def main() -> None:
    """Measures one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    arguments = parser.parse_args()
    try:
        interactions = read()
    except DataError as error:
        raise SystemExit(str(error)) from error
    report(**run(arguments.model, interactions))


def read() -> pd.DataFrame:
    """All interactions (columns user, item, timestamp) as indices, nothing filtered.

    Raises:
        DataError: The raw file is not there.
    """
    settings = DatasetSettings(min_interactions=1)
    path = locate(DATASET, settings, RAW)
    if path is None:
        raise DataError(f"this needs data/01_raw/{DATASET}/ratings.dat or ratings.dat.gz; put it there")
    raw = read_raw(RawFile(DATASET, str(path), "", 0, "local", known=False), settings)
    return prepare(raw, settings)[0]


def run(architecture: str, interactions: pd.DataFrame) -> dict[str, float | None]:
    """Trains a model for one pass over all users but for their last items, then asks it and learns as QSD30 would."""
    ordered = in_sequence(interactions, SequenceSettings())
    last = ~ordered.duplicated("user", keep="last")
    generator = torch.Generator().manual_seed(0)
    users, n_items = torch.from_numpy(ordered["user"].unique().astype(np.int64)), int(ordered["item"].max()) + 1
    model = build(architecture, users, n_items, {"length": LENGTH})
    model.initialise(generator)
    race = train_in_a_race(model, ordered[~last], ordered[last], Setting(epochs=1), generator)
    figures = race.figures(int((~last).sum()))
    kept = {"pass_s": figures["epoch_s"], "pass_cpu_s": figures["epoch_cpu_s"]}
    asked, served = ask(to_checkpoint(model), interactions)
    return kept | asked | learn(architecture, users.numpy(), n_items, served)


def ask(target: Checkpoint, interactions: pd.DataFrame) -> tuple[dict[str, float | None], PrefixLists]:
    """Makes the sequences of QSD30 through the gate, for the queried users of seed 0."""
    split = split_by_time(interactions, SplitSettings(), SequenceSettings(), 0)
    users = Server(target, target_parts(split)[0], LIST_LENGTH, "none", None, 0, "cpu")
    side = SequenceSide(target["n_items"], served_after_sequences(target, LIST_LENGTH, "none", "cpu"), LIST_LENGTH, [])
    strategy = partial(
        ask_prefixes, n_items=target["n_items"], length=LENGTH, calls_per_user=CALLS_PER_USER, choice="recommended"
    )
    known = attackers(split, SplitSettings())
    start, processor = time.perf_counter(), time.process_time()
    served, ledger = query_by_sequences(users, side, known, CALLS_PER_USER, strategy, 0)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    figures: dict[str, float | None] = {"qsd30_s": seconds, "qsd30_cpu_s": processor, "calls": float(len(ledger))}
    return figures, PrefixLists.from_frame(served)


def learn(architecture: str, users: np.ndarray, n_items: int, served: PrefixLists) -> dict[str, float | None]:
    """Trains QSD30's clone on the answers for some steps."""
    settings = StealSettings(training=TrainingSettings(max_steps=STEPS, validate_every=20, patience=STEPS))
    start, processor = time.perf_counter(), time.process_time()
    steal_from_prefixes(
        architecture, {"length": LENGTH}, users, n_items, served, settings, ("hinge", "hinge"), seed=0, device="cpu"
    )
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    return {"clone_step_ms": 1000 * seconds / STEPS, "clone_step_cpu_ms": 1000 * processor / STEPS}


if __name__ == "__main__":
    main()
