"""The gate: the one way from an attack to the target. Users go in, ordered lists come out, every call is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rec_msa.errors import QueryError
from rec_msa.lists import PADDING, Lists
from rec_msa.randomness import stream

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
        items = self._answers(asked)
        self._users.append(asked)
        self._items.append(items)
        return items.copy()

    def _answers(self, asked: np.ndarray) -> np.ndarray:
        """The lists in the order asked; who is asked about twice is answered twice, maybe otherwise."""
        if not len(asked):
            return self._answer(asked).items
        order = np.argsort(asked, kind="stable")
        starts = np.searchsorted(asked[order], asked[order])
        repeat = np.empty(len(asked), dtype=np.int64)
        repeat[order] = np.arange(len(asked)) - starts
        rounds = [np.flatnonzero(repeat == n) for n in range(int(repeat.max()) + 1)]
        answers = [self._answer(np.sort(asked[places])).of(asked[places]) for places in rounds]
        items = np.empty((len(asked), answers[0].length), dtype=answers[0].items.dtype)
        for places, lists in zip(rounds, answers, strict=True):
            items[places] = lists.items[np.searchsorted(lists.users, asked[places])]
        return items

    def ledger(self) -> pd.DataFrame:
        """Every call in order: call (from 1), user, items (the list as served), calls_left."""
        users = np.concatenate([np.empty(0, np.int64), *self._users])
        lists = [row[row != PADDING] for items in self._items for row in items]
        calls = np.arange(1, len(users) + 1)
        return pd.DataFrame({"call": calls, "user": users, "items": lists, "calls_left": self.budget - calls})


Ask = Callable[["ArrayLike"], np.ndarray]
"""``QueryGate.ask``: users in, their lists out."""

Strategy = Callable[[Ask, np.ndarray, np.random.Generator], Lists]
"""How an attack asks: given ``ask``, the users it may ask about (sorted) and a random stream of its own, it returns the
lists that it will learn from."""


def ask_each_once(ask: Ask, users: np.ndarray, _: np.random.Generator) -> Lists:
    """The plain strategy: one call for each queried user; nothing is random."""
    users = np.unique(users)
    return Lists(users, ask(users))


def query(
    answer: Answer,
    attackers: pd.DataFrame,
    calls_per_user: int = 1,
    strategy: Strategy = ask_each_once,
    seed: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs a query strategy through a fresh gate.

    Args:
        answer: The target's side of the gate.
        attackers: Columns user, group; only users of group ``queried`` may be asked about.
        calls_per_user: The budget, for each queried user.
        strategy: How to ask.
        seed: The cell's seed, of the strategy's random stream.

    Returns:
        The lists to learn from (columns user, rank, item) and the ledger.
    """
    allowed = np.sort(attackers.loc[attackers["group"] == "queried", "user"].to_numpy())
    gate = QueryGate(answer, allowed, budget=calls_per_user * len(allowed))
    lists = strategy(gate.ask, allowed, stream(seed, "gate"))
    return lists.to_frame(), gate.ledger()
