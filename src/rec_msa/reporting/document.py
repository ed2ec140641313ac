"""What the report is made of: sections of paragraphs, tables and figures, which know nothing of HTML or Markdown.

Texts may hold `` `code` ``, ``**strong**`` and ``[links](#anchor)``; nothing else in them has a meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.reporting.measured import Estimate, as_columns
from rec_msa.reporting.names import MISSING, interval, p_value, seeds_text, share, span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rec_msa.reporting.drawing import Drawing

    Row = Mapping[Any, Any]

NOT_MEASURED = "not measured"
LEARNT = "learnt"
"""The section on what the steal stage learnt."""
ONE = "one"
"""The column of a table's frame that holds estimates."""


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text, what stands smaller below it, and what is read on pointing at it.

    Where it is ``missing``, the text is a dash and the title says why; a ``verdict`` gets its symbol and colour.
    """

    text: str
    below: str = ""
    title: str = ""
    missing: bool = False
    verdict: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table: ``of`` names the frame's, or finds what is shown in a row, which is ``{}`` where none is.

    Neighbours of one ``group`` have it above them; ``at`` is the value of the table's ``across`` whose row is shown,
    None for any; columns that are ``names`` name the row.
    """

    head: str
    of: str | Callable[[Row], Any]
    align: str = "r"
    group: str = ""
    at: Any = None
    names: bool = False


@dataclass(frozen=True)
class Table:
    """A table: its cells and its file are made from one frame.

    Attributes:
        name: Its anchor.
        caption: What it shows.
        frame: A row for each figure; estimates stand in the column ``one``.
        columns: What is shown of it.
        rows: The columns of the frame that make up a row of the table; each row of the frame is one where empty.
        across: The column that tells the figures of a row apart; empty where there is one.
        label: The column whose values stand above the rows that share them; empty for none.
        notes: What stands below the table.
        data: The columns of the frame that go to the CSV file; none where empty.
        file: The CSV file's name without ``.csv``; tables of one file follow each other in it.
        figure: What the file calls an estimate.
    """

    name: str
    caption: str
    frame: pd.DataFrame
    columns: Sequence[Column]
    rows: Sequence[str] = ()
    across: str = ""
    label: str = ""
    notes: Sequence[str] = ()
    data: Sequence[str] = ()
    file: str = ""
    figure: str = "ours"

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Headings over several columns, with how many; none where no column has one."""
        found: list[tuple[str, int]] = []
        for column in self.columns:
            last, count = found[-1] if found else (None, 0)
            found[-1:] = [(column.group, count + 1)] if last == column.group else [*found[-1:], (column.group, 1)]
        return found if any(name for name, _ in found) else []

    def bodies(self) -> list[tuple[str, list[list[Cell]]]]:
        """Returns the cells of each row, those below one label together."""
        found: dict[str, dict[Any, list[Row]]] = {}
        for place, row in enumerate(self.frame.to_dict("records")):
            body = found.setdefault(str(row[self.label]) if self.label else "", {})
            body.setdefault(tuple(row[name] for name in self.rows) or place, []).append(row)
        return [(label, [self._cells(row) for row in rows.values()]) for label, rows in found.items()]

    def _cells(self, found: list[Row]) -> list[Cell]:
        at = {row[self.across]: row for row in found} if self.across else {}
        return [_shown(column.of, found[0] if column.at is None else at.get(column.at, {})) for column in self.columns]

    def as_file(self) -> pd.DataFrame:
        """Returns the rows of the CSV file, one figure each."""
        table = self.frame.reindex(columns=list(self.data))
        if ONE not in table or table.empty:
            return table.drop(columns=ONE, errors="ignore")
        figures = pd.DataFrame([as_columns(one) for one in table[ONE]], table.index)
        whole, at = table.join(figures.rename(columns={"ours": self.figure})), list(self.data).index(ONE)
        own = [self.figure if name == "ours" else name for name in figures]
        return whole[[*self.data[:at], *own, *self.data[at + 1 :]]]


@dataclass(frozen=True)
class Paragraph:
    """Some sentences; a quiet one is an aside."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list, of a text each."""

    items: Sequence[str]


@dataclass(frozen=True)
class Command:
    """A command for a terminal, and what it is for."""

    text: str
    command: str


@dataclass(frozen=True)
class Tiles:
    """A count for each word, side by side."""

    counts: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Numbers:
    """A few figures side by side: each what is read first, what it is, and what stands smaller below it."""

    items: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Figure:
    """A figure with the table behind it; its name is its anchor and that of the picture's file."""

    name: str
    caption: str
    drawing: Drawing
    table: Table


@dataclass(frozen=True)
class Folded:
    """Blocks that are shown on demand."""

    summary: str
    blocks: Sequence[Block]


Block = Paragraph | Bullets | Command | Tiles | Numbers | Table | Figure | Folded


@dataclass(frozen=True)
class Section:
    """A part of the report: an anchor, a heading, what stands below it, and parts within it, which follow.

    Where it is ``folded``, the page shows its parts on demand, under these words.
    """

    anchor: str
    title: str
    blocks: Sequence[Block] = ()
    sections: Sequence[Section] = ()
    folded: str = ""

    def all_blocks(self) -> Iterator[Block]:
        """Returns every block, those within others too, as they are read."""
        for block in self.blocks:
            yield block
            if isinstance(block, Folded):
                yield from block.blocks
        for part in self.sections:
            yield from part.all_blocks()


