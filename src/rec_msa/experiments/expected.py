"""How many cells each claim of the paper has when all of its studies were run: counted on results made up for them.

``python -m rec_msa.experiments.expected`` writes the counts to ``reporting/paper_cells.json``, which the report reads:
it is written where ``conf/paper`` is not read.
"""

from __future__ import annotations

import json
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from kedro.config import OmegaConfigLoader

from rec_msa.attacks.settings import REFERENCES
from rec_msa.defenses.settings import FRESH, parse_defense
from rec_msa.evaluation.agreement import GROUPS, cutoffs
from rec_msa.experiments.grid import Experiments
from rec_msa.experiments.parameters import read_parameters
from rec_msa.reporting.claims import CLAIMS, World
from rec_msa.reporting.measured import RESULTS
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
    agreement = pd.DataFrame(rows, columns=list(RESULTS)).astype({"clone": "str"}).drop_duplicates()
    cell = ["dataset", "target", "seed", "defense", "rule", "strength", "fresh"]
    world = World(agreement, agreement[cell].drop_duplicates().assign(recall_served=0.5)).counted
    return {claim.id: len(claim.cells(world)) for claim in CLAIMS if claim.per}


@cache
def _parameters() -> dict[str, Any]:
    options: dict[str, Any] = {**CONFIG_LOADER_ARGS, "env": "paper"}
    parameters: dict[str, Any] = OmegaConfigLoader(str(ROOT / "conf"), **options)["parameters"]
    return parameters


def _attacks(study: str) -> Iterator[NamedAttack]:
    """The attacks of one seed of a study: the others have the same cells."""
    experiments = Experiments(read_parameters({**_parameters(), "study": study, "seed": 0}))
    for cell in experiments.cells:
        yield from (experiments.attack(cell, name) for name in experiments.grid[cell])


def _rows(attack: NamedAttack) -> Iterator[dict[str, Any]]:
    """Results of an attack and of the references beside it; what they are is of no matter."""
    cell, apart = attack.cell, f"-{attack.apart}" * bool(attack.apart)
    own = {"attack": attack.name, "base": attack.settings.base, "clone": attack.clone, "kind": "attack"}
    own |= _facts(attack)
    twin = {"attack": f"retrain{apart}", "base": "retrain", "clone": cell.model, "kind": "reference"}
    others = [{"attack": f"{name}{apart}", "base": name, "kind": "reference"} for name in (*REFERENCES, TARGET)]
    others[-1]["kind"] = TARGET
    rule, strength = parse_defense(cell.defense)
    place = {"dataset": cell.dataset, "target": cell.model, "seed": cell.seed, "defense": cell.defense}
    place |= {"rule": rule.removesuffix(FRESH), "strength": strength, "fresh": rule.endswith(FRESH), "agreement": 0.5}
    place |= {"list_length": attack.list_length, "attacker_fraction": attack.attacker_fraction, "otherwise": ""}
    place |= {"query_fraction": attack.settings.query_fraction}
    for who in (own, twin, *others):
        for against, group, k in product(("served", "undefended"), GROUPS, cutoffs(attack.list_length)):
            yield {**place, **who, "against": against, "group": group, "k": k}


def _facts(attack: NamedAttack) -> dict[str, Any]:
    """What an attack's settings say beside the shares that its references have, too."""
    settings = attack.settings
    ranking, positive = settings.losses if settings.behind.queries else (None, None)
    facts: dict[str, Any] = {"auxiliary_fraction": settings.auxiliary_fraction, "item_fraction": settings.item_fraction}
    facts |= {"ranking_loss": ranking, "positive_loss": positive, "calls_per_user": settings.calls_per_user}
    usual = (settings.denoise, settings.sequences, settings.outside) == (None, "recommended", "sampled")
    return {**facts, "otherwise": "" if usual else "other settings"}


def main() -> None:
    """The command."""
    COUNTS.write_text(json.dumps(expected_cells(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
