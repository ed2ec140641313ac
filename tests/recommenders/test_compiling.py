"""Where machine code is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from numba import config

from rec_msa.recommenders import kernels
from rec_msa.recommenders.compiling import KEPT_IN, kept_in

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["compiling.py", "kernels.py", "gru_kernels.py"]


@pytest.mark.parametrize("changed", NAMES)
def test_machine_code_of_what_was_inlined_before_a_change_is_not_taken_for_current(
    tmp_path: Path, changed: str
) -> None:
    for name in NAMES:
        (tmp_path / name).write_text(name)
    before = kept_in(tmp_path)
    assert kept_in(tmp_path) == before
    (tmp_path / changed).write_text("another text")
    assert kept_in(tmp_path) != before


def test_kernels_are_kept_there_and_other_code_of_numba_where_it_was() -> None:
    assert kernels.picked_scores.stats.cache_path.startswith(KEPT_IN)
    assert config.CACHE_DIR != KEPT_IN


def test_a_folder_that_the_user_names_for_machine_code_is_kept_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "compiling.py").write_text("text")
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "named"))
    assert kept_in(tmp_path).parent == tmp_path / "named"
