"""Made-up results of the right form: lists that share some items with a target's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from rec_msa.foundation.lists import Lists
from rec_msa.reporting.measured import Measured
from rec_msa.reporting.report import build_report
from rec_msa.reporting.writing import to_page
from tests.reporting.facts import measured_rows
from tests.reporting.made_up import made_up

if TYPE_CHECKING:
    from rec_msa.reporting.document import Report

N_USERS, N_ITEMS, LENGTH = 47, 400, 50
LIKENESS = {
    "ptaq": 0.62,
    "pta": 0.6,
    "ptq": 0.5,
    "ptd": 0.46,
    "qsd": 0.2,
    "random": 0.0,
    "popularity": 0.3,
    "auxiliary_popularity": 0.27,
    "list_popularity": 0.33,
    "knn_lists": 0.52,
    "cache": 0.33,
    "retrain": 0.68,
    "target": 1.0,
}
WITH_CLONE = ("ptaq", "pta", "ptq", "ptd", "qsd", "retrain")
WITH_CALLS = ("ptaq", "ptq", "qsd", "list_popularity", "knn_lists", "cache")
AgreementMaker = Callable[..., pd.DataFrame]


def lists_like(other: Lists, share: float, rng: np.random.Generator, n_items: int = N_ITEMS) -> Lists:
    """Keeps about a share of every list's items and draws the others."""
    rows = []
    for items in other.items:
        kept = items[rng.random(items.size) < np.clip(share + rng.normal(0, 0.12), 0, 1)] if share < 1 else items
        fresh = np.setdiff1d(rng.permutation(n_items), kept, assume_unique=True)
        rows.append(rng.permutation(np.concatenate([kept, rng.permutation(fresh)[: items.size - kept.size]])))
    return Lists(other.users, np.stack(rows))


@pytest.fixture(scope="session")
def make_agreement() -> AgreementMaker:
    """Returns a function that makes up the rows of a cell's attacks and references."""

    def make(
        dataset: str = "ml-100k",
        target: str = "bpr",
        seed: int = 0,
        defense: str = "none",
        attacks: tuple[str, ...] = tuple(LIKENESS),
    ) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        users = np.arange(N_USERS)
        undefended = Lists(users, np.stack([rng.permutation(N_ITEMS)[:LENGTH] for _ in users]))
        served = undefended if defense == "none" else lists_like(undefended, 0.7, rng)
        heldout = users % 4 == 0
        groups = pd.DataFrame({"user": users, "group": np.where(heldout, "heldout", "queried")})
        parts = []
        for attack in attacks:
            lists = undefended if attack == "target" else lists_like(undefended, LIKENESS[attack], rng)
            if attack == "cache":
                lists = Lists(users, np.where(heldout[:, None], lists.items, served.items))
            clone, calls = target if attack in WITH_CLONE else None, 35 if attack in WITH_CALLS else 0
            place = {"dataset": dataset, "target": target, "seed": seed, "defense": defense, "attack": attack}
            place |= {"base": attack, "clone": clone, "n_queries": calls}
            parts.append(measured_rows(lists, {"served": served, "undefended": undefended}, groups, place)[0])
        return pd.concat(parts, ignore_index=True)

    return make


@pytest.fixture(scope="session")
def one_cell(make_agreement: AgreementMaker) -> pd.DataFrame:
    """Returns the rows of one undefended cell."""
    return make_agreement()


@pytest.fixture(scope="session")
def study(make_agreement: AgreementMaker) -> pd.DataFrame:
    """Returns the rows of three seeds for two targets, and of one seed for a third."""
    cells = [make_agreement(target=target, seed=seed) for target in ("bpr", "lmf") for seed in (0, 1, 2)]
    return pd.concat([*cells, make_agreement(target="ncf")], ignore_index=True)


@pytest.fixture(scope="session")
def results() -> dict[str, pd.DataFrame]:
    """Made-up results of every table and figure of the paper."""
    return made_up()


@pytest.fixture(scope="session")
def report(results: dict[str, pd.DataFrame]) -> Report:
    """The report on them."""
    return build_report(Measured(**results))


@pytest.fixture(scope="session")
def page(report: Report) -> str:
    """The same as HTML."""
    return to_page(report)
