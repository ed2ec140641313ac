"""Runs of several labels side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from rec_msa.foundation.errors import DataError
from rec_msa.reporting.comparing import comparison_page, comparison_rows, side_by_side
from rec_msa.reporting.writing import to_markdown

if TYPE_CHECKING:
    from rec_msa.reporting.comparing import SideBySide

NONE = pd.DataFrame(columns=["name", "settings"])


def labelled(one_cell: pd.DataFrame) -> pd.DataFrame:
    narrow = one_cell[one_cell["attack"] != "ptq"].assign(label="narrow", agreement=one_cell["agreement"] / 2)
    return pd.concat([one_cell, narrow], ignore_index=True)


def records(one_cell: pd.DataFrame, *of_labels: tuple[str, dict]) -> pd.DataFrame:
    first = one_cell.iloc[0]
    space = f"{first['dataset']}.seed{first['seed']}.{first['target']}.{first['defense']}"
    return pd.DataFrame([{"name": f"{label}{space}.ptaq.agreement", "settings": one} for label, one in of_labels])


def compared(one_cell: pd.DataFrame, *of_labels: tuple[str, dict]) -> SideBySide:
    [found] = side_by_side(labelled(one_cell), records(one_cell, *of_labels))
    return found


def test_the_run_without_a_label_stands_first(one_cell: pd.DataFrame) -> None:
    [found] = side_by_side(labelled(one_cell), NONE)
    assert found.labels == ["no label", "narrow"]
    assert found.settings == {}


def test_a_setting_is_shown_where_labels_differ_and_all_of_its_values_where_one_label_has_several(one_cell) -> None:
    same = {"steal": {"margin": 0.5}}
    found = compared(
        one_cell,
        ("", {"recommenders.bpr": {"dimensions": 64}, **same}),
        ("narrow.", {"recommenders.bpr": {"dimensions": 16}, **same}),
        ("narrow.", {"recommenders.bpr": {"dimensions": 8}, **same}),
    )
    assert found.settings == {"recommenders.bpr.dimensions": ["64", "16 / 8"]}


def test_what_one_label_alone_has_read_is_no_difference(one_cell: pd.DataFrame) -> None:
    found = compared(one_cell, ("", {"attacks.ptq": {"base": "ptq"}}), ("narrow.", {}))
    assert found.settings == {}


def test_an_attack_that_a_label_did_not_run_is_a_dash_on_the_page_and_no_row_of_the_table(one_cell) -> None:
    found = side_by_side(labelled(one_cell), NONE)
    rows = comparison_rows(found)
    assert set(rows.loc[rows["attack"] == "ptq", "label"]) == {"no label"}
    halves = rows[rows["attack"] == "ptaq"].set_index("label")["ours"]
    assert halves["narrow"] == halves["no label"] / 2
    [line] = [line for line in to_markdown(comparison_page(found)).splitlines() if line.startswith("| ptq ")]
    assert line.split("|")[3].strip() == "–"


def test_one_label_alone_is_refused(one_cell: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="--params=label="):
        side_by_side(one_cell, NONE)
