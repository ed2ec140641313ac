"""The report as one HTML file that needs no network, and as Markdown with pictures and tables beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup, escape

from rec_msa.reporting import document as doc
from rec_msa.reporting.drawing import PALETTE, on_page
from rec_msa.reporting.report import SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure as Picture

_CODE = re.compile(r"`([^`]+)`")
_STRONG = re.compile(r"\*\*([^*]+)\*\*")
_LINK = re.compile(r"\[([^\]]+)\]\((#[\w-]+|https://(?:atlas\.mitre|owasp)\.org/[^\s()]+)\)")
"""A link within the page or to a catalogue of risks; names come from files and may lead nowhere else."""
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
"""What begins a tag of HTML."""


def to_page(report: doc.Report) -> str:
    """Returns the report as HTML: styles, script and drawings are in it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("rec_msa.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"inline": to_html, "plain": to_plain, "kind": lambda block: type(block).__name__.lower()}
    made.filters |= {"slug": lambda word: word.replace(" ", "-"), "markup": Markup}
    made.filters["on_page"] = on_page
    made.globals |= {"symbols": SYMBOLS, "palette": list(PALETTE.items())}
    return made.get_template("report.html").render(report=report)


def to_html(text: str) -> Markup:
    """Returns a text with its markup as HTML, and nothing else of it as HTML."""
    # Code first: what stands in it is no markup.
    parts = _CODE.split(str(escape(text)))
    marked = [
        f"<code>{part}</code>" if at % 2 else _STRONG.sub(r"<strong>\1</strong>", part) for at, part in enumerate(parts)
    ]
    return Markup(_LINK.sub(r'<a href="\2">\1</a>', "".join(marked)))


def to_plain(text: str) -> str:
    """Returns a text without its markup."""
    return _LINK.sub(r"\1", _STRONG.sub(r"\1", _CODE.sub(r"\1", text)))


def to_markdown(report: doc.Report) -> str:
    """Returns the report as Markdown."""
    parts = [f"# {report.title}", report.lead, _text(" · ".join(report.facts))]
    for section in report.sections:
        parts += _section(section, 2, report.folder)
    return "\n\n".join(part for part in parts if part) + "\n"


def files_of(report: doc.Report) -> dict[str, Picture | pd.DataFrame]:
    """Returns what lies beside the Markdown: every picture and the rows of every table, by the file's name."""
    pictures: dict[str, Picture | pd.DataFrame] = {f"{one.name}.png": one.drawing.picture() for one in report.figures()}
    return {**pictures, **{f"{name}.csv": table for name, table in tables_of(report).items()}}


def tables_of(report: doc.Report) -> dict[str, pd.DataFrame]:
    """Returns the rows of every table that has a file, by the file's name."""
    found: dict[str, list[pd.DataFrame]] = {}
    for table in report.tables():
        if table.file:
            found.setdefault(table.file, []).append(table.as_file())
    return {name: pd.concat(parts, ignore_index=True) for name, parts in found.items()}


def _section(section: doc.Section, level: int, folder: str) -> Iterator[str]:
    yield f'<a id="{section.anchor}"></a>\n\n{"#" * level} {section.title}'
    for block in section.blocks:
        yield from _block(block, folder)
    for part in section.sections:
        yield from _section(part, level + 1, folder)


def _block(block: doc.Block, folder: str) -> Iterator[str]:
    match block:
        case doc.Paragraph(text):
            yield _text(text)
        case doc.Bullets(items):
            yield "\n".join(f"- {_text(item)}" for item in items)
        case doc.Command(text, command):
            yield f"{text} `{command}`"
        case doc.Tiles(counts):
            yield ", ".join(f"{SYMBOLS[word]} {count} {word}" for word, count in counts)
        case doc.Numbers(items):
            yield "\n".join(f"- **{value}** {text}" + f" ({below})" * bool(below) for value, text, below in items)
        case doc.Table():
            yield from _table(block)
        case doc.Figure(name, caption, _, table):
            yield f"![{to_plain(table.caption)}]({folder}/{name}.png)"
            yield _text(caption)
            yield from _block(doc.Folded("The numbers behind it", [table]), folder)
        case doc.Folded(summary, blocks):
            yield f"<details><summary>{_text(summary)}</summary>"
            for inner in blocks:
                yield from _block(inner, folder)
            yield "</details>"


def _text(text: str) -> str:
    """A text in which nothing is taken for HTML: names of data sets and attacks come from files."""
    parts = text.split("`")
    return "`".join(part if at % 2 else _TAG.sub("&lt;", part) for at, part in enumerate(parts))


def _table(table: doc.Table) -> Iterator[str]:
    # Markdown has one line of headings, so each has that of its group.
    head = [f"{column.group}: {column.head}" if column.group else column.head for column in table.columns]
    rows = []
    for label, cells in table.bodies():
        rows += [[f"*{_text(label)}*", *[""] * (len(head) - 1)]] if label else []
        rows += [[_cell(cell) for cell in row] for row in cells]
    yield f"**{_text(table.caption)}**"
    yield _grid(head, rows, [column.align for column in table.columns])
    if table.notes:
        yield _text(" ".join(table.notes))


def _cell(cell: doc.Cell) -> str:
    symbol = f"{SYMBOLS[cell.verdict]} " if cell.verdict else ""
    text = symbol + cell.text + (f" {cell.below}" if cell.below else "")
    return _text(" ".join(text.split("\n")).replace("|", "\\|"))


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]], align: Sequence[str]) -> str:
    """A table in Markdown whose columns are aligned in the source too."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = ["-" * (width - 1) + ("-" if side == "l" else ":") for width, side in zip(widths, align, strict=True)]
    lines = [
        [
            cell.ljust(width) if side == "l" else cell.rjust(width)
            for cell, width, side in zip(line, widths, align, strict=True)
        ]
        for line in [head, *rows]
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in [lines[0], rule, *lines[1:]])
