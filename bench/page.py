"""Puts measured tables into docs/performance.md, so that no figure there is typed by hand.

A block begins with ``<!-- bench: NAME -->`` and ends with ``<!-- end -->``; what lies between is written anew
where it was measured.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BLOCK = re.compile(r"(<!-- bench: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(page: str, blocks: Mapping[str, str]) -> str:
    """Writes blocks of a page anew.

    Args:
        page: The page's text.
        blocks: What stands in a block, by its name.

    Returns:
        The page; a block that was not measured stays as it was, with the commit and the day that stand beside it.
    """

    def written(found: re.Match[str]) -> str:
        content = blocks.get(found["name"])
        return found[0] if content is None else f"{found[1]}\n{content.strip()}\n\n{found[3]}"

    return BLOCK.sub(written, page)


def names(page: str) -> list[str]:
    """The names of a page's blocks, in its order."""
    return [found["name"] for found in BLOCK.finditer(page)]
