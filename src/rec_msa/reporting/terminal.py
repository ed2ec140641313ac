"""Tables of agreement for a terminal of 80 columns, with colours or without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.evaluation.agreement import GROUPS
from rec_msa.foundation.errors import DataError
from rec_msa.reporting.comparing import UNNAMED
from rec_msa.reporting.measured import Estimate, apart, remarks
from rec_msa.reporting.names import GROUP_LABELS, MISSING, TARGET, number, seeds_text
from rec_msa.reporting.panels import HEADINGS, Panel, Row, intervals_text, panels_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from rich.console import Console, ConsoleOptions, RenderResult

    from rec_msa.reporting.comparing import SideBySide

_GROUP = "heldout"
OVERLAP = "Where intervals overlap, no order is shown."
CEILING = "retrain"
"""What an attack is measured against: the target's architecture trained once more."""
_GAP = 3
"""Characters between two columns."""


def results_table(agreement: pd.DataFrame, quality: Mapping[str, float] | None, title: str) -> Table:
    """Returns what one target's attacks achieved, the best first, and below them the references.

    Args:
        agreement: Rows of one dataset, target and defense; of several seeds the mean is shown.
        quality: The target's ``k``, ``n_users``, ``recall_test``, ``ndcg_test``, ``recall_served`` and
            ``ndcg_served``; None where it was not measured.

    Raises:
        DataError: If a column is missing, there is no row, or there are several targets.
    """
    panels = panels_of(agreement)
    if len(panels) > 1:
        names = ", ".join(" · ".join(panel.name) for panel in panels)
        raise DataError(f"results table: made for one target, got {len(panels)} ({names}); choose one")
    panel = panels[0]
    table = _plain_table()
    table.title, table.title_justify = Text(title, style="bold"), "left"
    table.caption, table.caption_justify = Text("\n".join(["", *_caption(panel, quality), *remarks(agreement)])), "left"
    table.add_column("attack", overflow="fold")
    table.add_column("clone", no_wrap=True)
    table.add_column(f"Agr@{panel.k}\nheld-out", justify="right", style="bold", no_wrap=True)
    table.add_column("95 %\ninterval", justify="center", no_wrap=True)
    table.add_column(f"Agr@{panel.k}\nqueried", justify="right", no_wrap=True)
    table.add_column("calls to\ntarget", justify="right", no_wrap=True)
    _add_rows(table, panel.rows, [_cells(row) for row in panel.rows])
    return table


def study_table(agreement: pd.DataFrame, quality: pd.DataFrame | None = None) -> StudyTable:
    """Returns the held-out agreement of every attack and reference on every target.

    Args:
        agreement: Rows of any number of cells, with the columns of ``rec_msa.evaluation.results``.
        quality: A row for each target under a defense: dataset, target, seed, defense, k, recall_served.

    Raises:
        DataError: If a column is missing or there is no row.
    """
    return StudyTable(panels_of(agreement), quality, remarks(agreement))


class StudyTable:
    """A study for the terminal: as many tables, one below the other, as its width asks for."""

    def __init__(self, panels: list[Panel], quality: pd.DataFrame | None, remarks: Sequence[str]) -> None:
        self.panels, self.remarks = panels, remarks
        self.recalls = [] if quality is None or quality.empty else [_recall(panel, quality) for panel in panels]
        self.rows = self._sorted_rows()
        self.columns = [self._column(panel) for panel in panels]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yields the tables, then how to read them."""
        room = options.max_width - max(len(row.name) for row in self.rows)
        columns = zip(self.panels, self.columns, strict=True)
        widths = [_GAP + max(map(len, [*self.head(panel), *column])) for panel, column in columns]
        for block in _blocks(widths, room):
            yield self._table(block)
            yield Text()
        yield Text("\n".join([*self.how_to_read, *self.remarks]))

    def _table(self, block: slice) -> Table:
        table = _plain_table()
        table.add_column("attack", no_wrap=True)
        for panel in self.panels[block]:
            table.add_column("\n".join(self.head(panel)), no_wrap=True)
        names = [row.name for row in self.rows]
        _add_rows(table, self.rows, list(zip(names, *self.columns[block], strict=True)))
        if self.recalls:
            table.add_row()
            table.add_row("target's recall", *self.recalls[block])
        return table

    def head(self, panel: Panel) -> list[str]:
        """What stands above a column."""
        defenses = {panel.defense for panel in self.panels} - {NO_DEFENSE}
        defense = "no defense" if panel.defense == NO_DEFENSE else panel.defense
        labelled = any(one.label for one in self.panels)
        names = [panel.dataset, panel.target] + [defense] * bool(defenses) + [panel.label or UNNAMED] * labelled
        return [*names, seeds_text(panel.seeds), f"{panel.n_users(_GROUP)} users"]

    @property
    def how_to_read(self) -> list[str]:
        """What the figures are."""
        ks = ", ".join(str(k) for k in sorted({panel.k for panel in self.panels}))
        lines = [f"Agr@{ks}, {GROUP_LABELS[_GROUP]}; {intervals_text(self.panels)}."]
        if any(panel.defense != NO_DEFENSE for panel in self.panels):
            lines.append("Under a defense: agreement with what the target would serve without it.")
        if self.recalls:
            lines.append("Recall is that of the served lists on the test items of all target users.")
        if len(self.rows) > 1:
            lines.append(OVERLAP)
        if any("*" in cell for column in self.columns for cell in column):
            lines.append("An asterisk: fewer seeds than the rest of the column.")
        return lines

    def _sorted_rows(self) -> list[Row]:
        """Returns a row of each attack: attacks before references, the best on average first."""
        rows = {row.attack: row for panel in self.panels for row in panel.rows}
        means = {attack: self._mean(attack) for attack in rows}
        return sorted(rows.values(), key=lambda row: (row.is_reference, -means[row.attack], row.attack))

    def _mean(self, attack: str) -> float:
        rows = [row for panel in self.panels for row in panel.rows if row.attack == attack]
        found = [row.groups[_GROUP].value for row in rows if _GROUP in row.groups]
        return sum(found) / len(found) if found else -1.0

    def _column(self, panel: Panel) -> list[str]:
        found = {row.attack: row for row in panel.rows if _GROUP in row.groups}
        return [self._cell(found[row.attack], panel) if row.attack in found else MISSING for row in self.rows]

    def _cell(self, row: Row, panel: Panel) -> str:
        estimate = row.groups[_GROUP]
        other_k = f" @{row.k}" if row.k != panel.k else ""
        return _short(estimate) + other_k + "*" * (estimate.seeds != panel.seeds)


def labels_tables(found: Sequence[SideBySide]) -> Iterator[StudyTable | Table]:
    """Yields, for each comparison of labels, what they measured and then the settings in which they differ."""
    for one in found:
        yield StudyTable(list(one.panels), None, [])
        table = _plain_table()
        table.add_column("settings that differ", overflow="fold")
        for name in one.labels:
            table.add_column(name, justify="right", overflow="fold")
        for key, values in one.settings.items():
            table.add_row(key, *values)
        yield table


def _recall(panel: Panel, quality: pd.DataFrame) -> str:
    """The mean Recall of what the target serves, over the panel's seeds."""
    own = quality[quality["seed"].isin(panel.seeds)]
    for axis in ("dataset", "target", "defense"):
        own = own[own[axis] == getattr(panel, axis)]
    return f"{number(own['recall_served'].mean())} @{int(own['k'].max())}" if len(own) else MISSING


