"""The attack at size, on a size that a test can wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import areas, end_to_end

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_an_attack_on_ids_that_are_text_says_what_each_node_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(areas, "RAW", tmp_path)
    with areas.project_copy() as project:
        figures, times = end_to_end.measure(project, text=True, size=("12k", "300", "600"))
    assert "error" not in figures
    assert 0 < figures["interactions"] < 12_000
    assert 0 <= figures["agreement"] <= 1
    assert figures["peak_mib"] > 100
    assert {"filter_and_index", "train_target", "train_auxiliary", "train_clone", "steal"} <= set(times)
    assert 0 < sum(times.values()) < figures["cpu_s"]
    assert list(times.values()) == sorted(times.values(), reverse=True)
