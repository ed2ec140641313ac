"""The page from the paper to the code: each equation, table and figure with its function and its command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from docs.generate.tables import place_of, table
from rec_msa.reporting.document import study

STUDIES = Path(__file__).resolve().parents[2] / "conf" / "paper" / "parameters_studies.yml"
LEAD = """\
# From the paper to the code

The paper is *Model Stealing Attack against Recommender System*
([arXiv 2312.11571](https://arxiv.org/abs/2312.11571)). Paths are those of `src/rec_msa`. Building this page fails where
a function is not there any more. [The architecture](../design.md#choices-where-the-paper-is-silent) lists what we
decided where the paper is silent.

## Equations and algorithms
"""
RUNNING = """\
A study below is a name for `kedro run --env=paper --pipeline=study --params=study=<name>`. Add `dataset`, `model`
and `seed` to take some of its cells; `--only-missing-outputs` goes on. Then `kedro run --pipeline=reporting` writes
the table or figure; [studies](../studies.md) says how long they take.
"""
EQUATIONS = [
    ("Eq. 1", "a score is the product of a user's and an item's vector", "rec_msa.recommenders.bpr:Bpr"),
    ("Eq. 2", "a list is the best items that the user does not know", "rec_msa.recommenders.ranking:rank_lists"),
    (
        "Eq. 3",
        "agreement is the share of the target's list that the clone repeats",
        "rec_msa.evaluation.agreement:overlap",
    ),
    ("Eq. 4", "BPR loss of a target or clone on interactions", "rec_msa.recommenders.bpr:Bpr"),
    (
        "Eq. 5–8",
        "item vectors of clone and auxiliary model, fused by attention: one formula in three ways, held equal by tests",
        "rec_msa.recommenders.items:FusedItemTable",
    ),
    ("Eq. 5–8", "… the vectors themselves, as `ncf` reads them", "rec_msa.recommenders.lookups:attend"),
    ("Eq. 5–8", "… scores of pairs, in the clone and the steal stage", "rec_msa.recommenders.lookups:attended_dots"),
    ("Eq. 5–8", "… scores of all items, in rankings (its `products`)", "rec_msa.recommenders.items:FusedItemTable"),
    ("Eq. 4 and 9", "BPR and hinge loss of the steal stage", "rec_msa.attacks.list_learning:pair_loss"),
    (
        "Eq. 10–12",
        "the steal loss: order within a list, and list against other items",
        "rec_msa.attacks.list_learning:list_loss",
    ),
    ("Alg. 1, line 1", "the auxiliary model", "rec_msa.training.recommender:train_recommender"),
    ("Alg. 1, lines 2–13", "the clone stage", "rec_msa.attacks.clone:train_clone"),
    ("Alg. 1, lines 14–30", "the steal stage", "rec_msa.attacks.steal:steal"),
    ("Section 6", "the defense: popular items mixed into lists", "rec_msa.defenses.popular_mixing:PopularMixing"),
    ("Table 3", "what each attack knows", "rec_msa.attacks.registry:ATTACKS"),
]
_TABLES, _FIGURES = "rec_msa.reporting.sections:tables_section", "rec_msa.reporting.figures:figures_section"
RESULTS = [
    ("Table 4", "every attack on every target", "table4", _TABLES),
    ("Table 5", "attention against other ways to use auxiliary data", "table5", _TABLES),
    ("Table 6", "the data sets", "table6", "rec_msa.reporting.sections:statistics_section"),
    ("Table 7", "losses of the steal stage", "table7", _TABLES),
    ("Table 8", "sequential targets", "table8", _TABLES),
    ("Figure 2", "items in a list", "figure2", _FIGURES),
    ("Figure 3", "target users known", "figure3", _FIGURES),
    ("Figure 4", "auxiliary users known", "figure4", _FIGURES),
    ("Figure 5", "items with an auxiliary vector", "figure5", _FIGURES),
    ("Figure 6", "clone and target architectures", "figure6", _FIGURES),
    ("Figure 7", "agreement under popular-item mixing", "figure7", _FIGURES),
    ("Figure 8", "what mixing costs the target's users", "figure8", _FIGURES),
    ("Figure 9", "users asked about", "figure9", _FIGURES),
]


def page() -> str:
    """The page in Markdown."""
    known = yaml.safe_load(STUDIES.read_text(encoding="utf-8"))["studies"]
    equations = [(name, what, place_of(path)) for name, what, path in EQUATIONS]
    results = [(name, what, f"`{_known(key, known)}`", place_of(path)) for name, what, key, path in RESULTS]
    first = study(RESULTS[0][2]).command
    parts = [LEAD, table(("paper", "what it says", "where it is"), equations), "## Tables and figures\n", RUNNING]
    parts += [f"Table 4, for example: `{first}`\n", table(("paper", "what it shows", "study", "where it is"), results)]
    return "\n".join([*parts, "Figure 1 is a drawing, and tables 1 and 2 are words: there is nothing to compute.\n"])


def _known(name: str, studies: dict[str, Any]) -> str:
    if name not in studies:
        raise LookupError(f"docs/generate/paper.py: conf/paper has no study '{name}'")
    return name
