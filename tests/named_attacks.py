"""Named attacks of many kinds, and the experiments that parameters with them ask for."""

from __future__ import annotations

from rec_msa.experiments.cells import Cell
from rec_msa.experiments.grid import Experiments
from rec_msa.experiments.parameters import read_parameters

ATTACKS = {
    "ptd": {"base": "ptd"},
    "pta": {"base": "pta"},
    "ptaq": {"base": "ptaq"},
    "ptaq_hinge": {"base": "ptaq", "ranking_loss": "hinge"},
    "ptaq_few": {"base": "ptaq", "query_fraction": 0.2},
    "ptaq_users": {"base": "ptaq", "attacker_fraction": 0.3},
    "ptaq_aux": {"base": "ptaq", "auxiliary_fraction": 0.2},
    "ptaq_items": {"base": "ptaq", "item_fraction": 0.025},
    "ptaq_short": {"base": "ptaq", "list_length": 20},
    "ptaq_ncf": {"base": "ptaq", "clone": "ncf"},
}
CELL = Cell("ml-1m", "bpr", 0)


def experiments(**change) -> Experiments:
    raw = {"dataset": "ml-1m", "model": "bpr", "seed": 0, "datasets": {"ml-1m": {}, "steam": {}}, "attacks": ATTACKS}
    study = {"dataset": ["ml-1m", "steam"], "model": ["bpr", "ncf"], "seed": [0, 1], "attacks": ["ptd"]}
    return Experiments(read_parameters(raw | {"studies": {"table4": study}} | change))
