"""The steal stage at the size of ML-1M: 226 queried users' lists of 50 items, a fused clone of 302 users: ``bpr``."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from bench.measure import report
from rec_msa.attacks.settings import StealSettings
from rec_msa.attacks.steal import steal
from rec_msa.recommenders.checkpoint import build, fuse, to_checkpoint
from rec_msa.recommenders.ranking import rank_lists
from rec_msa.training.settings import TrainingSettings

if TYPE_CHECKING:
    from rec_msa.lists import Lists

N_USERS, N_QUERIED, N_ITEMS, N_KNOWN, LIST_LENGTH = 302, 226, 3706, 160, 50
SETTINGS = StealSettings(training=TrainingSettings(max_steps=600, validate_every=20, patience=600))


def main() -> None:
    """Measures one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    arguments = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    clone = build(arguments.model, torch.arange(N_USERS), N_ITEMS, {})
    fuse(clone)
    clone.initialise(generator)
    users = torch.arange(N_USERS).repeat_interleave(N_KNOWN)
    items = torch.randint(N_ITEMS, (len(users),), generator=generator)
    known = pd.DataFrame({"user": users.numpy(), "item": items.numpy()}).drop_duplicates()
    target = build("bpr", torch.arange(N_USERS), N_ITEMS, {})
    target.initialise(generator)
    served: Lists = rank_lists(target, np.arange(N_QUERIED), known, LIST_LENGTH)
    start, processor = time.perf_counter(), time.process_time()
    _, curve = steal(to_checkpoint(clone), served, known, SETTINGS, ("bpr", "hinge"), seed=0, device="cpu")
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    steps = int(curve["step"].max())
    taught = N_QUERIED - int(SETTINGS.held_back_fraction * N_QUERIED)
    steps_per_epoch = -(-taught * LIST_LENGTH // SETTINGS.training.batch_size)
    terms = steps / steps_per_epoch * taught * LIST_LENGTH
    step = {"step_ms": 1000 * seconds / steps, "step_cpu_ms": 1000 * processor / steps}
    report(**step, per_1000_terms_ms=1e6 * seconds / terms, seconds=seconds, steps=steps)


if __name__ == "__main__":
    main()
