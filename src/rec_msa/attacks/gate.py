"""The gate: the one way from an attack to the target: users or sequences in, ordered lists out, every call counted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from rec_msa.attacks.base import Asking
from rec_msa.attacks.heldout_sequences import HeldoutSequences
from rec_msa.foundation.errors import QueryError
from rec_msa.foundation.lists import PADDING, Lists
from rec_msa.foundation.randomness import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from rec_msa.attacks.prefixes import PrefixLists

Answer = Callable[[np.ndarray], Lists]
"""What stands behind the gate: global user ids ``[n]`` (sorted, unique) in, served lists of these users out."""


class SequenceSide(NamedTuple):
    """What stands behind a gate that answers for given sequences.

    Attributes:
        answer: Sequences ``[n, l]`` (-1 at the end of shorter ones) in, served lists ``[n, list_length]`` out, without
            the items of the sequence.
        heldout: The sequences of the users on whom the attack is measured, which must not be asked about.
    """

    n_items: int
    answer: Callable[[np.ndarray], np.ndarray]
    list_length: int
    heldout: Sequence[np.ndarray]

    def watched(self, budget: int) -> HeldoutSequences:
        """Counts, of so many calls, those that are about held-out users."""
        return HeldoutSequences(self.heldout, self.list_length, budget)


class QueryGate:
    """Answers questions within a budget and keeps a ledger of them; several threads may ask.

    Of users only the allowed may be asked about (global ids ``[n_allowed]``), of sequences none where there is no side
    that answers for them. A user or a sequence is a call, repeats too.

    Args:
        answer: Sorted user ids in, their lists out: ``Lists.of``, a model, or a function of yours.
        allowed: The users who may be asked about, ids ``[n_allowed]``.
        budget: The calls that are answered.
        sequences: What answers for sequences, where there is such a thing.

    Examples:
        >>> import rec_msa
        >>> served = rec_msa.Lists([3, 5, 8], [[10, 11], [10, 12], [13, 11]])
        >>> gate = rec_msa.Gate(served.of, allowed=[3, 5], budget=3)
        >>> gate.ask([5])
        array([[10, 12]], dtype=int32)
        >>> gate.ledger()
           call  user     items  calls_left
        0     1     5  [10, 12]           2
        >>> gate.ask([8])
        Traceback (most recent call last):
        rec_msa.foundation.errors.QueryError: user 8 may not be asked about: only the 2 queried users may
    """

    def __init__(self, answer: Answer, allowed: ArrayLike, budget: int, sequences: SequenceSide | None = None) -> None:
        self._answer, self._side = answer, sequences
        self._allowed = np.unique(np.asarray(allowed))
        self.budget = budget
        self._heldout = None if sequences is None else sequences.watched(budget)
        self._one_at_a_time = threading.Lock()
        # Of each question its users, its sequences and their answers; a call has padding in place of one of the first.
        self._calls: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    @property
    def n_calls(self) -> int:
        """Calls counted so far."""
        return sum(len(users) for users, _, _ in self._calls)

    def ask(self, users: ArrayLike) -> np.ndarray:
        """Asks for the lists of users, global ids ``[n]`` in any order; each is a call, repeats too.

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
        with self._one_at_a_time:
            self._require_budget(len(asked))
            items = self._answers(asked)
            self._calls.append((asked, np.full((len(asked), 1), PADDING), items))
        return items.copy()

    def ask_sequences(self, sequences: Sequence[ArrayLike] | np.ndarray) -> np.ndarray:
        """Asks for the lists that follow sequences; all are answered at once and counted one by one.

        They have the oldest item first: ``[n, l]`` with -1 at the end of shorter ones, or a list of sequences.

        Returns:
            Items ``[n, list_length]``, best first, without the sequence's own; -1 fills a list that ran out of items.

        Raises:
            QueryError: Sequences are not answered here, one is empty, has an unknown item or is a held-out user's, or
                the calls would pass the budget; then none is answered or counted.
        """
        if self._side is None or self._heldout is None:
            raise QueryError("sequences may not be asked about here: this gate answers for the queried users alone")
        asked = _padded(sequences)
        _check_sequences(asked, self._side.n_items)
        with self._one_at_a_time:
            self._require_budget(len(asked))
            self._heldout.require_none(asked)
            items = self._side.answer(asked)
            self._calls.append((np.full(len(asked), PADDING), asked, items))
        return items.copy()

    def _answers(self, asked: np.ndarray) -> np.ndarray:
        """The lists in the order asked; who is asked about twice is answered twice, maybe otherwise."""
        if not len(asked):
            return self._answer(asked).items
        repeat = pd.Series(asked).groupby(asked).cumcount().to_numpy()
        rounds = [np.flatnonzero(repeat == n) for n in range(int(repeat.max()) + 1)]
        answers = [self._answer(np.sort(asked[places])).of(asked[places]) for places in rounds]
        items = np.empty((len(asked), answers[0].length), dtype=answers[0].items.dtype)
        for places, lists in zip(rounds, answers, strict=True):
            items[places] = lists.items[np.searchsorted(lists.users, asked[places])]
        return items

    def _require_budget(self, more: int) -> None:
        if self.n_calls + more > self.budget:
            msg = f"{more} more calls after {self.n_calls} pass the budget of {self.budget}; none was answered"
            raise QueryError(msg)

    def ledger(self) -> pd.DataFrame:
        """Every call in order: call (from 1), user, items (the list as served), calls_left.

        Where sequences may be asked about, there is a column ``sequence``, too; a call has either a user or a sequence.
        """
        users = np.concatenate([np.empty(0, np.int64), *(users for users, _, _ in self._calls)])
        lists = [row[row != PADDING] for _, _, items in self._calls for row in items]
        calls = np.arange(1, len(users) + 1)
        ledger = pd.DataFrame({"call": calls, "user": users, "items": lists, "calls_left": self.budget - calls})
        if self._side is None:
            return ledger
        ledger["user"] = ledger["user"].astype("Int64").where(ledger["user"] != PADDING)
        given = [row[row != PADDING] for _, sequences, _ in self._calls for row in sequences]
        ledger.insert(2, "sequence", pd.Series(given, dtype=object))
        return ledger


