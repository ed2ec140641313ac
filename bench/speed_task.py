"""The task on which speed is compared: half of ML-1M's users, 20 % of their interactions held out.

It is the same for our models, for the peers and for the plain loop. Loading it needs NumPy alone, so that a peer's
memory is its own. ``python -m bench.speed_task OUT.npz`` writes it, for a race by hand.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.measure import RAW, report

if TYPE_CHECKING:
    import pandas as pd

N_CHOSEN = 3020
HELD_OUT = 0.2
RECALL_AT = 50
THRESHOLDS = (0.30, 0.355)
"""Recall@50 whose time is taken: a model that begins to be of use, and a good one."""

Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class SpeedTask:
    """Training and held-out pairs of users and items, as indices from 0.

    Attributes:
        train_users: Users of the training pairs ``[n_train]``, in the file's order.
        train_items: Their items ``[n_train]``.
        test_users: Users of the held-out pairs ``[n_test]``.
        test_items: Their items ``[n_test]``.
        n_users: Number of users.
        n_items: Size of the catalogue; some items have no training pair.
    """

    train_users: Ints
    train_items: Ints
    test_users: Ints
    test_items: Ints
    n_users: int
    n_items: int

    @classmethod
    def of(cls, users: Ints, items: Ints) -> SpeedTask:
        """Makes the task of all raw pairs ``[n]`` in the file's order, by the ids in the file."""
        known = np.unique(users)
        chosen = known[np.sort(np.random.default_rng(0).permutation(len(known))[:N_CHOSEN])]
        catalogue = np.unique(items)
        rows = np.isin(users, chosen)
        u, i = np.searchsorted(chosen, users[rows]), np.searchsorted(catalogue, items[rows])
        held = np.random.default_rng(0).random(len(u)) < HELD_OUT
        return cls(u[~held], i[~held], u[held], i[held], len(chosen), len(catalogue))

    @classmethod
    def from_raw(cls, raw_folder: Path) -> SpeedTask:
        """Reads ``ml-1m/ratings.dat`` or ``ratings.dat.gz`` of a folder of raw files.

        Raises:
            DataError: There is no such file.
        """
        from rec_msa.foundation.errors import DataError
        from rec_msa.interactions import DatasetSettings, RawFile, locate, read_raw

        path = locate("ml-1m", DatasetSettings(), raw_folder)
        if path is None:
            raise DataError(f"the speed task needs {raw_folder}/ml-1m/ratings.dat or ratings.dat.gz; put it there")
        raw = read_raw(RawFile("ml-1m", str(path), "", 0, "local", known=False), DatasetSettings())
        return cls.of(raw["user"].to_numpy(), raw["item"].to_numpy())

    @classmethod
    def load(cls, path: Path | str) -> SpeedTask:
        """Restores what ``save`` wrote."""
        with np.load(path) as arrays:
            pairs = {name: arrays[name] for name in ("train_users", "train_items", "test_users", "test_items")}
            return cls(**pairs, n_users=int(arrays["n_users"]), n_items=int(arrays["n_items"]))

    def save(self, path: Path) -> None:
        """Writes the task, so that a measured process spends nothing on making it."""
        np.savez(path, **vars(self))

    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Training and held-out pairs with the columns user and item."""
        import pandas as pd

        train = pd.DataFrame({"user": self.train_users, "item": self.train_items})
        return train, pd.DataFrame({"user": self.test_users, "item": self.test_items})

    def recall(self, lists: np.ndarray) -> float:
        """Recall@50 of lists ``[n_users, 50]``: hits over held-out items, a mean over the users that have one."""
        listed = np.arange(self.n_users)[:, None] * self.n_items + lists
        hit = np.isin(self.test_users * self.n_items + self.test_items, listed)
        counts = np.bincount(self.test_users, minlength=self.n_users)
        hits = np.bincount(self.test_users, weights=hit, minlength=self.n_users)
        return float(np.mean(hits[counts > 0] / counts[counts > 0]))

    def recall_of_factors(self, users: np.ndarray, items: np.ndarray, bias: np.ndarray | float = 0.0) -> float:
        """Recall@50 of users' factors ``[n_users, d]`` and items' ``[n_items, d]`` with an item bias ``[n_items]``."""
        lists = np.empty((self.n_users, RECALL_AT), dtype=np.int64)
        order = np.argsort(self.train_users, kind="stable")
        seen_users, seen_items = self.train_users[order], self.train_items[order]
        step = 256
        for start in range(0, self.n_users, step):
            scores = users[start : start + step] @ items.T + bias
            part = slice(*np.searchsorted(seen_users, [start, start + len(scores)]))
            scores[seen_users[part] - start, seen_items[part]] = -np.inf
            lists[start : start + step] = np.argpartition(-scores, RECALL_AT, axis=1)[:, :RECALL_AT]
        return self.recall(lists)


def main() -> None:
    """Writes the task to the file that the command line names."""
    from rec_msa.foundation.errors import DataError

    try:
        SpeedTask.from_raw(RAW).save(Path(sys.argv[1]))
    except DataError as error:
        raise SystemExit(str(error)) from error
    report()


if __name__ == "__main__":
    main()
