"""How many threads torch may use."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from kedro.framework.hooks import hook_impl

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext

VARIABLE = "OMP_NUM_THREADS"


class Threads:
    """Limits torch's threads: on small steps, threads that wait for a busy core cost many times what they give."""

    def __init__(self) -> None:
        self.ours: str | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Sets the environment, which torch reads when it is imported and worker processes inherit."""
        asked = threads_in_environment()
        if asked is None or os.environ[VARIABLE] == self.ours:
            asked = int(context.config_loader["parameters"]["threads"])
            self.ours = os.environ[VARIABLE] = str(asked)
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(asked)


def threads_in_environment() -> int | None:
    """What ``OMP_NUM_THREADS`` says; of a list, for nested loops, the first. None where it says nothing."""
    first = os.environ.get(VARIABLE, "").partition(",")[0].strip()
    return int(first) or None if first.isdecimal() else None
