"""How well targets rank that a library trains, beside ours: ``python -m bench.victims --seeds 0 1 2``.

Users and split are those of the pipelines; each target learns the target users' training interactions, and its lists
of 50 items are judged by their test interactions. What is printed goes into docs/own-recommender.md.
"""

from __future__ import annotations

import argparse
import time
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import yaml

from bench.measure import RAW, ROOT
from rec_msa.foundation.errors import SettingsError
from rec_msa.foundation.lists import Lists
from rec_msa.interactions import DatasetSettings, SplitSettings, acquire, prepare, read_raw, split_interactions
from rec_msa.interactions.splits import target_parts
from rec_msa.recommenders.settings import RecommenderParameters
from rec_msa.training.settings import TrainingSettings

if TYPE_CHECKING:
    from rec_msa.victims.observed import Recommend

LIST_LENGTH = 50
OURS = ("popular", "bpr", "lmf", "ials")
CONFIGURATION = ROOT / "conf" / "base"


def main() -> None:
    """Prints a table of Recall@50, NDCG@50 and processor seconds, means over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", help="ours, or files of rec_msa/victims; all that can be imported")
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    parts = {seed: split(arguments.dataset, seed) for seed in arguments.seeds}
    print("| target | Recall@50 | NDCG@50 | processor s of a fit |\n|---|---|---|---|")
    for name in arguments.targets or [*OURS, *victims()]:
        try:
            runs = pd.DataFrame([measured(name, seed, parts[seed]) for seed in arguments.seeds])
        except SettingsError as error:
            print(f"| `{name}` | not measured: {error} | | |", flush=True)
            continue
        mean, spread = runs.mean(), runs["recall"].max() - runs["recall"].min()
        row = f"| `{name}` | {mean['recall']:.3f} (range {spread:.3f}) | {mean['ndcg']:.3f} | {mean['seconds']:.1f} |"
        print(row, flush=True)


def victims() -> list[str]:
    """The files of rec_msa/victims that train something."""
    return sorted(file.stem for file in (ROOT / "src" / "rec_msa" / "victims").glob("[a-z]*_*.py"))


class Parts(NamedTuple):
    """The target's interactions, as the pipelines make them, and the size of the catalogue."""

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    n_items: int


def split(dataset: str, seed: int) -> Parts:
    """Reads, filters and splits a data set."""
    own = yaml.safe_load((CONFIGURATION / "parameters_ingestion.yml").read_text())["datasets"][dataset]
    settings = DatasetSettings(**own)
    prepared = prepare(read_raw(acquire(dataset, settings, RAW), settings), settings)
    parts = target_parts(split_interactions(prepared.interactions, SplitSettings(), seed))
    return Parts(*parts, len(prepared.items))


def measured(name: str, seed: int, parts: Parts) -> dict[str, float]:
    """Trains one target and judges its lists."""
    from rec_msa.evaluation import mean_quality

    start = time.process_time()
    recommend = ours(name, parts, seed) if name in OURS else fitted(name, parts.train, seed)
    seconds = time.process_time() - start
    users = np.unique(parts.test["user"])
    quality = mean_quality(Lists(users, recommend(users, LIST_LENGTH)), parts.test, LIST_LENGTH)
    return {"recall": quality["recall"], "ndcg": quality["ndcg"], "seconds": seconds}


def fitted(name: str, train: pd.DataFrame, seed: int) -> Recommend:
    """What a library trains."""
    recommend: Recommend = import_module(f"rec_msa.victims.{name}").fit(train, seed)
    return recommend


def ours(name: str, parts: Parts, seed: int) -> Recommend:
    """What the project trains, with the settings of conf/base."""
    from rec_msa.recommenders.checkpoint import from_checkpoint
    from rec_msa.recommenders.ranking import rank_lists
    from rec_msa.training.recommender import train_recommender
    from rec_msa.victims.observed import Observed

    if name == "popular":
        observed = Observed(parts.train)
        counts = np.asarray(observed.matrix.sum(axis=0)).ravel()
        return observed.lists_by(lambda rows: np.tile(counts, (len(rows), 1)))
    parameters = yaml.safe_load((CONFIGURATION / "parameters_target.yml").read_text())
    settings = getattr(RecommenderParameters(**parameters["recommenders"]), name)
    training = TrainingSettings(**parameters["target"])
    how = (parts.n_items, training, seed, "target", "cpu")
    made, _ = train_recommender(name, settings, parts.train, parts.validation, *how)
    model = from_checkpoint(made)
    model.read(parts.train)
    return lambda users, k: rank_lists(model, users, parts.train, k).items


if __name__ == "__main__":
    main()
