"""Made-up results of a whole study: all tables and axes on a few cells, with gaps, nothing of it measured."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_msa.evaluation.results import COST_KEY, PER_USER_COLUMNS
from tests.reporting.facts import facts_of, results_frame, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARES = {
    "qsd": 0.15,
    "ptd": 0.47,
    "ptq": 0.53,
    "pta": 0.61,
    "ptaq": 0.65,
    "pta_pre": 0.6,
    "ptaq_pre": 0.64,
    "pta_joint": 0.62,
    "ptaq_joint": 0.63,
    "pta_mean": 0.59,
    "random": 0.015,
    "popularity": 0.3,
    "auxiliary_popularity": 0.31,
    "list_popularity": 0.3,
    "knn_lists": 0.41,
    "cache": 0.3,
    "retrain": 0.71,
    "target": 1.0,
}
REFERENCES = (
    "random",
    "popularity",
    "auxiliary_popularity",
    "list_popularity",
    "knn_lists",
    "cache",
    "retrain",
    "target",
)
ASKING = ("qsd", "ptq", "ptaq", "cache", "knn_lists", "list_popularity")
PAPER_ATTACKS = ("qsd", "ptd", "ptq", "pta", "ptaq")
TARGETS = ("bpr", "ncf", "lmf")
SEEDS = range(5)
N_USERS = 6
LOSSES = {
    "qsd": (("bpr", "bpr"), ("bpr", "hinge"), ("hinge", "bpr")),
    "ptq": (("bpr", "bpr"), ("hinge", "bpr"), ("hinge", "hinge")),
    "ptaq": (("bpr", "bpr"), ("hinge", "bpr"), ("hinge", "hinge")),
}
MIXED = (5, 15, 25)


@dataclass
class Rows:
    """Collects rows of agreement and, of the tables' cells, rows per user."""

    agreement: list[dict] = field(default_factory=list)
    per_user: list[dict] = field(default_factory=list)

    def add(self, dataset: str, target: str, seed: int, attack: str, base: str, share: float, **other: object) -> None:
        """Adds an attack's rows of both groups against both sides; ``undefended`` is its share there."""
        rng = np.random.default_rng([seed, *map(ord, dataset + target + base)])
        shift = rng.normal(0, 0.012) * (base != "target")
        clone = other.get("clone", target if base not in REFERENCES or base == "retrain" else None)
        key = {"dataset": dataset, "target": target, "clone": clone, "attack": attack, "base": base, "seed": seed}
        key |= {"defense": other.get("defense", "none"), "k": other.get("facts", {}).get("list_length", 50)}
        key |= facts_of(base, key["defense"], **other.get("facts", {}))
        served = other.get("served", share)
        for against, agreed in (("served", served), ("undefended", share)):
            for group, gain in (("heldout", 0.0), ("queried", 0.2 if base in ASKING else 0.01)):
                value = float(np.clip(agreed + shift + (gain if base != "target" else 0), 0, 1))
                row = {**key, "against": against, "group": group, "agreement": value, "n_users": N_USERS}
                row |= {"ci_low": value - 0.03, "ci_high": value + 0.03, "n_queries": 40 if base in ASKING else 0}
                self.agreement.append(row)
                if other.get("users") and group == "heldout" and against == "served":
                    self._add_users(row, value, rng)

    def _add_users(self, row: dict, value: float, rng: np.random.Generator) -> None:
        scatter = rng.normal(0, 0.05, N_USERS)
        for user, extra in enumerate(scatter - scatter.mean()):
            self.per_user.append({**row, "user": user, "agreement": value + extra})


def made_up(parts: tuple[str, ...] = ("tables", "axes", "clones", "defense", "sequences")) -> dict[str, pd.DataFrame]:
    """Returns agreement, agreement per user, target quality, statistics and a journal.

    Args:
        parts: What was "measured".
    """
    rows = Rows()
    for part in parts:
        for cell in _PARTS[part]():
            rows.add(*cell[:6], **(cell[6] if len(cell) > 6 else {}))
    agreement, per_user, quality = typed_results(rows)
    return {
        "agreement": agreement,
        "per_user": per_user,
        "quality": quality,
        "statistics": _statistics(),
        "journal": _journal(),
        "costs": _costs(agreement),
    }


