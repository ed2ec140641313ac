"""Puts measured tables into docs/performance.md, so that no figure there is typed by hand.

A block begins with ``<!-- bench: NAME -->`` and ends with ``<!-- end -->``; what lies between is written anew.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BLOCK = re.compile(r"(<!-- bench: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(page: str, blocks: Mapping[str, str]) -> str:
    """Writes every block of a page anew.

    Args:
        page: The page's text.
        blocks: What stands in a block, by its name.

    Returns:
        The page; a block that was never measured says so.
    """

    def written(found: re.Match[str]) -> str:
        content = blocks.get(found["name"], f"Not measured yet: `make bench` leaves nothing for `{found['name']}`.")
        return f"{found[1]}\n{content.strip()}\n\n{found[3]}"

    return BLOCK.sub(written, page)


def names(page: str) -> list[str]:
    """The names of a page's blocks, in its order."""
    return [found["name"] for found in BLOCK.finditer(page)]
