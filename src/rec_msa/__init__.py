"""Model stealing attacks against recommender systems, and defenses, as Kedro pipelines (arXiv 2312.11571).

What a notebook wants lies here, loaded when it is used: ``rec_msa.Lists``, ``Gate``, ``attack``,
``agreement`` and ``audit``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rec_msa.attacks.gate import QueryGate as Gate
    from rec_msa.evaluation.agreement import agreement
    from rec_msa.experiments.by_hand import attack
    from rec_msa.foundation.lists import Lists
    from rec_msa.reporting.audit_by_hand import audit

__version__ = "0.1.0"
__all__ = ["Gate", "Lists", "agreement", "attack", "audit"]
_PLACES = {
    "Gate": ("rec_msa.attacks.gate", "QueryGate"),
    "Lists": ("rec_msa.foundation.lists", "Lists"),
    "agreement": ("rec_msa.evaluation.agreement", "agreement"),
    "attack": ("rec_msa.experiments.by_hand", "attack"),
    "audit": ("rec_msa.reporting.audit_by_hand", "audit"),
}


def __getattr__(name: str) -> Any:
    """Loads a name when it is asked for: ``import rec_msa`` alone loads nothing."""
    if name not in _PLACES:
        raise AttributeError(f"module 'rec_msa' has no attribute '{name}'")
    module, what = _PLACES[name]
    return getattr(importlib.import_module(module), what)


def __dir__() -> list[str]:
    """The names to be had."""
    return sorted([*globals(), *__all__])