def _short(estimate: Estimate) -> str:
    if len(estimate.seeds) == 1:
        return f"{number(estimate.value)} [{number(estimate.low)}, {number(estimate.high)}]"
    return f"{number(estimate.value)} ±{number(estimate.high - estimate.value)}"


def _blocks(widths: Sequence[int], room: int) -> list[slice]:
    """Cuts columns into blocks that fit the room, each of at least one column."""
    ends, used = [0], 0
    for place, width in enumerate(widths):
        if used + width > room and place > ends[-1]:
            ends.append(place)
            used = 0
        used += width
    return [slice(start, end) for start, end in zip(ends, [*ends[1:], len(widths)], strict=True)]


def _plain_table() -> Table:
    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")


def _add_rows(table: Table, rows: Sequence[Row], cells: Sequence[Sequence[str]]) -> None:
    """Adds attacks and, under a heading of their own, the references, dimmed."""
    n_attacks = sum(not row.is_reference for row in rows)
    for texts in cells[:n_attacks]:
        table.add_row(*map(Text, texts))
    if cells[n_attacks:]:
        table.add_row()
        table.add_row(Text(HEADINGS[1].lower(), style="bold"))
    for texts in cells[n_attacks:]:
        table.add_row(*map(Text, texts), style="dim")


def _cells(row: Row) -> list[str]:
    heldout, queried = (row.groups.get(group) for group in GROUPS)
    return [
        row.label,
        row.clone,
        number(heldout.value) if heldout else MISSING,
        f"{number(heldout.low)} – {number(heldout.high)}" if heldout else MISSING,
        number(queried.value) if queried else MISSING,
        row.calls,
    ]


def _caption(panel: Panel, quality: Mapping[str, float] | None) -> list[str]:
    """Returns how good the target is, who was looked at, and how to read it."""
    lines = [f"{panel.users}; {intervals_text([panel])}."]
    defended = panel.defense != NO_DEFENSE
    if quality is not None and quality["n_users"]:
        k = int(quality["k"])
        figures = f"Recall@{k} {quality['recall_test']:.3f}, NDCG@{k} {quality['ndcg_test']:.3f}"
        lines.insert(0, f"Target: {figures} on the test items of {int(quality['n_users'])} users.")
    if quality is not None and quality["n_users"] and defended:
        lines.insert(1, f"Served lists: Recall {quality['recall_served']:.3f}, NDCG {quality['ndcg_served']:.3f}.")
    lines += _order(panel)
    lines.append("Held-out users were never asked about: theirs is the result.")
    if defended:
        lines.append("Agreement is with what the target would serve without its defense.")
    else:
        lines.append("The queried users' lists are known: a cache of the answers scores 1.00.")
    if not any(row.attack.startswith(CEILING) for row in panel.rows):
        lines.append("Without its ceiling: kedro run (same --params) trains the target once more.")
    return lines


def _order(panel: Panel) -> list[str]:
    """Names what the figures do not set apart from the best attack, which the rows' order would seem to."""
    shown = [row for row in panel.rows if _GROUP in row.groups and not row.attack.startswith((CEILING, TARGET))]
    best = next((row for row in shown if not row.is_reference), None)
    if best is None:
        return []
    level = [row.label for row in shown if row is not best and not apart(row.groups[_GROUP], best.groups[_GROUP])]
    return [f"Intervals overlap, so no order is shown: {', '.join([best.label, *level])}."] if level else []
