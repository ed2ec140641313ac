"""RecTools' SASRec on the data of a target of ours, looked at as ours is: how good can one be there?

RecTools needs NumPy 1, so it runs in an environment of its own, from the repository's root, after a run of the pipeline
``ingestion`` on a sequential model:

    python -m venv peer && peer/bin/pip install torch==2.13.0 "rectools[torch]==0.19.0" "pyarrow<25"
    OMP_NUM_THREADS=1 peer/bin/python bench/peer_sasrec.py data/05_model_input/ml-1m-2999/seed100/temporal
"""

from __future__ import annotations

import argparse
import json
import logging
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel

BATCH, DIMENSIONS, BLOCKS, HEADS, DROPOUT, LEARNING_RATE = 128, 64, 2, 2, 0.2, 0.001
"""The settings of ours; a batch has sequences where ours has places."""


def main() -> None:
    """Trains in rounds and prints the figures after each, a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where target_train.parquet lies")
    parser.add_argument("--length", type=int, default=50, help="of the histories that are read")
    parser.add_argument("--loss", choices=("BCE", "softmax"), default="BCE", help="BCE has one negative, as ours")
    parser.add_argument("--epochs", type=int, default=25, help="of a round")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seed", type=int, default=100)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    pl.seed_everything(arguments.seed, verbose=False)
    torch.set_num_threads(1)
    race(arguments)


def race(arguments: argparse.Namespace) -> None:
    """Histories end before the validation items while it learns; for the test items they end with them."""
    train, validation, test = (
        pd.read_parquet(arguments.folder / f"target_{part}.parquet") for part in ("train", "validation", "test")
    )
    learned, known = as_dataset(train), as_dataset(pd.concat([train, validation], ignore_index=True))
    model, seconds = untrained(arguments), 0.0
    for done in range(arguments.epochs, arguments.epochs * arguments.rounds + 1, arguments.epochs):
        start = time.process_time()
        model.fit_partial(learned, min_epochs=arguments.epochs, max_epochs=arguments.epochs)
        seconds += time.process_time() - start
        looks = {"validation": figures(model, learned, validation), "test": figures(model, known, test)}
        print(json.dumps({"epochs": done, "processor_s": round(seconds), **looks}), flush=True)


def as_dataset(interactions: pd.DataFrame) -> Dataset:
    """Interactions whose rows are each user's sequence; RecTools orders by time, so a row's place is its time."""
    place = interactions.groupby("user").cumcount()
    times = pd.Timestamp("2000-01-01") + pd.to_timedelta(place, unit="s")
    columns = {Columns.User: interactions["user"], Columns.Item: interactions["item"], Columns.Datetime: times}
    return Dataset.construct(pd.DataFrame({**columns, Columns.Weight: 1.0}))


def untrained(arguments: argparse.Namespace) -> SASRecModel:
    """A model with the settings of ours."""

    def trainer() -> pl.Trainer:
        quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
        epochs = {"min_epochs": arguments.epochs, "max_epochs": arguments.epochs}
        return pl.Trainer(**epochs, accelerator="cpu", devices=1, enable_checkpointing=False, **quiet)

    return SASRecModel(
        n_blocks=BLOCKS,
        n_heads=HEADS,
        n_factors=DIMENSIONS,
        dropout_rate=DROPOUT,
        lr=LEARNING_RATE,
        batch_size=BATCH,
        session_max_len=arguments.length,
        loss=arguments.loss,
        n_negatives=1,
        train_min_user_interactions=2,
        recommend_torch_device="cpu",
        get_trainer_func=trainer,
    )


def figures(model: SASRecModel, histories: Dataset, held_out: pd.DataFrame) -> dict[str, float]:
    """Recall and NDCG of one held-out item a user, the full catalogue ranked, seen items left out."""
    users = held_out["user"].to_numpy()
    lists = model.recommend(users=users, dataset=histories, k=50, filter_viewed=True)
    both = lists.merge(held_out, left_on=[Columns.User, Columns.Item], right_on=["user", "item"])
    rank = both[Columns.Rank].to_numpy()
    first = rank[rank <= 10]  # noqa: PLR2004 - the figures' own name
    found = {"recall_10": len(first), "ndcg_10": (1 / np.log2(first + 1)).sum(), "recall_50": len(rank)}
    return {name: round(float(value) / len(users), 4) for name, value in found.items()}


if __name__ == "__main__":
    main()
