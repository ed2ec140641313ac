"""What the report is made from, and the figures of the paper that it stands beside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.evaluation.results import COLUMNS, PER_USER_COLUMNS
from rec_msa.foundation.tables import require_table
from rec_msa.interactions.known import KNOWN
from rec_msa.reporting.axes import K, own_clones, table_rows, undefended
from rec_msa.reporting.panels import estimate
from rec_msa.reporting.paper import DATASETS

if TYPE_CHECKING:
    from collections.abc import Sequence

_QUALITY = ["dataset", "target", "seed", "defense", "k", "recall_test", "ndcg_test", "recall_served", "ndcg_served"]
_QUALITY += ["recall_test_at_10", "ndcg_test_at_10"]


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        agreement: ``rec_msa.evaluation.results.COLUMNS``, of any number of cells.
        quality: A row for each target under a defense: dataset, target, seed, defense, k, recall_test ...
        per_user: Agreement of each user, ``PER_USER_COLUMNS``.
        statistics: A row for each dataset: dataset, users, items, interactions, density.
        journal: A row for each run; it may lack columns and rows.
        raw_files: A row for each dataset whose raw file is known: dataset, sha256, known (whether it is the original).
    """

    agreement: pd.DataFrame
    quality: pd.DataFrame
    per_user: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(PER_USER_COLUMNS)))
    statistics: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["dataset"]))
    journal: pd.DataFrame = field(default_factory=pd.DataFrame)
    raw_files: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __post_init__(self) -> None:
        require_table("agreement", self.agreement, COLUMNS)
        require_table("agreement_per_user", self.per_user, PER_USER_COLUMNS)
        absent = [name for name in _QUALITY if name not in self.quality.columns]
        object.__setattr__(self, "quality", self.quality.assign(**dict.fromkeys(absent)))

    @property
    def plain(self) -> pd.DataFrame:
        """The rows at 50 items without a defense, of clones of the target's architecture; ``target`` itself not."""
        shown = undefended(own_clones(self.agreement))
        return shown[shown["k"] == K]

    @property
    def table_rows(self) -> pd.DataFrame:
        """The rows of tables 4 and 5: attacks under their own names, and the references, on targets of no sequences."""
        return table_rows(self.agreement)

    @property
    def undefended_quality(self) -> pd.DataFrame:
        """The quality at 50 items of targets without a defense."""
        return self.quality[(self.quality["defense"] == NO_DEFENSE) & (self.quality["k"] == K)]

    @property
    def not_original(self) -> dict[str, str]:
        """The checksums of raw files that go by the name of a public data set and are not its known original."""
        found = self.raw_files.reindex(columns=["dataset", "sha256", "known"])
        others = found[found["dataset"].isin(KNOWN) & (found["known"] == False)]  # noqa: E712 - absent says nothing
        return dict(zip(others["dataset"], others["sha256"].astype(str), strict=True))

    def users_of(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Returns the rows per user that belong to some rows of ``agreement``."""
        keys = ["dataset", "target", "attack", "seed", "group", "k", "against", "defense"]
        shown = own_clones(self.per_user)
        return shown.merge(rows[keys].drop_duplicates(), on=keys)


def estimates(rows: pd.DataFrame, group: str = "heldout", keys: Sequence[str] = ("target", "attack")) -> dict[Any, Any]:
    """Gathers figures over seeds.

    Args:
        rows: Of one k and side.
        group: The group of users.
        keys: What tells figures apart beside the dataset.

    Returns:
        An ``Estimate`` for each dataset and ``keys``.
    """
    own = rows[rows["group"] == group]
    return {tuple(map(_plain, key)): estimate(part) for key, part in own.groupby(["dataset", *keys])}


def datasets_of(rows: pd.DataFrame, of_paper: Sequence[str] = DATASETS) -> list[str]:
    """Returns the paper's datasets in its order, then others that were measured."""
    return [*of_paper, *sorted(set(rows["dataset"]) - set(of_paper))]


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else int(value)