@dataclass(frozen=True)
class Report:
    """The whole: a heading, what it is in a sentence or two, what it rests on in a few words each, and its parts.

    ``made_by`` is the command that writes it, ``folder`` where the pictures and tables of its Markdown lie.
    ``beside`` is the title and the file of the page that lies beside it; empty for none.
    """

    title: str
    lead: str = ""
    facts: Sequence[str] = ()
    sections: Sequence[Section] = ()
    made_by: str = "kedro run --pipeline=reporting"
    folder: str = "report"
    beside: tuple[str, ...] = ()

    def figures(self) -> list[Figure]:
        """Returns every figure."""
        return [block for section in self.sections for block in section.all_blocks() if isinstance(block, Figure)]

    def tables(self) -> list[Table]:
        """Returns every table, those behind figures too."""
        blocks = [block for section in self.sections for block in section.all_blocks()]
        shown = [block.table if isinstance(block, Figure) else block for block in blocks]
        return [block for block in shown if isinstance(block, Table)]


def study(name: str, *, measured: bool = True) -> Command:
    """Returns the command that measures a study of ``conf/paper``, and whether anything of it was measured."""
    text = "Measured by" if measured else "Nothing of it was measured. This does:"
    return Command(text, f"kedro run --env=paper --pipeline=study --params=study={name}")


def missing(title: str = NOT_MEASURED) -> Cell:
    """Returns the cell of something that is not there: a dash that says why."""
    return Cell(MISSING, title=title, missing=True)


def absent(value: Any) -> bool:
    """Returns whether a figure is not there."""
    return bool(pd.isna(value))


def _shown(of: str | Callable[[Row], Any], row: Row) -> Cell:
    """A figure with its interval, a float as a share, anything else as its text; a dash where there is nothing."""
    value = row.get(of) if isinstance(of, str) else of(row)
    if isinstance(value, Cell):
        return value
    if isinstance(value, Estimate):
        return estimate_cell(value)
    if absent(value):
        return missing()
    return Cell(share(value) if isinstance(value, float) else str(value))


def code(name: str) -> Callable[[Row], str]:
    """Returns what finds a column of the frame as code, where it is not empty."""
    return lambda row: f"`{row[name]}`" if row[name] else ""


def names(*columns: str, as_code: Sequence[str] = ()) -> list[Column]:
    """Returns leading columns that show those of the frame as they are, some as code."""
    return [Column(name, code(name) if name in as_code else name, "l", names=True) for name in columns]


def across(before: str, values: Sequence[Any], after: str = "") -> list[Column]:
    """Returns a column of estimates for each value of a table's ``across``."""
    return [Column(f"{before}{value}{after}", ONE, at=value) for value in values]


def written(name: str, write: Callable[[Any], str], why: str = NOT_MEASURED) -> Callable[[Row], Cell]:
    """Returns what writes a column of the frame in its own way; a dash that says why where there is nothing."""
    return lambda row: missing(why) if absent(row[name]) or row[name] == "" else Cell(write(row[name]))


def count(value: float, *, signed: bool = False) -> str:
    """Returns a whole number with its thousands apart, perhaps with its sign."""
    return f"{value:{'+' * (signed and value != 0)},.0f}".replace("-", "−")


def signed_share(value: float) -> str:
    """Returns a share with its sign."""
    return share(value, signed=True)


def estimate_cell(ours: Estimate | None, seeds: Sequence[int] = ()) -> Cell:
    """Returns a figure with its interval, or that it is missing; a mark says that a seed learnt nothing from answers.

    Args:
        seeds: The seeds of its column: one with fewer gets an asterisk.
    """
    if ours is None:
        return missing()
    marks = "*" * bool(seeds and ours.seeds != tuple(seeds))
    title = f"{seeds_text(ours.seeds)}, {span(ours.n_users)} users"
    title += f", standard deviation over seeds {share(ours.sd)}" * (len(ours.seeds) > 1)
    title += f", {ours.learnt_nothing} of {len(ours.seeds)} learnt nothing from the answers" * bool(ours.learnt_nothing)
    marks += f"[†](#{LEARNT})" * bool(ours.learnt_nothing)
    return Cell(share(ours.value) + marks, interval(ours.low, ours.high), title)


def difference_of(
    name: str = "difference", low: str = "ci_low", high: str = "ci_high", why: str = NOT_MEASURED
) -> Callable[[Row], Cell]:
    """Returns what writes a column of differences with their intervals, where they have one."""

    def write(row: Row) -> Cell:
        if absent(row[name]):
            return missing(why)
        ends = "" if absent(row[low]) else interval(row[low], row[high], signed=True)
        return Cell(signed_share(row[name]), ends)

    return write


def p_of(name: str) -> Callable[[Row], Cell]:
    """Returns what writes a column of p values, or that there was no test."""
    return lambda row: missing("no test: one seed") if absent(row[name]) else Cell(p_value(row[name]))
