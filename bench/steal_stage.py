"""The steal stage of a fused clone at the size of a data set: ``python -m bench.steal_stage bpr ml-1m``."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import torch

from bench.measure import report
from rec_msa.attacks.held_back import users_held_back
from rec_msa.attacks.list_learning import AgreementProbe
from rec_msa.attacks.settings import StealSettings
from rec_msa.attacks.steal import steal
from rec_msa.recommenders.checkpoint import build, from_checkpoint, fuse, to_checkpoint
from rec_msa.recommenders.ranking import rank_lists
from rec_msa.training.settings import TrainingSettings

if TYPE_CHECKING:
    from rec_msa.foundation.lists import Lists
    from rec_msa.recommenders.checkpoint import Checkpoint


class Size(NamedTuple):
    """Attacker users, those asked about, items, and interactions of each user."""

    users: int
    queried: int
    items: int
    known: int


SIZES = {"ml-1m": Size(302, 242, 3_706, 160), "ta-feng": Size(972, 778, 10_480, 26)}
LIST_LENGTH, LOOKS = 50, 20
STEPS, STEPS_BEFORE = 600, 20
"""Steps that are timed, and those before them, in which a process loads what it needs."""


def main() -> None:
    """Measures one model at one size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("size", choices=SIZES)
    arguments = parser.parse_args()
    clone, known, served = _world(arguments.model, SIZES[arguments.size])
    _steal(clone, served, known, STEPS_BEFORE)
    start, processor = time.perf_counter(), time.process_time()
    curve = _steal(clone, served, known, STEPS)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    steps, look = int(curve["step"].max()), _seconds_of_a_look(clone, known, served)
    looks = look * len(curve)
    report(
        step_ms=1000 * (seconds - looks) / steps,
        step_cpu_ms=1000 * (processor - looks) / steps,
        look_ms=1000 * look,
        look_share=looks / processor,
        seconds=seconds,
        steps=steps,
    )


def _world(model: str, size: Size) -> tuple[Checkpoint, pd.DataFrame, Lists]:
    generator = torch.Generator().manual_seed(0)
    clone = build(model, torch.arange(size.users), size.items, {})
    fuse(clone)
    clone.initialise(generator)
    users = torch.arange(size.users).repeat_interleave(size.known)
    items = torch.randint(size.items, (len(users),), generator=generator)
    known = pd.DataFrame({"user": users.numpy(), "item": items.numpy()}).drop_duplicates()
    target = build("bpr", torch.arange(size.users), size.items, {})
    target.initialise(generator)
    return to_checkpoint(clone), known, rank_lists(target, np.arange(size.queried), known, LIST_LENGTH)


def _settings(steps: int) -> StealSettings:
    return StealSettings(training=TrainingSettings(max_steps=steps, validate_every=100, patience=steps))


def _steal(clone: Checkpoint, served: Lists, known: pd.DataFrame, steps: int) -> pd.DataFrame:
    _, curve = steal(clone, served, known, _settings(steps), ("bpr", "hinge"), seed=0, device="cpu")
    return curve


def _seconds_of_a_look(clone: Checkpoint, known: pd.DataFrame, served: Lists) -> float:
    """Processor time of one look at the users held back."""
    held_back = served.of(users_held_back(served.users, _settings(STEPS).held_back_fraction, 0))
    probe = AgreementProbe(from_checkpoint(clone), held_back, known, start_counts=True)
    probe()
    start = time.process_time()
    for _ in range(LOOKS):
        probe()
    return (time.process_time() - start) / LOOKS


if __name__ == "__main__":
    main()
