"""Markdown tables, and where an object stands."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SOURCE = Path(__file__).resolve().parents[2] / "src"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar within a cell is escaped."""
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def first_sentence(thing: Any) -> str:
    """The first line of a docstring, with code in single backticks."""
    return (inspect.getdoc(thing) or "").partition("\n")[0].replace("``", "`")


def place_of(path: str) -> str:
    """Where an object is, for a reader: ``attacks/gate.py`` and its name. Nothing is imported, torch above all.

    Args:
        path: ``rec_msa.attacks.gate:QueryGate``, a name at the top of a module.

    Raises:
        LookupError: It is not there any more.
    """
    module, _, name = path.partition(":")
    file = SOURCE.joinpath(*module.split(".")).with_suffix(".py")
    if not file.exists() or name not in _names(file):
        raise LookupError(f"docs/generate/paper.py: there is no {path}; say where it is now")
    return f"`{name}` in `{file.relative_to(SOURCE / 'rec_msa')}`"


def _names(file: Path) -> set[str]:
    """The functions, classes and constants of a module."""
    found: set[str] = set()
    for line in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(line, ast.FunctionDef | ast.ClassDef):
            found.add(line.name)
        targets = (
            line.targets if isinstance(line, ast.Assign) else [line.target] if isinstance(line, ast.AnnAssign) else []
        )
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found
