"""The gate: the one way from an attack to the target. Users go in, ordered lists come out, every call is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_msa.errors import QueryError
from rec_msa.lists import PADDING, Lists

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Answer = Callable[[np.ndarray], Lists]
"""What stands behind the gate: global user ids ``[n]`` (sorted, unique) in, served lists of these users out."""


class QueryGate:
    """Answers questions within a budget and keeps a ledger of them.

    Args:
        answer: The target's side: serves lists, the defense already applied.
        allowed: Global ids of the users that may be asked about ``[n_allowed]``.
        budget: Calls at the most; a user is a call, repeats too.
    """

    def __init__(self, answer: Answer, allowed: ArrayLike, budget: int) -> None:
        self._answer = answer
        self._allowed = np.unique(np.asarray(allowed))
        self.budget = budget
        self._users: list[np.ndarray] = []
        self._items: list[np.ndarray] = []

    @property
    def n_calls(self) -> int:
        """Calls counted so far."""
        return sum(map(len, self._users))

    def ask(self, users: ArrayLike) -> np.ndarray:
        """Asks for the lists of users.

        Args:
            users: Global user ids ``[n]``, in any order, repeats allowed; each is a call.

        Returns:
            Items ``[n, list_length]``, best first, in the order asked; -1 fills a list that ran out of items.

        Raises:
            QueryError: A user is not allowed, or the calls would pass the budget; then none is answered or counted.
        """
        asked = np.array(users, dtype=np.int64).reshape(-1)
        strangers = asked[~np.isin(asked, self._allowed)]
        if len(strangers):
            msg = f"user {strangers[0]} may not be asked about: only the {len(self._allowed)} queried users may"
            raise QueryError(msg)
        if self.n_calls + len(asked) > self.budget:
            msg = f"{len(asked)} more calls after {self.n_calls} pass the budget of {self.budget}; none was answered"
            raise QueryError(msg)
        distinct, place = np.unique(asked, return_inverse=True)
        items = self._answer(distinct).of(distinct).items[place]
        self._users.append(asked)
        self._items.append(items)
        return items.copy()

    def ledger(self) -> pd.DataFrame:
        """Every call in order: call (from 1), user, items (the list as served), calls_left."""
        users = np.concatenate([np.empty(0, np.int64), *self._users])
        lists = [row[row != PADDING] for items in self._items for row in items]
        calls = np.arange(1, len(users) + 1)
        return pd.DataFrame({"call": calls, "user": users, "items": lists, "calls_left": self.budget - calls})


Strategy = Callable[[Callable[["ArrayLike"], np.ndarray], np.ndarray], Lists]
"""How an attack asks: given ``ask`` and the users it may ask about, it returns the lists that it will learn from."""


def ask_each_once(ask: Callable[[ArrayLike], np.ndarray], users: np.ndarray) -> Lists:
    """The plain strategy: one call for each queried user."""
    users = np.unique(users)
    return Lists(users, ask(users))


def query(
    answer: Answer, attackers: pd.DataFrame, calls_per_user: int = 1, strategy: Strategy = ask_each_once
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs a query strategy through a fresh gate.

    Args:
        answer: The target's side of the gate.
        attackers: Columns user, group; only users of group ``queried`` may be asked about.
        calls_per_user: The budget, for each queried user.
        strategy: How to ask.

    Returns:
        The served lists (columns user, rank, item) and the ledger.
    """
    allowed = np.sort(attackers.loc[attackers["group"] == "queried", "user"].to_numpy())
    gate = QueryGate(answer, allowed, budget=calls_per_user * len(allowed))
    lists = strategy(gate.ask, allowed)
    return lists.to_frame(), gate.ledger()
