"""The page that sets what was measured beside tables 4 and 5 of the paper (arXiv 2312.11571), in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.errors import DataError
from rec_msa.evaluation.comparison import SEEDS_FOR_A_VERDICT, compare
from rec_msa.evaluation.results import COLUMNS, PER_USER_COLUMNS
from rec_msa.reporting.attack_claims import ATTACK_CLAIMS, attack_claims
from rec_msa.reporting.axes import K, table_rows
from rec_msa.reporting.claims import claim_blocks
from rec_msa.reporting.markdown import DECIMALS, MISSING
from rec_msa.reporting.markdown import figure as _figure
from rec_msa.reporting.markdown import interval as _interval
from rec_msa.reporting.markdown import p_value as _p
from rec_msa.reporting.markdown import table as _table
from rec_msa.reporting.markdown import verdict as _verdict_text
from rec_msa.reporting.names import REFERENCES, TARGET, seeds_text
from rec_msa.reporting.panels import NO_DEFENSE, Estimate, Panel, intervals_text, panels_of
from rec_msa.reporting.paper_claims import claim_texts, paper_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

TARGETS = ("bpr", "lmf", "ncf")
ATTACKS = ("qsd", "ptd", "ptq", "pta", "ptaq", "pta_pre", "ptaq_pre", "pta_joint", "ptaq_joint", "pta_mean")
CLAIMS = {
    ("ptq", "ptd"): "what queries add to partial target data",
    ("ptaq", "pta"): "what queries add to partial target and auxiliary data",
    ("pta", "ptd"): "what auxiliary data add",
    ("ptaq", "ptq"): "what auxiliary data add where there are queries",
    ("pta", "pta_pre"): "attention against pretrained item vectors",
    ("ptaq", "ptaq_pre"): "the same with queries",
    ("pta", "pta_joint"): "attention against one clone on both data",
    ("ptaq", "ptaq_joint"): "the same with queries",
    ("pta", "pta_mean"): "attention against fusing half and half",
    ("ptq", "knn_lists"): "a clone against looking up the lists of the most similar queried users",
    ("ptaq", "knn_lists"): "the same with auxiliary data",
}
"""The claims "the first agrees more with the target than the second", and what each is about."""
_QUALITY_COLUMNS = ["dataset", "target", "seed", "defense", "k", "recall_test", "ndcg_test"]
_PAPER_TABLES = ("table4", "table5")

_OPENING = """\
# Reproduction of tables 4 and 5

Agr@50: the share of the target's 50 items that the clone recommends too. Only what was measured stands here; a dash
is a cell that was not. Made by

    kedro run --env=paper --pipeline=study --params=study=tables4and5
    kedro run --env=paper --pipeline=reporting --params=study=tables4and5"""
_CLAIMS_NOTE = """\
A difference is positive where the claim holds: the mean over seeds, with Student's t interval; p is two-sided and, like
the verdict, corrected by Holm over the rows of a claim. With fewer than five seeds a verdict is always open."""
_NOTHING = "Nothing was measured at 50 items without a defense; run the first of the two commands."
_TARGETS_NOTE = """\
Recall and NDCG are of 50 items on the test interactions: the mean, and in brackets the range over seeds. `retrain` is
the same architecture trained once more on the same data from another start: an attacker without the weights can hardly
agree more. Users are the attacker's, of each seed."""
_HELDOUT_NOTE = """\
These users were never asked about: theirs is the result. The paper's figures come without intervals. With two or three
seeds an interval over seeds is wide, sometimes wider than what is possible."""
_PAPER_NOTES = {
    "ml-1m": "The paper's figures here are all multiples of 1/1500, as if from one run and 30 users.",
    "steam": "The paper's Steam is another data set than the one that it links to and that is used here: the two are "
    "not comparable.",
}
_QUERIED_NOTE = """\
What the attacker already holds: attacks with queries were trained on these users' lists, and a cache of the answers
scores 1.000. So this is memory, not theft. The other attacks asked nothing: to them these users are like any others."""
_DIFFERENCES_NOTE = f"""\
How to read it: "a − b" is how much more of the target's list a repeats than b, for the same held-out users and the same
seed, then averaged over seeds; above zero, a is the better thief. The interval and p tell whether another set of seeds
would show the same (Student's t over seeds, two-sided; p after Holm's correction over the rows of the table). "p given
these models" flips signs over users within seeds: it says whether the difference is more than the luck of which users
were held out, and nothing about models trained anew. The verdict is on "a agrees more than b". With fewer than
{SEEDS_FOR_A_VERDICT} seeds it is always open, and who is ahead so far is a direction, no finding. Users are those of
the seed with the fewest."""


