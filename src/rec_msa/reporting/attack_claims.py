"""The paper's claims 1 to 6, on its attacks against undefended targets (its Table 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.reporting.claims import ClaimCell, judge_claims

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

ATTACKS = ("qsd", "ptd", "ptq", "pta", "ptaq")
CLAIMS = {
    1: "Every method steals model information to some extent: each attack is above random lists",
    2: "Auxiliary data and queries each improve the attack",
    3: "PTAQ is best in all scenarios: it is above each other attack",
    4: "QSD performs low across several datasets: it is below each other attack",
    5: "LMF is hard to steal with little target data: ptd is lower on lmf than on the other targets",
    6: "Auxiliary data and queries reduce that difficulty: what ptaq has above ptd is more on lmf than on the others",
}
"""The paper's claims (section 5.1) and how each is checked."""

_STEPS = (("pta", "ptd"), ("ptaq", "ptq"), ("ptq", "ptd"), ("ptaq", "pta"))
_HARD = "lmf"


def attack_claims(agreement: pd.DataFrame) -> pd.DataFrame:
    """Judges claims 1 to 6 on every dataset and target that was measured.

    Args:
        agreement: One clone architecture, no defense, one cutoff: dataset, target, seed, group, attack, agreement.

    Returns:
        What ``rec_msa.reporting.claims.judge_claims`` returns.
    """
    heldout = agreement[agreement["group"] == "heldout"]
    by_attack = heldout.pivot(index=["dataset", "target", "seed"], columns="attack", values="agreement")
    return judge_claims([*_within_a_target(by_attack), *_between_targets(by_attack)], CLAIMS)


def _within_a_target(by_attack: pd.DataFrame) -> Iterator[ClaimCell]:
    """Claims 1 to 4: differences between two attacks on one target."""
    pairs = [
        *((1, attack, "random") for attack in ATTACKS),
        *((2, *step) for step in _STEPS),
        *((3, "ptaq", attack) for attack in ATTACKS if attack != "ptaq"),
        *((4, attack, "qsd") for attack in ATTACKS if attack != "qsd"),
    ]
    for claim, attack, versus in pairs:
        for (dataset, target), own in by_attack.groupby(level=["dataset", "target"]):
            if {attack, versus} <= set(own):
                differences = (own[attack] - own[versus]).dropna()
                yield ClaimCell(claim, str(dataset), str(target), attack, "", f"above {versus}", differences)


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
