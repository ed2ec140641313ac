"""How many cells each claim of the paper has when all of its studies were run: counted on results made up for them.

``python -m rec_msa.experiments.expected`` writes the counts to ``reporting/paper_cells.json``, which the report reads:
it is written where ``conf/paper`` is not read.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from kedro.config import OmegaConfigLoader

from rec_msa.attacks.settings import REFERENCES
from rec_msa.evaluation.agreement import GROUPS, cutoffs
from rec_msa.evaluation.results import COLUMNS, FACTS
from rec_msa.experiments.grid import Experiments
from rec_msa.experiments.parameters import read_parameters
from rec_msa.reporting.claims import CLAIMS, counted
from rec_msa.reporting.measured import Measured
from rec_msa.reporting.names import TARGET
from rec_msa.settings import CONFIG_LOADER_ARGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rec_msa.experiments.cells import NamedAttack

ROOT = Path(__file__).resolve().parents[3]
COUNTS = Path(__file__).parents[1] / "reporting" / "paper_cells.json"


def expected_cells() -> dict[int, int]:
    """Returns how many cells each claim has, of those that have a test."""
    attacks = [attack for name in _parameters()["studies"] for attack in _attacks(name)]
    rows = [row for attack in attacks for row in _rows(attack)]
    agreement = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"clone": "str"} | FACTS).drop_duplicates()
    cell = ["dataset", "target", "seed", "defense", "rule", "strength", "fresh"]
    quality = agreement[cell].drop_duplicates().assign(recall_served=0.5)
    measured = counted(Measured(agreement, quality))
    return {claim.id: len(claim.cells(measured)) for claim in CLAIMS if claim.per}


@cache
def _parameters() -> dict[str, Any]:
    options: dict[str, Any] = {**CONFIG_LOADER_ARGS, "env": "paper"}
    parameters: dict[str, Any] = OmegaConfigLoader(str(ROOT / "conf"), **options)["parameters"]
    return parameters


def _attacks(study: str) -> Iterator[NamedAttack]:
    """The attacks of one seed of a study: the others have the same cells."""
    experiments = Experiments(read_parameters({**_parameters(), "study": study, "seed": 0}))
    for cell in experiments.cells:
        yield from experiments.grid[cell]


def _rows(attack: NamedAttack) -> Iterator[dict[str, Any]]:
    """Results of an attack and of the references beside it; what they are is of no matter."""
    who = attack.attacker
    twin = {"base": "retrain", "kind": "reference", "clone": attack.cell.model}
    others = [{"base": name, "kind": "target" if name == TARGET else "reference"} for name in (*REFERENCES, TARGET)]
    named = [{**who.facts, "attack": who.named(one["base"]), "otherwise": "", **one} for one in (twin, *others)]
    for facts in (attack.facts, *named):
        for against in ("served", "undefended"):
            for group in GROUPS:
                for k in cutoffs(who.list_length):
                    yield {**facts, "against": against, "group": group, "k": k, "agreement": 0.5}


def main() -> None:
    """The command."""
    COUNTS.write_text(json.dumps(expected_cells(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
