"""The report as Markdown, with pictures and tables beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from rec_msa.reporting.markdown import table as markdown_table
from rec_msa.reporting.report.claims import SYMBOLS
from rec_msa.reporting.report.inline import to_plain
from rec_msa.reporting.report.model import (
    Block,
    Body,
    Bullets,
    Cell,
    Command,
    FigureBlock,
    Folded,
    Paragraph,
    Report,
    Section,
    Table,
    Tiles,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure as Picture

FOLDER = "report"
"""Where pictures and tables lie, seen from the page."""
_FROM_LEVEL = 2
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
"""What begins a tag of HTML."""


def to_markdown(report: Report) -> str:
    """Returns the report as Markdown.

    Args:
        report: The report.
    """
    parts = [f"# {report.title}", report.lead, _text(" · ".join(report.facts))]
    for section in report.sections:
        parts += _section(section, _FROM_LEVEL)
    return "\n\n".join(part for part in parts if part) + "\n"


def _text(text: str) -> str:
    """A text in which nothing is taken for HTML: names of data sets and attacks come from files."""
    parts = text.split("`")
    return "`".join(part if place % 2 else _TAG.sub("&lt;", part) for place, part in enumerate(parts))


def files_of(report: Report) -> dict[str, Picture | pd.DataFrame]:
    """Returns what lies beside the page: every picture and the rows of every table, by the file's name."""
    pictures = {f"{name}.png": picture for name, picture in pictures_of(report).items()}
    return {**pictures, **{f"{name}.csv": table for name, table in tables_of(report).items()}}


def pictures_of(report: Report) -> dict[str, Picture]:
    """Returns the picture of every figure by its name."""
    return {block.name: block.drawing.picture() for block in report.figures()}


def tables_of(report: Report) -> dict[str, pd.DataFrame]:
    """Returns the rows of every table that has a file, by the file's name."""
    found: dict[str, list[pd.DataFrame]] = {}
    for table in report.tables():
        if table.file and table.data is not None:
            found.setdefault(table.file, []).append(table.data)
    return {name: pd.concat(parts, ignore_index=True) for name, parts in found.items()}


def _section(section: Section, level: int) -> list[str]:
    parts = [f'<a id="{section.anchor}"></a>\n\n{"#" * level} {section.title}']
    for block in section.blocks:
        parts += _block(block)
    for part in section.sections:
        parts += _section(part, level + 1)
    return parts


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(text):
            yield _text(text)
        case Bullets(items):
            yield "\n".join(f"- {_text(item)}" for item in items)
        case Command(text, command):
            yield f"{text} `{command}`"
        case Tiles(counts):
            yield ", ".join(f"{SYMBOLS[word]} {count} {word}" for word, count in counts)
        case Table():
            yield from _table(block)
        case FigureBlock(name, caption, _, table):
            yield f"![{to_plain(table.caption)}]({FOLDER}/{name}.png)"
            yield _text(caption)
            yield from _folded(Folded("The numbers behind it", [table]))
        case Folded():
            yield from _folded(block)


def _folded(folded: Folded) -> Iterator[str]:
    yield f"<details><summary>{_text(folded.summary)}</summary>"
    for block in folded.blocks:
        yield from _block(block)
    yield "</details>"


def _table(table: Table) -> Iterator[str]:
    head = _heads(table)
    rows = [row for body in table.bodies for row in _rows(body, len(head))]
    yield f"**{_text(table.caption)}**"
    yield markdown_table(head, rows, table.align)
    if table.notes:
        yield _text(" ".join(table.notes))


def _heads(table: Table) -> list[str]:
    """The headings, each with that of its group, since Markdown has one line of them."""
    if not table.groups:
        return list(table.head)
    groups = [name for name, span in table.groups for _ in range(span)]
    return [f"{group}: {name}" if group else name for group, name in zip(groups, table.head, strict=True)]


def _rows(body: Body, width: int) -> Iterator[list[str]]:
    if body.label:
        yield [f"*{_text(body.label)}*", *[""] * (width - 1)]
    for row in body.rows:
        yield [_cell(cell) for cell in row]


def _cell(cell: Cell) -> str:
    symbol = f"{SYMBOLS[cell.verdict]} " if cell.verdict else ""
    text = symbol + cell.text + (f" {cell.below}" if cell.below else "")
    return _text(" ".join(text.split("\n")).replace("|", "\\|"))
