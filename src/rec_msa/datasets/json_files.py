"""What datasets of many small JSON files share."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import fsspec
from kedro.io.core import get_protocol_and_path

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


logger = logging.getLogger(__name__)


class JSONFiles:
    """Mixin for datasets that read all JSON files that a pattern finds.

    Args:
        pattern: The pattern, local or an fsspec URL.
    """

    def __init__(self, pattern: str) -> None:
        protocol, self._pattern = get_protocol_and_path(pattern)
        self._fs: AbstractFileSystem = fsspec.filesystem(protocol)

    def fingerprint(self) -> str:
        """Digest of all files as they lie there: it changes when one is added, gone or other than it was."""
        digest = hashlib.sha256()
        for path in self._paths():
            name = "/".join(PurePosixPath(path).parts[-2:])  # wherever the project lies
            digest.update(f"{name} {hashlib.sha256(self._fs.cat_file(path)).hexdigest()}\n".encode())
        return digest.hexdigest()[:32]

    def _contents(self) -> dict[PurePosixPath, dict[str, Any]]:
        """What each file holds; a damaged one is left out and named."""
        found = {}
        for path in self._paths():
            try:
                found[PurePosixPath(path)] = _object(self._fs.cat_file(path))
            except (ValueError, RecursionError) as error:
                logger.warning("%s is left out, since it is damaged (%s); remove it, or bring it back", path, error)
        return found

    def _paths(self) -> list[str]:
        self._fs.invalidate_cache()
        return sorted(map(str, self._fs.glob(self._pattern)))

    def _exists(self) -> bool:
        return bool(self._paths())


def _object(text: bytes) -> dict[str, Any]:
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError(f"it holds {type(content).__name__} and not an object")
    return content
