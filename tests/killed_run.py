"""``kedro run`` that ends itself by SIGKILL at its n-th step of writing: ``python -m tests.killed_run N run ...``.

A step is a write to a temporary file, a rename, a removal or a small file written at once: of claims, artifacts,
records, the journal, the tables that are put together, and the report. So every place where a run may leave something
half done is met, also those that are too short to be hit by the clock.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from fsspec.implementations.local import LocalFileOpener, LocalFileSystem

if TYPE_CHECKING:
    from collections.abc import Callable

SAID = "killed at:"


class Steps:
    """Counts steps of writing and ends the process at one of them.

    Args:
        last: The step that is not finished.
    """

    def __init__(self, last: int) -> None:
        self.left = last

    def step(self, what: str, path: object) -> None:
        """Counts a step, which is about to be taken or was taken by half."""
        self.left -= 1
        if self.left == 0:
            os.write(2, f"{SAID} {what} {path}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Counts the steps of the local file system from now on."""
        for name in ("mv", "rm_file", "pipe_file"):
            setattr(LocalFileSystem, name, self._before(name, getattr(LocalFileSystem, name)))
        LocalFileOpener.write = self._by_half(LocalFileOpener.write)

    def _before(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(fs: LocalFileSystem, path: str, *rest: Any, **options: Any) -> Any:
            self.step(name, rest[0] if name == "mv" else path)
            return call(fs, path, *rest, **options)

        return counted

    def _by_half(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(file: LocalFileOpener, data: Any) -> Any:
            if vars(file).setdefault("begun", False):
                return call(file, data)  # parquet writes a hundred small pieces; one of them is enough
            file.begun = True
            if self.left == 1:
                call(file, bytes(data)[: len(data) // 2])
                file.f.flush()
            self.step("write", file.path)
            return call(file, data)

        return counted


if __name__ == "__main__":
    from kedro.framework.cli import main

    Steps(int(sys.argv[1])).watch()
    sys.argv = ["kedro", *sys.argv[2:]]
    main()