def reproduction_page(agreement: pd.DataFrame, per_user: pd.DataFrame, quality: pd.DataFrame) -> str:
    """Returns targets, tables 4 and 5 beside the paper's figures, and the differences between attacks.

    Shown are the paper's attacks under their own names and the references, without a defense, at 50 items, with
    clones of the target's architecture.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results.COLUMNS``, of any number of cells.
        per_user: The same for each user, ``PER_USER_COLUMNS``.
        quality: A row for each target: dataset, target, seed, defense, k, recall_test, ndcg_test. What is absent is
            shown as missing.

    Raises:
        DataError: If a column is missing in one of the first two, or two attacks of a seed have different users.
    """
    _require("agreement", agreement, COLUMNS)
    _require("agreement_per_user", per_user, PER_USER_COLUMNS)
    shown = table_rows(agreement)
    if shown.empty:
        return f"{_OPENING}\n\n{_NOTHING}\n"
    panels = panels_of(shown)
    sections = [
        _targets(panels, quality.reindex(columns=_QUALITY_COLUMNS)),
        _heldout(panels),
        _queried(panels),
        _differences(table_rows(per_user)),
        *_claims(shown),
    ]
    return "\n\n".join([_OPENING, *sections]) + "\n"


def paper_agreement() -> dict[tuple[str, str, str], float]:
    """Returns Agr@50 of tables 4 and 5 by dataset, target and attack."""
    tables = paper_data("paper_tables.json")
    return {
        (dataset, target, attack): float(value)
        for name in _PAPER_TABLES
        for attack, datasets in tables[name]["rows"].items()
        for dataset, targets in datasets.items()
        for target, value in targets.items()
    }


