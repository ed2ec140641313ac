"""What every victim shares: interactions as a matrix, ids to rows and back, lists without what is known."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from scipy import sparse

from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.foundation.tables import require_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import ArrayLike, NDArray

Recommend: TypeAlias = "Callable[[NDArray[Any], int], NDArray[Any]]"
"""``recommend(users [n], k) -> items [n, k]``, all in the user's own ids, best first."""

Score: TypeAlias = "Callable[[NDArray[np.intp]], NDArray[np.floating[Any]]]"
"""From rows of the matrix ``[n]`` to scores of all its columns ``[n, n_items]``."""

ROWS_AT_ONCE = 256


class Observed:
    """The interactions that a library trains on, each user a row and each item a column.

    Rows and columns follow the ids in ascending order, so that the order of the table changes nothing.

    Attributes:
        users: The users' own ids, ascending ``[n_users]``.
        items: The items' own ids, ascending ``[n_items]``.
        matrix: 1 where a user has an item ``[n_users, n_items]``, float32.

    Raises:
        DataError: The table has no column ``user`` or ``item``.
    """

    def __init__(self, interactions: pd.DataFrame) -> None:
        require_table("interactions", interactions, ("user", "item"))
        rows, users = pd.factorize(interactions["user"], sort=True)
        columns, items = pd.factorize(interactions["item"], sort=True)
        self.users, self.items = pd.Index(users), pd.Index(items)
        ones = np.ones(len(rows), np.float32)
        self.matrix = sparse.csr_matrix((ones, (rows, columns)), shape=(len(users), len(items)))

    def lists_by(self, score: Score) -> Recommend:
        """Makes ``recommend`` of a model's scores: the k best items that a user does not have.

        Returns:
            A function that raises DataError where a user has no interaction, or fewer than k items are left.
        """

        def recommend(users: ArrayLike, k: int) -> NDArray[Any]:
            rows = self._rows_of(np.asarray(users))
            self._check_room(rows, k)
            parts = [rows[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE)]
            columns = [self._best(score(part), part, k) for part in parts]
            lists: NDArray[Any] = self.items.to_numpy()[np.concatenate([np.empty((0, k), np.intp), *columns])]
            return lists

        return recommend

    def lists_of_vectors(self, users: NDArray[Any], items: NDArray[Any]) -> Recommend:
        """The same of a model that scores products: vectors of users ``[n_users, d]`` and items ``[n_items, d]``.

        They are multiplied in double precision, so that a list does not depend on who is asked about beside it.
        """
        left, right = users.astype(np.float64), items.astype(np.float64)
        return self.lists_by(lambda rows: left[rows] @ right.T)

    def _rows_of(self, users: NDArray[Any]) -> NDArray[np.intp]:
        rows: NDArray[np.intp] = self.users.get_indexer(users)
        if (rows < 0).any():
            stranger = users[rows < 0][0]
            raise DataError(f"user {stranger}: has no interaction that the model was trained on; ask about others")
        return rows

    def _check_room(self, rows: NDArray[np.intp], k: int) -> None:
        left = len(self.items) - np.diff(self.matrix.indptr)[rows]
        if (left < k).any():
            user, most = self.users[rows[left.argmin()]], left.min()
            raise DataError(f"k={k}: user {user} has all but {most} of {len(self.items)} items; ask for at most {most}")

    def _best(self, scores: NDArray[Any], rows: NDArray[np.intp], k: int) -> NDArray[np.intp]:
        """The k best columns of each row, equal scores by column ``[n, k]``."""
        kept = np.where(self.matrix[rows].toarray() > 0, -np.inf, scores)
        best: NDArray[np.intp] = np.argsort(-kept, axis=1, kind="stable")[:, :k]
        return best


def require(library: str) -> None:
    """Refuses to train without a library of the extra ``victims``.

    Raises:
        SettingsError: It is not installed; the message says what installs it.
    """
    if find_spec(library) is None:
        newer = ", with Python 3.12.5 or newer" if library == "lenskit" else ""
        remedy = f"pip install -c constraints.txt '.[victims]'{newer}"
        raise SettingsError(f"{library}: this library is not installed: {remedy}")


def train_implicit(
    module: str, name: str, settings: Mapping[str, Any], interactions: pd.DataFrame, seed: int
) -> Recommend:
    """Trains a model of the library implicit, ``name`` of ``implicit.cpu.<module>``, on one thread."""
    require("implicit")
    observed = Observed(interactions)
    with undisturbed():
        kind = getattr(import_module(f"implicit.cpu.{module}"), name)
        model = kind(**settings, num_threads=1, random_state=seed)
        model.fit(observed.matrix, show_progress=False)
    return observed.lists_of_vectors(model.user_factors, model.item_factors)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Lets a library train on one thread, whose sums come out the same each time, and puts torch back as it was.

    Libraries seed torch's own stream and set its threads, and neither is theirs alone.
    """
    import torch
    from threadpoolctl import threadpool_limits

    threads = torch.get_num_threads()
    with threadpool_limits(limits=1), torch.random.fork_rng(devices=[]):
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
