"""What the steal stage learnt: which state was kept, and what the answers added to an attack's start."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.attacks.registry import STARTS
from rec_msa.evaluation.intervals import seed_interval
from rec_msa.reporting.learnt import ATTACK, gains, steal_runs
from rec_msa.reporting.markdown import figure, interval
from rec_msa.reporting.report.beside import LEARNT
from rec_msa.reporting.report.model import Body, Cell, Folded, Paragraph, Section, Table, missing

if TYPE_CHECKING:
    from rec_msa.reporting.report.measured import Measured

_TEXT = (
    "An attack with queries starts from the clone of one without, and its steal stage keeps the state that agrees most "
    "with the lists of queried users held back from it. Where that is the state before the first step, it **learnt "
    "nothing from the answers**, and its figure is that of its start: such figures are marked with †. A stage that "
    "ended at the limit of its steps might have learnt more."
)
_NOTE = (
    "Gain: Agr@k of the whole list above that of the attack's start (`ptq` − `ptd`, `ptaq` − `pta` and so on), under a "
    "defense on undefended lists; mean and 95 % interval, t over seeds. Variants of an attack stand here where a seed "
    "learnt nothing or ended at its limit."
)
_NOT_RECORDED = "not recorded"


def learnt_section(measured: Measured) -> Section:
    """Returns how many seeds of each attack kept their start or ended at a limit, and what the answers added."""
    runs, gained = steal_runs(measured.agreement), gains(measured.agreement)
    counted = "Which state was kept is not recorded in these results."
    if len(runs):
        counted = (
            f"Of {len(runs)} stages whose steps are recorded, {runs['nothing'].sum()} learnt nothing from the answers "
            f"and {runs['at_limit'].sum()} ended at their limit."
        )
    rows = [row for row in _rows(runs, gained) if row["plain"] or row["nothing"] or row["at_limit"]]
    table = [Folded("Show the table", [_table(rows)])] if rows else []
    return Section(LEARNT, "What the steal stage learnt", [Paragraph(f"{_TEXT} {counted}"), *table])


def _rows(runs: pd.DataFrame, gained: pd.DataFrame) -> list[dict[str, Any]]:
    """What is known of each attack on each target."""
    ended = {key: part for key, part in runs.groupby(ATTACK)}
    added = {key: part for key, part in gained.groupby(ATTACK)}
    return [
        _row(dict(zip(ATTACK, key, strict=True)), ended.get(key), added.get(key)) for key in sorted({*ended, *added})
    ]


def _row(names: dict[str, Any], ended: pd.DataFrame | None, added: pd.DataFrame | None) -> dict[str, Any]:
    row = {**names, "plain": names["attack"] in STARTS}
    row["n_runs"] = 0 if ended is None else len(ended)
    row |= {how: 0 if ended is None else int(ended[how].sum()) for how in ("nothing", "at_limit")}
    row["n_seeds"] = row["n_runs"] if added is None else added["seed"].nunique()
    for group in ("queried", "heldout"):
        own = [] if added is None else list(added.loc[added["group"] == group, "gain"])
        over = seed_interval(own) if own else None
        figures = (over.mean, over.low, over.high) if over else (nan,) * 3
        row |= dict(zip((f"gain_{group}", f"{group}_low", f"{group}_high"), figures, strict=True))
    return row


def _table(rows: list[dict[str, Any]]) -> Table:
    head = [*ATTACK, "seeds", "learnt nothing", "at the limit", "gain, queried", "gain, held-out"]
    cells = [
        [
            *(Cell(f"`{row[name]}`" if name in ("defense", "attack") else row[name]) for name in ATTACK),
            Cell(str(row["n_seeds"])),
            *(_count(row, how) for how in ("nothing", "at_limit")),
            *(_gain(row, group) for group in ("queried", "heldout")),
        ]
        for row in rows
    ]
    data = pd.DataFrame(rows).drop(columns="plain")
    caption = "How the steal stages ended, and what the answers added"
    return Table("learnt-table", caption, head, [Body(cells)], "llllrrrrr", (), 4, [_NOTE], data, LEARNT)


def _count(row: dict[str, Any], how: str) -> Cell:
    return Cell(f"{row[how]} of {row['n_runs']}") if row["n_runs"] else missing(_NOT_RECORDED)


def _gain(row: dict[str, Any], group: str) -> Cell:
    mean, low, high = row[f"gain_{group}"], row[f"{group}_low"], row[f"{group}_high"]
    if pd.isna(mean):
        return missing("no start to subtract")
    return Cell(figure(mean, signed=True), "" if pd.isna(low) else interval(low, high, signed=True))
