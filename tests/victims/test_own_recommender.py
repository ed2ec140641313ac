"""docs/own-recommender.md, followed word for word in a copy of the project with two files of a shop."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from tests.small_project import SmallProject
from tests.victims.pages import page, run_as_written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = page("own-recommender")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallProject]:
    """The small project with the page's settings and files, and a shop's interactions and served lists."""
    pytest.importorskip("implicit", reason="needs implicit, of the extra 'victims'")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    project = SmallProject(tmp_path)
    project.configure(project.parameters | PAGE.parameters)
    for name, text in PAGE.files.items():
        (tmp_path / name).write_text(text)
    write_shop(tmp_path)
    yield project
    for name in PAGE.files:
        sys.modules.pop(name.removesuffix(".py"), None)


def write_shop(folder: Path) -> None:
    """The small data with words for ids, and lists of the products that are bought most."""
    bought = pd.read_csv(folder / "small.csv")
    bought = pd.DataFrame({"customer": "c" + bought["who"].astype(str), "product": "p" + bought["what"].astype(str)})
    bought.to_csv(folder / "interactions.csv", index=False)
    owned = bought.groupby("customer")["product"].agg(set)
    popular = bought["product"].value_counts().index
    rows = [
        (customer, place, product)
        for customer, own in owned.items()
        for place, product in enumerate([one for one in popular if one not in own][:20], 1)
    ]
    pd.DataFrame(rows, columns=["customer", "place", "product"]).to_csv(folder / "lists.csv", index=False)


def agreement(project: SmallProject) -> pd.DataFrame:
    """Of ptq, by target and group."""
    table = pd.read_parquet(project.folder / "data/08_reporting/agreement.parquet")
    table = table[(table["attack"] == "ptq") & (table["k"] == 20) & (table["against"] == "served")]
    return table.set_index(["target", "group"])


def test_the_page_followed_word_for_word_measures_each_kind_of_target(shop):
    assert len(PAGE.parameters["targets"]) == 3
    for command in PAGE.commands:
        run_as_written(shop, command)
    measured = agreement(shop)
    assert set(measured.index.get_level_values("target")) == {*PAGE.parameters["targets"], "implicit_als"}
    assert (measured["n_queries"] > 0).all()
    both = [measured.loc[name, ["agreement", "n_users"]] for name in ("served", "asked")]
    assert np.array_equal(*both), "lists from a file and from a function are one target"
