"""What a run says to a person: lines on the console that bars share."""

from __future__ import annotations

import rich


def say(text: str, *, whole: bool = False) -> None:
    """Prints a text as it is: wrapped between words on a terminal, and not at all in a file, or ``whole``, to copy."""
    console = rich.get_console()
    console.print(text, markup=False, highlight=False, soft_wrap=whole or not console.is_terminal)