def _padded(sequences: Sequence[ArrayLike] | np.ndarray) -> np.ndarray:
    if isinstance(sequences, np.ndarray) and sequences.dtype.kind in "iu" and sequences.ndim == 2:  # noqa: PLR2004 - a table
        return sequences.astype(np.int64)
    rows = [np.asarray(sequence) for sequence in sequences]
    for place, row in enumerate(rows):
        if row.ndim != 1 or (row.size and row.dtype.kind not in "iu"):
            raise QueryError(f"sequence {place} is no row of whole numbers: ask about items by their indices")
    padded = np.full((len(rows), max(map(len, rows), default=0)), PADDING, dtype=np.int64)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return padded


def _check_sequences(asked: np.ndarray, n_items: int) -> None:
    """Refuses what no history can be.

    Raises:
        QueryError: A sequence is empty, has a gap or an item that is not in the catalogue.
    """
    there = asked != PADDING
    lengths = there.sum(axis=1)
    if (lengths == 0).any():
        raise QueryError(f"sequence {int((lengths == 0).argmax())} is empty: ask about one item or more")
    strangers = asked[there & ((asked < 0) | (asked >= n_items))]
    if len(strangers):
        raise QueryError(f"item {strangers[0]} is unknown: the catalogue has the items 0 to {n_items - 1}")
    gaps = (there[:, 1:] & ~there[:, :-1]).any(axis=1)
    if gaps.any():
        raise QueryError(f"sequence {int(gaps.argmax())} has a gap: -1 may stand at the end of a sequence alone")


SequenceStrategy = Callable[[Callable[[np.ndarray], np.ndarray], np.ndarray, np.random.Generator], "PrefixLists"]
"""How an attack asks about sequences: given ``ask_sequences``, the queried users and a random stream of its own, it
returns the sequences with the lists that it will learn from."""

Ask = Callable[["ArrayLike"], np.ndarray]
"""``QueryGate.ask``: users in, their lists out."""

Strategy = Callable[[Ask, np.ndarray, np.random.Generator], Lists]
"""How an attack asks: given ``ask``, the users it may ask about (sorted) and a random stream of its own, it returns the
lists that it will learn from."""


class AskOnce(Asking):
    """The plain strategy: one call for each queried user; nothing is random."""

    def __call__(self, ask: Ask, users: np.ndarray, _: np.random.Generator) -> Lists:
        """Asks about all of them at once."""
        users = np.unique(users)
        return Lists(users, ask(users))


