"""What the paper prints: its data sets, targets, tables and claims; and what our pages say in sentences."""

from __future__ import annotations

import json
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

DATASETS = ("ml-1m", "ta-feng", "steam")
TARGETS = ("bpr", "ncf", "lmf")
SEQUENTIAL_TARGETS = ("sasrec", "stamp", "gru4rec")
Key = tuple[str, str, str]
"""Dataset, target and attack."""


@cache
def paper_data(name: str) -> Any:
    """Returns what one of the files beside this module holds of the paper."""
    return json.loads(_text_of(name))


def _text_of(name: str) -> str:
    return files("rec_msa.reporting").joinpath(name).read_text(encoding="utf-8")


TEXTS = tomllib.loads(_text_of("texts.toml"))
"""What the pages say in sentences, by the part that says it."""


def paper_table(number: int) -> dict[str, Any]:
    """Returns the rows of one of the paper's tables, as it prints them."""
    rows: dict[str, Any] = paper_data("paper_tables.json")[f"table{number}"]["rows"]
    return rows


def paper_agreement(number: int) -> dict[Key, float]:
    """Returns the agreement of tables 4, 5, 7 or 8 by dataset, target and attack; of Table 7 ``ptq bpr+hinge``."""
    rows = paper_table(number)
    if number == 8:  # noqa: PLR2004 - the table's number
        return {("ml-1m", target, attack): value for attack, found in rows.items() for target, value in found.items()}
    if number == 7:  # noqa: PLR2004
        return {
            ("ml-1m", target, f"{attack} {loss}"): value
            for loss, targets in rows.items()
            for target, attacks in targets.items()
            for attack, value in attacks.items()
        }
    return {
        (dataset, target, attack): value
        for attack, datasets in rows.items()
        for dataset, targets in datasets.items()
        for target, value in targets.items()
    }
