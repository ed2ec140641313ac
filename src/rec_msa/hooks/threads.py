"""How many threads torch may use."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from kedro.framework.hooks import hook_impl

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext


class Threads:
    """Limits torch's threads: on small steps, threads that wait for a busy core cost many times what they give."""

    def __init__(self) -> None:
        self.ours: str | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Sets the environment, which torch reads when it is imported and worker processes inherit."""
        if os.environ.get("OMP_NUM_THREADS") == self.ours:
            self.ours = os.environ["OMP_NUM_THREADS"] = str(context.config_loader["parameters"]["threads"])
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
