"""Full-catalogue top 50 with one of our models, by default of 3,020 users x 3,706 items: ``bpr --fused``."""

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
    parser.add_argument("--users", type=int, default=N_USERS)
    parser.add_argument("--items", type=int, default=N_ITEMS)
    parser.add_argument("--lists-alone", action="store_true", help="leave the scores alone out, which take as long")
    arguments = parser.parse_args()
    n_users, n_items = arguments.users, arguments.items
    generator = torch.Generator().manual_seed(0)
    model = build(arguments.model, torch.arange(n_users), n_items, {})
    if arguments.fused:
        fuse(model)
    model.initialise(generator)
    users = torch.arange(n_users).repeat_interleave(N_SEEN).numpy()
    items = torch.randint(n_items, (len(users),), generator=generator).numpy()
    seen = pd.DataFrame({"user": users, "item": items})
    model.read(seen)
    rank_lists(model, range(10), seen, LIST_LENGTH)
    before = peak_mib()
    start, processor = time.perf_counter(), time.process_time()
    rank_lists(model, range(n_users), seen, LIST_LENGTH)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    figures = {"seconds": seconds, "cpu_s": processor, "above_mib": peak_mib() - before}
    if not arguments.lists_alone:
        start = time.perf_counter()
        with torch.no_grad():
            for part in chunks(model, n_users):
                model.score_all(torch.arange(n_users)[part])
        figures["scores_s"] = time.perf_counter() - start
    report(**figures, users_per_s=n_users / seconds, users_per_cpu_s=n_users / processor)


if __name__ == "__main__":
    main()
