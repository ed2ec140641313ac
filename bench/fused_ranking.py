"""Ranks 3,020 users x 3,706 items through the fusion, top 50, and prints seconds and mebibytes above the start."""

from __future__ import annotations

import resource
import sys
import time

import pandas as pd
import torch

from rec_msa.recommenders.checkpoint import build, fuse
from rec_msa.recommenders.ranking import rank_lists

N_USERS, N_ITEMS, LIST_LENGTH = 3020, 3706, 50


def main(architecture: str) -> None:
    """Measures one architecture."""
    generator = torch.Generator().manual_seed(0)
    model = build(architecture, torch.arange(N_USERS), N_ITEMS, {})
    fuse(model)
    model.initialise(generator)
    users = torch.arange(N_USERS).repeat_interleave(130).numpy()
    items = torch.randint(N_ITEMS, (len(users),), generator=generator).numpy()
    seen = pd.DataFrame({"user": users, "item": items})
    rank_lists(model, range(10), seen, LIST_LENGTH)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    rank_lists(model, range(N_USERS), seen, LIST_LENGTH)
    seconds = time.perf_counter() - start
    print(seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


if __name__ == "__main__":
    main(sys.argv[1])
