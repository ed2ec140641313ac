"""The report as one HTML file, which needs no network: styles, scripts, data and plotly.js are in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.io import to_json
from plotly.offline import get_plotlyjs

from rec_msa.reporting.report.claims import SYMBOLS
from rec_msa.reporting.report.inline import to_html, to_plain

if TYPE_CHECKING:
    from rec_msa.reporting.report.drawings import Part
    from rec_msa.reporting.report.model import Block, Report


def to_page(report: Report) -> str:
    """Returns the report as HTML.

    Args:
        report: The report.
    """
    page = _environment().get_template("report.html")
    return page.render(report=report, plotly=Markup(get_plotlyjs()))


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("rec_msa.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"inline": to_html, "plain": to_plain, "kind": _kind, "data": _data, "slug": _slug}
    made.globals["symbols"] = SYMBOLS
    return made


def _kind(block: Block) -> str:
    """The name of the macro that writes a block."""
    return type(block).__name__.lower()


def _slug(word: str) -> str:
    return word.replace(" ", "-")


def _data(part: Part) -> Markup:
    """A figure's JSON for a script element: nothing in it ends the element."""
    drawn = json.loads(to_json(part.figure, validate=False))
    drawn["layout"].pop("template", None)
    text = json.dumps({"data": drawn["data"], "layout": drawn["layout"]}, separators=(",", ":"), ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028"))
