"""The paper's claims 1 to 6, 9, 14 and 18, on its attacks against undefended targets (tables 4 and 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.attacks.settings import PAPER_ATTACKS
from rec_msa.evaluation.agreement import GROUPS
from rec_msa.reporting.claims import ClaimCell, by_target
from rec_msa.reporting.markdown import figure
from rec_msa.reporting.names import GROUP_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

_PAIRS = (
    *((2, attack, versus) for attack, versus in (("pta", "ptd"), ("ptaq", "ptq"), ("ptq", "ptd"), ("ptaq", "pta"))),
    *((3, "ptaq", attack) for attack in PAPER_ATTACKS if attack != "ptaq"),
    *((4, attack, "qsd") for attack in PAPER_ATTACKS if attack != "qsd"),
    *((14, attack, f"{attack}_pre") for attack in ("pta", "ptaq")),
    *((18, attack, "pta_joint") for attack in ("ptd", "pta")),
)
LOOKUPS = ("popularity", "auxiliary_popularity", "list_popularity", "knn_lists")
"""What an attacker has without a model, popularity first; agreement that is no higher is no theft."""
_OVERFITTING = "qsd"
"""Where targets have vectors of users it learns those of the asked users alone, so both groups judge it."""
_HARD = "lmf"
_SPARSE, _DENSE = "steam", "ml-1m"


def attack_cells(agreement: pd.DataFrame) -> Iterator[ClaimCell]:
    """Returns the cells of all of these claims, on every dataset and target that was measured.

    Args:
        agreement: One clone architecture, no defense, one cutoff: dataset, target, seed, group, attack, agreement.
    """
    index = ["dataset", "target", "seed"]
    by_group = {
        group: agreement[agreement["group"] == group].pivot(index=index, columns="attack", values="agreement")
        for group in GROUPS
    }
    yield from _beyond_lookups(by_group["heldout"])
    yield from _within_a_target(by_group)
    yield from _between_targets(by_group["heldout"])
    yield from _on_sparse_data(by_group["heldout"])


def _beyond_lookups(by_attack: pd.DataFrame) -> Iterator[ClaimCell]:
    """Claim 1: above popularity, and above the look-up that is the best of the cell; random lists stand beside."""
    attacks = [name for name in PAPER_ATTACKS if name in by_attack]
    for cell, own in by_target(by_attack.reindex(columns=[*attacks, *LOOKUPS, "random"])):
        means = own[list(LOOKUPS)].mean().dropna()
        best = str(means.idxmax()) if len(means) else LOOKUPS[0]
        for attack in attacks:
            beside = f"above random: {figure((own[attack] - own['random']).mean(), signed=True)}"
            for versus, what in ((LOOKUPS[0], LOOKUPS[0]), (best, f"the best look-up, {best}")):
                differences = (own[attack] - own[versus]).dropna()
                yield ClaimCell(1, *cell, attack, "", f"above {what}", differences, beside=beside)


def _within_a_target(by_group: dict[str, pd.DataFrame]) -> Iterator[ClaimCell]:
    """Claims 2 to 4, 14 and 18: differences between two attacks on one target."""
    for claim, attack, versus in _PAIRS:
        groups = GROUPS if versus == _OVERFITTING else ("heldout",)
        for group, by_attack in ((group, by_group[group]) for group in groups):
            if {attack, versus} <= set(by_attack):
                prefix = f"{GROUP_NAMES[group]} users, " * (len(groups) > 1)
                for cell, own in by_target(by_attack):
                    differences = (own[attack] - own[versus]).dropna()
                    yield ClaimCell(claim, *cell, attack, "", f"{prefix}above {versus}", differences)


def _between_targets(by_attack: pd.DataFrame) -> Iterator[ClaimCell]:
    """Claims 5 and 6: lmf against the other targets of a dataset, whose users are the same."""
    if "ptd" not in by_attack:
        return
    figures = [(5, "ptd", "below", -by_attack["ptd"])]
    if "ptaq" in by_attack:
        figures.append((6, "ptaq", "gain on ptd above that on", by_attack["ptaq"] - by_attack["ptd"]))
    for claim, attack, what, values in figures:
        for dataset, own in values.groupby(level="dataset"):
            by_target = own.droplevel("dataset").unstack("target")
            for target in sorted({*by_target} - {_HARD}) if _HARD in by_target else ():
                differences = (by_target[_HARD] - by_target[target]).dropna()
                yield ClaimCell(claim, str(dataset), _HARD, attack, "", f"{what} {target}", differences)


def _on_sparse_data(by_attack: pd.DataFrame) -> Iterator[ClaimCell]:
    """Claim 9: what queries add on sparse data, by itself and beside dense data with the same seed."""
    if not {"ptq", "ptd"} <= set(by_attack):
        return
    gains = (by_attack["ptq"] - by_attack["ptd"]).unstack("dataset").reindex(columns=[_SPARSE, _DENSE])
    for target, own in gains.groupby(level="target"):
        sparse, more = own[_SPARSE].dropna(), (own[_SPARSE] - own[_DENSE]).dropna()
        yield ClaimCell(9, _SPARSE, str(target), "ptq", "", "above ptd", sparse)
        yield ClaimCell(9, _SPARSE, str(target), "ptq", "", f"gain on ptd above that on {_DENSE}", more)
