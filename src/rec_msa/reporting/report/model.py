"""What the report is made of: sections of paragraphs, tables and figures, which know nothing of HTML or Markdown.

Texts may hold `` `code` ``, ``**strong**`` and ``[links](#anchor)``; nothing else in them has a meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from rec_msa.reporting.report.drawings import Drawing

DASH = "–"
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: What stands there.
        below: What stands below it, smaller, as an interval; empty for nothing.
        title: What is read on pointing at it, and by screen readers; empty for none.
        missing: Whether nothing was measured: ``text`` is then a dash, ``title`` says why.
        verdict: A verdict's word where the cell is one: it gets the verdict's symbol and colour.
    """

    text: str
    below: str = ""
    title: str = ""
    missing: bool = False
    verdict: str = ""


@dataclass(frozen=True)
class Body:
    """Rows of a table that belong together.

    Attributes:
        rows: The cells of each row.
        label: What stands above them; empty for nothing.
    """

    rows: Sequence[Sequence[Cell]]
    label: str = ""


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        name: Its anchor, and the file's name where it has ``data``.
        caption: What it shows.
        head: A heading for each column.
        bodies: The rows.
        align: ``l`` or ``r`` for each column.
        groups: Headings over several columns with how many, all columns together; empty for none.
        n_heads: How many leading columns name the row.
        notes: What stands below it.
        data: The same as plain rows, one figure each, for a CSV file; None for none.
        file: The CSV file's name without ``.csv``; tables of one file follow each other in it.
    """

    name: str
    caption: str
    head: Sequence[str]
    bodies: Sequence[Body]
    align: str
    groups: Sequence[tuple[str, int]] = ()
    n_heads: int = 1
    notes: Sequence[str] = ()
    data: pd.DataFrame | None = None
    file: str = ""


@dataclass(frozen=True)
class Paragraph:
    """Some sentences.

    Attributes:
        text: The sentences.
        quiet: Whether it is an aside.
    """

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list.

    Attributes:
        items: A text each.
    """

    items: Sequence[str]


@dataclass(frozen=True)
class Command:
    """A command for a terminal, and what it is for.

    Attributes:
        text: What it does.
        command: The command.
    """

    text: str
    command: str


@dataclass(frozen=True)
class Tiles:
    """Counts, side by side.

    Attributes:
        counts: A count for each word, in order.
    """

    counts: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class FigureBlock:
    """A figure with the table behind it.

    Attributes:
        name: Its anchor, and the picture's file name.
        caption: What it shows.
        drawing: What is drawn.
        table: The numbers behind it.
    """

    name: str
    caption: str
    drawing: Drawing
    table: Table


@dataclass(frozen=True)
class Folded:
    """Blocks that are shown on demand.

    Attributes:
        summary: What says so.
        blocks: The blocks.
    """

    summary: str
    blocks: Sequence[Block]


Block = Paragraph | Bullets | Command | Tiles | Table | FigureBlock | Folded


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        anchor: Where links lead.
        title: The heading.
        blocks: What stands below it.
        sections: Parts within it, which follow the blocks.
    """

    anchor: str
    title: str
    blocks: Sequence[Block] = ()
    sections: Sequence[Section] = ()


@dataclass(frozen=True)
class Report:
    """The whole.

    Attributes:
        title: The heading.
        lead: What it is, in a sentence or two.
        facts: What it rests on, a few words each.
        sections: Its parts.
    """

    title: str
    lead: str
    facts: Sequence[str]
    sections: Sequence[Section] = field(default=())

    def blocks(self) -> Iterator[Block]:
        """Returns every block, those within others too, as they are read."""
        for section in self.sections:
            yield from _blocks_of(section)

    def figures(self) -> list[FigureBlock]:
        """Returns every figure."""
        return [block for block in self.blocks() if isinstance(block, FigureBlock)]

    def tables(self) -> list[Table]:
        """Returns every table, those behind figures too."""
        found = []
        for block in self.blocks():
            if isinstance(block, Table):
                found.append(block)
            elif isinstance(block, FigureBlock):
                found.append(block.table)
        return found


def missing(title: str = NOT_MEASURED) -> Cell:
    """Returns the cell of something that is not there: a dash that says why."""
    return Cell(DASH, title=title, missing=True)


def _blocks_of(section: Section) -> Iterator[Block]:
    for block in section.blocks:
        yield block
        if isinstance(block, Folded):
            yield from block.blocks
    for part in section.sections:
        yield from _blocks_of(part)
