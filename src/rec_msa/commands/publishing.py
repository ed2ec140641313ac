"""Puts what was measured where it is committed: ``python -m rec_msa.commands.publishing``.

Small tables only, from which ``kedro run --env=published --pipeline=reporting`` makes the committed report anew: no raw
data, no model, no list. What was published before stays, but for what was measured again.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from rec_msa.evaluation.results import COST_KEY, unlabelled
from rec_msa.foundation.errors import DataError, RecMsaError

if TYPE_CHECKING:
    from collections.abc import Sequence

FROM, TO = Path("data"), Path("docs/published")
REPORTING, COSTS = "08_reporting", "costs"
TARGET = ["dataset", "target", "seed"]
SERVED = [*TARGET, "defense"]
MEASURED = [*SERVED, "attack"]
TABLES = {"target_quality": SERVED, "agreement": MEASURED, "agreement_per_user": MEASURED, COSTS: MEASURED}
"""The tables, and what of them is replaced together."""
QUALITY = ["recall_test", "ndcg_test"]
"""Recall alone counts hits: two targets of a thousand users may have the same by chance."""
COPIED = (f"{REPORTING}/journal/*.json", "03_primary/*/statistics.json", "01_raw/*/raw_file.json")


def publish(measured: Path, published: Path) -> list[str]:
    """Adds the results of a data folder to the published ones.

    Returns:
        What was replaced or dropped, a line each. Where a target was trained anew and came out otherwise, everything
        published about the old one goes: attacks on two targets must not be compared as if they were on one.

    Raises:
        DataError: There is nothing to publish.
    """
    new = {name: _read(measured, name) for name in TABLES}
    if any(table.empty for name, table in new.items() if name != COSTS):  # what it took is not known of every result
        raise DataError(f"{measured / REPORTING}: no results lie here; run an attack or a study first")
    new["agreement_per_user"] = _headline(new["agreement_per_user"])
    old = {name: _read(published, name) for name in TABLES}
    changed = _trained_anew(old["target_quality"], new["target_quality"])
    (published / REPORTING).mkdir(parents=True, exist_ok=True)
    for name, key in TABLES.items():
        table = _merge(_without(old[name], changed), new[name], key)
        table.to_parquet(published / REPORTING / f"{name}.parquet", index=False, compression="zstd")
    for pattern in COPIED:
        for path in measured.glob(pattern):
            target = published / path.relative_to(measured)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return [f"trained anew: {' · '.join(map(str, cell))}" for cell in changed.itertuples(index=False, name=None)]


def _read(folder: Path, name: str) -> pd.DataFrame:
    path = folder / REPORTING / f"{name}.parquet"
    if not path.exists():
        return pd.DataFrame(columns=[*COST_KEY, "seconds"] if name == COSTS else None)
    # Runs with a label have settings of their own: they are not what is published.
    return unlabelled(pd.read_parquet(path))


def _headline(per_user: pd.DataFrame) -> pd.DataFrame:
    """What paired tests need: held-out users at each attack's longest list."""
    heldout = per_user[per_user["group"] == "heldout"]
    longest = heldout.groupby([*MEASURED, "against"])["k"].transform("max")
    return heldout[heldout["k"] == longest]


def _trained_anew(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """The targets, ``TARGET``, that both tables have with another quality."""
    if old.empty:
        return pd.DataFrame(columns=TARGET)
    # The quality of the target itself, whatever its defense: perhaps no defense of before is measured again.
    before, now = (table[[*TARGET, *QUALITY]].drop_duplicates() for table in (old, new))
    both = before.merge(now, on=TARGET, suffixes=("", "_new"))
    differs = [both[name] != both[f"{name}_new"] for name in QUALITY]
    return both.loc[pd.concat(differs, axis=1).any(axis=1), TARGET].drop_duplicates()


def _merge(old: pd.DataFrame, new: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    if old.empty or new.empty:
        return new if old.empty else old
    return pd.concat([_without(old, new[list(key)].drop_duplicates()), new], ignore_index=True)


def _without(table: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """The rows whose key is not among those given."""
    if table.empty or keys.empty:
        return table
    found = table.merge(keys, how="left", indicator=True)["_merge"] == "both"
    return table[~found.to_numpy()]


def main() -> None:
    """The command: prints what was dropped, or in one line why nothing was published."""
    parser = argparse.ArgumentParser(prog="python -m rec_msa.commands.publishing", description=__doc__)
    parser.add_argument("measured", nargs="?", type=Path, default=FROM, help="a data folder in which runs have ended")
    parser.add_argument("published", nargs="?", type=Path, default=TO, help="where the tables are committed")
    places = parser.parse_args()
    try:
        for line in publish(places.measured, places.published):
            print(line)  # noqa: T201 - a command's answer
    except RecMsaError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