def query(
    answer: Answer,
    attackers: pd.DataFrame,
    calls_per_user: int = 1,
    strategy: Strategy | None = None,
    seed: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs a query strategy, by default one call for each user, through a fresh gate.

    Of the attackers (columns user, group) only those of group ``queried`` may be asked about; they make the budget.

    Returns:
        The lists to learn from (columns user, rank, item) and the ledger.

    Raises:
        QueryError: The strategy asks for what it may not, or more than the budget allows, or returns what it was not
            answered.
    """
    allowed = _allowed(attackers)
    gate = QueryGate(answer, allowed, budget=calls_per_user * len(allowed))
    asked = (strategy or AskOnce())(gate.ask, allowed, stream(seed, "gate"))
    served, ledger = asked.to_frame(), gate.ledger()
    require_answered(served, ledger, attackers)
    return served, ledger


def query_by_sequences(
    answer: Answer,
    sequences: SequenceSide,
    attackers: pd.DataFrame,
    calls_per_user: int,
    strategy: SequenceStrategy,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs a strategy that asks about sequences through a fresh gate, as ``query`` does.

    Returns:
        The sequences with their lists, as ``PrefixLists.to_frame`` gives them, and the ledger.

    Raises:
        QueryError: As ``query``.
    """
    allowed = _allowed(attackers)
    gate = QueryGate(answer, allowed, calls_per_user * len(allowed), sequences)
    lists, ledger = strategy(gate.ask_sequences, allowed, stream(seed, "gate")), gate.ledger()
    require_sequences_answered(lists, ledger, sequences.watched(gate.budget))
    return lists.to_frame(), ledger


def require_answered(served: pd.DataFrame, ledger: pd.DataFrame, attackers: pd.DataFrame) -> None:
    """Holds, from what the gate leaves, that an attack learns from nothing else than answers about queried users.

    It learns from what was served (columns user, rank, item); the attackers have the columns user and group.

    Raises:
        QueryError: Somebody else was asked about, or an item of a user's list was never served to that user.
    """
    strangers = np.setdiff1d(ledger["user"].to_numpy(), _allowed(attackers))
    if len(strangers):
        raise QueryError(f"ledger: user {strangers[0]} was asked about, who is none of the queried users")
    answers = ledger[["user", "items"]].explode("items").dropna()
    answered = pd.MultiIndex.from_arrays([answers["user"].astype(np.int64), answers["items"].astype(np.int64)])
    learnt = pd.MultiIndex.from_arrays([served["user"].astype(np.int64), served["item"].astype(np.int64)])
    unknown = learnt[~learnt.isin(answered)]
    if len(unknown):
        user, item = unknown[0]
        raise QueryError(f"served_lists: item {item} of user {user} stands in no answer of the ledger about that user")


def require_sequences_answered(lists: PrefixLists, ledger: pd.DataFrame, heldout: HeldoutSequences) -> None:
    """Holds, from what the gate leaves, that each list is the answer to its sequence, and no held-out user's.

    Raises:
        QueryError: Users or held-out users' sequences were asked about, or a list is no answer in the ledger.
    """
    if ledger["user"].notna().any():
        raise QueryError("ledger: users were asked about, too, by an attack that makes sequences up")
    for sequence in ledger["sequence"]:
        heldout.require_none(np.asarray(sequence)[None, :])
    calls = zip(ledger["sequence"], ledger["items"], strict=True)
    answers = {(_bytes(sequence), _bytes(items)) for sequence, items in calls}
    for row, place in np.argwhere((lists.lists != PADDING).any(axis=2)):
        items = lists.lists[row, place]
        if (_bytes(lists.sequences[row, : place + 1]), _bytes(items[items != PADDING])) not in answers:
            raise QueryError(
                f"served_lists: the list of sequence {row} after {place + 1} items is no answer in the ledger"
            )


def _bytes(items: ArrayLike) -> bytes:
    return np.asarray(items, dtype=np.int32).tobytes()


def _allowed(attackers: pd.DataFrame) -> np.ndarray:
    """The users whom an attack may ask about, ascending ``[n_queried]``."""
    return np.sort(attackers.loc[attackers["group"] == "queried", "user"].to_numpy())