def _require(name: str, table: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise DataError(f"{name}: column {missing[0]!r} is missing; needed are {', '.join(columns)}")


def _targets(panels: Sequence[Panel], quality: pd.DataFrame) -> str:
    head = ["dataset", "target", "seeds", "Recall@50", "NDCG@50", "`retrain`, held-out Agr@50", "held-out", "queried"]
    served = quality[(quality["defense"] == NO_DEFENSE) & (quality["k"] == K)]
    rows = []
    for panel in panels:
        own = served[
            (served["dataset"] == panel.dataset) & (served["target"] == panel.target) & served["seed"].isin(panel.seeds)
        ]
        figures = [_range(own[name].dropna().to_numpy(), len(panel.seeds)) for name in ("recall_test", "ndcg_test")]
        users = [panel.n_users(group) or MISSING for group in ("heldout", "queried")]
        seeds = seeds_text(panel.seeds).split(" ", 1)[1]
        rows.append([panel.dataset, panel.target, seeds, *figures, _cell(panel, "retrain", "heldout"), *users])
    return "\n\n".join(["## Targets", _TARGETS_NOTE, _table(head, rows, "llllllrr"), _caption(panels, rows)])


def _heldout(panels: Sequence[Panel]) -> str:
    paper = paper_agreement()
    blocks = ["## Tables 4 and 5: agreement on held-out users", _HELDOUT_NOTE]
    for dataset, by_target in _by_dataset(panels).items():
        rows = [
            [f"`{attack}`"]
            + [
                _beside(_cell(panel, attack, "heldout"), paper.get((dataset, target, attack)))
                for target, panel in by_target.items()
            ]
            for attack in ATTACKS
        ]
        rows += [
            [f"*{name}*", *(_cell(panel, reference, "heldout") for panel in by_target.values())]
            for reference, name in REFERENCES.items()
            if reference != TARGET
        ]
        rows.append(["`pta` / *retrained target*", *map(_share_of_retrain, by_target.values())])
        heading, *table = _dataset_block(dataset, by_target, rows, "heldout")
        blocks += [heading, *([_PAPER_NOTES[dataset]] if dataset in _PAPER_NOTES else []), *table]
    return "\n\n".join(blocks)


def _queried(panels: Sequence[Panel]) -> str:
    blocks = ["## The same for queried users: memory, not theft", _QUERIED_NOTE]
    for dataset, by_target in _by_dataset(panels).items():
        rows = [
            [f"`{attack}`", *(_cell(panel, attack, "queried") for panel in by_target.values())] for attack in ATTACKS
        ]
        blocks += _dataset_block(dataset, by_target, rows, "queried")
    return "\n\n".join(blocks)


def _dataset_block(
    dataset: str, by_target: dict[str, Panel | None], rows: Sequence[Sequence[str]], group: str
) -> list[str]:
    """Returns a heading, a table with a column for each target, and what the intervals are."""
    head = ["attack", *(_head(target, panel, group) for target, panel in by_target.items())]
    measured = [panel for panel in by_target.values() if panel is not None]
    return [f"### {dataset}", _table(head, rows, "l" * len(head)), _caption(measured, rows)]


def _by_dataset(panels: Sequence[Panel]) -> dict[str, dict[str, Panel | None]]:
    """Returns for each measured dataset every target's panel, None where the target was not run."""
    found = {(panel.dataset, panel.target): panel for panel in panels}
    datasets = dict.fromkeys(panel.dataset for panel in panels)
    return {dataset: {target: found.get((dataset, target)) for target in TARGETS} for dataset in datasets}


def _head(target: str, panel: Panel | None, group: str) -> str:
    if panel is None:
        return f"{target}, not run"
    return f"{target}, {seeds_text(panel.seeds)}, {panel.n_users(group) or 'no'} users"


def _estimate(panel: Panel | None, attack: str, group: str) -> Estimate | None:
    rows = panel.rows if panel is not None else ()
    return next((row.groups.get(group) for row in rows if row.attack == attack), None)


def _cell(panel: Panel | None, attack: str, group: str) -> str:
    estimate = _estimate(panel, attack, group)
    if panel is None or estimate is None:
        return MISSING
    fewer = "*" * (estimate.seeds != panel.seeds)
    return f"{_figure(estimate.value)}{fewer} [{_figure(estimate.low)}, {_figure(estimate.high)}]"


def _beside(ours: str, paper: float | None) -> str:
    return ours if paper is None else f"{ours} · paper {_figure(paper)}"


def _share_of_retrain(panel: Panel | None) -> str:
    """Returns the ratio of the means, none where they are of different seeds."""
    pta, retrain = (_estimate(panel, name, "heldout") for name in ("pta", "retrain"))
    if pta is None or retrain is None or pta.seeds != retrain.seeds or not retrain.value:
        return MISSING
    return _figure(pta.value / retrain.value)


def _caption(panels: Sequence[Panel], rows: Sequence[Sequence[str]]) -> str:
    text = f"Agr@{K}: mean and [interval]; {intervals_text(list(panels))}."
    if any("*" in cell for row in rows for cell in row[1:]):
        text += " An asterisk: fewer seeds than the column or row has."
    return text


def _differences(per_user: pd.DataFrame) -> str:
    """Returns a table for each claim, with a row for each dataset and target that has both sides."""
    known = set(per_user["attack"])
    verdicts = compare(per_user, [pair for pair in CLAIMS if known.issuperset(pair)], k=K)
    blocks = ["## Differences", _DIFFERENCES_NOTE]
    head = ["dataset", "target", "a − b", "95 % interval", "p (Holm)", "p given these models"]
    head += ["seeds", "users", "verdict"]
    for (attack, versus), meaning in CLAIMS.items():
        rows = verdicts[(verdicts["attack"] == attack) & (verdicts["versus"] == versus)]
        lines = [_difference(row) for _, row in rows.iterrows()]
        table = _table(head, lines, "llrlrrrrl") if lines else "Not measured."
        blocks += [f"### `{attack}` − `{versus}`: {meaning}", table]
    return "\n\n".join(blocks)


def _claims(shown: pd.DataFrame) -> list[str]:
    return [
        "## The paper's claims 1 to 6",
        _CLAIMS_NOTE,
        *claim_blocks(attack_claims(shown), claim_texts(ATTACK_CLAIMS)),
    ]


def _difference(row: pd.Series) -> list[str]:
    interval = _interval(row["ci_low"], row["ci_high"], signed=True)
    figures = [_figure(row["difference"], signed=True), interval, _p(row["p_holm"]), _p(row["p_sign_flip"])]
    return [row["dataset"], row["target"], *figures, str(row["n_seeds"]), str(row["n_users"]), _verdict(row)]


def _verdict(row: pd.Series) -> str:
    leader = row["attack"] if row["difference"] > 0 else row["versus"]
    return _verdict_text(row, f"`{leader}` ahead" if round(row["difference"], DECIMALS) else "level")


def _range(values: NDArray[np.float64], n_seeds: int) -> str:
    """Returns the mean and, of several seeds, the lowest and the highest."""
    if not values.size:
        return MISSING
    fewer = "*" * (values.size < n_seeds)
    ends = f" ({_figure(values.min())}–{_figure(values.max())})" if values.size > 1 else ""
    return _figure(values.mean()) + fewer + ends
