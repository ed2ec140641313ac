"""Who is ahead of whom: paired differences between attacks, each with its test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_msa.evaluation.comparison import compare
from rec_msa.reporting.claims import NOT_MEASURED as NO_ROWS
from rec_msa.reporting.markdown import DECIMALS, figure, interval, p_value, verdict
from rec_msa.reporting.report.model import Block, Body, Bullets, Cell, Paragraph, Section, Table, missing

if TYPE_CHECKING:
    from rec_msa.reporting.report.measured import Measured

PAIRS = {
    ("ptq", "ptd"): "what queries add to known data",
    ("ptaq", "pta"): "what queries add to known and auxiliary data",
    ("pta", "ptd"): "what auxiliary data add",
    ("pta", "ptq"): "auxiliary data against queries",
    ("ptaq", "ptq"): "what auxiliary data add where there are queries",
    ("pta", "pta_pre"): "attention against auxiliary vectors as a start",
    ("ptaq", "ptaq_pre"): "the same with queries",
    ("pta", "pta_joint"): "attention against one clone on both data",
    ("ptaq", "ptaq_joint"): "the same with queries",
    ("pta", "pta_mean"): "attention against fusing half and half",
    ("ptq", "knn_lists"): "a clone against looking up the lists of the most similar queried users",
    ("ptaq", "knn_lists"): "the same with auxiliary data",
}
"""Comparisons "the first agrees more with the target than the second", and what each is about."""
_DIFFERENCES_NOTE = (
    "a − b is how much more of the target's list a repeats than b, for the same held-out users and the same seed, then "
    "averaged over seeds. Interval and p are Student's t over seeds, p two-sided and after Holm's correction over the "
    'rows of a table; "p given these models" flips signs over users within seeds and says nothing about models trained '
    "anew. With fewer than five seeds a verdict is open, and who is ahead is a direction, no finding."
)


def differences_section(measured: Measured) -> Section:
    """Returns the paired differences, a table for each pair."""
    rows = measured.users_of(measured.table_rows)
    known = set(rows["attack"])
    pairs = [pair for pair in PAIRS if known.issuperset(pair)]
    judged = compare(rows, pairs) if pairs else pd.DataFrame()
    blocks: list[Block] = [Paragraph(_DIFFERENCES_NOTE)]
    without = []
    for pair, meaning in PAIRS.items():
        own = judged[(judged["attack"] == pair[0]) & (judged["versus"] == pair[1])] if pairs else judged
        if len(own):
            blocks.append(_differences_table(pair, meaning, own))
        else:
            without.append(f"`{pair[0]}` − `{pair[1]}`: {meaning}. {NO_ROWS}")
    blocks += [Bullets(without)] if without else []
    return Section("differences", "Who is ahead of whom", blocks)


def _differences_table(pair: tuple[str, str], meaning: str, own: pd.DataFrame) -> Table:
    head = ["dataset", "target", "difference", "p (Holm)", "p given these models", "seeds", "users", "verdict"]
    rows = [difference_row(row) for _, row in own.iterrows()]
    columns = [
        "dataset",
        "target",
        "attack",
        "versus",
        "difference",
        "sd",
        "ci_low",
        "ci_high",
        "p_holm",
        "p_sign_flip",
    ]
    data = own[[*columns, "n_seeds", "n_users", "verdict"]]
    name, caption = f"difference-{pair[0]}-{pair[1]}", f"`{pair[0]}` − `{pair[1]}`: {meaning}"
    return Table(name, caption, head, [Body(rows)], "llrrrrrl", (), 2, (), data, "differences")


def difference_row(row: pd.Series) -> list[Cell]:
    """Returns the cells of a judged difference between two attacks."""
    ahead = row["attack"] if row["difference"] > 0 else row["versus"]
    so_far = f"`{ahead}` ahead" if round(row["difference"], DECIMALS) else "neither ahead"
    return [
        Cell(row["dataset"]),
        Cell(row["target"]),
        difference_cell(row),
        p_cell(row["p_holm"]),
        p_cell(row["p_sign_flip"]),
        Cell(str(row["n_seeds"])),
        Cell(str(row["n_users"])),
        Cell(verdict(row, so_far), verdict=str(row["verdict"])),
    ]


def difference_cell(row: pd.Series) -> Cell:
    """Returns a judged difference with its interval, where it has one."""
    ends = "" if np.isnan(row["ci_low"]) else interval(row["ci_low"], row["ci_high"], signed=True)
    return Cell(figure(row["difference"], signed=True), ends)


def p_cell(value: float) -> Cell:
    """Returns a p value, or that there was no test."""
    return missing("no test: one seed") if np.isnan(value) else Cell(p_value(value))