def typed_results(rows: Rows) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Returns agreement, agreement per user and target quality."""
    agreement = results_frame(rows.agreement)
    keys = agreement[["dataset", "target", "seed", "defense", "rule", "strength", "fresh"]].drop_duplicates()
    n = keys["strength"]
    quality = keys.assign(k=50, n_users=300, recall_test=0.4 + keys["seed"] / 500, ndcg_test=0.29, n_widened=n)
    quality = quality.assign(recall_test_at_10=0.2 + keys["seed"] / 500, ndcg_test_at_10=0.11)
    quality = quality.assign(recall_served=0.4 - 0.004 * n + keys["seed"] / 500, ndcg_served=0.29 - 0.003 * n)
    return agreement, typed(pd.DataFrame(rows.per_user, columns=list(PER_USER_COLUMNS))), quality


def _cells() -> Iterator[tuple[str, str, int]]:
    yield from (("ml-1m", target, seed) for target in TARGETS for seed in SEEDS)
    yield from (("ta-feng", target, seed) for target in ("bpr", "lmf") for seed in SEEDS)
    yield "steam", "bpr", 0


def _tables() -> Iterator[tuple]:
    for dataset, target, seed in _cells():
        harder = 0.05 * (target == "ncf") + 0.1 * (dataset != "ml-1m")
        for attack, share in SHARES.items():
            less = harder if attack not in ("target", "random") else 0
            yield dataset, target, seed, attack, attack, share - less, {"users": True}
    for target, seed in ((target, seed) for target in TARGETS for seed in SEEDS):
        for base, variants in LOSSES.items():
            for place, (ranking, positive) in enumerate(variants):
                facts = {"ranking_loss": ranking, "positive_loss": positive}
                name = f"{base}_{ranking}_{positive}"
                yield "ml-1m", target, seed, name, base, SHARES[base] + 0.01 * place, {"facts": facts}


def _axes() -> Iterator[tuple]:
    for target, seed in ((target, seed) for target in TARGETS for seed in SEEDS):
        for base in (*PAPER_ATTACKS, "retrain", "popularity"):
            for length in (10, 20, 100):
                yield _varied("ml-1m", target, seed, base, "list_length", length, (length - 50) / 800)
            for users in (2, 5, 20, 30):
                if base not in ASKING or users > 2:
                    yield _varied("ml-1m", target, seed, base, "attacker_fraction", users / 100, users / 300)
            if base in ASKING:
                for asked in (10, 40, 80):
                    yield _varied("ml-1m", target, seed, base, "query_fraction", asked / 100, (asked - 100) / 2000)
    for dataset, seed in ((dataset, seed) for dataset in ("ml-1m", "ta-feng") for seed in SEEDS):
        for base in ("pta", "ptaq"):
            for share in (10, 40, 80):
                yield _varied(dataset, "lmf", seed, base, "auxiliary_fraction", share / 100, (share - 100) / 900)
                yield _varied(dataset, "lmf", seed, base, "item_fraction", share / 100, (share - 100) / 700)


def _varied(dataset: str, target: str, seed: int, base: str, fact: str, value: float, gain: float) -> tuple:
    """A point of an axis; names are labels, so any will do."""
    return dataset, target, seed, f"{base} {fact} {value}", base, SHARES[base] + gain, {"facts": {fact: value}}


def _clones() -> Iterator[tuple]:
    for target, clone in ((target, clone) for target in TARGETS for clone in TARGETS if clone != target):
        for seed, base in ((seed, base) for seed in SEEDS for base in ("ptd", "ptq", "pta", "ptaq")):
            if (target, clone) != ("ncf", "lmf"):
                yield "ml-1m", target, seed, f"{base}_{clone}", base, SHARES[base] - 0.06, {"clone": clone}


def _defense() -> Iterator[tuple]:
    for target, seed, n in ((target, seed, n) for target in ("bpr", "lmf") for seed in SEEDS for n in MIXED):
        for base in (*PAPER_ATTACKS, "popularity", "target"):
            loss = 0 if base in ("ptd", "pta", "popularity") else n / 100
            undefended = 1 - n / 50 if base == "target" else SHARES[base] - loss
            other = {"defense": f"popular_mixing_{n}", "served": undefended - 0.003 * n}
            other |= {"served": 1 - n / 50} if base == "target" else {}
            yield "ml-1m", target, seed, base, base, undefended, other


def _sequences() -> Iterator[tuple]:
    for target, seeds in (("sasrec", SEEDS), ("stamp", range(2))):
        for seed in seeds:
            for calls in (5, 10, 15, 20, 25, 30):
                facts = {"calls_per_user": calls}
                yield "ml-1m-2999", target, seed, f"qsd{calls}", "qsd", 0.1 + calls / 100, {"facts": facts}
            for base in ("ptd", "ptq", "ptaq", "retrain", "popularity"):
                yield "ml-1m-2999", target, seed, base, base, SHARES[base], {"users": True}


def _statistics() -> pd.DataFrame:
    counts = {"ml-1m": (6040, 3706, 1000209), "ta-feng": (19451, 10480, 630767)}
    rows = [
        {"dataset": name, "users": users, "items": items, "interactions": n, "density": n / users / items}
        for name, (users, items, n) in counts.items()
    ]
    return pd.DataFrame(rows)


def _costs(agreement: pd.DataFrame) -> pd.DataFrame:
    attacks = agreement[agreement["kind"] == "attack"].assign(label="", seconds=30.0)
    return attacks[[*COST_KEY, "seconds"]].drop_duplicates(ignore_index=True)


def _journal() -> pd.DataFrame:
    run = {"seconds": 1800.0, "core_seconds": 3500.0, "in_functions": 1700.0, "n_nodes": 400, "threads": 2, "cores": 2}
    run |= {
        "machine": "a made-up processor",
        "memory_gib": 16.0,
        "python": "3.11.2",
        "torch": "2.13.0",
        "kedro": "1.7.0",
    }
    starts = ["2026-11-25T14:00:00+00:00", "2026-11-25T15:00:00+00:00"]
    command = "kedro run --env=paper --pipeline=study --params=study=table4"
    rows = [{**run, "started": start, "command": command, "commit": "0123abc", "numpy": "2.4.6"} for start in starts]
    return pd.DataFrame(rows)


_PARTS = {"tables": _tables, "axes": _axes, "clones": _clones, "defense": _defense, "sequences": _sequences}


def plain(text: str) -> str:
    """Returns a text with single spaces."""
    return re.sub(r"\s+", " ", text)
