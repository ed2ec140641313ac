"""Full-catalogue top 50 of 3,020 users x 3,706 items with one of our models: ``bpr --fused``."""

from __future__ import annotations

import argparse
import time

import pandas as pd
import torch

from bench.measure import peak_mib, report
from rec_msa.recommenders.checkpoint import build, fuse
from rec_msa.recommenders.ranking import chunks, rank_lists

N_USERS, N_ITEMS, N_SEEN, LIST_LENGTH = 3020, 3706, 130, 50


def main() -> None:
    """Measures one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--fused", action="store_true", help="item vectors fused with an auxiliary model's")
    arguments = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    model = build(arguments.model, torch.arange(N_USERS), N_ITEMS, {})
    if arguments.fused:
        fuse(model)
    model.initialise(generator)
    users = torch.arange(N_USERS).repeat_interleave(N_SEEN).numpy()
    items = torch.randint(N_ITEMS, (len(users),), generator=generator).numpy()
    seen = pd.DataFrame({"user": users, "item": items})
    model.read(seen)
    rank_lists(model, range(10), seen, LIST_LENGTH)
    before = peak_mib()
    start, processor = time.perf_counter(), time.process_time()
    rank_lists(model, range(N_USERS), seen, LIST_LENGTH)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    above = peak_mib() - before
    start = time.perf_counter()
    with torch.no_grad():
        for part in chunks(model, N_USERS):
            model.score_all(torch.arange(N_USERS)[part])
    report(seconds=seconds, cpu_s=processor, scores_s=time.perf_counter() - start, above_mib=above)


if __name__ == "__main__":
    main()
