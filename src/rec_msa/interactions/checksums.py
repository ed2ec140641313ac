"""What the bytes of raw files are: checksums of them uncompressed, and whether they are the known original."""

from __future__ import annotations

import hashlib
import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from rec_msa.foundation.errors import DataError
from rec_msa.interactions.reading.files import Part, is_url

if TYPE_CHECKING:
    from pathlib import Path

    from rec_msa.interactions.known import Original

LARGE = 100 << 20
LARGEST_RATIO = 200
"""Of what was compressed, beyond ``LARGE`` bytes: tables come to 3 to 20 times, rows that repeat each other to 100."""


def checksum(path: Path) -> tuple[str, int]:
    """Returns the sha256 and the size of the uncompressed bytes.

    Raises:
        DataError: The file is empty or can't be decompressed.
    """
    sha256, n_bytes = _checksum_of(Part(str(path)))
    if n_bytes == 0:
        raise DataError(f"{path} is empty: remove it to have it fetched where that is possible, or put the data there")
    return sha256, n_bytes


def checksum_of_all(parts: list[Part]) -> tuple[str, int]:
    """Of several files: of their names, URLs whole and paths without what is above all paths, and their checksums."""
    if len(parts) == 1 and not parts[0].given:
        return _checksum_of(parts[0])
    local = [PurePosixPath(part.place).parent for part in parts if not is_url(part.place)]
    above = str(os.path.commonpath(local)) if local else ""
    found = [(part.name.removeprefix(above), *_checksum_of(part)) for part in parts]
    lines = "".join(f"{name} {sha256}\n" for name, sha256, _ in found)
    return hashlib.sha256(lines.encode()).hexdigest(), sum(n_bytes for *_, n_bytes in found)


def is_original(path: Path, original: Original, sha256: str, n_bytes: int) -> bool:
    """Whether a file with such a checksum and size is a known original, some of which git's ids of blobs tell alone."""
    if sha256 in original.sha256 or not original.blob_ids:
        return sha256 in original.sha256
    digest = hashlib.sha1(f"blob {n_bytes}\0".encode(), usedforsecurity=False)
    for chunk in Part(str(path)).chunks():
        digest.update(chunk)
    return digest.hexdigest() in original.blob_ids


def _checksum_of(part: Part) -> tuple[str, int]:
    digest, n_bytes = hashlib.sha256(), 0
    most = max(LARGE, LARGEST_RATIO * os.path.getsize(part.place)) if os.path.exists(part.place) else None
    for chunk in part.chunks():
        digest.update(chunk)
        n_bytes += len(chunk)
        if most is not None and n_bytes > most:
            raise DataError(
                f"{part.name} expands to more than {LARGEST_RATIO} times its size: no table does; get it again"
            )
    return digest.hexdigest(), n_bytes
