"""What people read: words for names, figures as texts, our sentences, and what the paper prints."""

from __future__ import annotations

import json
import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from rec_msa.attacks.settings import ENSEMBLE, SOLVED_REFERENCES
from rec_msa.evaluation.verdicts import SEEDS_FOR_A_VERDICT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@cache
def paper_data(name: str) -> Any:
    """Returns what one of the files beside this module holds of the paper."""
    return json.loads(_text_of(name))


def _text_of(name: str) -> str:
    return files("rec_msa.reporting").joinpath(name).read_text(encoding="utf-8")


TEXTS = tomllib.loads(_text_of("texts.toml"))
"""What the pages say in words, by the part that says it."""
TARGET = "target"
REFERENCE_NAMES: dict[str, str] = TEXTS["references"]
"""The references by name; whatever else stands under ``attack`` is a named attack."""
NOT_IN_ALL = (*SOLVED_REFERENCES, ENSEMBLE)
"""References that not all results have: a table has a row of them where they were measured."""
ATTACKS_IN_WORDS: dict[str, str] = TEXTS["attacks"]
"""What each attack learns from."""

GROUP_NAMES = {"heldout": "held-out", "queried": "queried"}
GROUP_LABELS = {
    "heldout": "held-out users (never asked about)",
    "queried": "queried users (lists the attacker already holds)",
}


def with_words(attack: str) -> str:
    """Returns an attack with what it learns from, or a reference's name."""
    if attack in REFERENCE_NAMES:
        return REFERENCE_NAMES[attack]
    words = ATTACKS_IN_WORDS.get(attack)
    return f"{attack}: {words}" if words else attack


def shown_name(row: Mapping[Any, Any]) -> str:
    """Returns what a table calls the attack of a row: a reference by its name, any other as code."""
    return str(REFERENCE_NAMES.get(row["attack"], f"`{row['attack']}`"))


def number(value: float) -> str:
    """Returns two decimals, never ``-0.00``."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def span(values: Sequence[int]) -> str:
    """Returns ``12``, or ``12–14`` where the values differ, or an empty text for no value."""
    ends = sorted({min(values), max(values)}) if values else []
    return "–".join(map(str, ends))


def seeds_text(seeds: tuple[int, ...]) -> str:
    """Returns ``seed 0``, ``seeds 0–4`` or ``seeds 0, 2, 7``."""
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    in_a_row = seeds[-1] - seeds[0] == len(seeds) - 1
    return "seeds " + (f"{seeds[0]}–{seeds[-1]}" if in_a_row else ", ".join(map(str, seeds)))


MISSING = "–"
DECIMALS, SMALLEST_P = 3, 0.001


def share(value: float, *, signed: bool = False) -> str:
    """Returns three decimals without the zero before the point, never ``-.000``; a dash for NaN."""
    if np.isnan(value):
        return MISSING
    rounded = round(float(value), DECIMALS) + 0.0
    text = f"{rounded:{'+' * (signed and rounded != 0)}.{DECIMALS}f}"
    return (text.replace("0.", ".", 1) if abs(rounded) < 1 else text).replace("-", "−")


def interval(low: float, high: float, *, signed: bool = False) -> str:
    """Returns ``[.1, .2]``, or a dash where there is none."""
    return MISSING if np.isnan(low) else f"[{share(low, signed=signed)}, {share(high, signed=signed)}]"


def p_value(value: float) -> str:
    """Returns a p-value, very small ones as such."""
    return "< .001" if value < SMALLEST_P else share(value)


def verdict_text(row: Mapping[Any, Any], so_far: str) -> str:
    """Returns a verdict; of one that is open for want of seeds, what they say so far.

    Args:
        row: ``verdict, note, n_seeds``.
        so_far: The direction in words.
    """
    if not row["note"]:
        return str(row["verdict"])
    return f"{row['verdict']} ({row['n_seeds']} of {SEEDS_FOR_A_VERDICT} seeds); so far {so_far}"


DATASETS = ("ml-1m", "ta-feng", "steam")
TARGETS = ("bpr", "ncf", "lmf")
SEQUENTIAL_TARGETS = ("sasrec", "stamp", "gru4rec")
Key = tuple[str, str, str]
"""Dataset, target and attack."""


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
